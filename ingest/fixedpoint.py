"""Exact conversions from what devices send to the integers that are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

OCCUPANCY_DIGITS = 2  # 0.01 %
SPEED_DIGITS = 1  # 0.1 km/h
PERIOD_DIGITS = 3  # ms
SHARE_DIGITS = 4  # 0.01 % of a whole that is 1

_SCALE = (1, 10, 100, 1000, 10_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=32_768)  # devices repeat themselves: there are 10,001 occupancies of two decimals
def fixed(value: float, digits: int) -> int:
    """Give `value` times 10^`digits` as the nearest integer; a tie goes to the even one.

    Exact: the result is that of rational arithmetic on the very float the device sent (the double nearest to its
    decimal text), never on a rounded product. So 0.125 at two digits is a tie and gives 12, while 12.345 gives 1235
    because the double nearest to 12.345 lies above it.

    Args:
        value: A finite number of at most 1e9.
        digits: 0 to 4.
    """
    scale = _SCALE[digits]
    scaled = value * scale
    nearest = round(scaled)
    if -0.49 < scaled - nearest < 0.49:
        return nearest
    # Near a tie the product's own rounding could decide; round() with digits is correctly rounded.
    return round(round(value, digits) * scale)


def microseconds(time: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware time, exactly (no float on the way)."""
    return (time - _EPOCH) // _MICROSECOND
