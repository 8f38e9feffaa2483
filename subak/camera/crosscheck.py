"""Cameras against the loops beside them, as a part of `subak run`: every quarter, a drift is an alert for the technician."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import structlog

from config.errors import ConfigError
from config.thresholds.agreement import agreement_thresholds
from ingest.collector import wall_clock_us
from ingest.readings import US
from processors.agreement import drifts
from processors.alerts import Alert, Changes, Key, Policy, track
from storage.agreement import agreements
from storage.alerts import track_alerts
from storage.errors import StorageError
from subak.watchdog import Watched

log = structlog.get_logger(__name__)

SCOPE = "camera"
EVERY_S = 300.0
DAY_US = 86_400 * US


def look(connection: psycopg.Connection[Any], site: str, policy: Policy, now_us: int) -> Changes:
    """Compare once, and keep what changes."""
    thresholds = agreement_thresholds()
    found, blind = drifts(agreements(connection, site, thresholds, now_us), thresholds)

    def judge(known: list[Alert], announced: dict[Key, int]) -> Changes:
        return track(known, announced, found, policy, now_us, blind)

    return track_alerts(connection, site, SCOPE, judge, since_us=now_us - DAY_US, announced_since_us=now_us - policy.repeat_us)


async def cross_check(path: Path, database_url: str) -> None:
    """Compare every few minutes until cancelled; a comparison that fails is told and tried again."""
    site = Watched.of(path).name
    policy = Policy(repeat_us=DAY_US, clear_us=1800 * US)

    def once() -> Changes:
        with psycopg.connect(database_url, autocommit=True) as connection:
            return look(connection, site, policy, wall_clock_us())

    while True:
        await asyncio.sleep(EVERY_S)
        try:
            changes = await asyncio.to_thread(once)
            for alert in changes.begun:
                log.warning("alert", rule=alert.rule, device=alert.device, element=alert.element, detail=alert.detail)
        except (psycopg.Error, StorageError, ConfigError) as error:
            log.warning("cross_check.failed", error=str(error), again_in_s=EVERY_S)
