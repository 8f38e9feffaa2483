"""One subscription shared by several processes: nothing lost, and bins as of one process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg

from subak.embedded.ports import free_port
from tests.support.brokers import Mosquitto
from tests.support.databases import Database
from tests.support.pipelines import SITE, Bench, Program, verified
from tests.support.rig import BINS, MESSAGES
from tests.support.waiting import until
from tests.support.witness import Witness

COLLECTORS = 3
LEAVE_S = 5.0


def collectors(folder: Path, broker: Mosquitto, database: Database, count: int = COLLECTORS, metrics: int = 0) -> Program:
    return Program(
        folder / "pipeline.log",
        ["run", "--collectors", str(count)],
        SUBAK_MQTT_URL=broker.url,
        SUBAK_DATABASE_URL=database.url,
        SUBAK_METRICS_PORT=str(metrics),
    )


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def workers(program: Program, start: int = 1) -> list[int]:
    """Process ids of the workers of its `start`-th start."""

    def pids() -> list[int]:
        ready = [line for line in program.log.splitlines() if '"workers.ready"' in line]
        return list(json.loads(ready[start - 1])["pids"]) if len(ready) >= start else []

    return until(pids, 60.0, what="workers that are ready")


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def connected(program: Program, times: int = 1) -> None:
    until(lambda: program.log.count("mqtt.connected") >= times, 60.0, what="a connected pipeline")


@contextlib.contextmanager
def publishing(program: Program, broker: Mosquitto, seed: int) -> Iterator[Witness]:
    connected(program)  # what comes before the first subscription is nobody's
    witness = Witness(broker.port, seed)
    witness.start()
    try:
        yield witness
    finally:
        witness.stop()


def flowing(witness: Witness, database: Database, more: int) -> None:
    """Wait until so many more messages are confirmed, and some of them stored."""
    before = len(witness.confirmed)
    until(lambda: len(witness.confirmed) >= before + more, 60.0, what=f"{more} more confirmed messages")
    wanted = set(list(witness.confirmed)[before:])
    until(lambda: wanted & set(rows(database, MESSAGES)), 60.0, what="one of them stored")


def settle(witness: Witness, database: Database) -> None:
    """Publish nothing more, and wait until all that was confirmed is stored and accounted for."""
    witness.pause()
    until(lambda: set(witness.confirmed) <= set(rows(database, MESSAGES)), 60.0, what="every confirmed message in the database")
    sent = sum(witness.confirmed.values()) + witness.rejected
    until(lambda: rows(database, "SELECT sum(received) FROM subak.ledger")[0][0] >= sent, 60.0, what="all in the ledger")


def check(witness: Witness, database: Database, calm: Database) -> None:
    """Nothing lost, nothing doubled, and bins as one process makes them of the same messages."""
    ledger, bins = verified(database.url)
    assert [] == ledger.differences
    assert [] == bins.differences
    assert Counter(dict.fromkeys(witness.confirmed, 1)) == Counter(rows(database, MESSAGES))
    assert len(witness.confirmed) == ledger.stored
    bench = Bench(calm.url)
    for (device, _, start_us), (_, payload) in sorted(witness.payloads.items(), key=lambda item: item[0][2]):
        bench.now_us = max(bench.now_us, start_us)
        bench.source.put(f"subak/v1/{SITE.name}/atc/{device}/detectors", payload, bench.now_us)
    asyncio.run(bench.drain())
    assert bench.rows(BINS) == rows(database, BINS)


def test_bins_of_three_processes_equal_those_of_one_and_they_leave_in_order(
    tmp_path: Path, broker: Mosquitto, apache_database: Database, plain_database: Database
) -> None:
    with collectors(tmp_path, broker, apache_database) as program, publishing(program, broker, 1) as witness:
        flowing(witness, apache_database, 400)
        witness.late_batch(20)
        witness.flood(50)
        flowing(witness, apache_database, 200)
        # In the middle of the stream: what was committed is acknowledged, the rest comes again.
        pids = workers(program)
        assert 0 == program.stop(LEAVE_S)
        assert [] == list(filter(is_alive, pids))
        program.start()
        connected(program, 2)
        settle(witness, apache_database)
        assert 0 == program.stop(LEAVE_S)

        writers = rows(apache_database, "SELECT writer, batch > 0 FROM subak.writer ORDER BY 1")
        assert [(f"subak-collector/{share}", True) for share in range(COLLECTORS)] == writers
        assert witness.rejected == rows(apache_database, "SELECT sum(rejected) FROM subak.ledger")[0][0]
        # An orderly end leaves nothing to be delivered again: duplicates are those that were sent twice.
        sent_again = sum(witness.confirmed.values()) - len(witness.confirmed)
        assert sent_again == rows(apache_database, "SELECT sum(duplicate) FROM subak.ledger")[0][0]
        check(witness, apache_database, plain_database)


def test_another_number_of_processes_is_refused_while_one_is_at_work(
    tmp_path: Path, broker: Mosquitto, plain_database: Database
) -> None:
    (tmp_path / "other").mkdir()
    with collectors(tmp_path, broker, plain_database, 2) as program, publishing(program, broker, 5) as witness:
        flowing(witness, plain_database, 50)
        with collectors(tmp_path / "other", broker, plain_database, 1) as other:
            assert 1 == other.wait(60.0)
        assert "a collector 'subak-collector' is at work in this database with --collectors 2, and this one has 1" in other.log
        assert "Traceback" not in other.log
        assert 0 == program.stop(LEAVE_S)
        other.start()
        connected(other)
        assert 0 == other.stop(LEAVE_S)


def test_a_worker_killed_ends_the_program_and_a_restart_loses_nothing(
    tmp_path: Path, broker: Mosquitto, apache_database: Database, plain_database: Database
) -> None:
    with collectors(tmp_path, broker, plain_database) as program, publishing(program, broker, 2) as witness:
        flowing(witness, plain_database, 200)
        pids = workers(program)
        os.kill(pids[1], signal.SIGKILL)
        assert 1 == program.wait(2 * LEAVE_S)
        assert f"subak: worker 1 (process {pids[1]}) ended with status -9" in program.log
        assert [] == list(filter(is_alive, pids))
        program.start()
        connected(program, 2)
        flowing(witness, plain_database, 100)
        settle(witness, plain_database)
        assert 0 == program.stop(LEAVE_S)
        check(witness, plain_database, apache_database)


def test_workers_end_when_their_parent_is_killed_and_a_restart_loses_nothing(
    tmp_path: Path, broker: Mosquitto, apache_database: Database, plain_database: Database
) -> None:
    with collectors(tmp_path, broker, apache_database) as program, publishing(program, broker, 3) as witness:
        flowing(witness, apache_database, 200)
        pids = workers(program)
        assert pids == list(filter(is_alive, pids))
        program.kill()
        until(lambda: not any(map(is_alive, pids)), LEAVE_S, what="workers gone after their parent")
        program.start()
        connected(program, 2)
        flowing(witness, apache_database, 100)
        settle(witness, apache_database)
        assert 0 == program.stop(LEAVE_S)
        check(witness, apache_database, plain_database)


def test_a_database_that_does_not_answer_keeps_nobody_from_leaving(
    tmp_path: Path, broker: Mosquitto, apache_database: Database, plain_database: Database
) -> None:
    with collectors(tmp_path, broker, plain_database) as program, publishing(program, broker, 4) as witness:
        flowing(witness, plain_database, 100)
        pids = workers(program)
        with psycopg.connect(plain_database.url) as connection:
            # Every transaction of a worker waits for ours.
            connection.execute("LOCK TABLE subak.writer IN ACCESS EXCLUSIVE MODE")
            before = len(witness.confirmed)
            until(lambda: len(witness.confirmed) > before + 100, what="messages that cannot be stored")
            assert 0 == program.stop(LEAVE_S)
            assert [] == list(filter(is_alive, pids))
        program.start()
        connected(program, 2)
        settle(witness, plain_database)
        assert 0 == program.stop(LEAVE_S)
        check(witness, plain_database, apache_database)


def test_the_parent_shows_what_all_workers_have_done(tmp_path: Path, broker: Mosquitto, plain_database: Database) -> None:
    port = free_port()
    with collectors(tmp_path, broker, plain_database, 2, metrics=port) as program, publishing(program, broker, 6) as witness:
        flowing(witness, plain_database, 100)
        settle(witness, plain_database)
        sent = sum(witness.confirmed.values())

        def shown() -> dict[str, float]:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
            return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

        seen = until(lambda: (now := shown())["subak_messages_received_total"] >= sent and now, 20.0, what="all messages counted")
        assert isinstance(seen, dict)
        assert sent == seen['subak_messages_total{outcome="stored"}'] + seen['subak_messages_total{outcome="duplicate"}']
        assert 0 < seen["subak_transaction_seconds_count"]
        assert len(SITE.controllers) + len(SITE.cameras) == seen["subak_feeds"]
        assert seen["subak_seconds_since_commit"] < 60
