"""The fault rig: a real broker, a real database, the real pipeline between two proxies, a witness and an oracle."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psycopg

from storage.migrate import migrate
from tests.support.brokers import Mosquitto
from tests.support.clocks import SteppedClock
from tests.support.databases import Database
from tests.support.pipelines import SITE, TIMEZONE, Bench, Program, pipeline_program, verified
from tests.support.proxy import Proxy
from tests.support.waiting import until
from tests.support.witness import Witness

SETTLE_S = 90.0
CLIENT_ID = "rig"

MESSAGES = (
    "SELECT DISTINCT d.name, r.seq, subak.us(r.start) FROM subak.lane_reading r"
    " JOIN subak.lane l USING (lane_id) JOIN subak.device d USING (device_id)"
)
BINS = (
    "SELECT d.name, l.code, b.start, b.readings, b.covered_ms, b.volume, b.occupancy_sum, b.occupancy_ms, b.speed_sum, b.speed_volume,"
    " b.sm, b.mp, b.ks, b.bb, b.tb, b.ktb, b.quality"
    " FROM subak.lane_1min b JOIN subak.lane l USING (lane_id) JOIN subak.device d USING (device_id)"
    " WHERE b.readings > 0 ORDER BY 1, 2, 3"
)


class Rig:
    """Everything a fault needs; a context manager.

    Attributes:
        broker: Reached by the witness directly and by the pipeline through `broker_line`.
        database: Reached by the oracle directly and by the pipeline through `database_line`.
        chance: Seeded.
        clock: The pipeline's wall clock; the broker, the database and the witness have the machine's.
        collectors: Processes that share the pipeline's subscription.
    """

    def __init__(
        self, folder: Path, broker: Mosquitto, database: Database, calm_database: Database, seed: int, collectors: int = 1
    ) -> None:
        """Make it.

        Args:
            folder: Of logs.
            broker: Started.
            database: Where the pipeline under fault writes.
            calm_database: Where the oracle makes an undisturbed run of the same messages.
            seed: Of everything random.
            collectors: As of `subak run`.
        """
        self.broker = broker
        self.collectors = collectors
        self.clock = SteppedClock(folder / "clock")
        self.database = database
        self._calm_database = calm_database
        self._folder = folder
        self.chance = random.Random(seed)
        self.broker_line = Proxy(lambda: socket.create_connection(("127.0.0.1", broker.port)))
        self.database_line = Proxy(lambda: _connect(database.url))
        self.witness = Witness(broker.port, seed)
        with psycopg.connect(database.url) as connection:
            migrate(connection, TIMEZONE)
        self.pipeline = self.program("pipeline")

    def program(self, name: str) -> Program:
        """A pipeline process of the rig, not started; all have one client id."""
        (self._folder / name).mkdir(exist_ok=True)
        return pipeline_program(
            self._folder / name,
            f"mqtt://127.0.0.1:{self.broker_line.port}",
            _through(self.database.url, self.database_line.port),
            "--collectors",
            str(self.collectors),
            **self.clock.environment,
            SUBAK_CLIENT_ID=CLIENT_ID,
            SUBAK_KEEP_ALIVE_S="2",
            SUBAK_TRANSACTION_MOST_S="8",
            SUBAK_METRICS_PORT="0",
        )

    def workers(self) -> list[int]:
        """Process ids of the workers, once they are ready."""

        def children() -> list[int]:
            text = Path(f"/proc/{self.pipeline.pid}/task/{self.pipeline.pid}/children").read_text(encoding="ascii")
            found = [int(pid) for pid in text.split()]
            return found if len(found) == self.collectors else []

        return until(children, SETTLE_S, what="workers")

    def __enter__(self) -> Self:
        """Start everything and wait until messages flow."""
        self.pipeline.start()
        until(lambda: "mqtt.connected" in self.pipeline.log, what="a connected pipeline")
        self.witness.start()
        until(lambda: self.witness.confirmed, what="a first confirmed message")
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self.witness.stop()
        with contextlib.suppress(ProcessLookupError):
            if self.pipeline.is_running:
                self.pipeline.kill()
        self.broker_line.close()
        self.database_line.close()

    def flowing(self) -> None:
        """Wait until a message sent from now on is stored."""
        before = len(self.witness.confirmed)
        until(lambda: len(self.witness.confirmed) > before, SETTLE_S, what="a confirmed message")
        wanted = set(list(self.witness.confirmed)[before:])
        until(lambda: self._runs() and wanted & self._stored(), SETTLE_S, what="a stored message")

    def _runs(self) -> bool:
        """Start a pipeline again that ended because it was started while it could not reach the database, as its unit does.

        Raises:
            AssertionError: It ended for any other reason.
        """
        if not self.pipeline.is_running:
            last = self.pipeline.log.rpartition("subak: ")[2]
            assert (2, True) == (self.pipeline.wait(0), last.startswith("SUBAK_DATABASE_URL: connection")), last
            self.pipeline.start()
        return True

    def settle(self) -> None:
        """Stop publishing and wait until every confirmed message is stored."""
        self.witness.pause()
        until(lambda: self._runs() and not self.unstored(), SETTLE_S, what="every confirmed message in the database")

    def check(self) -> None:
        """After `settle`: nothing lost, nothing doubled, the ledger balanced, bins as of an undisturbed run."""
        stored = Counter(self._rows(MESSAGES))
        assert set(self.witness.confirmed) == set(stored)
        until(self._all_accounted, SETTLE_S, what="every confirmed message in the ledger")
        ledger, bins = verified(self.database.url)
        assert [] == ledger.differences
        assert [] == bins.differences
        assert len(self.witness.confirmed) == ledger.stored
        # A broker that restarts, or a session that is resumed, may deliver again; never may it be less.
        assert sum(self.witness.confirmed.values()) - len(self.witness.confirmed) <= ledger.duplicate
        assert self.witness.rejected <= ledger.rejected

    def check_against_an_undisturbed_run(self) -> None:
        """The same messages, once, in order, on another database: the same bins, bit by bit."""
        bench = Bench(self._calm_database.url)
        for (device, _, start_us), (_, payload) in sorted(self.witness.payloads.items(), key=lambda item: item[0][2]):
            bench.now_us = max(bench.now_us, start_us)
            bench.source.put(f"subak/v1/{SITE.name}/atc/{device}/detectors", payload, bench.now_us)
        asyncio.run(bench.drain())
        assert bench.rows(BINS) == self._rows(BINS)

    def _all_accounted(self) -> bool:
        received = self._rows("SELECT coalesce(sum(received), 0) FROM subak.ledger")[0][0]
        return bool(received >= sum(self.witness.confirmed.values()) + self.witness.rejected)

    def unstored(self) -> set[Any]:
        """Messages that the broker confirmed and that are not in the database."""
        return set(self.witness.confirmed) - self._stored()

    def _stored(self) -> set[Any]:
        try:
            return set(self._rows(MESSAGES))
        except psycopg.OperationalError:
            return set()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()


def _connect(url: str) -> socket.socket:
    """A raw connection to the server of a libpq URL, over TCP or a socket file."""
    info = psycopg.conninfo.conninfo_to_dict(url)
    host, port = str(info.get("host", "127.0.0.1")), int(str(info.get("port", 5432)))
    if host.startswith("/"):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(f"{host}/.s.PGSQL.{port}")
        except OSError:
            connection.close()
            raise
        return connection
    return socket.create_connection((host, port))


def _through(url: str, port: int) -> str:
    """The URL with its server replaced by a loopback port."""
    info = psycopg.conninfo.conninfo_to_dict(url)
    return f"postgresql://{info['user']}@127.0.0.1:{port}/{info['dbname']}?sslmode=disable&connect_timeout=5"


Fault = Callable[[Rig], None]
