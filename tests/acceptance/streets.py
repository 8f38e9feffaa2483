"""The simulated street against the real pipeline, and what it says really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from pyarrow import parquet

from tests.support.pipelines import SITE, Program
from tests.support.waiting import until

START = "2026-11-23T17:00:00+08:00"
"""Of every run: a weekday's evening peak, so that two runs of one seed are the same run."""

# Faults of a device change its numbers or clock; what happens on the way must not.
HARMLESS = {"late", "double", "disordered", "reboot"}

BINS = (
    "SELECT device, detector, start, volume, sm, mp, ks, bb, tb, ktb, occupancy, speed, completeness, quality"
    " FROM analytics.lane_1min WHERE kind = 'atc' AND volume IS NOT NULL ORDER BY device, detector, start"
)

MESSAGES = """
    SELECT DISTINCT device, CASE kind WHEN 'cctv' THEN 'counts' ELSE 'detectors' END, seq, start FROM analytics.lane_readings
    UNION ALL SELECT device, 'events', seq, min(time) FROM analytics.signal_events GROUP BY device, seq, received_at
    UNION ALL SELECT DISTINCT device, 'metrics', seq, time FROM analytics.sensor_readings
    UNION ALL SELECT device, 'health', seq, time FROM analytics.camera_health WHERE frame_bytes IS NULL
    UNION ALL SELECT device, 'status', seq, time FROM analytics.sign_messages WHERE step = 'status'
"""


class Truth:
    """What the street wrote.

    Attributes:
        minutes: Rows of `lane_minutes.parquet`.
        messages: Rows of `messages.parquet`.
    """

    def __init__(self, folder: Path) -> None:
        self.minutes: list[dict[str, Any]] = parquet.read_table(folder / "lane_minutes.parquet").to_pylist()
        self.messages: list[dict[str, Any]] = parquet.read_table(folder / "messages.parquet").to_pylist()

    @property
    def published(self) -> Counter[tuple[Any, ...]]:
        """Messages that the broker confirmed, each once however often it was sent."""
        return Counter((m["device"], m["stream"], m["seq"], m["start"]) for m in self.messages if m["times"] > 0)

    @property
    def altered(self) -> set[tuple[str, str | None, Any]]:
        """(device, detector or None for all, minute) where a fault inside the device changed what it said."""
        found = set()
        for message in self.messages:
            names = set((message["fault"] or "").split(",")) - HARMLESS - {""}
            if message["stream"] != "detectors" or (not names and message["times"] > 0):
                continue
            minute = message["true_start"].replace(second=0, microsecond=0)
            for name in names or {"withheld"}:
                _, _, detector = name.partition(":")
                found.add((message["device"], detector or None, minute))
        return found


def drive(folder: Path, mqtt_url: str, seed: int, seconds: int, *options: str) -> Program:
    """The street as fast as the broker takes it, writing its truth into `folder`; not started yet."""
    return Program(
        folder / "street.log",
        [
            "street",
            *([] if "--speed" in options else ["--speed", "0"]),
            "--start",
            START,
            "--duration",
            str(seconds),
            "--seed",
            str(seed),
            "--truth",
            str(folder),
            *options,
        ],
        SUBAK_MQTT_URL=mqtt_url,
        SUBAK_SITE=str(SITE.path),
    )


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def stored_messages(url: str) -> Counter[tuple[Any, ...]]:
    """Messages as the raw rows hold them."""
    return Counter(rows(url, MESSAGES))


def all_stored(url: str, truth: Truth, is_alive: Callable[[], bool]) -> None:
    """Wait until as many messages are stored as were published."""
    wanted = sum(truth.published.values())
    until(lambda: is_alive() and sum(stored_messages(url).values()) >= wanted, 60.0, what=f"{wanted} messages in the database")


def measured_until(url: str, moment: str) -> Callable[[], bool]:
    """Whether every controller that has events is measured so far."""
    query = f"SELECT bool_and(done_until >= ({moment}) AND NOT redoing) FROM analytics.signal_progress"
    return lambda: bool(rows(url, query)[0][0])
