"""`subak import`: event logs that controllers keep in files, into the database on the way that messages take.

The events go through the same transaction as those of MQTT: ledger, raw rows, all or nothing. A controller counts as silent as long
as it sends nothing, however much of its history is imported.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import psycopg
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from config.errors import ConfigError
from config.settings import Settings, load_settings
from config.site import Site, load_site
from ingest.collector import Arrival, wall_clock_us
from ingest.logs import Log, LogError, Part, decode
from ingest.logs.records import admissions, split
from ingest.mqtt.receiver import Delivery
from ingest.readings import US
from ingest.topics import Stream, topic
from storage.imports import imported
from subak.pipeline import Pipeline
from subak.run import Opened, open_site, pipeline_of

TRANSACTION_MESSAGES = 20  # of 500 events
LARGEST = 1 << 30  # bytes of a file

_screen = Console(stderr=True)

Event = tuple[int, int, int, int]
Progressed = Callable[[int], None]


class Imported(Struct, frozen=True):
    """What became of one file.

    Attributes:
        file: Its name.
        form: What it is.
        events: Events in it, by controller.
        new: Of those that were stored, the ones that were not known.
        problems: What could not be used.
        refused: Why nothing of the file could be used; None when something could.
        note: What to know besides; empty when there is nothing.
    """

    file: str
    form: str = ""
    events: dict[str, int] = {}
    new: int = 0
    problems: tuple[str, ...] = ()
    refused: str | None = None
    note: str = ""


def import_(
    *files: Path, device: str | None = None, timezone: str | None = None, site: Path | None = None, json: bool = False
) -> int:
    """Store the events of controller logs; what is known already adds nothing.

    Reads Econolite ASC/3 (`.dat`, `.datZ`), MaxTime XML, and CSV and Parquet with columns for time, code, parameter and mostly device.

    Args:
        files: One or more.
        device: Controller whose logs they are; by default the one that the file, its name or its column names (`logs` in
            controllers.yaml).
        timezone: Of local times in the files; by default the site's.
        site: Path of the site folder.
        json: Print one JSON object a file.

    Returns:
        1 when something of a file could not be used.
    """
    if not files:
        raise ConfigError("subak import needs at least one file")
    settings = load_settings(site=site)
    inventory = load_site(settings.site)
    names = _names(inventory, device)
    zone = _zone(inventory, timezone)
    opened = open_site(settings)
    results = asyncio.run(_import_all(settings, opened, inventory.name, files, names, zone))
    for result in results:
        print(msgspec.json.encode(result).decode() if json else _told(result))
        for problem in () if json else (*result.problems, *((result.refused,) if result.refused else ())):
            _screen.print(problem, markup=False, highlight=False, soft_wrap=True, style="yellow")
        if result.note and not json:
            _screen.print(f"{result.file}: {result.note}", markup=False, highlight=False, soft_wrap=True)
    return 1 if any(result.problems or result.refused for result in results) else 0


def _names(site: Site, device: str | None) -> dict[str, str]:
    """Controllers by what logs call them; by an empty text alone when one was chosen."""
    ids = {controller.id for controller in site.controllers}
    if device is None:
        return {name: controller.id for controller in site.controllers for name in (controller.id, *controller.logs)}
    if device not in ids:
        raise ConfigError(f"--device {device}: no such controller in site {site.name}; there are {', '.join(sorted(ids))}")
    return {"": device}


def _zone(site: Site, timezone: str | None) -> ZoneInfo:
    if timezone is None:
        return site.zone
    if timezone not in available_timezones():
        raise ConfigError(f"--timezone {timezone}: not an IANA time zone; allowed are names such as Asia/Makassar")
    return ZoneInfo(timezone)


def read(path: Path, zone: ZoneInfo) -> Log:
    """One file, decoded.

    Raises:
        LogError: It cannot be read, or is no controller log.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise LogError(f"{path} has more than {LARGEST >> 20} MiB; cut it into smaller files")
        content = path.read_bytes()
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    return decode(path.name, content, zone)


def assign(log: Log, file: str, names: dict[str, str]) -> tuple[dict[str, Part], list[str]]:
    """The parts of a log by controller, and what belongs to none.

    Args:
        log: Decoded.
        file: Its name.
        names: Controllers by what logs call them; by an empty text alone when one was chosen.

    Raises:
        LogError: No part belongs to a controller of the site, or several devices would become one.
    """
    advice = "give --device, or add what the log calls it to `logs` of the controller in controllers.yaml"
    chosen = names.get("")
    if not log.parts:
        raise LogError(f"{file} holds no events")
    if chosen is not None:
        if len(log.parts) > 1:
            raise LogError(
                f"{file} holds {len(log.parts)} devices ({', '.join(sorted(log.parts)[:6])}); --device would make them one: {advice}"
            )
        return dict(zip([chosen], log.parts.values(), strict=True)), []
    found: dict[str, Part] = {}
    problems: list[str] = []
    for called, part in log.parts.items():
        callings = (called,) if called else log.called
        owner = next((names[name] for name in callings if name in names), None)
        if owner is None:
            problems.append(
                f"{file}: {len(part):,} events of {' / '.join(callings) or 'an unnamed device'}, which is no controller of the site: {advice}"
            )
        elif owner in found:
            raise LogError(f"{file}: two devices of it are {owner} in controllers.yaml; correct `logs` there")
        else:
            found[owner] = part
    if not found:
        raise LogError(problems[0] if problems else f"{file} holds no events")
    return found, problems


