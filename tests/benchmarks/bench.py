"""Figures of this machine, in one run: `make bench`.

Prints a table with ratios to the limit, writes docs/performance.md, ends with one JSON line. Judges nothing.
Everything runs on the same cores: broker (mosquitto), database (TimescaleDB, Apache), publisher and pipeline.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import psycopg
from msgspec.structs import astuple

from config.site import load_site
from ingest.collector import wall_clock_us
from ingest.door import Door
from ingest.mqtt.address import Address
from ingest.mqtt.receiver import Delivery, Receiver
from ingest.readings import LaneReading
from ingest.registry import Registry
from storage.migrate import migrate
from tests.benchmarks.grid import SITE, payload, write_site
from tests.support.brokers import Mosquitto
from tests.support.databases import ApacheServer, Database, fresh_database
from tests.support.pipelines import Program
from tests.support.waiting import until

FANOUT_MESSAGES = 300_000
DURABLE_MESSAGES = 300_000
WIDE_MESSAGES = 40_000
CONTROLLERS = 1_000
WIDE_CONTROLLERS = 200
LATENCY_S = 8
SCALE_LANES = (1_000, 10_000, 100_000)
SCALE_MESSAGES = 25_000
TICKS = os.sysconf("SC_CLK_TCK")


class Figures:
    """What was measured, and in which order to show it."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self.json: dict[str, float] = {}

    def add(self, what: str, value: str, ratio: str = "") -> None:
        """One row; told at once."""
        self.rows.append((what, value, ratio))
        print(f"{what:<58} {value:>22}   {ratio}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def publisher(port: int, *arguments: float) -> Iterator[subprocess.Popen[str]]:
    """A publisher that is ready."""
    command = [sys.executable, "-m", "tests.benchmarks.publisher", str(port), *(str(argument) for argument in arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def fan_out(broker: Mosquitto) -> float:
    """Messages a second from publisher to a receiver that acknowledges at once, at QoS 1."""

    async def receive(process: subprocess.Popen[str]) -> float:
        count = 0
        done = asyncio.Event()
        pending: list[int] = []

        def on_delivery(delivery: Delivery) -> None:
            nonlocal count
            count += 1
            assert delivery.packet_id is not None
            pending.append(delivery.packet_id)
            if len(pending) >= 100 or count >= FANOUT_MESSAGES:
                receiver.acknowledge(pending)
                pending.clear()
            if count >= FANOUT_MESSAGES:
                done.set()

        loop = asyncio.get_running_loop()
        _, receiver = await loop.create_connection(
            lambda: Receiver(
                Address.parse(broker.url),
                client_id="fan-out",
                topic_filters=[f"subak/v1/{SITE}/#"],
                receive_maximum=20_000,
                session_expiry_s=60,
                keep_alive_s=60,
                epoch=1,
                clock_us=wall_clock_us,
                on_delivery=on_delivery,
            ),
            "127.0.0.1",
            broker.port,
        )
        await receiver.subscribed
        began = time.perf_counter()
        go(process)
        await done.wait()
        seconds = time.perf_counter() - began
        await receiver.disconnect()
        return seconds

    with publisher(broker.port, FANOUT_MESSAGES, CONTROLLERS, 1) as process:
        return FANOUT_MESSAGES / asyncio.run(receive(process))


def copy_alone(database: Database) -> float:
    """Rows a second by binary COPY into the hypertable of lane readings, with its key."""
    with psycopg.connect(database.url) as connection:
        migrate(connection, "Asia/Makassar")
    now_us = wall_clock_us()
    rows = [
        astuple(LaneReading(lane, now_us + second * 1_000_000, second, 1000, 3, 1234, 315, 3, 0, 0, 0, 0, 0, None, False, now_us))
        for second in range(300)
        for lane in range(1, 1001)
    ]
    epoch_us = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
    rows = [(row[0], row[1] - epoch_us, *row[2:15], row[15] - epoch_us) for row in rows]
    types = ["int4", "int8", "int8", *["int4"] * 10, "text", "bool", "int8"]
    with psycopg.connect(database.url) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("COPY subak.lane_reading FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        connection.commit()
        return len(rows) / (time.perf_counter() - began)


def decode_alone(folder: Path, lanes: int) -> float:
    """Messages a second through the door."""
    site = load_site(write_site(folder / f"decode-{lanes}", 10, lanes))
    door = Door(Registry.for_site(site), site)
    messages = [(f"subak/v1/{SITE}/atc/c{n % 10}/detectors", payload(n, lanes)) for n in range(20_000 // lanes + 2_000)]
    now_us = wall_clock_us()
    began = time.perf_counter()
    for topic, body in messages:
        door.admit(topic, body, now_us)
    return len(messages) / (time.perf_counter() - began)


class Running:
    """A pipeline on a grid site, with its database and what it costs."""

    def __init__(self, folder: Path, broker: Mosquitto, database: Database, controllers: int, lanes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._url = database.url
        self._lanes = lanes
        site = write_site(folder / "site", controllers, lanes)
        self.program = Program(
            folder / "pipeline.log",
            ["run"],
            SUBAK_MQTT_URL=broker.url,
            SUBAK_DATABASE_URL=database.url,
            SUBAK_SITE=str(site),
            SUBAK_CLIENT_ID=f"bench-{folder.name}",
            SUBAK_METRICS_PORT="0",
        )

    def __enter__(self) -> Self:
        self.program.start()
        self.wait_connected(1)
        return self

    def __exit__(self, *_: object) -> None:
        if self.program.is_running:
            self.program.stop(60)

    def wait_connected(self, times: int) -> None:
        until(
            lambda: self.program.log.count("mqtt.connected") >= times or not self.program.is_running,
            240,
            what="a connected pipeline",
        )
        assert self.program.is_running, self.program.log[-2000:]

    def received(self, connection: psycopg.Connection[tuple[int]]) -> int:
        row = connection.execute("SELECT coalesce(sum(received), 0)::bigint FROM subak.ledger").fetchone()
        return int(row[0]) if row else 0

    def wait_stored(self, messages: int, timeout_s: float = 300.0) -> float:
        """Seconds until so many messages are committed."""
        began = time.perf_counter()
        with psycopg.connect(self._url, autocommit=True) as connection:
            until(lambda: self.received(connection) >= messages, timeout_s, what=f"{messages} messages")
        return time.perf_counter() - began

    @property
    def cpu_s(self) -> float:
        """Processor seconds it has used."""
        fields = Path(f"/proc/{self.program.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def rss_mb(self) -> float:
        """Resident memory after the load."""
        status = Path(f"/proc/{self.program.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def durable(
    folder: Path, broker: Mosquitto, server: ApacheServer, messages: int, controllers: int, lanes: int
) -> tuple[float, float]:
    """Messages a second, deduplicated, binned and acknowledged after commit; processor µs of the pipeline for each."""
    with fresh_database(server) as database, Running(folder, broker, database, controllers, lanes) as running:
        with publisher(broker.port, messages, controllers, lanes) as process:
            before = running.cpu_s
            go(process)
            seconds = running.wait_stored(messages)
        return messages / seconds, (running.cpu_s - before) / messages * 1e6


def latency(folder: Path, broker: Mosquitto, server: ApacheServer, rate: int) -> tuple[float, float]:
    """Median and 99th percentile of publish → committed, ms, at a steady rate."""
    messages = rate * LATENCY_S
    with fresh_database(server) as database, Running(folder, broker, database, CONTROLLERS, 1) as running:
        with publisher(broker.port, messages, CONTROLLERS, 1, rate) as process:
            go(process)
            running.wait_stored(messages)
        with psycopg.connect(database.url) as connection:
            row = connection.execute(
                "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - start))"
                # The first second belongs to connections and caches.
                " FROM subak.lane_reading WHERE start > (SELECT min(start) + INTERVAL '1 second' FROM subak.lane_reading)"
            ).fetchone()
        assert row is not None
        return row[0][0] * 1000, row[0][1] * 1000


def catch_up(folder: Path, broker: Mosquitto, server: ApacheServer) -> float:
    """Messages a second after an outage: they wait at the broker, then the pipeline comes back."""
    with fresh_database(server) as database, Running(folder, broker, database, CONTROLLERS, 1) as running:
        running.program.stop(30)
        with publisher(broker.port, DURABLE_MESSAGES // 2, CONTROLLERS, 1) as process:
            go(process)
            process.wait()
        running.program.start()
        running.wait_connected(2)
        return DURABLE_MESSAGES // 2 / running.wait_stored(DURABLE_MESSAGES // 2)


def scale(folder: Path, broker: Mosquitto, server: ApacheServer, lanes: int) -> tuple[float, float]:
    """Processor µs a 16-lane message, and resident MB after the load, with so many lanes."""
    controllers = lanes // 16
    with fresh_database(server) as database, Running(folder, broker, database, controllers, 16) as running:
        # Once around first: a device-minute costs something to begin, and with many lanes there are few messages for each.
        with publisher(broker.port, controllers, controllers, 16) as process:
            go(process)
            running.wait_stored(controllers)
        with publisher(broker.port, SCALE_MESSAGES, controllers, 16, 0, 1) as process:
            before = running.cpu_s
            go(process)
            running.wait_stored(controllers + SCALE_MESSAGES)
        return (running.cpu_s - before) / SCALE_MESSAGES * 1e6, running.rss_mb


def measure(folder: Path) -> Figures:
    """Everything, one after the other."""
    figures = Figures()
    broker = Mosquitto(folder)
    broker.start()
    server = ApacheServer(track_commit_timestamp="on")
    server.start()
    try:
        limit = fan_out(broker)
        figures.json["broker_msgs_s"] = round(limit)
        figures.add("broker fan-out at QoS 1, messages/s", f"{limit:,.0f}", "the limit of 1-lane messages")
        with fresh_database(server) as database:
            copied = copy_alone(database)
        figures.json["copy_rows_s"] = round(copied)
        figures.add("COPY alone into the hypertable, rows/s", f"{copied:,.0f}", "the limit of lanes")
        for lanes in (1, 16):
            figures.add(f"door alone, {lanes}-lane messages/s", f"{decode_alone(folder, lanes):,.0f}")
        one, cost = durable(folder / "one", broker, server, DURABLE_MESSAGES, CONTROLLERS, 1)
        figures.json["durable_msgs_s"] = round(one)
        figures.add(
            "durable, 1 lane a message, messages/s", f"{one:,.0f}", f"{one / limit:.2f} of fan-out; {cost:.1f} µs of the pipeline"
        )
        wide, cost = durable(folder / "wide", broker, server, WIDE_MESSAGES, WIDE_CONTROLLERS, 16)
        figures.json["durable_lanes_s"] = round(wide * 16)
        figures.add(
            "durable, 16 lanes a message, lane readings/s",
            f"{wide * 16:,.0f}",
            f"{wide * 16 / copied:.2f} of COPY; {cost:.0f} µs of the pipeline",
        )
        caught = catch_up(folder / "catch-up", broker, server)
        figures.add("catch-up after an outage, messages/s", f"{caught:,.0f}", f"{caught / limit:.2f} of fan-out")
        for rate in (1_000, 10_000):
            median, high = latency(folder / f"latency-{rate}", broker, server, rate)
            figures.add(f"publish → committed at {rate:,} messages/s, p50 / p99", f"{median:.0f} / {high:.0f} ms")
            if rate == 10_000:
                figures.json["p99_ms_at_10k"] = round(high, 1)
        first = None
        for lanes in SCALE_LANES:
            cost, memory = scale(folder / f"scale-{lanes}", broker, server, lanes)
            first = first or cost
            figures.add(
                f"{lanes:,} lanes: µs a 16-lane message, MB",
                f"{cost:.0f} µs, {memory:.0f} MB",
                f"{cost / first:.2f} of {SCALE_LANES[0]:,} lanes",
            )
            if lanes == 100_000:
                figures.json["rss_mb_100k_lanes"] = round(memory)
    finally:
        server.remove()
        broker.stop()
    return figures


OTHERS = "## Queries of the boards"


def write_page(path: Path, figures: Figures) -> None:
    """The page a reader sees: machine, commit, table."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True).stdout.strip()
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; figures of one run on one machine, everything on the same cores: broker (mosquitto), database",
        "(TimescaleDB, Apache edition, `synchronous_commit` on), publisher and pipeline.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit or 'unknown'}; {os.cpu_count()} cores, {model or platform.machine()};",
        f"Python {platform.python_version()}, {platform.system()}.",
        "",
        "| what | figure | ratio |",
        "|---|---|---|",
        *(f"| {what} | {value} | {ratio} |" for what, value, ratio in figures.rows),
        "",
    ]
    # What `make bench-queries` has written below stays.
    _, heading, others = (path.read_text(encoding="utf-8") if path.exists() else "").partition(OTHERS)
    path.write_text("\n".join(lines) + (f"\n{heading}{others}" if heading else ""), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the pipeline on this machine; about five minutes.")
    parser.add_argument("page", nargs="?", type=Path, default=Path("docs/performance.md"), help="where the figures are written")
    page: Path = parser.parse_args().page
    with tempfile.TemporaryDirectory(prefix="subak-bench-", ignore_cleanup_errors=True) as name:
        figures = measure(Path(name))
    write_page(page, figures)
    print(json.dumps(figures.json))


if __name__ == "__main__":
    main()
