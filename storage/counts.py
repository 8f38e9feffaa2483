"""What a camera has counted, minute by minute, for those who count the same by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from msgspec import Struct

from storage.queries import queries

_SQL = queries("validation")


class Counted(Struct, frozen=True):
    """One final lane-minute of a camera; fields as in `analytics.lane_1min` (veh); NULL is no valid observation."""

    lane: str
    start: datetime
    volume: int | None
    sm: int | None
    mp: int | None
    ks: int | None
    bb: int | None
    tb: int | None
    ktb: int | None
    quality: str


def counted(
    connection: psycopg.Connection[tuple[Any, ...]], site: str, camera: str, since: datetime, until: datetime
) -> list[Counted]:
    """Final lane-minutes of one camera in order of time, those without counts too."""
    cursor = connection.execute(_SQL["counted"], {"site": site, "camera": camera, "since": since, "until": until})
    return [Counted(*row) for row in cursor]
