"""The watchdog as a role of `subak run`, and as a command: every minute it looks at what is stored, and keeps alerts.

It has a connection of its own, so it never holds up a message; several at once take turns and see what the other wrote.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import psycopg
import structlog
from msgspec import Struct

from config.alerts import Alerts, load_alerts
from config.errors import ConfigError
from config.files import load
from config.settings import load_settings
from config.site import General
from config.thresholds.watchdog import WatchdogThresholds, watchdog_thresholds
from ingest.collector import wall_clock_us
from ingest.readings import US
from processors.alerts import Alert, Blind, Changes, Key, Policy, track
from processors.watchdog import SCOPE, Judgement, Rule
from processors.watchdog.controllers import RULES as REPORTED
from processors.watchdog.controllers import reported
from processors.watchdog.devices import clocks, events_missing, silence
from processors.watchdog.traffic import lanes, phases
from storage.alerts import open_rows, track_alerts
from storage.errors import StorageError
from storage.watchdog import condition_events, device_facts, device_names, lane_hours, phase_hours

log = structlog.get_logger(__name__)

EVERY_S = 60.0
FIRST_S = 5.0  # after the start: what waited at the broker arrives first
HOUR_US = 3600 * US
QUARTER_US = 900 * US

Connection = psycopg.Connection[Any]


class Watched(Struct, frozen=True):
    """What the watchdog knows of a site: not its inventory, which is large and in the database.

    Attributes:
        name: In topics.
        zone: Of its days.
        alerts: Its ignore list.
    """

    name: str
    zone: ZoneInfo
    alerts: Alerts

    @classmethod
    def of(cls, path: Path) -> Watched:
        """Read from a site folder.

        Raises:
            ConfigFileError: The folder is wrong.
        """
        general = load(path / "site.yaml", General)
        return cls(general.site, ZoneInfo(general.timezone), load_alerts(path))


class Watchdog:
    """Looks at one site. What it must remember is in the database, but for when it last compared hours."""

    def __init__(self, site: Watched, thresholds: WatchdogThresholds, listening_us: int = 0) -> None:
        """Nothing is connected.

        Args:
            site: What it watches.
            thresholds: Of its rules.
            listening_us: Since when the pipeline listens: silence before that is not a device's.
        """
        self._site = site
        self._thresholds = thresholds
        self._listening_us = listening_us
        self._quarter = -1

    def look(self, connection: Connection, now_us: int) -> Changes:
        """Look once, and keep what changes.

        Args:
            connection: As a member of `subak_writer`, autocommit on.
            now_us: The present.

        Raises:
            StorageError: The database does not know the site.
            psycopg.Error: The database is away.
        """
        names = device_names(connection, self._site.name)
        back_us = round(self._thresholds.look_back.value * HOUR_US)
        repeat_us = round(self._thresholds.repeat.value * HOUR_US)
        policy = Policy(
            repeat_us=repeat_us,
            clear_us=round(self._thresholds.clear_after.value * 60 * US),
            ignored=lambda key, at_us: self._ignored(names, key, at_us),
        )

        def judge(known: list[Alert], announced: dict[Key, int]) -> Changes:
            judgement = self.judge(connection, list(names), known, now_us)
            return track(known, announced, judgement.findings, policy, now_us, judgement.blind)

        return track_alerts(
            connection, self._site.name, SCOPE, judge, since_us=now_us - 2 * back_us, announced_since_us=now_us - repeat_us
        )

    def judge(self, connection: Connection, devices: list[int], known: list[Alert], now_us: int) -> Judgement:
        """What all rules find now."""
        thresholds = self._thresholds
        since_us = now_us - round(thresholds.look_back.value * HOUR_US)
        facts = device_facts(connection, devices, since_us, now_us)
        result = silence(facts, thresholds, now_us, self._listening_us)
        result.also(clocks(facts, thresholds, now_us))
        result.also(events_missing(facts, thresholds, now_us))
        # Back to the oldest fault that only an event can end.
        oldest_us = min((alert.onset_us for alert in known if alert.end_us is None and alert.rule in REPORTED), default=since_us)
        events = condition_events(connection, devices, min(since_us, oldest_us), now_us)
        unheard: set[Blind] = {(rule.value, device) for rule in REPORTED for device in devices}
        result.also(Judgement(reported(events, thresholds, now_us), unheard))
        quarter = now_us // QUARTER_US
        if quarter == self._quarter:
            result.blind |= _every(
                (Rule.MINUTES_MISSING, Rule.LOW_COUNT, Rule.PEDESTRIAN_CALLS, Rule.MAX_OUT, Rule.FORCE_OFF), devices
            )
            return result
        result.also(self._hours(connection, devices, since_us, now_us))
        self._quarter = quarter
        return result

    def _hours(self, connection: Connection, devices: list[int], since_us: int, now_us: int) -> Judgement:
        """Rules that compare hours: a look every quarter is enough for them."""
        thresholds = self._thresholds
        # A whole hour, and 2 minutes until its last minute is final.
        hour_us = ((now_us - 120 * US) // HOUR_US - 1) * HOUR_US
        hours = lane_hours(
            connection, devices, hour_us, round(thresholds.low_count_weeks.value), round(thresholds.low_count_weeks_least.value)
        )
        result = lanes(hours, thresholds)
        unseen = set(devices) - {hour.device for hour in hours}
        result.blind |= _every((Rule.MINUTES_MISSING, Rule.LOW_COUNT), unseen)
        local = datetime.fromtimestamp(now_us / US, UTC).astimezone(self._site.zone)
        # The hour that ends now lies wholly in the night.
        if thresholds.night_from.value + 1 <= local.hour + local.minute / 60 <= thresholds.night_until.value:
            found = phase_hours(connection, devices, since_us, now_us)
            result.also(phases(found, thresholds))
            unseen = set(devices) - {hour.device for hour in found}
        else:
            unseen = set(devices)
        result.blind |= _every((Rule.PEDESTRIAN_CALLS, Rule.MAX_OUT, Rule.FORCE_OFF), unseen)
        return result

    def _ignored(self, names: dict[int, str], key: Key, at_us: int) -> str | None:
        rule, device, element = key
        now = datetime.fromtimestamp(at_us / US, UTC)
        return self._site.alerts.reason(rule, names.get(device, ""), element, now, self._site.zone)


def _every(rules: tuple[Rule, ...], devices: set[int] | list[int]) -> set[Blind]:
    return {(rule.value, device) for rule in rules for device in devices}


async def watch(path: Path, database_url: str) -> None:
    """Look every minute until cancelled; a look that fails is told and tried again.

    Args:
        path: Of the site folder; a changed ignore list counts from the next look on.
        database_url: As a member of `subak_writer`.
    """
    await asyncio.sleep(FIRST_S)
    thresholds = watchdog_thresholds()
    listening_us = wall_clock_us()
    watchdog = Watchdog(Watched.of(path), thresholds, listening_us)
    read_at = _changed(path)
    while True:
        try:
            if _changed(path) != read_at:
                read_at, watchdog = _changed(path), Watchdog(Watched.of(path), thresholds, listening_us)
            now_us = wall_clock_us()
            changes = await asyncio.to_thread(_look, watchdog, database_url, now_us)
            for alert in changes.announced(now_us):
                log.warning("alert", rule=alert.rule, device=alert.device, element=alert.element, detail=alert.detail)
        except (psycopg.Error, StorageError, ConfigError) as error:
            log.warning("watchdog.failed", error=str(error), again_in_s=EVERY_S)
        await asyncio.sleep(EVERY_S)


def _changed(path: Path) -> float:
    """When the ignore list was last changed."""
    file = path / "alerts.yaml"
    return file.stat().st_mtime if file.exists() else 0.0


def _look(watchdog: Watchdog, database_url: str, now_us: int) -> Changes:
    with psycopg.connect(database_url, autocommit=True) as connection:
        return watchdog.look(connection, now_us)


class Row(Struct, frozen=True):
    """An alert that is open after a look."""

    rule: str
    device: str
    element: str
    severity: str
    onset: datetime
    value: float | None
    threshold: float | None
    detail: str
    suppressed: str | None


def watchdog(*, once: bool = True, site: Path | None = None, json: bool = False) -> int:
    """Look for faults once and print what is wrong now; `subak run` does the same every minute.

    Args:
        once: The only way of the command; the role is part of `subak run`.
        site: Path of the site folder.
        json: Print one JSON object: what began and changed, and every open alert.

    Returns:
        1 when there is an open alert that is announced.
    """
    if not once:
        raise ConfigError("--no-once: the watchdog that goes on is part of `subak run`")
    settings = load_settings(site=site)
    found = Watched.of(settings.site)
    now_us = wall_clock_us()
    try:
        with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
            changes = Watchdog(found, watchdog_thresholds()).look(connection, now_us)
            rows = open_alerts(connection, found.name)
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable, StorageError) as error:
        raise ConfigError(f"SUBAK_DATABASE_URL: {error}") from error
    if json:
        result = {
            "begun": len(changes.begun),
            "changed": len(changes.changed),
            "announced": len(changes.announced(now_us)),
            "open": rows,
        }
        print(msgspec.json.encode(result).decode())
    else:
        _show(rows)
    return 1 if any(row.suppressed is None for row in rows) else 0


def open_alerts(connection: Connection, site: str) -> list[Row]:
    """What is wrong now, as the watchdog knows it."""
    return [Row(*row) for row in open_rows(connection, site, SCOPE)]


def _show(rows: list[Row]) -> None:
    if not rows:
        print("nothing is wrong")
        return
    for row in rows:
        since = row.onset.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        what = " ".join(part for part in (row.device, row.element) if part)
        told = f" [{row.suppressed}]" if row.suppressed else ""
        print(f"{since}  {row.severity:8}  {row.rule}  {what}: {row.detail}{told}")
