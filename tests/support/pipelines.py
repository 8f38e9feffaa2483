"""A pipeline under test: in this process on a memory source, or as the real program in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec
import psycopg

from config.settings import DEFAULT_SITE
from config.site import Site, load_site
from config.thresholds import bin_tests
from ingest.door import Door
from ingest.readings import US
from ingest.registry import Registry
from ingest.testing import MemorySource
from storage.capability import Level
from storage.migrate import migrate
from storage.site import save_site
from storage.verify import BinsReport, LedgerReport, verify_bins, verify_ledger
from storage.writer import Writer
from subak.measuring import Meters
from subak.pipeline import Pipeline
from tests.support.meters import CountingMeters

SITE: Site = load_site(DEFAULT_SITE)
TIMEZONE = SITE.general.timezone
CONTROLLER = SITE.controllers[0]
TOPIC = f"subak/v1/{SITE.name}/atc/{CONTROLLER.id}/detectors"
NOON_US = 1_795_492_800 * US  # 2026-11-24 12:00 WITA, 04:00 UTC


def rfc3339(moment_us: int) -> str:
    """A time as devices write it."""
    return datetime.fromtimestamp(moment_us / US, UTC).isoformat()


def detectors(seq: int, start_us: int, period_s: float = 10, lanes: Mapping[str, Any] | None = None, **values: Any) -> bytes:
    """A `detectors` message; by default every lane of the controller counts `values`."""
    values = {"volume": 2, "occupancy": 7.5, "speed": 31.5, "classes": {"SM": 2}} | values
    ids = lanes if lanes is not None else {d.id: values for d in CONTROLLER.lanes}
    return msgspec.json.encode(
        {"seq": seq, "start": rfc3339(start_us), "period_s": period_s, "lanes": [{"id": name, **v} for name, v in ids.items()]}
    )


def lanes_of(controller: str, **values: Any) -> dict[str, dict[str, Any]]:
    """The same `values` for every lane of a controller."""
    found = next(c for c in SITE.controllers if c.id == controller)
    return {detector.id: {"occupancy": 7.5, "speed": 31.5} | values for detector in found.lanes}


class Bench:
    """A pipeline in this process, on a migrated database and a memory source, with a clock that the test moves.

    Attributes:
        now_us: The clock.
        source: Where messages go in.
    """

    def __init__(self, url: str, meters: Meters | None = None) -> None:
        self.url = url
        self.meters = meters or CountingMeters()
        self.now_us = NOON_US + 60 * US
        with psycopg.connect(url) as connection:
            self.level: Level = migrate(connection, TIMEZONE)
            self.registry: Registry = save_site(connection, SITE)
        self.door = Door(self.registry, SITE)
        self.source = MemorySource(self.door.admit)
        self.pipeline = self.restarted()

    def restarted(self, name: str = "bench", devices: Collection[int] | None = None) -> Pipeline:
        """A pipeline as after a restart: it knows what the database remembers, no more."""
        self.pipeline = Pipeline(
            name=name,
            source=self.source,
            redact=self.door.redact,
            registry=self.registry,
            tests=bin_tests(),
            meters=self.meters,
            connect=lambda: Writer.connect(self.url, self.level, TIMEZONE, {("events", "count"): "1"}),
            batch_messages=10_000,
            batch_delay_s=0.0,
            dead_letters_per_minute=5,
            transaction_most_s=30.0,
            lateness_s=10.0,
            idle_s=90.0,
            signal_step_s=30.0,
            signals_kept_days=90,
            clock_us=lambda: self.now_us,
            devices=devices,
        )
        return self.pipeline

    async def send(self, *payloads: bytes, topic: str = TOPIC) -> None:
        """One batch of messages, made durable."""
        for payload in payloads:
            self.source.put(topic, payload, self.now_us)
            self.now_us += 1
        await self.pipeline.take(await self.source.batch(10_000, 0, 0))

    async def drain(self) -> None:
        """Everything that was put into the source, made durable; then the database is released."""
        while deliveries := await self.source.batch(5_000, 0, 0):
            await self.pipeline.take(deliveries)
        await self.close()

    async def close(self) -> None:
        """Release the database's only connection, where it has one only."""
        await self.pipeline.close()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def verify(self) -> tuple[LedgerReport, BinsReport]:
        """Both checks."""
        return verified(self.url)


def verified(url: str) -> tuple[LedgerReport, BinsReport]:
    """Ledger and bins of a database, over everything it holds."""
    with psycopg.connect(url, autocommit=True) as connection:
        return verify_ledger(connection), verify_bins(connection, bin_tests(), TIMEZONE)


class Program:
    """`subak` with some arguments, as a process of its own."""

    def __init__(self, log: Path, arguments: list[str], **environment: str) -> None:
        self._command = [sys.executable, "-m", "subak.cli", *arguments]
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it if it runs."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it (again)."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """As a power cut."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self, timeout_s: float = 10.0) -> int:
        """Tell it to end, and wait; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout_s)

    def wait(self, timeout_s: float) -> int:
        """Wait until it ends by itself; its exit status."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return self._process is not None and self._process.poll() is None


def pipeline_program(tmp_path: Path, mqtt_url: str, database_url: str, *options: str, **environment: str) -> Program:
    """The real pipeline, not started yet."""
    return Program(
        tmp_path / "pipeline.log", ["run", *options], SUBAK_MQTT_URL=mqtt_url, SUBAK_DATABASE_URL=database_url, **environment
    )
