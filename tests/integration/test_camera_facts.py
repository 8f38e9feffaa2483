"""What cameras publish, in the database: counts worth what the camera could see, conditions, events, turning counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import pytest

from config.settings import DEFAULT_SITE
from config.site import load_site
from ingest.readings import US
from processors.alerts import Policy
from processors.daylight import daylight
from subak.camera.crosscheck import look
from tests.support.databases import Database
from tests.support.pipelines import NOON_US, SITE, Bench, rfc3339

CAMERA = SITE.cameras[0]
LANES = [lane.id for lane in CAMERA.lanes]


@pytest.fixture
def bench(database: Database) -> Bench:
    """A pipeline on each level in turn."""
    if database.level == "community":
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    return Bench(database.url)


ONLY_REAL = pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)


def topic(stream: str, camera: str = CAMERA.id) -> str:
    return f"subak/v1/{SITE.name}/cctv/{camera}/{stream}"


def counts(seq: int, start_us: int, **conditions: Any) -> bytes:
    return msgspec.json.encode(
        {
            "seq": seq,
            "start": rfc3339(start_us),
            "period_s": 60,
            "lanes": [{"id": lane, "volume": 7, "classes": {"SM": 5, "MP": 2}} for lane in LANES],
            "turns": [{"entry": LANES[0], "exit": "out", "classes": {"SM": 3}}],
            "conditions": conditions,
        }
    )


def health(seq: int, time_us: int, condition: str, since_us: int, **more: Any) -> bytes:
    return msgspec.json.encode(
        {
            "seq": seq,
            "time": rfc3339(time_us),
            "fps": 5.0,
            "condition": condition,
            "since": rfc3339(since_us),
            "detail": f"seen at {seq}",
            "grade": "fair",
            "reconnects": 1,
            "stalls": 2,
            **more,
        }
    )


async def test_a_condition_decides_what_the_counts_are_worth(bench: Bench) -> None:
    cases = [
        ({"state": "ok"}, "good", 7),
        ({"state": "night", "trust": "suspect"}, "suspect(night)", 7),
        ({"state": "moved", "trust": "missing"}, "missing(detector:moved)", None),
    ]
    bench.now_us = NOON_US + 180 * US
    for index, (conditions, _, _) in enumerate(cases):
        await bench.send(counts(index, NOON_US + index * 60 * US, **conditions), topic=topic("counts"))
    await bench.close()

    assert [(quality, volume) for _, quality, volume in cases] == bench.rows(
        "SELECT quality, volume FROM analytics.lane_1min WHERE device = %s AND lane = %s ORDER BY start", CAMERA.id, LANES[0]
    )
    # Turning counts are doubted with the lanes, and not counted at all by a camera that looks elsewhere.
    assert [("good", 3), ("suspect(night)", 3)] == bench.rows(
        "SELECT quality, volume FROM analytics.turning_counts WHERE exit = 'out' ORDER BY start"
    )
    ledger, bins = bench.verify()
    assert (True, []) == (ledger.balanced, bins.differences)


async def test_conditions_and_events_are_intervals(bench: Bench) -> None:
    minute = 60 * US
    stopped = {"kind": "stopped", "zone": "queue", "onset": rfc3339(NOON_US)}
    await bench.send(health(0, NOON_US, "ok", NOON_US - minute), topic=topic("health"))
    await bench.send(health(1, NOON_US + 10 * US, "covered", NOON_US + 5 * US, events=[stopped]), topic=topic("health"))
    # Told again: the same condition, since the same time, is the same row.
    await bench.send(health(2, NOON_US + 20 * US, "covered", NOON_US + 5 * US), topic=topic("health"))
    await bench.send(
        health(3, NOON_US + minute, "ok", NOON_US + 50 * US, events=[{**stopped, "end": rfc3339(NOON_US + 40 * US)}]),
        topic=topic("health"),
    )
    await bench.close()

    assert [
        ("ok", "good", 65.0, "seen at 0"),
        ("covered", "missing", 45.0, "seen at 1"),
        ("ok", "good", None, "seen at 3"),
    ] == bench.rows(
        'SELECT condition, quality, extract(epoch FROM "end" - onset)::double precision, detail'
        " FROM analytics.camera_conditions ORDER BY onset"
    )
    assert [("stopped", "queue", 40.0)] == bench.rows("SELECT kind, zone, value FROM analytics.camera_events")
    assert [("fair", 1, 2, f"seen at {seq}") for seq in range(4)] == bench.rows(
        "SELECT grade, reconnects, stalls, detail FROM analytics.camera_health ORDER BY seq"
    )
    assert bench.verify()[0].balanced


def restarted(base_us: int) -> dict[str, list[bytes]]:
    """Reports of a camera that dies in mid-event: before, after, blind instead, and the end that was told but came late."""

    def at(second: int) -> int:
        return base_us + second * US

    event = {"kind": "stopped", "zone": "the road", "onset": rfc3339(at(5))}
    return {
        "before": [
            health(0, at(10), "ok", at(0), ongoing=[]),  # it stands already, which is no event yet
            health(1, at(20), "ok", at(0), ongoing=[event], events=[event]),
            health(2, at(30), "ok", at(0), ongoing=[event]),
        ],
        # It learns what the road looks like: its first word of what goes on is at 50.
        "after": [
            health(0, at(40), "ok", at(35)),
            health(1, at(50), "ok", at(35), ongoing=[]),
            health(2, at(60), "ok", at(35), ongoing=[]),
        ],
        "blind": [health(3, at(40), "covered", at(35))],
        "end": [health(3, at(33), "ok", at(0), ongoing=[], events=[{**event, "end": rfc3339(at(29))}])],
    }


def orders(parts: dict[str, list[bytes]]) -> list[tuple[list[bytes], tuple[str, float, float | None, bool]]]:
    """The same messages in several orders and doubled, and what is known then."""
    before, after, end = parts["before"], parts["after"], parts["end"]
    unseen, seen = ("over", 45.0, None, False), ("over", 24.0, 24.0, True)
    return [
        (before + after, unseen),
        (list(reversed(before + after)), unseen),
        ([*after, *before, *after, *before], unseen),
        ([*before, *after, *end], seen),
        ([*end, *after, *before], seen),
    ]


@ONLY_REAL
async def test_an_event_of_a_camera_that_restarted_is_over_though_nobody_saw_its_end(bench: Bench) -> None:
    expected: dict[tuple[str, int], tuple[Any, ...]] = {}
    bench.now_us = NOON_US + 3000 * US

    def arrive(name: str, message: bytes) -> None:
        bench.now_us += 1
        bench.source.put(name, message, bench.now_us)

    for turn in range(5):
        base_us = NOON_US + turn * 300 * US
        messages, known = orders(restarted(base_us))[turn]
        expected[CAMERA.id, turn] = known
        for message in messages:
            arrive(topic("health"), message)
    # Of two others nobody knows an end: one goes on, one is covered.
    parts = restarted(NOON_US)
    for camera, messages, state in [
        (SITE.cameras[1].id, parts["before"] + parts["after"][:1], "open"),
        (SITE.cameras[2].id, parts["before"] + parts["blind"], "unknown"),
    ]:
        expected[camera, 0] = (state, None, None, None)
        for message in messages:
            arrive(topic("health", camera), message)
    await bench.drain()

    found = bench.rows(
        'SELECT device, onset, state, extract(epoch FROM "end" - onset)::double precision, value, end_seen FROM analytics.camera_events'
    )
    assert expected == {(row[0], round((row[1].timestamp() - NOON_US / US) // 300)): row[2:] for row in found}
    assert bench.verify()[0].balanced


@ONLY_REAL
async def test_loop_and_camera_of_one_lane_are_compared(bench: Bench) -> None:
    controller = next(item for item in SITE.controllers if item.junction == CAMERA.junction)
    bench.now_us = NOON_US
    bench.restarted()
    bench.now_us = NOON_US + 20 * 60 * US
    for minute in range(15):
        start_us = NOON_US + minute * 60 * US
        await bench.send(counts(minute, start_us, state="ok"), topic=topic("counts"))
        lanes = [{"id": item.id, "volume": 10, "classes": {"SM": 8, "MP": 2}} for item in controller.lanes]
        await bench.send(
            msgspec.json.encode({"seq": minute, "start": rfc3339(start_us), "period_s": 60, "lanes": lanes}),
            topic=f"subak/v1/{SITE.name}/atc/{controller.id}/detectors",
        )
    bench.now_us += 100 * US  # silence for longer than a feed may hold the clock back
    await bench.pipeline.close_due(live=True)
    await bench.close()

    found = bench.rows(
        "SELECT class, loop_volume::int, camera_volume::int, ratio::float, geh::float, daylight"
        " FROM analytics.lane_comparisons WHERE lane = %s AND class IN ('all', 'sm', 'ks') ORDER BY start, class LIMIT 3",
        LANES[0],
    )
    # 600 and 420 veh/h: GEH = sqrt(2 x 180² / 1020).
    assert [("all", 150, 105, 0.7, 7.97, "day"), ("ks", 0, 0, None, 0.0, "day"), ("sm", 120, 75, 0.625, 9.11, "day")] == found


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_the_database_knows_day_from_night(bench: Bench) -> None:
    """Within two minutes of sunrise and sunset it may differ from the longer series."""
    times = [NOON_US + quarter * 450 * US for quarter in range(2 * 24 * 4)]
    latitude, longitude = load_site(DEFAULT_SITE).cameras[0].position
    with psycopg.connect(bench.url, autocommit=True) as connection:
        for time_us in times:
            moment = datetime.fromtimestamp(time_us / US, UTC)
            row = connection.execute("SELECT subak.is_day(%s, %s, %s)", (latitude, longitude, moment)).fetchone()
            near = {daylight(latitude, longitude, time_us + shift * US) for shift in (-120, 0, 120)}
            assert row is not None
            assert ("day" if row[0] else "night") in near


@ONLY_REAL
async def test_a_camera_that_drifts_from_its_loop_is_an_alert_for_the_technician(bench: Bench) -> None:
    controller = next(item for item in SITE.controllers if item.junction == CAMERA.junction)
    bench.now_us = NOON_US
    bench.restarted()
    bench.now_us = NOON_US + 3 * 3600 * US
    for minute in range(75):
        start_us = NOON_US + minute * 60 * US
        await bench.send(counts(minute, start_us, state="ok"), topic=topic("counts"))
        # Lane E1 as the camera has it, within 15 %; the loop of E2 counts twice as many.
        lanes = [{"id": item.id, "volume": 14 if item.lane == LANES[1] else 8} for item in controller.lanes]
        await bench.send(
            msgspec.json.encode({"seq": minute, "start": rfc3339(start_us), "period_s": 60, "lanes": lanes}),
            topic=f"subak/v1/{SITE.name}/atc/{controller.id}/detectors",
        )
    bench.now_us += 100 * US
    await bench.pipeline.close_due(live=True)
    await bench.close()
    now_us = NOON_US + 80 * 60 * US
    policy = Policy(repeat_us=86_400 * US, clear_us=0)
    with psycopg.connect(bench.url, autocommit=True) as connection:
        first = look(connection, SITE.name, policy, now_us)
        again = look(connection, SITE.name, policy, now_us + 60 * US)

    assert ([f"lane:{LANES[1]}"], []) == ([alert.element for alert in first.begun], again.begun)
    assert [("camera:drift", CAMERA.id, f"lane:{LANES[1]}", "technician", 50.0)] == bench.rows(
        'SELECT rule, device, element, audience, value FROM analytics.alerts WHERE "end" IS NULL'
    )
    # 840 and 420 veh/h: GEH = sqrt(2 x 420² / 1260).
    assert [(5, 0.5, 16.73)] == bench.rows(
        "SELECT quarters::int, ratio::float, geh::float FROM analytics.lane_agreement"
        " WHERE lane = %s AND class = 'all' ORDER BY start DESC LIMIT 1",
        LANES[1],
    )
