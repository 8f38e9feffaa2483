"""Rows as the readers return them, with the usual values unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from config.thresholds import console_thresholds
from storage.readers import DeviceRow, LaneRow, LedgerRow, MinuteRow

THRESHOLDS = console_thresholds()
NOW = datetime(2026, 11, 24, 4, 0, 20, tzinfo=UTC)  # 12:00:20 WITA
MINUTE = timedelta(minutes=1)
NEWEST = datetime(2026, 11, 24, 3, 58, tzinfo=UTC)  # the newest minute that is final at NOW


def seconds_ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def device(**values: Any) -> DeviceRow:
    usual: dict[str, Any] = {
        "device": "atc-legian",
        "kind": "atc",
        "title": "Legian",
        "junction": "legian",
        "period_s": 10.0,
        "presence": "online",
        "presence_since": seconds_ago(3600),
        "last_received_at": seconds_ago(2),
        "last_event_at": seconds_ago(2),
    }
    return DeviceRow(**(usual | values))


def lane(lane_id: int = 1, **values: Any) -> LaneRow:
    usual: dict[str, Any] = {
        "kind": "atc",
        "device": "atc-legian",
        "detector": "E1",
        "junction": "legian",
        "approach": "E",
        "link": "dewa-ruci-to-legian",
        "lane": "E1",
        "from_kerb": 1,
    }
    return LaneRow(lane_id=lane_id, **(usual | values))


def minute(back: int = 0, lane_id: int = 1, **values: Any) -> MinuteRow:
    """The bin `back` minutes before the newest final one."""
    usual: dict[str, Any] = {
        "start": NEWEST - back * MINUTE,
        "volume": 12,
        "speed": 30.0,
        "occupancy": 8.0,
        "sm": 8,
        "mp": 4,
        "ks": 0,
        "bb": 0,
        "tb": 0,
        "ktb": 0,
        "completeness": 1.0,
        "quality": "good",
        "final": True,
        "revision": 0,
    }
    return MinuteRow(lane_id=lane_id, **(usual | values))


def gap(back: int = 0, lane_id: int = 1, quality: str = "missing(device)") -> MinuteRow:
    """A bin without a valid observation."""
    none: dict[str, Any] = dict.fromkeys(("volume", "speed", "occupancy", "sm", "mp", "ks", "bb", "tb", "ktb"))
    return minute(back, lane_id, quality=quality, completeness=0.0, **none)


def ledger(**values: Any) -> LedgerRow:
    usual: dict[str, Any] = {
        "device": "atc-legian",
        "received": 90,
        "stored": 90,
        "duplicate": 0,
        "rejected": 0,
        "late": 0,
        "lost": 0,
    }
    return LedgerRow(**({"unkept": 0, "minutes": 15, "unbalanced": 0} | usual | values))
