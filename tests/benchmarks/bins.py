"""A city's bins of a year or more, made by the database itself, a day at a time: the same numbers every time.

Rollups are made by the statements of `storage/sql/writer.sql` that the pipeline uses, the hours of the ledger by its triggers. Lanes are
those of the site folder and, where they are too few for the rows that are wanted, copies of them at junctions of their own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from config.site import Site
from ingest.readings import US
from storage.capability import Level
from storage.migrate import migrate
from storage.queries import queries, read_queries
from storage.site import save_site
from storage.writer import quarters

LOADING: Final = {
    # A table that is made and filled in one transaction needs no log; nothing here must outlive a power cut.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "8GB",
}
DAY_MINUTES: Final = 1440
MINUTE: Final = timedelta(minutes=1)
_SQL = read_queries(Path(__file__).parent / "bins.sql")
_OTHERS = read_queries(Path(__file__).parent / "others.sql")
_WRITER = queries("writer")
_ROLLUPS: Final = ("rollup_lane_15min", "rollup_lane_1h", "rollup_lane_1d")
Connection = psycopg.Connection[Any]


def make(url: str, site: Site, rows: int, now: datetime, *, others: bool = True) -> tuple[Level, int]:
    """Make a database of about `rows` bins that end with the last final minute before `now`, or go on where this was cut off.

    Returns:
        Its level, and how many bins there are.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        level = migrate(connection, site.general.timezone)
        until = _minute(now)
        made, first = _begun(connection)
        if first is None:
            # Not again: copies of lanes are not in the folder and would be retired.
            save_site(connection, site)
            lanes = _widen(connection, rows)
            first = until - timedelta(days=max(1, round(rows / (lanes * DAY_MINUTES))))
        _prepare(connection)
        began = time.perf_counter()
        for since, end in _days(first, until):
            made += _span(connection, level, site, since, end)
            _tell(f"{level}: {end:%Y-%m-%d} {made:,} bins of {rows:,} in {time.perf_counter() - began:.0f} s")
        print(file=sys.stderr)
        connection.execute(_SQL["heard"])
        if others:
            _others(connection)
    return level, made


def go_on(url: str, site: Site, level: Level, now: datetime) -> int:
    """Make what is missing up to `now` in a database that was made earlier; returns how many bins."""
    with psycopg.connect(url, autocommit=True) as connection:
        newest = connection.execute(_SQL["newest"], {"after": now - timedelta(days=60)}).fetchone()
        assert newest is not None
        assert newest[0] is not None, "the bins of this folder are older than two months: make it anew"
        _prepare(connection)
        made = sum(_span(connection, level, site, since, end) for since, end in _days(newest[0], _minute(now)))
        connection.execute(_SQL["heard"])
        _others(connection)
    return made


def _begun(connection: Connection) -> tuple[int, datetime | None]:
    """Of a making that was cut off: how many bins it made, and up to where."""
    row = connection.execute(_SQL["begun"]).fetchone()
    assert row is not None
    return int(row[0]), row[1]


def _minute(now: datetime) -> datetime:
    """The end of the newest minute that is final."""
    return (now - timedelta(seconds=11)).replace(second=0, microsecond=0).astimezone(UTC)


def _days(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a span that lie within one UTC day."""
    while since < until:
        end = min(until, since.replace(hour=0, minute=0) + timedelta(days=1))
        yield since, end
        since = end


def _widen(connection: Connection, rows: int) -> int:
    """As many lanes as a year of `rows` bins wants; returns how many there are."""
    own = _count(connection)
    for copy in range(2, round(rows / (own * DAY_MINUTES * 365)) + 1):
        for kind in ("devices", "lanes", "junctions", "links", "approaches"):
            connection.execute(_SQL[f"widen_{kind}"], {"copy": copy})
    return _count(connection)


def _count(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM subak.lane WHERE active").fetchone()
    assert row is not None
    return int(row[0])


def _prepare(connection: Connection) -> None:
    for name in ("lane_nature", "day_nature", "stage"):
        connection.execute(_SQL[name])
    connection.execute("ANALYZE lane_nature")
    connection.execute("ANALYZE day_nature")
    connection.execute("SET work_mem = '64MB'")


def _span(connection: Connection, level: Level, site: Site, since: datetime, until: datetime) -> int:
    """The bins of a part of a day with all that follows from them, in one transaction."""
    span = {"since": since, "until": until, "timezone": site.general.timezone}
    with connection.transaction():
        connection.execute("SELECT subak.ensure_day(%s)", [since.date()])
        made = connection.execute(_SQL["bins"], span).rowcount
        if level is not Level.COMMUNITY:
            connection.execute(_SQL["clear_stage"])
            connection.execute(_SQL["stage_quarters"], span)
            last = until - MINUTE
            bounds = quarters(round(since.timestamp()) * US, round(last.timestamp()) * US)
            for name in _ROLLUPS:
                connection.execute(_WRITER[name], {**bounds, "timezone": site.general.timezone})
        connection.execute(_SQL["ledger"], span)
    return made


def _others(connection: Connection) -> None:
    """What the boards ask for besides bins and ledger, as dense as a site sends it and as long as it is kept, unless it is there."""
    if connection.execute(_OTHERS["has"]).fetchone() == (True,):
        return
    for name, statement in _OTHERS.items():
        if name != "has":
            began = time.perf_counter()
            rows = connection.execute(statement).rowcount
            print(f"{rows:,} of {name} in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    connection.execute("ANALYZE")


def _tell(line: str) -> None:
    print(f"\r{line}", end="", file=sys.stderr, flush=True)
