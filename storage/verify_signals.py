"""Are signal measures what the stored events say? Measured again, all at once, and compared row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from msgspec import Struct

from processors.signal_progress import Progress, pieces
from processors.signal_rows import SignalMeter
from processors.signals import Rows
from storage.queries import queries
from storage.signals import cycle_row, event_arrays, interval_row, measure_row, unpacked
from storage.verify import snapshot

_SQL = queries("signals")
_TABLES = ("measures", "cycles", "intervals")

Row = tuple[Any, ...]


class Meters(Protocol):
    """Makes meters, as `subak.measuring.Meters`."""

    def begin(self, device: int, start_us: int) -> SignalMeter:
        """One that knows of nothing before."""
        ...

    def resume(self, device: int, state: bytes) -> SignalMeter:
        """One that knows what another remembered."""
        ...


class SignalsReport(Struct, frozen=True):
    """Signal measures recomputed from raw rows.

    Attributes:
        controllers: Compared.
        redoing: Not compared: late events wait to be measured.
        events: Raw rows they were recomputed from.
        rows: Measures, cycles and intervals compared.
        differences: One sentence per row or state that differs.
    """

    controllers: int
    redoing: int
    events: int
    rows: int
    differences: list[str]

    @property
    def verified(self) -> bool:
        """Nothing differs."""
        return not self.differences


def verify_signals(
    connection: psycopg.Connection[Any], meters: Meters, devices: Sequence[int], since_us: int = 0
) -> SignalsReport:
    """Measure every controller again and compare measures, cycles, intervals and remembered states.

    Args:
        connection: Autocommit on.
        meters: As the pipeline uses them.
        devices: Numbers of the controllers that it measures.
        since_us: From the last state remembered before here, which is then taken as right; from the first event when there is none.
    """
    differences: list[str] = []
    compared = redoing = events = rows = 0
    with snapshot(connection):
        for device, *times_us in connection.execute(_SQL["progress"]).fetchall():
            progress = Progress(*times_us)
            if device not in devices:
                continue
            if progress.redo_from_us is not None:
                redoing += 1
                continue
            compared += 1
            found = _verify_controller(connection, meters, device, progress, since_us, differences)
            events, rows = events + found[0], rows + found[1]
    return SignalsReport(compared, redoing, events, rows, differences)


def _verify_controller(
    connection: psycopg.Connection[Any], meters: Meters, device: int, progress: Progress, since_us: int, differences: list[str]
) -> tuple[int, int]:
    remembered = connection.execute(_SQL["states"], ([device], [since_us]), binary=True).fetchone() if since_us else None
    start_us = progress.begun_us if remembered is None else remembered[1]
    meter = meters.begin(device, start_us) if remembered is None else meters.resume(device, unpacked(remembered[2]))
    saved = connection.execute(_SQL["states_between"], (device, start_us, progress.done_us), binary=True).fetchall()
    states = {at_us: unpacked(state) for at_us, state in saved}
    wanted: dict[str, dict[Row, Row]] = {table: {} for table in _TABLES}
    count = 0
    for begin_us, end_us in pieces(start_us, progress.done_us, start_us):
        span = {"devices": [device], "since": [begin_us], "until": [end_us], "first": begin_us, "last": end_us}
        row = connection.execute(_SQL["events"], span, binary=True).fetchone()
        events = event_arrays(*row[1:]) if row else event_arrays(b"", b"", b"")
        count += len(events)
        _keep(wanted, device, meter.feed(events, end_us))
        if end_us in states and states[end_us] != meter.state():
            differences.append(f"device {device}: the state remembered at {end_us} is not what its events say")
    _keep(wanted, device, Rows([], meter.ahead(), []))
    total = 0
    for table in _TABLES:
        stored = {}
        for row in connection.execute(_SQL[f"{table}_since"], (device, start_us)):
            key, found = _stored(table, row)
            stored[key] = found
        total += len(stored)
        for key in sorted(wanted[table].keys() | stored.keys(), key=repr):
            if wanted[table].get(key) != stored.get(key):
                differences.append(
                    f"device {device}, {table} {key}: stored {stored.get(key)}, its events say {wanted[table].get(key)}"
                )
    return count, total


def _keep(wanted: dict[str, dict[Row, Row]], device: int, rows: Rows) -> None:
    wanted["measures"].update(
        {(m.measure, m.element, m.name, m.period_s, m.start_us): measure_row(device, 0, m) for m in rows.measures}
    )
    wanted["cycles"].update({(c.phase, c.start_us): cycle_row(device, c) for c in rows.cycles})
    wanted["intervals"].update({(i.kind, i.element, i.onset_us): interval_row(device, i) for i in rows.intervals})


def _stored(table: str, row: Row) -> tuple[Row, Row]:
    """Key and row as `_keep` makes them."""
    if table == "measures":
        return (*row[5:], row[2]), row[:5]
    return (row[1:3] if table == "cycles" else row[1:4]), row
