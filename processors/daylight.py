"""Whether the sun was up: cameras and loops fail differently by day and by night."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from astral import Observer
from astral.sun import elevation

from ingest.readings import US

SUNRISE_DEG = -0.833
"""Elevation of the sun's centre at sunrise and sunset: its radius and the refraction of a standard atmosphere
(US Naval Observatory, Astronomical Information Center, "Rise, Set, and Twilight Definitions")."""


class Daylight(StrEnum):
    """The two halves of a day, as the street sees them."""

    DAY = "day"
    NIGHT = "night"


def daylight(latitude: float, longitude: float, time_us: int) -> Daylight:
    """Day or night at a place and time.

    Args:
        latitude: WGS 84 degrees, north is positive.
        longitude: WGS 84 degrees, east is positive.
        time_us: µs since 1970-01-01 UTC.

    Returns:
        `day` from sunrise to sunset, with a flat horizon.
    """
    moment = datetime.fromtimestamp(time_us / US, UTC)
    up = elevation(Observer(latitude, longitude), moment, with_refraction=False) >= SUNRISE_DEG
    return Daylight.DAY if up else Daylight.NIGHT
