"""Signal measures on real databases: whatever the way of the events, the rows are those of all events at once."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import psycopg
import pytest

from ingest.readings import US
from storage.verify_signals import verify_signals
from tests.support.databases import Database
from tests.support.meters import GREEN, OFF, ON, RED, YELLOW, CountingMeters
from tests.support.pipelines import CONTROLLER, NOON_US, SITE, Bench, rfc3339

TOPIC = f"subak/v1/{SITE.name}/atc/{CONTROLLER.id}/events"
MINUTE_US = 60 * US
Event = tuple[int, int, int]

ONLY_REAL = pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)
CYCLES = (
    'SELECT phase, start, green, yellow, "end", cycle_s, green_s, programmed_s, termination, quality'
    " FROM analytics.signal_cycles ORDER BY 1, 2"
)
EVERYTHING = {
    "measures": "SELECT start, measure, element, name, value, unit, quality, phase FROM analytics.signal_measures ORDER BY 1, 2, 3, 4",
    "cycles": CYCLES,
    "arrivals": "SELECT phase, detector, time, seconds_in_cycle, state FROM analytics.signal_arrivals ORDER BY 1, 2, 3",
    "intervals": 'SELECT kind, element, onset, "end", repaired FROM analytics.signal_intervals ORDER BY 1, 2, 3',
    "states": "SELECT segment, state FROM subak.signal_state ORDER BY 1",
}
"""All that an analyst sees, and what is remembered, but for revisions."""


@pytest.fixture
def bench(database: Database) -> Bench:
    """A pipeline on each level in turn; the server of level community has one connection."""
    if database.level == "community":
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    return Bench(database.url)


def an_hour(minutes: int = 62, begin_us: int = NOON_US) -> list[list[Event]]:
    """A cycle a minute of two phases, with a vehicle in each, as one message a minute."""
    messages = []
    for minute in range(minutes):
        at_us = begin_us + minute * MINUTE_US
        messages.append(
            [
                (at_us + phase * US + offset, code, phase)
                for phase in (2, 4)
                for offset, code in ((0, RED), (10 * US, ON), (20 * US, GREEN), (25 * US, OFF), (50 * US, YELLOW))
            ]
        )
        messages[-1].sort()
    return messages


def message(seq: int, events: list[Event]) -> bytes:
    """As a controller sends it."""
    return msgspec.json.encode({"seq": seq, "events": [[rfc3339(at_us), code, parameter] for at_us, code, parameter in events]})


async def measured(bench: Bench) -> None:
    """All that is due, until nothing is."""
    for _ in range(200):
        bench.now_us += 2 * US
        await bench.pipeline.close_due(live=True)
        bench.now_us += 2 * US
        if not bench.pipeline._measuring.due(live=True):
            return
    raise AssertionError("it never ends")


def everything(bench: Bench) -> dict[str, list[tuple[Any, ...]]]:
    """What the database says of everything."""
    return {name: bench.rows(query) for name, query in EVERYTHING.items()}


async def all_at_once(bench: Bench, messages: list[list[Event]]) -> dict[str, list[tuple[Any, ...]]]:
    """One batch, then the clock goes on."""
    bench.now_us = NOON_US + len(messages) * MINUTE_US + 5 * US
    await bench.send(*(message(seq, events) for seq, events in enumerate(messages)), topic=TOPIC)
    bench.now_us = NOON_US + 65 * MINUTE_US
    await measured(bench)
    await bench.close()
    return everything(bench)


async def test_rows_of_cycles_and_quarters(bench: Bench) -> None:
    found = await all_at_once(bench, an_hour())

    assert [(2, 60.0, 30.0, 30.0, "gap_out", "good")] * 61 == [
        (r[0], r[5], r[6], r[7], r[8], r[9]) for r in found["cycles"] if r[0] == 2
    ]
    assert [("phase:1", 30.0), ("phase:8", 30.0), ("phase:81", 30.0), ("phase:82", 30.0), ("phase:9", 30.0)] == [
        (r[2], r[4]) for r in found["measures"][:5]
    ]
    assert 4 * 5 == len(found["measures"])
    assert 124 == len(found["intervals"])
    assert {(1.5, "red")} == {r[3:] for r in found["arrivals"]}
    assert 4 == len(found["states"])
    assert {(0,)} == set(bench.rows("SELECT DISTINCT revision FROM analytics.signal_cycles"))


@pytest.mark.parametrize("seed", range(2))
@ONLY_REAL
async def test_any_order_batches_repetition_lateness_and_restarts_give_the_same_rows(database: Database, seed: int) -> None:
    messages = an_hour()
    calm = Bench(database.url)
    wanted = await all_at_once(calm, messages)
    with psycopg.connect(database.url, autocommit=True) as connection:
        for table in ("measure", "cycle", "interval", "progress", "state", "event"):
            connection.execute(f"TRUNCATE subak.signal_{table}")
        connection.execute("TRUNCATE subak.ledger, subak.sequence, subak.writer")

    chance = random.Random(seed)
    bench = Bench(database.url)
    numbered = list(enumerate(messages))
    # Most come in their minute, some minutes later, some twice, the last of all an hour late.
    arrivals = sorted(
        (seq + chance.choice([0, 0, 0, 0, 1, 20, 40]), seq, events) for seq, events in numbered + chance.sample(numbered, 8)
    )
    for minute, seq, events in arrivals:
        bench.now_us = max(bench.now_us, NOON_US + (minute + 1) * MINUTE_US)
        await bench.send(message(seq, events), topic=TOPIC)
        await bench.pipeline.close_due(live=chance.random() < 0.8)
        if chance.random() < 0.1:
            await bench.close()
            bench.restarted()
    bench.now_us = max(bench.now_us, NOON_US + 65 * MINUTE_US)
    await measured(bench)
    await bench.close()

    until = bench.rows("SELECT done_until FROM analytics.signal_progress")[0][0]
    assert until >= calm.rows("SELECT done_until FROM analytics.signal_progress")[0][0]
    found = everything(bench)
    for name, rows in wanted.items():
        # It may have gone on further by some seconds; nothing new happened then.
        assert rows == found[name][: len(rows)], name


async def test_a_late_event_is_measured_again_until_nothing_changes(bench: Bench) -> None:
    messages = an_hour()
    late = messages[3].pop(4)
    await all_at_once(bench, messages)
    begun = len(bench.meters.made)  # type: ignore[attr-defined]
    before = everything(bench)

    await bench.send(message(99, [late]), topic=TOPIC)
    await bench.close()
    assert [(True,)] == bench.rows("SELECT redoing FROM analytics.signal_progress")
    await measured(bench)
    await bench.close()

    again = bench.meters.made[begun]  # type: ignore[attr-defined]
    assert 1 == again.feeds  # the state at the end of its quarter is as it was
    after = everything(bench)
    assert before != after
    assert [(0, 121), (1, 1)] == bench.rows("SELECT revision, count(*) FROM analytics.signal_cycles GROUP BY 1 ORDER BY 1")


@ONLY_REAL
async def test_a_row_that_its_events_do_not_give_any_more_goes(bench: Bench) -> None:
    """A red in the middle of a cycle makes two of one; the row of the long one is gone, not left beside them."""
    await all_at_once(bench, an_hour())

    await bench.send(message(99, [(NOON_US + 5 * MINUTE_US + 30 * US, RED, 2), (NOON_US + 7 * MINUTE_US, OFF, 4)]), topic=TOPIC)
    await measured(bench)
    await bench.close()

    short = [r[5] for r in bench.rows(CYCLES) if r[0] == 2 and r[5] != 60]
    assert [28.0, 32.0] == short
    assert 62 == len([r for r in bench.rows(CYCLES) if r[0] == 2])


@ONLY_REAL
async def test_events_before_everything_begin_it_anew(bench: Bench) -> None:
    messages = an_hour()
    await all_at_once(bench, messages[30:])
    await bench.send(*(message(100 + seq, events) for seq, events in enumerate(messages[:30])), topic=TOPIC)
    await measured(bench)
    await bench.close()

    assert 61 == len([r for r in bench.rows(CYCLES) if r[0] == 2])
    assert [(NOON_US,)] == bench.rows("SELECT subak.us(begun) FROM analytics.signal_progress")


@ONLY_REAL
async def test_verification_finds_what_the_events_do_not_say(bench: Bench) -> None:
    await all_at_once(bench, an_hour())
    devices = [entry.number for entry in bench.registry]

    def verified() -> list[str]:
        with psycopg.connect(bench.url, autocommit=True) as connection:
            return verify_signals(connection, CountingMeters(), devices).differences

    assert [] == verified()
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute(
            "UPDATE subak.signal_cycle SET termination = 'max_out' WHERE phase = 4 AND start = (SELECT min(start) FROM subak.signal_cycle WHERE phase = 4)"
        )
        connection.execute(
            "DELETE FROM subak.signal_measure WHERE quantity_id = 1 AND segment = (SELECT max(segment) FROM subak.signal_measure)"
        )
        connection.execute(
            "UPDATE subak.signal_state SET state = (SELECT state FROM subak.signal_state ORDER BY segment LIMIT 1) WHERE segment = (SELECT max(segment) FROM subak.signal_state)"
        )
    assert ["cycles", "measures", "state"] == sorted(
        next(w for w in ("cycles", "measures", "state") if w in d) for d in verified()
    )


@ONLY_REAL
async def test_what_another_process_stores_is_measured_by_the_one_that_measures(bench: Bench) -> None:
    """An import, or a worker to whom the controller does not belong."""
    messages = an_hour()
    wanted = await all_at_once(bench, messages[:20] + messages[25:])
    bench.restarted(name="import", devices=())
    await bench.send(*(message(200 + seq, events) for seq, events in enumerate(messages[20:25])), topic=TOPIC)
    await bench.close()
    assert wanted == everything(bench)

    bench.restarted()
    bench.now_us += 61 * US
    await measured(bench)
    await bench.close()

    assert 61 == len([r for r in bench.rows(CYCLES) if r[0] == 2 and r[5] == 60])
    with psycopg.connect(bench.url, autocommit=True) as connection:
        assert [] == verify_signals(connection, CountingMeters(), [entry.number for entry in bench.registry]).differences
