"""Local times of a log as moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of local times
_STEP_US = 900_000_000  # every change of an offset falls on a quarter of an hour
_DAY_US = 86_400_000_000
_BACK_US = 1_800_000_000  # a log that falls back further has passed the end of daylight saving time


def localize(local_us: NDArray[np.int64], zone: ZoneInfo) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Moments of local times, which stand in the order of a log.

    An hour that comes twice (the end of daylight saving time) is taken as its second coming from where the log falls back.

    Args:
        local_us: What the clock showed, as microseconds since 1970-01-01 00:00 of the clock.
        zone: Of the clock.

    Returns:
        Microseconds since 1970-01-01 UTC, and which of the local times do not exist in the zone.
    """
    steps, where = np.unique(local_us // _STEP_US, return_inverse=True)
    first = np.empty(len(steps), np.int64)
    second = np.empty(len(steps), np.int64)
    unreal = np.zeros(len(steps), np.bool_)
    for index, step in enumerate(steps):
        naive = _EPOCH + timedelta(microseconds=int(step) * _STEP_US)
        first[index], second[index] = (_offset_us(naive, zone, fold) for fold in (0, 1))
        there = naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        unreal[index] = there.replace(tzinfo=None) != naive
    offset = first[where]
    twice = (first != second)[where] & ~unreal[where]
    days = local_us // _DAY_US
    for day in np.unique(days[twice]):
        own = np.flatnonzero(twice & (days == day))
        fell = np.flatnonzero(np.maximum.accumulate(local_us[own]) - local_us[own] >= _BACK_US)
        if len(fell):
            later = own[fell[0] :]
            offset[later] = second[where][later]
    return local_us - offset, unreal[where]


def clock_us(year: int, month: int, day: int, hour: int, minute: int, second: float) -> int:
    """What a clock shows, as microseconds since 1970-01-01 00:00 of the clock.

    Raises:
        ValueError: There is no such date or time.
    """
    whole = datetime(year, month, day, hour, minute, int(second))  # noqa: DTZ001 - of local times
    return round((whole - _EPOCH) / timedelta(microseconds=1)) + round((second - int(second)) * 1_000_000)


def _offset_us(naive: datetime, zone: ZoneInfo, fold: int) -> int:
    offset = naive.replace(tzinfo=zone, fold=fold).utcoffset()
    return 0 if offset is None else round(offset / timedelta(microseconds=1))
