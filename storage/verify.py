"""Checks of the invariants on a live system: does the ledger balance, are bins what their readings say?

Both look at one snapshot of the database, so they may run beside the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from msgspec import Struct

from config.thresholds import BinTests
from ingest.readings import US, LaneReading
from processors.bins import BIN_US, Binner, Key, LaneBin
from processors.ledger import MINUTE_US
from storage.queries import queries

_SQL = queries("verify")
HOUR_US = 3600 * US
SHOWN = 20  # differences listed


class LedgerReport(Struct, frozen=True):
    """What the ledger says since some time, and whether it agrees with the rows that are there.

    Attributes:
        entries: Sources and minutes looked at.
        received: Messages, as the next five.
        differences: One sentence per source and minute that does not balance, or hour that is not the sum of its minutes.
    """

    entries: int
    received: int
    stored: int
    duplicate: int
    rejected: int
    late: int
    lost: int
    recovered: int
    differences: list[str]

    @property
    def balanced(self) -> bool:
        """Nothing differs."""
        return not self.differences


class BinsReport(Struct, frozen=True):
    """Bins recomputed from raw rows.

    Attributes:
        bins: Bins compared, those without readings too.
        observed: Of them, with a valid observation.
        readings: Raw rows they were recomputed from.
        differences: One sentence per bin or rollup that differs.
    """

    bins: int
    observed: int
    readings: int
    differences: list[str]

    @property
    def verified(self) -> bool:
        """Nothing differs."""
        return not self.differences


@contextmanager
def snapshot(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """One moment of the database for all that is read within."""
    with connection.transaction():
        connection.execute(_SQL["snapshot"])
        yield


def verify_ledger(connection: psycopg.Connection[Any], since_us: int = 0) -> LedgerReport:
    """Per source and minute: received = stored + duplicate + rejected, stored and rejected as the tables hold them; hours their sums.

    Args:
        connection: Autocommit on.
        since_us: Minutes of arrival from here on; must be younger than the retention of raw rows and dead letters.
    """
    since_us -= since_us % MINUTE_US
    with snapshot(connection):
        totals = connection.execute(_SQL["ledger_totals"], {"since": since_us}).fetchone()
        assert totals is not None  # noqa: S101 - an aggregate always answers
        rows = connection.execute(_SQL["ledger_differences"], {"since": since_us}).fetchall()
        hours = connection.execute(_SQL["ledger_hour_differences"], {"since": since_us}).fetchall()
    differences = [
        f"device {device}, {minute:%Y-%m-%d %H:%M}: received {received} = stored {stored} + duplicate {duplicate} + rejected {rejected};"
        f" the tables hold {there} stored, and {dead} rejected with those beyond the budget"
        for device, minute, received, stored, duplicate, rejected, there, dead in rows
    ]
    differences += [
        f"device {device}, hour {start:%Y-%m-%d %H:%M}: its sums (received {told}) are not those of its minutes (received {there})"
        for device, start, told, there in hours
    ]
    names = [field for field in LedgerReport.__struct_fields__ if field != "differences"]
    return LedgerReport(**dict(zip(names, totals, strict=True)), differences=differences)


def verify_bins(connection: psycopg.Connection[Any], tests: BinTests, timezone: str, since_us: int = 0) -> BinsReport:
    """Recompute every bin from its raw rows and compare; then every rollup from its bins.

    Args:
        connection: Autocommit on.
        tests: That make a bin suspect, as the pipeline uses them.
        timezone: Of the daily rollup.
        since_us: Bins that begin from here on; must be younger than the retention of raw rows.
    """
    differences: list[str] = []
    counts = [0, 0, 0]
    with snapshot(connection):
        lanes: dict[int, list[int]] = {}
        for device, lane in connection.execute(_SQL["counting_lanes"]):
            lanes.setdefault(device, []).append(lane)
        begin, end = connection.execute(_SQL["span"], {"since": since_us}).fetchone() or (None, None)
        if begin is not None:
            hours = connection.execute(_SQL["hours"], {"since": max(begin, since_us), "until": end}).fetchall()
            # A reading of up to an hour reaches into the hour after it.
            for hour in sorted({h for (start,) in hours for h in (start, start + HOUR_US)}):
                _verify_hour(
                    connection,
                    Binner(lanes, tests),
                    lanes,
                    max(hour, since_us // BIN_US * BIN_US),
                    hour + HOUR_US,
                    counts,
                    differences,
                )
        for kind, lane, start in connection.execute(_SQL["rollup_differences"], {"since": since_us, "timezone": timezone}):
            differences.append(f"lane {lane}, {start:%Y-%m-%d %H:%M}: its {kind} rollup is not the sum of its minutes")
    return BinsReport(bins=counts[0], observed=counts[1], readings=counts[2], differences=differences)


def _verify_hour(
    connection: psycopg.Connection[Any],
    binner: Binner,
    lanes: dict[int, list[int]],
    since_us: int,
    until_us: int,
    counts: list[int],
    differences: list[str],
) -> None:
    span = {"since": since_us, "until": until_us}
    touching: dict[Key, list[LaneReading]] = {}
    for row in connection.execute(_SQL["readings_between"], span):
        reading = LaneReading(*row)
        counts[2] += 1
        for key in binner.keys(reading):
            if since_us <= key[1] < until_us:
                touching.setdefault(key, []).append(reading)
    stored = {(row[0], row[1]): LaneBin(*row) for row in connection.execute(_SQL["bins_between"], span)}
    device_of = {lane: device for device, numbers in lanes.items() for lane in numbers}
    for key in {*touching, *((device_of[lane], start) for lane, start in stored)}:
        binner.load(key, touching.get(key, []), 0)
        for wanted in binner.bins(key, final=True):
            found = stored.pop((wanted.lane, wanted.start_us), None)
            if found is None and wanted.readings == 0:
                # Not closed yet, and nothing came for this lane so far.
                continue
            counts[0] += 1
            counts[1] += wanted.volume is not None
            if found is None or _bits(found) != _bits(wanted):
                differences.append(f"lane {wanted.lane}, minute {wanted.start_us}: stored {found}, its readings say {wanted}")
        binner.forget([key])


def _bits(lane_bin: LaneBin) -> tuple[object, ...]:
    """Everything but `final`, which tells of the watermark and not of the readings."""
    return tuple(getattr(lane_bin, field) for field in LaneBin.__struct_fields__ if field != "final")
