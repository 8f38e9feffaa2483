"""The hours of the ledger stay the sums of its minutes, whatever is done to the minutes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import LiteralString

import psycopg
import pytest

from storage.maintain import maintain
from storage.verify import verify_ledger
from tests.support.databases import Database
from tests.support.pipelines import NOON_US, Bench, detectors

BEGIN = "2026-11-24 03:00+00"
# A minute of one of three sources, over three hours; counts that need not balance.
ADD = """
INSERT INTO subak.ledger AS g
SELECT d, %s::timestamptz + (n %% 180) * INTERVAL '1 minute', 3, 2, n %% 2, n %% 3, n %% 5, 1, 0, 0, 0
FROM generate_series(%s::integer, %s::integer) AS n, generate_series(1, 3) AS d
ON CONFLICT (device_id, minute) DO UPDATE SET received = g.received + excluded.received, stored = g.stored + excluded.stored
"""
MINUTES = """
SELECT device_id, date_trunc('hour', minute, 'UTC'), count(*), count(*) FILTER (WHERE received <> stored + duplicate + rejected),
    sum(received)::bigint, sum(stored)::bigint, sum(duplicate)::bigint, sum(rejected)::bigint, sum(late)::bigint, sum(lost)::bigint
FROM subak.ledger GROUP BY 1, 2 ORDER BY 1, 2
"""
HOURS = """
SELECT device_id, start, minutes::bigint, unbalanced::bigint, received, stored, duplicate, rejected, late, lost
FROM subak.ledger_1h ORDER BY 1, 2
"""


@pytest.fixture
def bench(database: Database) -> Bench:
    """A pipeline on each level in turn."""
    if database.level == "community":
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    return Bench(database.url)


def test_any_change_of_minutes_reaches_their_hours(bench: Bench) -> None:
    dice = random.Random(7)
    changes: list[Callable[[int, int], tuple[LiteralString, list[object]]]] = [
        lambda n, _: (ADD, [BEGIN, n, n + dice.randrange(90)]),
        lambda n, _: (
            "UPDATE subak.ledger SET unkept = unkept + 1, rejected = rejected + 1 WHERE extract(minute FROM minute) < %s",
            [n % 60],
        ),
        # A minute that moves to another hour, and one that goes.
        lambda n, step: (
            "UPDATE subak.ledger SET minute = minute + %s * INTERVAL '1 day' WHERE device_id = %s AND minute < '2026-11-24 04:00+00'",
            [step + 1, n % 3 + 1],
        ),
        lambda n, _: (
            "DELETE FROM subak.ledger WHERE device_id = %s AND minute < %s::timestamptz + %s * INTERVAL '1 minute'",
            [n % 3 + 1, BEGIN, n],
        ),
    ]
    with psycopg.connect(bench.url, autocommit=True) as connection:
        for step in range(40):
            change = dice.choices(changes, weights=(5, 2, 1, 1))[0]
            with connection.transaction(force_rollback=step % 4 == 3):
                connection.execute(*change(dice.randrange(180), step))
            assert connection.execute(MINUTES).fetchall() == connection.execute(HOURS).fetchall()
        assert connection.execute(HOURS).fetchall()
        connection.execute("TRUNCATE subak.ledger")
        assert [] == connection.execute(HOURS).fetchall()


@pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)
async def test_late_and_refused_messages_and_retention_leave_them_equal(bench: Bench) -> None:
    await bench.send(*(detectors(n, NOON_US + 10_000_000 * n) for n in range(5)), b"{")
    bench.now_us += 3600 * 1_000_000
    await bench.send(detectors(9, NOON_US), detectors(9, NOON_US))
    await bench.close()
    with psycopg.connect(bench.url, autocommit=True) as connection:
        assert (2,) == connection.execute("SELECT count(*) FROM analytics.ledger_1h").fetchone()
        assert verify_ledger(connection).balanced
        connection.execute("UPDATE subak.dead_letter SET received_at = received_at - INTERVAL '400 days'")
        connection.execute("UPDATE subak.ledger SET minute = minute - INTERVAL '400 days'")
        maintain(connection, bench.level, {"dead_letter": 30})
        assert connection.execute(MINUTES).fetchall() == connection.execute(HOURS).fetchall()
        maintain(connection, bench.level, {"ledger": 30})
        assert [] == connection.execute(MINUTES).fetchall() == connection.execute(HOURS).fetchall()


@pytest.mark.parametrize("database", ["plain"], indirect=True)
async def test_verify_says_which_hour_is_wrong(bench: Bench) -> None:
    await bench.send(*(detectors(n, NOON_US + 10_000_000 * n) for n in range(5)))
    await bench.close()
    with psycopg.connect(bench.url, autocommit=True) as connection:
        assert [] == verify_ledger(connection).differences
        connection.execute("UPDATE subak.ledger_1h SET late = late + 1")
        assert 1 == len(verify_ledger(connection).differences)
        connection.execute("DELETE FROM subak.ledger_1h")
        (told,) = verify_ledger(connection).differences
    assert "hour 2026-11-24 04:00: its sums (received 0) are not those of its minutes (received 5)" in told


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_writers_of_the_same_hour_neither_lose_nor_lock_each_other(bench: Bench) -> None:
    def write(first: int) -> None:
        with psycopg.connect(bench.url, autocommit=True) as connection:
            for n in range(60):
                connection.execute(ADD, [BEGIN, first + n, first + n + 20])

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 30, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bench.rows(MINUTES) == bench.rows(HOURS)
    assert [(3 * 3 * 60 * 21 * 3,)] == bench.rows("SELECT sum(received)::bigint FROM subak.ledger_1h")
