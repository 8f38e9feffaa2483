"""The console's readers: the documented views, as the least of roles, on every level that keeps connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from config.thresholds import console_thresholds
from dashboards.console.ledger import Balance, totals
from dashboards.console.state import look_back, take
from storage.queries import queries
from storage.readers import Reader
from tests.support.databases import Database
from tests.support.seeding import LETTERS, OFFLINE, seed

LEVELS = pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[Reader]:
    site = seed(database.url)
    found = await Reader.connect(database.url, site.name)
    yield found
    await found.close()


@LEVELS
class TestReader:
    async def test_takes_the_least_of_roles(self, reader: Reader) -> None:
        cursor = await reader._connection.execute("SELECT current_user")
        assert ("subak_reader",) == await cursor.fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await reader._connection.execute("SELECT * FROM subak.lane_1min")

    async def test_cannot_write(self, reader: Reader) -> None:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await reader._connection.execute("CREATE TEMP TABLE note (words text)")

    async def test_a_snapshot_agrees_with_the_tables(self, reader: Reader, database: Database) -> None:
        now = datetime.now(UTC)

        snapshot = await take(reader, now, look_back(console_thresholds()), [1])

        with psycopg.connect(database.url) as connection:
            lanes = connection.execute("SELECT count(*) FROM subak.lane").fetchone()
            since = now.replace(second=0, microsecond=0) - timedelta(minutes=60)
            stored = connection.execute(
                "SELECT count(*) FROM subak.lane_1min WHERE lane_id = 1 AND start >= %s", [since]
            ).fetchone()
            ledger = connection.execute(
                "SELECT sum(received), sum(stored), sum(duplicate), sum(rejected) FROM subak.ledger WHERE minute > %s",
                [now - timedelta(minutes=15)],
            ).fetchone()
        found = totals(snapshot.ledger_short)
        assert lanes == (len(snapshot.lanes),)
        assert ledger == (found.received, found.stored, found.duplicate, found.rejected)
        assert Balance.BALANCED is found.balance
        assert LETTERS == {row.reason: row.letters for row in snapshot.letters}
        assert {"offline"} == {device.presence for device in snapshot.devices if device.device == OFFLINE}
        # Some minutes of the first lane are not there; no row is made up for them.
        assert stored == (len(snapshot.histories[1]),)

    async def test_bins_are_found_by_their_key(self, reader: Reader, database: Database) -> None:
        """A day of bins must not be read to show the last minutes."""
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(
                "SELECT subak.ensure_day(day::date) FROM generate_series(now() - interval '1 day', now(), interval '1 day') day"
            )
            connection.execute(
                "INSERT INTO subak.lane_1min SELECT lane_id, t, 0, 0, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 'missing(device)', true, 0, now()"
                " FROM subak.lane, generate_series(now() - interval '14 hours', now() - interval '2 hours', interval '1 minute') t"
            )
            connection.execute("ANALYZE")
        now = datetime.now(UTC)
        cursor = await reader._connection.execute(
            sql.SQL("EXPLAIN " + queries("console")["minutes"]),
            {"lanes": list(range(1, 60)), "since": now - timedelta(minutes=11), "until": now},
        )
        plan = "\n".join(row[0] for row in await cursor.fetchall())

        assert "Seq Scan on lane_1min" not in plan
        assert "Seq Scan on _hyper" not in plan


async def test_a_login_that_is_only_a_reader_suffices(plain_database: Database) -> None:
    site = seed(plain_database.url)
    with psycopg.connect(plain_database.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE wall LOGIN IN ROLE subak_reader")

    reader = await Reader.connect(plain_database.url.replace("postgres@", "wall@", 1), site.name)
    try:
        snapshot = await take(reader, datetime.now(UTC), look_back(console_thresholds()), [1])
    finally:
        await reader.close()

    assert len(site.devices) == len(snapshot.devices)
