"""The heartbeat on real databases: what is stored, counted and binned in one transaction."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
import pytest

from ingest.door import Admission
from ingest.readings import US, LaneReading
from tests.support.databases import Database
from tests.support.pipelines import CONTROLLER, NOON_US, SITE, Bench, detectors, rfc3339

LANES = len(CONTROLLER.lanes)
FIRST = CONTROLLER.lanes[0].id
BINS = (
    "SELECT detector, volume, occupancy::text, speed::text, sm, completeness::text, quality, final, revision"
    " FROM analytics.lane_1min WHERE device = %s ORDER BY start, lane_id"
)
ONLY_REAL = pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)


@pytest.fixture
def bench(database: Database) -> Bench:
    """A pipeline on each level in turn; the server of level community has one connection."""
    if database.level == "community":
        # In WebAssembly nothing is preloaded, and only what is preloaded is taken without being asked.
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    bench = Bench(database.url)
    assert database.level == bench.level
    return bench


async def test_a_minute_of_readings_becomes_one_bin_a_lane(bench: Bench) -> None:
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(6)))
    await bench.close()

    assert [(d.id, 12, "7.50", "31.5", 12, "1.000", "good", False, 0) for d in CONTROLLER.lanes] == bench.rows(
        BINS, CONTROLLER.id
    )
    assert [(6, 6, 0, 0)] == bench.rows("SELECT received, stored, duplicate, rejected FROM analytics.ledger")
    assert [1, 2, 3, 4, 5, 6] == bench.source.acknowledged


async def test_redelivery_is_counted_and_not_stored_twice(bench: Bench) -> None:
    message = detectors(0, NOON_US)
    await bench.send(message, message)
    await bench.send(message, detectors(1, NOON_US + 10 * US))
    await bench.close()

    assert [(4, 2, 2, 0)] == bench.rows("SELECT received, stored, duplicate, rejected FROM analytics.ledger")
    assert [(2 * LANES,)] == bench.rows("SELECT count(*) FROM analytics.lane_readings")
    ledger, bins = bench.verify()
    assert (True, []) == (ledger.balanced, bins.differences)


async def test_a_message_that_repeats_one_lane_of_another_adds_only_the_others(bench: Bench) -> None:
    """Bug: the message counted as new, and its known lane was added to the bin a second time."""
    await bench.send(detectors(0, NOON_US, lanes={FIRST: {"volume": 5}}))
    await bench.send(detectors(0, NOON_US))
    await bench.close()

    ledger, bins = bench.verify()
    assert (2, []) == (ledger.stored, bins.differences)
    assert [(5,)] == bench.rows(
        "SELECT volume FROM analytics.lane_1min WHERE detector = %s AND device = %s", FIRST, CONTROLLER.id
    )


async def test_late_data_raises_the_revision_of_final_bins_and_their_rollups(bench: Bench) -> None:
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in (0, 1, 2, 4, 5)))
    bench.now_us = NOON_US + 90 * US
    await bench.send(detectors(8, NOON_US + 80 * US))
    await bench.pipeline.close_due(live=True)
    await bench.send(detectors(3, NOON_US + 30 * US))
    await bench.close()

    minute = "SELECT volume, quality, final, revision FROM analytics.lane_1min WHERE detector = %s AND device = %s AND start = %s"
    assert [(12, "good", True, 1)] == bench.rows(minute, FIRST, CONTROLLER.id, rfc3339(NOON_US))
    assert [(12, 1, 1)] == bench.rows(
        "SELECT volume, minutes, revision FROM analytics.lane_15min WHERE detector = %s AND device = %s", FIRST, CONTROLLER.id
    )
    assert [(1, 3, 1)] == bench.rows(
        "SELECT late, lost, recovered FROM analytics.ledger WHERE device = %s AND late > 0", CONTROLLER.id
    )
    assert [] == bench.verify()[1].differences


@pytest.mark.parametrize("database", ["plain"], indirect=True)
async def test_a_device_whose_first_reading_is_future_dated_has_no_stale_rollups(bench: Bench) -> None:
    """It reaches from five minutes before our start to five after it, which nobody can have measured yet."""
    await bench.send(detectors(0, NOON_US - 300 * US, period_s=600))
    await bench.send(*(detectors(1 + n, NOON_US - 240 * US + n * 10 * US) for n in range(6)))
    await bench.close()

    assert bench.rows("SELECT count(*) FROM analytics.lane_1min WHERE device = %s AND final", CONTROLLER.id) == [(0,)]
    assert [] == bench.verify()[1].differences
    bench.now_us = NOON_US + 90 * US
    await bench.pipeline.close_due(live=True)
    await bench.close()

    closed = bench.rows(
        "SELECT count(*) FROM analytics.lane_1min WHERE detector = %s AND device = %s AND final", FIRST, CONTROLLER.id
    )
    rolled = bench.rows(
        "SELECT sum(minutes)::bigint FROM analytics.lane_15min WHERE detector = %s AND device = %s", FIRST, CONTROLLER.id
    )
    assert closed == rolled
    assert (0,) < closed[0]
    assert [] == bench.verify()[1].differences


async def test_a_silent_device_has_final_bins_without_numbers(bench: Bench) -> None:
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(6)))
    bench.now_us = NOON_US + 200 * US
    await bench.pipeline.close_due(live=True)
    await bench.close()

    assert [("good", True), ("missing(device)", True), ("missing(device)", True)] == bench.rows(
        "SELECT quality, final FROM analytics.lane_1min WHERE detector = %s AND device = %s ORDER BY start", FIRST, CONTROLLER.id
    )
    assert [] == bench.verify()[1].differences


async def test_rollups_are_the_same_on_every_level(bench: Bench) -> None:
    """An hour and a quarter across local midnight (16:00 UTC), with a hole."""
    begin_us = NOON_US + (11 * 60 + 30) * 60 * US
    bench.now_us = begin_us
    bench.restarted()
    for minute in range(75):
        at_us = begin_us + minute * 60 * US
        bench.now_us = at_us + 61 * US
        if minute != 40:
            await bench.send(detectors(minute, at_us, period_s=60, volume=minute, classes={"SM": minute}))
        await bench.pipeline.close_due(live=False)
    bench.now_us += 30 * US
    await bench.pipeline.close_due(live=True)
    await bench.close()

    def rollup(name: str) -> list[tuple[object, ...]]:
        return bench.rows(
            f"SELECT to_char(start AT TIME ZONE 'UTC', 'DD HH24:MI'), volume, sm, minutes, good, missing, quality"
            f" FROM analytics.{name} WHERE detector = %s AND device = %s ORDER BY start",
            FIRST,
            CONTROLLER.id,
        )

    assert [
        ("24 15:30", sum(range(15)), sum(range(15)), 15, 15, 0, "good"),
        ("24 15:45", sum(range(15, 30)), sum(range(15, 30)), 15, 15, 0, "good"),
        ("24 16:00", sum(range(30, 45)) - 40, sum(range(30, 45)) - 40, 15, 14, 1, "partial"),
        ("24 16:15", sum(range(45, 60)), sum(range(45, 60)), 15, 15, 0, "good"),
        ("24 16:30", sum(range(60, 75)), sum(range(60, 75)), 15, 15, 0, "good"),
    ] == rollup("lane_15min")
    assert [
        ("24 15:00", sum(range(30)), sum(range(30)), 30, 30, 0, "partial"),
        ("24 16:00", sum(range(30, 75)) - 40, sum(range(30, 75)) - 40, 45, 44, 1, "partial"),
    ] == rollup("lane_1h")
    assert [
        ("23 16:00", sum(range(30)), sum(range(30)), 30, 30, 0, "partial"),
        ("24 16:00", sum(range(30, 75)) - 40, sum(range(30, 75)) - 40, 45, 44, 1, "partial"),
    ] == rollup("lane_1d")
    assert [] == bench.verify()[1].differences


async def test_every_stream_has_its_view(bench: Bench) -> None:
    base = f"subak/v1/{SITE.name}"
    now = rfc3339(NOON_US)

    async def send(end: str, payload: object) -> None:
        await bench.send(payload if isinstance(payload, bytes) else msgspec.json.encode(payload), topic=f"{base}/{end}")

    await send(f"atc/{CONTROLLER.id}/events", {"seq": 0, "events": [[now, 1, 2], [now, 82, 3], [now, 82, 3]]})
    await send(f"cctv/{SITE.cameras[0].id}/health", {"seq": 0, "time": now, "fps": 12.5, "frozen": False})
    await send(f"cctv/{SITE.cameras[0].id}/frame", b"\xff\xd8\xff\xe0" + bytes(100))
    await send(
        f"vms/{SITE.signs[0].id}/status", {"seq": 0, "time": now, "multi": "AWAS[nl]MACET", "crc": 7, "source_mode": "central"}
    )
    await send(f"vms/{SITE.signs[0].id}/command", {"command": "c1", "time": now, "multi": "", "priority": 3, "lease_s": 60})
    await send(f"vms/{SITE.signs[0].id}/result", {"seq": 0, "time": now, "command": "c1", "outcome": "accepted"})
    await send(f"net/{SITE.network_links[0].id}/metrics", {"seq": 0, "time": now, "metrics": {"latency_ms": 4.5, "link_up": 1}})
    await send(f"net/{SITE.network_links[0].id}/presence", b"online")
    await send(f"net/{SITE.network_links[0].id}/presence", b"online")
    await send(f"net/{SITE.network_links[0].id}/presence", b"offline")
    await send("net/nobody/metrics", {})
    await bench.close()

    assert [(1, 2), (82, 3), (82, 3)] == bench.rows("SELECT code, parameter FROM analytics.signal_events ORDER BY ordinal")
    assert [(None, 104), (12.5, None)] == bench.rows(
        "SELECT fps, frame_bytes FROM analytics.camera_health ORDER BY fps NULLS FIRST"
    )
    assert [("command", None), ("result", None), ("status", 7)] == bench.rows(
        "SELECT step, crc FROM analytics.sign_messages ORDER BY step"
    )
    assert [("latency_ms", 4.5, "ms"), ("link_up", 1.0, "1")] == bench.rows(
        "SELECT metric, value, unit FROM analytics.sensor_readings ORDER BY metric"
    )
    assert [("online", False), ("offline", True)] == bench.rows(
        'SELECT state, "end" IS NULL FROM analytics.device_outages ORDER BY onset'
    )
    assert [("unknown_device", f"{base}/net/nobody/metrics", b"{}")] == bench.rows(
        "SELECT reason, topic, payload FROM analytics.dead_letters"
    )
    assert [(11, 9, 1, 1)] == bench.rows(
        "SELECT sum(received)::int, sum(stored)::int, sum(duplicate)::int, sum(rejected)::int FROM analytics.ledger"
    )
    assert bench.verify()[0].balanced


async def test_a_flood_of_garbage_is_counted_exactly_and_kept_by_sample(bench: Bench) -> None:
    """Five of a device, reason and minute are kept here; the others are numbers, and good messages pass."""
    await bench.send(*([b"{"] * 40), detectors(0, NOON_US), *([b"[]"] * 3))
    await bench.send(*([b"{"] * 40))
    bench.now_us = NOON_US + 120 * US
    await bench.send(*([b"{"] * 7))
    await bench.close()

    assert [("not_json", 10), ("wrong_type", 3)] == bench.rows(
        "SELECT reason, count(*) FROM analytics.dead_letters GROUP BY 1 ORDER BY 1"
    )
    assert [(84, 1, 83, 75), (7, 0, 7, 2)] == bench.rows(
        "SELECT received, stored, rejected, unkept FROM analytics.ledger WHERE device = %s ORDER BY minute", CONTROLLER.id
    )
    assert bench.verify()[0].balanced


async def test_a_restart_goes_on_where_the_database_stands(bench: Bench) -> None:
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(3)))
    await bench.close()
    bench.restarted()
    bench.now_us = NOON_US + 80 * US
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(2, 8)))
    bench.now_us = NOON_US + 130 * US
    await bench.pipeline.close_due(live=True)
    await bench.close()

    ledger, bins = bench.verify()
    assert (9, 8, 1, 0) == (ledger.received, ledger.stored, ledger.duplicate, ledger.lost)
    assert [] == bins.differences


@ONLY_REAL
async def test_a_commit_whose_answer_was_lost_is_not_repeated(bench: Bench, database: Database) -> None:
    """The connection dies between COMMIT and its answer: the batch is known, nothing is counted twice."""
    await bench.send(detectors(0, NOON_US))
    writer = bench.pipeline._durable._writer
    assert writer is not None
    transaction = writer.transaction

    def answer_is_lost(*arguments: object) -> object:
        return _DiesAfterCommit(transaction(*arguments))  # type: ignore[arg-type]

    writer.transaction = answer_is_lost  # type: ignore[assignment,method-assign]
    await bench.send(detectors(1, NOON_US + 10 * US))
    await bench.send(detectors(2, NOON_US + 20 * US))
    await bench.close()

    ledger, bins = bench.verify()
    assert (3, 3, 0) == (ledger.received, ledger.stored, ledger.duplicate)
    assert [] == bins.differences
    assert [1, 2, 3] == bench.source.acknowledged


class _DiesAfterCommit:
    def __init__(self, inner: object) -> None:
        self._inner = inner

    async def __aenter__(self) -> object:
        return await self._inner.__aenter__()  # type: ignore[attr-defined]

    async def __aexit__(self, *error: object) -> None:
        await self._inner.__aexit__(*error)  # type: ignore[attr-defined]
        raise psycopg.OperationalError("server closed the connection unexpectedly")


@ONLY_REAL
async def test_a_connection_lost_on_the_way_back_to_a_savepoint_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bug: the way back itself came through as an error that is not the database's, and ended the pipeline."""
    await bench.send(detectors(0, NOON_US))
    execute = psycopg.AsyncConnection.execute
    cuts = 0

    async def cut_after_merge(self: psycopg.AsyncConnection[Any], query: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal cuts
        cursor = await execute(self, query, *arguments, **options)
        if "INSERT INTO subak.lane_reading" in str(query) and "RETURNING" not in str(query) and cuts == 0:
            cuts += 1
            self.pgconn.finish()
        return cursor

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", cut_after_merge)
    await bench.send(detectors(0, NOON_US), detectors(1, NOON_US + 10 * US))
    await bench.close()

    ledger, bins = bench.verify()
    assert (1, 3, 2, 1) == (cuts, ledger.received, ledger.stored, ledger.duplicate)
    assert [] == bins.differences


@ONLY_REAL
async def test_two_processes_of_one_name_take_turns_and_agree(bench: Bench) -> None:
    """Each holds bins, sequences and presences; what the other wrote makes them stale, and that is noticed."""
    await bench.send(detectors(0, NOON_US))
    first = bench.pipeline
    second = bench.restarted()
    for number in range(1, 6):
        bench.pipeline = second if number % 2 else first
        await bench.send(detectors(number, NOON_US + number * 10 * US), detectors(number - 1, NOON_US + (number - 1) * 10 * US))
    await first.close()
    await second.close()

    ledger, bins = bench.verify()
    assert (11, 6, 5, 0, True) == (ledger.received, ledger.stored, ledger.duplicate, ledger.lost, ledger.balanced)
    assert [] == bins.differences
    assert [(12, "good")] == bench.rows(
        "SELECT volume, quality FROM analytics.lane_1min WHERE detector = %s AND device = %s", FIRST, CONTROLLER.id
    )


@pytest.mark.parametrize("step_s", [3600, -3600])
async def test_a_stepped_wall_clock_changes_no_bin(bench: Bench, step_s: int) -> None:
    """Minutes are the field's; only what is final, and the minute of arrival, follow our clock."""
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(3)))
    bench.now_us += step_s * US
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(3, 6)))
    await bench.pipeline.close_due(live=True)
    bench.now_us -= step_s * US
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(6, 9)))
    await bench.close()

    ledger, bins = bench.verify()
    assert (9, 9, True) == (ledger.received, ledger.stored, ledger.balanced)
    assert [] == bins.differences
    quality = "good" if step_s > 0 else "suspect(clock)"  # set back, our clock takes the field's for one that is ahead
    assert [(12, quality)] == bench.rows(
        "SELECT volume, quality FROM analytics.lane_1min WHERE detector = %s AND device = %s AND start = %s",
        FIRST, CONTROLLER.id, rfc3339(NOON_US),
    )  # fmt: skip


