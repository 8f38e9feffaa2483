"""Sunrise and sunset at Kuta, from the almanac."""

from datetime import datetime

import pytest

from ingest.readings import US
from processors.daylight import Daylight, daylight

KUTA = (-8.72, 115.17)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        # 24 November 2026: sunrise 05:49, sunset 18:23 WITA.
        ("2026-11-24T05:45:00+08:00", Daylight.NIGHT),
        ("2026-11-24T06:00:00+08:00", Daylight.DAY),
        ("2026-11-24T12:00:00+08:00", Daylight.DAY),
        ("2026-11-24T18:20:00+08:00", Daylight.DAY),
        ("2026-11-24T18:35:00+08:00", Daylight.NIGHT),
        ("2026-11-25T00:00:00+08:00", Daylight.NIGHT),
        # In the dry season the days are shorter: 06:33 to 18:09.
        ("2026-06-21T06:20:00+08:00", Daylight.NIGHT),
        ("2026-06-21T06:45:00+08:00", Daylight.DAY),
    ],
)
def test_day_is_between_sunrise_and_sunset(moment: str, expected: Daylight) -> None:
    assert expected == daylight(*KUTA, round(datetime.fromisoformat(moment).timestamp() * US))
