"""What has to be done now and then: partitions ahead of time, retention, rollups of late days, the usual of lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from config.thresholds import usual_thresholds
from storage.capability import Level
from storage.deadletters import expire
from storage.queries import queries
from storage.usual import make_usual

_SQL = queries("maintain")
SERIES = ("lane_reading", "signal_event", "sensor_reading", "camera_health", "lane_1min")
TABLES = (
    "camera_condition",
    "camera_event",
    "turning_count",
    "sign_message",
    "dead_letter",
    "ledger",
    "alert",
    "signal_measure",
    "signal_cycle",
    "signal_interval",
    "pipeline_minute",
)
KINDS = (*SERIES, *TABLES)
"""What retention can be set for."""


def maintain(connection: psycopg.Connection[Any], level: Level, retention_days: Mapping[str, int]) -> dict[str, int]:
    """Do it once; safe to repeat and beside the pipeline.

    Args:
        connection: As a member of `subak_writer`, autocommit on. Rollups of late days (level community) are refreshed for
            their owner alone; until it comes, the days stay marked.
        level: Of the server.
        retention_days: Days kept by kind (see `KINDS`); 0 or a kind that is not named is kept for ever.

    Returns:
        What was dropped, by kind: chunks or partitions of series, rows of tables.
    """
    connection.execute(_SQL["ensure_days"])
    if level is Level.COMMUNITY and _may_refresh(connection):
        _refresh_late_days(connection)
    make_usual(connection, usual_thresholds())
    # Long before raw rows go, states are as good at one a day: what comes late is measured again from there.
    connection.execute(_SQL["thin_signal_states"], {"days": retention_days.get("signal_event", 0)})
    dropped: dict[str, int] = {}
    for kind in KINDS:
        days = retention_days.get(kind, 0)
        if days == 0:
            continue
        count = expire(connection, days) if kind == "dead_letter" else _drop(connection, kind, days)
        if count:
            dropped[kind] = count
    return dropped


def _drop(connection: psycopg.Connection[Any], kind: str, days: int) -> int:
    statement = _SQL["drop_before"] if kind in SERIES else _SQL[f"delete_{kind}"]
    row = connection.execute(statement, {"series": kind, "days": days}).fetchone()
    return int(row[0]) if row else 0


def _may_refresh(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(_SQL["may_refresh"]).fetchone()
    return row is not None and bool(row[0])


def _refresh_late_days(connection: psycopg.Connection[Any]) -> None:
    # A bin that turns late while we refresh marks its day again, so it is forgotten first.
    for (day,) in connection.execute(_SQL["late_days"]).fetchall():
        connection.execute(_SQL["forget_late_day"], (day,))
        for rollup in ("subak.lane_15min", "subak.lane_1h", "subak.lane_1d"):
            connection.execute(_SQL["refresh"], (rollup, day, day))
