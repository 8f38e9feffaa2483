"""The commands `subak record` and `subak replay`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from config.errors import ConfigError
from config.settings import Settings, load_settings
from config.site import load_site
from ingest.fixedpoint import microseconds
from ingest.mqtt.address import Address
from subak.tape import atspm as sample_events
from subak.tape.broker import run_until_signal
from subak.tape.format import VERSION, Frame, Header, TapeReader, TapeWriter, survey
from subak.tape.player import play
from subak.tape.recorder import record as record_stream

INTERRUPTED = 130  # exit status after Ctrl-C

_screen = Console(stderr=True)


def record(
    file: Path,
    *,
    mqtt_url: str | None = None,
    pattern: Annotated[str, Parameter(name="--filter")] = "subak/v1/+/#",
    duration: float | None = None,
    frames: bool = False,
) -> None:
    """Record the broker's stream to a tape, until Ctrl-C.

    Retained messages come first, then everything as it arrives, each with time, topic, QoS, retain flag and payload.

    Args:
        file: New file; an existing one is never written over.
        mqtt_url: Broker; by default SUBAK_MQTT_URL.
        pattern: MQTT topic filter.
        duration: Seconds to record.
        frames: Record the cameras' frames too. Left out by default: they may show faces and plates.
    """
    address = _address(load_settings(mqtt_url=mqtt_url))
    if duration is not None and duration <= 0:
        raise ConfigError(f"--duration {duration:g}: must be above 0 seconds")
    header = Header(VERSION, microseconds(datetime.now(UTC)), pattern)
    count = 0
    try:
        with TapeWriter(file, header) as tape, _screen.status("connecting") as status:

            def tell(messages: int) -> None:
                nonlocal count
                count = messages
                status.update(escape(f"{messages:,} messages of {pattern} from {address}; Ctrl-C ends"))

            run_until_signal(record_stream(tape, address, pattern, duration, tell, pictures=frames))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}; what was flushed before can be read") from error
    _tell(f"{file}: {count:,} messages, {file.stat().st_size:,} bytes")


def replay(
    file: Path | None = None,
    *,
    mqtt_url: str | None = None,
    speed: float | None = None,
    atspm: bool = False,
    as_: Annotated[str | None, Parameter(name="--as")] = None,
    shift_to_now: bool = False,
    site: Path | None = None,
) -> None:
    """Publish a tape again, or the real events of the `atspm` package, and wait until all is acknowledged.

    Args:
        file: A tape made by `subak record`.
        mqtt_url: Broker; by default SUBAK_MQTT_URL.
        speed: 1 keeps the original pace, N is N times as fast, 0 as fast as the broker acknowledges. By default 1 for a
            tape and 0 for --atspm.
        atspm: Publish the 37,152 hi-res events of an Oregon controller that the package `atspm` carries.
        as_: With --atspm: controller of the site that the events are published as; by default its first.
        shift_to_now: With --atspm: move the events from April 2024 to now, by whole minutes.
        site: With --atspm: path of the site folder; by default SUBAK_SITE.
    """
    settings = load_settings(mqtt_url=mqtt_url, site=site)
    address = _address(settings)
    if (file is None) != atspm:
        raise ConfigError("subak replay needs a tape or --atspm, one of the two")
    if not atspm and (as_ is not None or shift_to_now):
        raise ConfigError("--as and --shift-to-now go with --atspm; a tape is published as it was recorded")
    pace = (0.0 if atspm else 1.0) if speed is None else speed
    if pace < 0:
        raise ConfigError(f"--speed {pace:g}: must be 0 or above")
    frames, total = _tape(file) if file is not None else _sample(settings, as_, pace, shifted=shift_to_now)
    done = 0
    with _progress() as bar:
        task = bar.add_task(f"to {address}", total=total)

        def tell(acknowledged: int) -> None:
            nonlocal done
            done = acknowledged
            bar.update(task, completed=acknowledged)

        finished = run_until_signal(play(frames, address, pace, tell))
    _tell(f"{done:,} of {total:,} messages published and acknowledged")
    if not finished:
        raise SystemExit(INTERRUPTED)


def _tell(line: str) -> None:
    _screen.print(line, markup=False, highlight=False, soft_wrap=True)


def _address(settings: Settings) -> Address:
    return Address.of(settings)


def _tape(file: Path) -> tuple[Iterable[Frame], int]:
    found = survey(file)
    seconds = (found.last_us - found.first_us) // 1_000_000
    _tell(f"{file}: {found.messages:,} messages of {found.header.pattern} over {timedelta(seconds=seconds)}")
    if found.damage:
        _tell(f"{file} ends early: {found.damage}; the messages before that are published")
    return TapeReader(file), found.messages


def _sample(settings: Settings, name: str | None, pace: float, *, shifted: bool) -> tuple[Iterable[Frame], int]:
    site = load_site(settings.site)
    controller = sample_events.controller_of(site, name)
    sample = sample_events.load_sample()
    shift = sample_events.shift_to(datetime.now(UTC), sample, pace) if shifted else timedelta(0)
    frames = list(sample_events.messages(sample, site.name, controller, shift))
    first, last = sample.first.astimezone(UTC) + shift, sample.last.astimezone(UTC) + shift
    _tell(
        f"{len(sample.rows):,} events in {len(frames):,} messages as {controller}, "
        f"{first.isoformat(timespec='seconds')} to {last.isoformat(timespec='seconds')}"
    )
    return frames, len(frames)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=_screen,
    )