async def _import_all(
    settings: Settings, opened: Opened, site: str, files: Sequence[Path], names: dict[str, str], zone: ZoneInfo
) -> list[Imported]:
    importer = Importer(settings, opened, site)
    results = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=_screen, transient=True) as bar:
            for path in files:
                try:
                    log = read(path, zone)
                    parts, problems = assign(log, path.name, names)
                except LogError as error:
                    results.append(Imported(path.name, refused=str(error)))
                    continue
                task = bar.add_task(path.name, total=sum(map(len, parts.values())))
                done = await importer.store(parts, lambda count, task=task: bar.advance(task, count))  # type: ignore[misc]
                events = {owner: len(part) for owner, part in parts.items()}
                results.append(
                    Imported(
                        path.name,
                        log.form,
                        events,
                        done.new,
                        (*log.problems, *problems, *done.problems),
                        note=_kept(settings, parts),
                    )
                )
    finally:
        await importer.close()
    return results


def _kept(settings: Settings, parts: dict[str, Part]) -> str:
    """A warning when retention takes away again what is imported."""
    days = settings.retention_days.get("signal_event", 0)
    oldest_us = min((int(part.time_us.min()) for part in parts.values() if len(part)), default=None)
    if days == 0 or oldest_us is None or oldest_us >= wall_clock_us() - days * 86_400 * US:
        return ""
    return (
        f"it holds events older than {days} days, which the retention of `subak run` drops again: raise signal_event in"
        " SUBAK_RETENTION_DAYS (0 keeps for ever)"
    )


class Stored(Struct, frozen=True):
    """What became of the parts of one log."""

    new: int
    problems: tuple[str, ...]


class Importer:
    """A pipeline whose source are logs."""

    def __init__(self, settings: Settings, opened: Opened, site: str) -> None:
        """Nothing is connected yet."""
        self._url = settings.database_url.get_secret_value()
        self._tolerance_us = round(settings.future_tolerance_s * US)
        self._registry = opened.registry
        self._site = site
        self._pipeline: Pipeline = pipeline_of(
            settings, opened, _Nothing(), name=f"{settings.client_id}/import", devices=(), hears=False
        )
        self._received_us = _moments()

    async def store(self, parts: dict[str, Part], tell: Progressed) -> Stored:
        """Make the events of a log durable.

        Args:
            parts: By controller.
            tell: Is told how many more events are safe.
        """
        new = 0
        problems: list[str] = []
        for owner, part in parts.items():
            entry = self._registry.named(owner)
            assert entry is not None  # noqa: S101 - it is of the site that the registry was made of
            since_us = next(self._received_us)
            messages, wrong = split(part, since_us)
            problems += [f"{owner}: {problem}" for problem in wrong]
            if not messages:
                continue
            address = topic(self._site, entry.kind, owner, Stream.EVENTS)
            arrivals: Iterator[Arrival] = (
                (Delivery(0, None, address, b"", False, at_us), admission)
                for at_us, admission in admissions(entry.number, messages, self._received_us, self._tolerance_us)
            )
            while batch := list(itertools.islice(arrivals, TRANSACTION_MESSAGES)):
                await self._pipeline.take(batch)
                tell(sum(len(admission.records) for _, admission in batch))
            new += self._added(entry.number, messages, since_us)
        return Stored(new, tuple(problems))

    def _added(self, device: int, messages: list[list[Event]], since_us: int) -> int:
        with psycopg.connect(self._url, autocommit=True) as connection:
            span = messages[0][0][0], messages[-1][-1][0]
            return imported(connection, [device], span, (since_us, next(self._received_us)))

    async def close(self) -> None:
        """Let go of the database."""
        await self._pipeline.close()


class _Nothing:
    """The pipeline is handed its messages; nobody waits for an acknowledgement."""

    async def batch(self, most: int, delay_s: float, patience_s: float) -> list[Arrival]:
        """None."""
        del most, delay_s, patience_s
        return []

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Nobody."""


def _moments() -> Iterator[int]:
    """The wall clock, never twice the same."""
    last = 0
    while True:
        last = max(last + 1, wall_clock_us())
        yield last


def _told(result: Imported) -> str:
    if result.refused is not None:
        return f"{result.file}: not imported"
    events = sum(result.events.values())
    return f"{result.file}: {result.form}, {events:,} events of {', '.join(sorted(result.events))}; {result.new:,} of them new"
