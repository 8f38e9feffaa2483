"""The facts that the watchdog judges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from processors.watchdog.controllers import ConditionEvent
from processors.watchdog.devices import DeviceFacts
from processors.watchdog.traffic import LaneHour, PhaseHour
from storage.queries import queries

_SQL = queries("watchdog")

Connection = psycopg.Connection[Any]


def device_names(connection: Connection, site: str) -> dict[int, str]:
    """Active devices of a site by number."""
    return dict(connection.execute(_SQL["device_numbers"], {"site": site}).fetchall())


def condition_events(connection: Connection, devices: Sequence[int], since_us: int, now_us: int) -> list[ConditionEvent]:
    """Events by which controllers tell their condition."""
    rows = connection.execute(_SQL["conditions"], {"devices": list(devices), "since_us": since_us, "now_us": now_us})
    return [ConditionEvent(*row) for row in rows]


def device_facts(connection: Connection, devices: Sequence[int], since_us: int, now_us: int) -> list[DeviceFacts]:
    """Devices that were heard at least once; their events since then."""
    rows = connection.execute(_SQL["devices"], {"devices": list(devices), "since_us": since_us, "now_us": now_us})
    return [DeviceFacts(*row) for row in rows]


def lane_hours(connection: Connection, devices: Sequence[int], hour_us: int, weeks: int, weeks_least: int) -> list[LaneHour]:
    """The hour that begins at `hour_us` of every lane."""
    rows = connection.execute(
        _SQL["lane_hours"], {"devices": list(devices), "hour_us": hour_us, "weeks": weeks, "weeks_least": weeks_least}
    )
    return [LaneHour(*row) for row in rows]


def phase_hours(connection: Connection, devices: Sequence[int], since_us: int, now_us: int) -> list[PhaseHour]:
    """The 60 minutes before `now_us` of every phase; `since_us` is the look-back for actuated phases."""
    rows = connection.execute(_SQL["phase_hours"], {"devices": list(devices), "since_us": since_us, "now_us": now_us})
    return [PhaseHour(*row) for row in rows]
