"""Metrics: fed once a batch, of bounded size, and served beside the pipeline."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from http import HTTPStatus

import psycopg
import pytest
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from ingest.mqtt.receiver import Delivery
from ingest.readings import DeadLetter
from ingest.reasons import Reason
from processors.ledger import Ledger
from subak.health import serving
from subak.metrics import STALE_S, Metrics
from subak.report import BEHIND_S


class Broker(Struct):
    """Stands where the collector is asked."""

    waiting: int = 3
    in_flight: int = 8
    is_held_back: bool = False
    epoch: int = 2
    is_connected: bool = True


def values(metrics: Metrics) -> dict[str, float]:
    """Samples by name and labels."""
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    made = Metrics(clock_s=clock, steady_s=clock)
    made.watch(Broker(), lambda: [10.0, 70.0, BEHIND_S + 1])
    return made


def letter(reason: Reason) -> DeadLetter:
    return DeadLetter(0, "t", b"", 0, reason.value, "", False, 0)


def test_a_batch_is_counted_from_its_ledger(metrics: Metrics) -> None:
    ledger = Ledger()
    for source, (stored, duplicate, rejected) in enumerate([(5, 1, 0), (7, 0, 2)]):
        entry = ledger.entry(source, 0)
        entry.received, entry.stored, entry.duplicate, entry.rejected = stored + duplicate + rejected, stored, duplicate, rejected
    metrics.committed(ledger, [letter(Reason.NOT_JSON), letter(Reason.NOT_JSON)])

    seen = values(metrics)
    assert (15, 12, 1, 2) == (
        seen["subak_messages_received_total"],
        *(seen[f"subak_messages_total[{outcome}]"] for outcome in ("stored", "duplicate", "rejected")),
    )
    assert (2, 0) == (seen["subak_dead_letters_total[not_json]"], seen["subak_dead_letters_total[unknown_lane]"])
    assert (0, 1) == (seen["subak_batch_messages_bucket[10.0]"], seen["subak_batch_messages_bucket[50.0]"])


def test_the_delay_is_that_of_the_oldest_message_and_never_negative(metrics: Metrics, clock: Clock) -> None:
    metrics.acknowledged([Delivery(1, 1, "t", b"", False, 999_800_000), Delivery(1, 2, "t", b"", False, 999_990_000)])
    clock.now = 0.0
    metrics.acknowledged([Delivery(1, 3, "t", b"", False, 999_800_000)])

    seen = values(metrics)
    assert 2 == seen["subak_ack_delay_seconds_count"]
    assert pytest.approx(0.2) == seen["subak_ack_delay_seconds_sum"]


def test_gauges_are_looked_up_when_asked(metrics: Metrics, clock: Clock) -> None:
    metrics.transacted(0.02)
    clock.now += 4
    seen = values(metrics)

    assert {
        "subak_feeds": 3,
        "subak_feeds_behind": 1,
        "subak_watermark_lag_max_seconds": BEHIND_S + 1,
        "subak_seconds_since_commit": 4,
        "subak_queue_messages": 3,
        "subak_in_flight_messages": 8,
        "subak_held_back": 0,
        "subak_connected": 1,
        "subak_connection_attempts_total": 2,
        "subak_ready": 1,
    }.items() <= seen.items()


def test_the_number_of_series_does_not_depend_on_feeds_or_devices(metrics: Metrics) -> None:
    before = len(values(metrics))
    ledger = Ledger()
    for source in range(1000):
        ledger.entry(source, 0).received = 1
    metrics.committed(ledger, [letter(reason) for reason in Reason])
    metrics.watch(Broker(), lambda: [1.0] * 100_000)

    assert before == len(values(metrics)) < 100


def test_ready_means_connected_turning_and_no_failing_database(metrics: Metrics, clock: Clock) -> None:
    assert metrics.readiness().is_ready
    clock.now += STALE_S + 1
    assert ("pipeline: the last batch or look at the watermarks ended 31 s ago",) == metrics.readiness().problems
    metrics.turned()
    metrics.failed(psycopg.OperationalError())
    assert ("database: the last transaction failed and is being tried again",) == metrics.readiness().problems
    metrics.transacted(0.1)
    metrics.watch(Broker(is_connected=False), list)
    assert ("broker: not connected",) == metrics.readiness().problems


def test_the_database_is_told_lost_once_and_back_once(metrics: Metrics) -> None:
    from structlog.testing import capture_logs

    with capture_logs() as lines:
        for _ in range(5):
            metrics.failed(psycopg.OperationalError("the server\n\tis gone"))
        metrics.transacted(0.1)
        metrics.transacted(0.1)
        # One value that the database refuses is no outage.
        metrics.failed(psycopg.DataError("no such number"))

    assert [("database.lost", "the server is gone"), ("database.back", None)] == [
        (line["event"], line.get("reason")) for line in lines
    ]
    assert metrics.readiness().is_ready


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_three_pages_are_served_and_no_other(metrics: Metrics) -> None:
    seen: str | None = None
    with serving(metrics, lambda: seen, "127.0.0.1", 19464) as port:
        assert (HTTPStatus.OK, "alive\n") == get(port, "/healthz")
        assert (HTTPStatus.OK, "ready\n") == get(port, "/readyz")
        assert "subak_messages_received_total 0.0" in get(port, "/metrics")[1]
        assert HTTPStatus.NOT_FOUND == get(port, "/")[0]
        seen = "no answer"
        assert (HTTPStatus.SERVICE_UNAVAILABLE, "database: no answer\n") == get(port, "/readyz")


def test_a_taken_port_moves_to_the_next_and_is_told(metrics: Metrics) -> None:
    from structlog.testing import capture_logs

    with socket.create_server(("127.0.0.1", 0)) as taken, capture_logs() as lines:
        wanted = taken.getsockname()[1]
        with serving(metrics, lambda: None, "127.0.0.1", wanted) as port:
            assert wanted < port <= wanted + 63
            assert HTTPStatus.OK == get(port, "/healthz")[0]

    assert ("metrics.port_taken", wanted, port) == (lines[0]["event"], lines[0]["wanted"], lines[0]["instead"])


def test_port_zero_serves_nothing(metrics: Metrics) -> None:
    with serving(metrics, lambda: None, "127.0.0.1", 0) as port:
        assert 0 == port


def test_a_client_that_says_nothing_keeps_nobody_waiting(metrics: Metrics) -> None:
    with serving(metrics, lambda: None, "127.0.0.1", 19470) as port, socket.create_connection(("127.0.0.1", port)):
        assert HTTPStatus.OK == get(port, "/healthz")[0]
