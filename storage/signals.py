"""Signal measures inside one transaction: events read back in order, rows that became final, and what is remembered.

Rows travel as one array a column; names become numbers of a dimension that the writer's connection remembers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
import zstandard
from msgspec import Struct

from processors.signal_progress import Progress
from processors.signals import Cycle, Events, Interval, Measure
from storage.queries import queries

_SQL = queries("signals")
_LEVEL = 3
_POSTGRES_EPOCH_US = 946_684_800_000_000

Quantity = tuple[str, str, str, float]
"""Measure, element, name, period (s)."""


class Span(Struct, frozen=True):
    """Events of one controller that are wanted: at or after `since_us`, before `until_us`."""

    device: int
    since_us: int
    until_us: int


class Final(Struct, frozen=True):
    """Rows of one controller that became final in one segment.

    Attributes:
        device: Its number.
        segment_us: Begin of the segment.
        again: The segment was measured before: what is new in it is a revision.
        measures: The rows, as the next two.
    """

    device: int
    segment_us: int
    again: bool
    measures: Sequence[Measure]
    cycles: Sequence[Cycle]
    intervals: Sequence[Interval]


def event_arrays(times: bytes, codes: bytes, parameters: bytes) -> Events:
    """Events as the statement `events` gives them."""
    return Events(
        np.frombuffer(times, ">i8").astype(np.int64) + _POSTGRES_EPOCH_US,
        np.frombuffer(codes, ">i4").astype(np.int64),
        np.frombuffer(parameters, ">i4").astype(np.int64),
    )


def unpacked(state: bytes) -> bytes:
    """A remembered state, which the table holds compressed: it is a quarter of an hour of events."""
    return zstandard.decompress(state)


def measure_row(device: int, quantity: int, m: Measure) -> tuple[Any, ...]:
    """A measure as the table holds it, without segment and revision."""
    return (device, quantity, m.start_us, m.value, m.quality)


def cycle_row(device: int, c: Cycle) -> tuple[Any, ...]:
    """A cycle as the table holds it, without segment and revision; lists of whole milliseconds and channels as text."""
    moments = ",".join(str(round((time_us - c.start_us) / 1000)) for time_us in c.arrivals_us)
    channels = ",".join(map(str, c.arrival_detectors))
    return (
        device, c.phase, c.start_us, c.green_us, c.yellow_us, c.end_us, c.programmed_s, c.termination, c.green_occupancy,
        c.red_occupancy, c.split_failure, c.arrivals, c.arrivals_on_green, c.delay_s, f"{{{moments}}}", f"{{{channels}}}", c.quality,
    )  # fmt: skip


def interval_row(device: int, i: Interval) -> tuple[Any, ...]:
    """An interval as the table holds it, without segment and revision."""
    return (device, i.kind, i.element, i.onset_us, i.end_us, i.repaired)


def _number_of(element: str, kind: str) -> int | None:
    """The 5 of `phase:5` in `phase:5/detector:9`."""
    for part in element.split("/"):
        name, _, number = part.partition(":")
        if name == kind and number.isdecimal():
            return int(number)
    return None


class SignalRows:
    """What may be done with signal measures inside one transaction."""

    def __init__(
        self, connection: psycopg.AsyncConnection[Any], quantities: dict[Quantity, int], units: Mapping[tuple[str, str], str]
    ) -> None:
        """Work over an open connection.

        Args:
            connection: In a transaction.
            quantities: Numbers that the connection knows already; what is learnt is added.
            units: By measure and name.
        """
        self._connection = connection
        self._units = units
        self._quantities = quantities

    async def events(self, spans: Sequence[Span]) -> dict[int, Events]:
        """Stored events by device; at most one span a device."""
        found = dict.fromkeys((span.device for span in spans), Events.of(()))
        cursor = await self._connection.execute(
            _SQL["events"],
            {
                "devices": [span.device for span in spans],
                "since": [span.since_us for span in spans],
                "until": [span.until_us for span in spans],
                "first": min(span.since_us for span in spans),
                "last": max(span.until_us for span in spans),
            },
            binary=True,
        )
        found.update({device: event_arrays(*columns) for device, *columns in await cursor.fetchall()})
        return found

    async def last_event(self, device: int, before_us: int) -> int | None:
        """Time of the last stored event of a device before a moment; None when there is none."""
        cursor = await self._connection.execute(_SQL["last_event"], (device, before_us))
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def states(self, at_us: Mapping[int, int]) -> dict[int, tuple[int, bytes]]:
        """The last saved state of each device at or before a time, with its time; without those that have none."""
        cursor = await self._connection.execute(_SQL["states"], (list(at_us), list(at_us.values())), binary=True)
        return {device: (segment_us, unpacked(state)) for device, segment_us, state in await cursor.fetchall()}

    async def states_between(self, span: Span) -> dict[int, bytes]:
        """The saved states of one device by time, after the begin of the span and up to its end."""
        cursor = await self._connection.execute(_SQL["states_between"], (span.device, span.since_us, span.until_us), binary=True)
        return {at_us: unpacked(state) for at_us, state in await cursor.fetchall()}

    async def save_states(self, states: Sequence[tuple[int, int, bytes]]) -> None:
        """Remember states: device, time, state."""
        packed = [(device, at_us, zstandard.compress(state, _LEVEL)) for device, at_us, state in states]
        await self._all_at_once("save_states", packed)

    async def save_progress(self, progress: Mapping[int, Progress]) -> None:
        """Remember how far devices are measured."""
        rows = [(device, p.begun_us, p.done_us, p.redo_from_us, p.redo_until_us) for device, p in sorted(progress.items())]
        await self._all_at_once("save_progress", rows)

    async def add_late(self, spans: Sequence[tuple[int, int, int]]) -> None:
        """Tell the process that measures these devices of events stored here: device, first, last time."""
        await self._all_at_once("add_late", spans)

    async def take_late(self, devices: Collection[int]) -> list[tuple[int, int, int]]:
        """What other processes told, once: device, first, last time."""
        cursor = await self._connection.execute(_SQL["take_late"], (list(devices),))
        return await cursor.fetchall()

    async def save(self, finals: Sequence[Final]) -> None:
        """Store rows; those that are there already and equal are left alone."""
        await self._know([measure for final in finals for measure in final.measures])
        number = self._quantities
        await self._all_at_once(
            "save_measures",
            [(*measure_row(f.device, number[_quantity(m)], m), f.segment_us, int(f.again)) for f in finals for m in f.measures],
        )
        await self._all_at_once(
            "save_cycles", [(*cycle_row(f.device, c), f.segment_us, int(f.again)) for f in finals for c in f.cycles]
        )
        await self._all_at_once(
            "save_intervals", [(*interval_row(f.device, i), f.segment_us, int(f.again)) for f in finals for i in f.intervals]
        )

    async def drop_others(self, span: Span, finals: Iterable[Final]) -> None:
        """Of the segments of a span, drop every row of the device that is not among `finals`, which are saved already."""
        finals = [final for final in finals if final.device == span.device]
        measures = [(self._quantities[_quantity(m)], m.start_us) for f in finals for m in f.measures]
        cycles = [(c.phase, c.start_us) for f in finals for c in f.cycles]
        intervals = [(i.kind, i.element, i.onset_us) for f in finals for i in f.intervals]
        where = (span.device, span.since_us, span.until_us)
        await self._connection.execute(_SQL["drop_measures"], (*where, *_columns(measures, 2)))
        await self._connection.execute(_SQL["drop_cycles"], (*where, *_columns(cycles, 2)))
        await self._connection.execute(_SQL["drop_intervals"], (*where, *_columns(intervals, 3)))

    async def _know(self, measures: Sequence[Measure]) -> None:
        """Numbers for everything that is measured for the first time."""
        if not self._quantities and measures:
            cursor = await self._connection.execute(_SQL["quantities"])
            self._learn(await cursor.fetchall())
        # In one order, so that two processes that learn the same cannot wait for each other.
        new = sorted({_quantity(m) for m in measures} - self._quantities.keys())
        if new:
            rows = [(*q, self._units[q[0], q[2]], _number_of(q[1], "phase"), _number_of(q[1], "detector")) for q in new]
            cursor = await self._connection.execute(_SQL["save_quantities"], _columns(rows, 7))
            self._learn(await cursor.fetchall())

    def _learn(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._quantities.update({(measure, element, name, period_s): n for n, measure, element, name, period_s in rows})

    async def _all_at_once(self, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._connection.execute(_SQL[name], _columns(rows, len(rows[0])))


def _quantity(measure: Measure) -> Quantity:
    return (measure.measure, measure.element, measure.name, measure.period_s)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]
