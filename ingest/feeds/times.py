"""Which times a device may send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.feeds.problems import Problem
from ingest.reasons import Reason

EARLIEST_US = 946_684_800_000_000  # 2000-01-01 UTC; before it a clock battery was lost
FURTHEST_US = 86_400_000_000  # a day ahead; no clock drifts that far by itself

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def impossible(time_us: int, received_us: int) -> Problem | None:
    """Why data of that time cannot be facts; None when it can."""
    if time_us < EARLIEST_US:
        return Reason.TIME_TOO_OLD, f"the time {_shown(time_us)} is before 2000"
    if time_us - received_us > FURTHEST_US:
        hours = (time_us - received_us) / 3_600_000_000
        return Reason.TIME_IN_FUTURE, f"the time {_shown(time_us)} is {hours:.0f} hours after its receipt"
    return None


def _shown(time_us: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=time_us)).isoformat(timespec="seconds")
    except OverflowError:  # 9999-12-31T23:59-08:00 is a day later in UTC, and that year has no date
        return "at the end of the calendar" if time_us > 0 else "at its beginning"
