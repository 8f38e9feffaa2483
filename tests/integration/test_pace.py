"""How the pipeline keeps up stands in the database, a row a writer and minute."""

from __future__ import annotations

import psycopg
import pytest

from ingest.readings import US
from storage.maintain import maintain
from tests.support.databases import Database
from tests.support.pipelines import NOON_US, TOPIC, Bench, detectors

ROWS = (
    "SELECT writer, extract(epoch FROM minute)::bigint, batches, messages, ack_delay_mean_ms, ack_delay_max_ms, lag_max_s IS NULL"
    " FROM analytics.pipeline_minutes ORDER BY minute"
)


@pytest.fixture
def bench(plain_database: Database) -> Bench:
    return Bench(plain_database.url)


async def send(bench: Bench, first: int, delays_ms: tuple[int, ...]) -> None:
    """A batch whose messages came so many ms before the present."""
    for seq, delay_ms in enumerate(delays_ms, first):
        bench.source.put(TOPIC, detectors(seq, NOON_US + seq * 10 * US), bench.now_us - delay_ms * 1000)
    await bench.pipeline.take(await bench.source.batch(100, 0, 0))


async def test_a_minute_is_told_when_it_is_over_and_once(bench: Bench) -> None:
    await send(bench, 0, (300, 100))
    await send(bench, 2, (50, 30, 20))
    assert [] == bench.rows(ROWS)
    bench.now_us += 60 * US
    await send(bench, 5, (10,))
    await send(bench, 6, (10,))
    minute = NOON_US // US + 60
    assert [("bench", minute, 2, 5, 100.0, 300, False)] == bench.rows(ROWS)

    # What a process had not told when it was killed is not there; the minute that follows is, without a further message too.
    await bench.close()
    bench.restarted()
    bench.now_us += 60 * US
    await send(bench, 7, (40,))
    bench.now_us += 120 * US
    await bench.pipeline.close_due(live=True)
    assert [(minute, 2), (minute + 120, 1)] == [(row[1], row[2]) for row in bench.rows(ROWS)]

    await bench.close()
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("UPDATE subak.pipeline_minute SET minute = minute - INTERVAL '10 years'")
        assert {"pipeline_minute": 2} == maintain(connection, bench.level, {"pipeline_minute": 730})


async def test_two_processes_of_one_name_within_a_minute_add_up(bench: Bench) -> None:
    await send(bench, 0, (300,))
    first = bench.pipeline
    second = bench.restarted()
    await send(bench, 1, (100,))
    bench.now_us += 120 * US
    await first.close_due(live=True)
    await second.close_due(live=True)
    await first.close()
    await second.close()

    assert [(2, 2, 200.0, 300)] == [row[2:6] for row in bench.rows(ROWS)]
