"""Retention and what else is done now and then, on every level."""

from __future__ import annotations

import psycopg
import pytest

from ingest.readings import US
from storage.maintain import maintain
from tests.support.databases import Database
from tests.support.pipelines import CONTROLLER, Bench, detectors

DAY_US = 86_400 * US
FIRST = CONTROLLER.detectors[0].id


@pytest.fixture
def bench(database: Database) -> Bench:
    """A pipeline on each level in turn."""
    if database.level == "community":
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    return Bench(database.url)


def now_us(bench: Bench) -> int:
    """By the clock of the database, by which retention goes."""
    return int(bench.rows("SELECT subak.us(date_trunc('minute', now()))")[0][0])


def run(bench: Bench, **days: int) -> dict[str, int]:
    with psycopg.connect(bench.url, autocommit=True) as connection:
        return maintain(connection, bench.level, days)


async def test_retention_drops_what_is_old_and_keeps_the_rest(bench: Bench) -> None:
    now = now_us(bench)
    for seq, age_days in enumerate((40, 20, 1)):
        bench.now_us = now - age_days * DAY_US
        await bench.send(detectors(seq, bench.now_us - 60 * US, period_s=60), b"{")
    await bench.close()

    dropped = run(bench, lane_reading=30, lane_1min=30, dead_letter=30, ledger=0)

    assert {"lane_reading": 1, "lane_1min": 1, "dead_letter": 1} == dropped
    assert [(1,), (2,)] == bench.rows("SELECT DISTINCT seq FROM analytics.lane_readings ORDER BY 1")
    assert [(2,)] == bench.rows("SELECT count(DISTINCT start) FROM analytics.lane_1min")
    assert [(2,)] == bench.rows("SELECT count(*) FROM analytics.dead_letters")
    assert [(6, 3, 1)] == bench.rows("SELECT sum(received)::int, sum(rejected)::int, sum(unkept)::int FROM analytics.ledger")
    assert {} == run(bench, lane_reading=30, lane_1min=30, dead_letter=30, ledger=0)


async def test_the_ledger_agrees_with_the_dead_letters_after_their_retention(bench: Bench) -> None:
    bench.now_us = now_us(bench) - 3 * DAY_US
    await bench.send(b"{", b"[]", b"")
    await bench.close()

    assert {"dead_letter": 3} == run(bench, dead_letter=2)
    assert bench.verify()[0].balanced


async def test_nothing_is_dropped_that_no_setting_names(bench: Bench) -> None:
    bench.now_us = now_us(bench) - 400 * DAY_US
    await bench.send(detectors(0, bench.now_us - 60 * US, period_s=60), b"{")
    await bench.close()

    assert {} == run(bench)
    assert 1 == bench.rows("SELECT count(DISTINCT seq) FROM analytics.lane_readings")[0][0]


async def test_rollups_of_days_that_are_long_past_follow_late_data(bench: Bench) -> None:
    """On level community the refresh policies have passed such days; maintenance refreshes them by their mark."""
    past = now_us(bench) // DAY_US * DAY_US - 10 * DAY_US
    rollup = "SELECT volume, minutes FROM analytics.lane_1h WHERE detector = %s AND device = %s"
    for seq, minute in ((0, 0), (2, 2)):
        bench.now_us = past + (minute + 2) * 60 * US
        await bench.send(detectors(seq, past + minute * 60 * US, period_s=60, volume=10, classes={}))
        await bench.pipeline.close_due(live=False)
    bench.now_us = past + 600 * US
    await bench.pipeline.close_due(live=True)
    await bench.close()
    run(bench)
    before = bench.rows(rollup, FIRST, CONTROLLER.id)

    bench.restarted()
    await bench.send(detectors(1, past + 60 * US, period_s=60, volume=5, classes={}))
    await bench.close()
    run(bench)

    assert 20 == before[0][0]
    assert [(25, before[0][1])] == bench.rows(rollup, FIRST, CONTROLLER.id)
    assert [] == bench.verify()[1].differences


async def test_remembered_states_of_signals_thin_out(bench: Bench) -> None:
    """Every one of two days, one a day before, none from before the events that are kept."""
    await bench.close()
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO subak.signal_state SELECT 7, hour, '' FROM generate_series("
            "date_trunc('day', now(), 'UTC') - INTERVAL '5 days', date_trunc('day', now(), 'UTC'), INTERVAL '6 hours') AS hour"
        )
        connection.execute("INSERT INTO subak.signal_state VALUES (8, now() - INTERVAL '90 days', '')")
        for _ in range(2):
            maintain(connection, bench.level, {"signal_event": 3})
        ages = connection.execute(
            "SELECT extract(epoch FROM date_trunc('day', now(), 'UTC') - segment)::integer / 3600 FROM subak.signal_state"
            " WHERE device_id = 7 ORDER BY 1"
        ).fetchall()
        alone = connection.execute("SELECT count(*) FROM subak.signal_state WHERE device_id = 8").fetchone()

    young = [hours for (hours,) in ages if hours <= 24]
    old = [hours for (hours,) in ages if hours > 48]
    assert [0, 6, 12, 18, 24] == young
    assert [72] == [hours for hours in old if hours > 66]
    assert (1,) == alone  # the last one of a controller stays
