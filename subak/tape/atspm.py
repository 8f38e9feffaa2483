"""Real hi-res events as a tape: those of one Oregon controller that the PyPI package `atspm` carries.

The package's sample holds 37,152 events of controller 1136 on 2024-04-15 from 12:00 to 14:00. Its times have no zone;
they are local to Oregon (America/Los_Angeles, in April UTC-07:00), which is said here because the file does not.
Four rows occur twice; both of each are published, and both are kept, since an event's key holds its place in its message.
"""

from __future__ import annotations

import importlib
import importlib.resources
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from config.errors import ConfigError
from config.site import Kind, Site
from ingest import contract
from ingest.fixedpoint import microseconds
from ingest.topics import Stream, topic
from subak.tape.format import Frame

ZONE = ZoneInfo("America/Los_Angeles")
EVENTS_MOST = 500  # in one message
MINUTE = timedelta(minutes=1)


class Sample(Struct, frozen=True):
    """The events in order of time, as (aware time, code, parameter)."""

    rows: list[tuple[datetime, int, int]]

    @property
    def first(self) -> datetime:
        """Time of the first event."""
        return self.rows[0][0]

    @property
    def last(self) -> datetime:
        """Time of the last event."""
        return self.rows[-1][0]


def load_sample() -> Sample:
    """Read the package's file; nothing is downloaded.

    Raises:
        ConfigError: The package is not installed.
    """
    try:
        # By name: a large library without type hints, which only this command needs.
        parquet = importlib.import_module("pyarrow.parquet")
        file = importlib.resources.files("atspm") / "data" / "sample_raw_data.parquet"
    except ModuleNotFoundError as error:
        raise ConfigError(f"--atspm needs a package that is not installed ({error.name}): pip install 'subak[atspm]'") from None
    with importlib.resources.as_file(file) as path:
        columns: dict[str, list[Any]] = parquet.read_table(path).to_pydict()
    rows = zip(columns["TimeStamp"], columns["EventId"], columns["Parameter"], strict=True)
    # A stable sort: equal times keep the order of the file.
    return Sample(sorted(((time.replace(tzinfo=ZONE), code, value) for time, code, value in rows), key=lambda row: row[0]))


def shift_to(now: datetime, sample: Sample, speed: float) -> timedelta:
    """How far to move the sample so that it is news: whole minutes, so that bins stay the same.

    Played at its own pace it begins now; played faster it ends now, as otherwise its end would lie in the future.
    """
    anchor = sample.first if speed == 1 else sample.last
    return (now.astimezone(UTC) - anchor.astimezone(UTC)) // MINUTE * MINUTE


def messages(sample: Sample, site: str, controller: str, shift: timedelta) -> Iterator[Frame]:
    """The sample as `events` messages of a controller: one a second of events, at most 500 events each, `seq` from 1.

    Playing it again gives the very same messages, so they are duplicates.
    """
    address = topic(site, Kind.ATC, controller, Stream.EVENTS)
    seq = 0
    for second, group in groupby(sample.rows, key=lambda row: row[0].replace(microsecond=0)):
        events = [
            contract.Event((time.astimezone(UTC) + shift).astimezone(time.tzinfo), code, value) for time, code, value in group
        ]
        # Sent when its second is over, as a controller would.
        sent_us = microseconds(second.astimezone(UTC) + shift) + 1_000_000
        for start in range(0, len(events), EVENTS_MOST):
            seq += 1
            payload = msgspec.json.encode(contract.Events(seq, events[start : start + EVENTS_MOST]))
            yield Frame(sent_us, address, 1, False, payload)


def controller_of(site: Site, name: str | None) -> str:
    """The controller to speak as: the one named, or the site's first.

    Raises:
        ConfigError: The site has no such controller.
    """
    names = [controller.id for controller in site.controllers]
    if not names:
        raise ConfigError(f"site {site.name} has no controller to speak as; add one to {site.path / 'controllers.yaml'}")
    if name is None:
        return names[0]
    if name not in names:
        raise ConfigError(f"--as {name}: no such controller in site {site.name}; there are {', '.join(names)}")
    return name