@ONLY_REAL
async def test_a_value_that_the_database_refuses_costs_one_message(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the door lets through by mistake must not hold up the street."""
    admit = bench.source.admit

    def lets_too_much_through(topic: str, payload: bytes, received_us: int) -> Admission:
        admission = admit(topic, payload, received_us)
        if admission.seq == 1:
            first = admission.records[0]
            assert isinstance(first, LaneReading)
            return msgspec.structs.replace(admission, records=[msgspec.structs.replace(first, fault="\0")])
        return admission

    monkeypatch.setattr(bench.source, "admit", lets_too_much_through)
    await bench.send(*(detectors(n, NOON_US + n * 10 * US) for n in range(6)))
    await bench.close()

    assert [("storage_refused",)] == bench.rows("SELECT reason FROM analytics.dead_letters")
    ledger, bins = bench.verify()
    assert (6, 5, 0, 1, True) == (ledger.received, ledger.stored, ledger.duplicate, ledger.rejected, ledger.balanced)
    assert [] == bins.differences
    assert 6 == len(bench.source.acknowledged)


@ONLY_REAL
async def test_the_reader_may_not_write_and_the_analyst_sees_only_the_views(bench: Bench) -> None:
    await bench.close()
    for role, statement in (
        ("subak_reader", "INSERT INTO analytics.ledger DEFAULT VALUES"),
        ("subak_reader", "SELECT * FROM subak.lane_reading"),
        ("subak_analyst", "SELECT * FROM subak.ledger"),
    ):
        with psycopg.connect(bench.url) as connection:
            connection.execute(f"SET ROLE {role}")
            with pytest.raises(psycopg.errors.Error):
                connection.execute(statement)


async def test_a_restart_in_a_minute_reads_what_reaches_into_it(bench: Bench) -> None:
    """A new process knows nothing of readings that are stored: those of the minute, later ones, and a long one before it."""
    bench.now_us = NOON_US + 200 * US
    await bench.send(detectors(0, NOON_US - 60 * US, 180))
    await bench.send(detectors(1, NOON_US + 120 * US))
    await bench.close()
    bench.restarted()
    await bench.send(detectors(2, NOON_US + 10 * US))
    await bench.send(detectors(3, NOON_US + 60 * US))
    await bench.send(detectors(4, NOON_US + 130 * US), detectors(5, NOON_US + 180 * US))
    await bench.close()

    _, bins = bench.verify()
    assert [] == bins.differences
    assert [(2,), (2,), (2,), (1,)] == bench.rows(
        "SELECT DISTINCT ON (start) readings FROM subak.lane_1min WHERE start >= subak.at(%s) ORDER BY start, readings DESC",
        NOON_US,
    )
