"""The real program, seen from outside: metrics agree with the ledger, readiness follows the parts, the log stays short."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

import aiomqtt
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.brokers import Mosquitto
from tests.support.databases import Database
from tests.support.pipelines import SITE, TOPIC, Program, detectors, pipeline_program
from tests.support.waiting import until

GOOD, BAD, TWICE = 600, 350, 50
ON_PLAIN = pytest.mark.parametrize("database", ["plain"], indirect=True)


@pytest.fixture
def program(tmp_path: Path, broker: Mosquitto, database: Database) -> Program:
    return pipeline_program(tmp_path, broker.url, database.url, SUBAK_METRICS_PORT="19500")


def base(program: Program) -> str:
    """Where it serves, as its log says."""
    return str(until(lambda: re.findall(r"http://127\.0\.0\.1:\d+", program.log), what="the metrics' address")[0])


def get(program: Program, path: str) -> str:
    try:
        with urllib.request.urlopen(f"{base(program)}{path}", timeout=10) as answer:  # noqa: S310 - http, as above
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.read().decode())


def sample(program: Program, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(get(program, "/metrics"))
    return sum(s.value for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items())


def publish(broker: Mosquitto, messages: list[tuple[str, bytes]]) -> None:
    async def send() -> None:
        async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            for topic, payload in messages:
                await client.publish(topic, payload, qos=1)

    asyncio.run(send())


@ON_PLAIN
def test_a_thousand_messages_are_counted_as_the_ledger_has_them_and_cost_no_line_of_log(
    program: Program, broker: Mosquitto, database: Database
) -> None:
    now_us = time.time_ns() // 1000 - 700_000_000
    good = [(TOPIC, detectors(n, now_us + n * 1_000_000, period_s=1)) for n in range(GOOD)]
    bad = [(f"subak/v1/{SITE.name}/atc/nobody/detectors", b"{}") if n % 2 else (TOPIC, b'{"seq": 1, "cut": ') for n in range(BAD)]
    with program:
        until(lambda: "ready\n" == get(program, "/readyz"), what="a ready pipeline")
        before = program.log.count("\n")
        publish(broker, [*good, *bad, *good[:TWICE]])
        until(lambda: sample(program, "subak_messages_received_total") == GOOD + BAD + TWICE, what="all messages")
        after = program.log
        outcomes = {
            outcome: sample(program, "subak_messages_total", outcome=outcome) for outcome in ("stored", "duplicate", "rejected")
        }
        letters = {
            reason: sample(program, "subak_dead_letters_total", reason=reason) for reason in ("unknown_device", "not_json")
        }
        until(lambda: sample(program, "subak_in_flight_messages") == 0, what="acknowledgements")
        assert 0 < sample(program, "subak_ack_delay_seconds_count") <= sample(program, "subak_transaction_seconds_count")
        assert 1 == sample(program, "subak_maintenance_runs_total", outcome="done")
        assert 0 == program.stop()

    assert {"stored": GOOD, "duplicate": TWICE, "rejected": BAD} == outcomes
    assert {"unknown_device": BAD // 2, "not_json": BAD - BAD // 2} == letters
    with psycopg.connect(database.url) as connection:
        assert (GOOD, TWICE, BAD) == connection.execute(
            "SELECT sum(stored)::int, sum(duplicate)::int, sum(rejected)::int FROM analytics.ledger"
        ).fetchone()
    # A line of retention or of late feeds may fall into the time; none is there for a message.
    assert after.count("\n") - before <= 3, after


@ON_PLAIN
def test_readiness_follows_the_broker_with_one_line_a_change(program: Program, broker: Mosquitto) -> None:
    with program:
        until(lambda: "ready\n" == get(program, "/readyz"), what="a ready pipeline")
        broker.stop()
        until(lambda: "broker: not connected\n" == get(program, "/readyz"), what="an unready pipeline")
        assert "alive\n" == get(program, "/healthz")
        until(lambda: "mqtt.unreachable" in program.log, what="an attempt that failed")
        broker.start()
        until(lambda: "ready\n" == get(program, "/readyz"), what="a pipeline that is ready again")
        assert 1 == sample(program, "subak_connected")
        assert 2 <= sample(program, "subak_connection_attempts_total")
        program.stop()

    events = re.findall(r'"event": "(mqtt[^"]+)"', program.log)
    assert ["mqtt.connected", "mqtt.lost", "mqtt.unreachable", "mqtt.connected"] == events


@ON_PLAIN
def test_readiness_follows_the_database_and_retries_are_counted(program: Program, broker: Mosquitto, database: Database) -> None:
    with program:
        until(lambda: "ready\n" == get(program, "/readyz"), what="a ready pipeline")
        publish(broker, [(TOPIC, detectors(0, time.time_ns() // 1000 - 20_000_000))])
        until(lambda: sample(program, "subak_messages_received_total") == 1, what="the first message")
        database.kill_server()
        until(lambda: get(program, "/readyz").startswith("database: "), what="an unready pipeline")
        publish(broker, [(TOPIC, detectors(1, time.time_ns() // 1000 - 10_000_000))])
        until(lambda: "last transaction failed" in get(program, "/readyz"), what="a failing transaction")
        assert 1 == sample(program, "subak_in_flight_messages")
        assert 1 == sample(program, "subak_messages_received_total")
        database.start_server()
        until(lambda: sample(program, "subak_messages_received_total") == 2, what="the message that waited")
        until(lambda: "ready\n" == get(program, "/readyz"), what="a pipeline that is ready again")
        assert 1 <= sample(program, "subak_database_retries_total")
        program.stop()

    assert ["database.lost", "database.back"] == re.findall(r'"event": "(database[^"]+)"', program.log)
