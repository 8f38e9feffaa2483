"""The watermark follows the field's time, goes on in silence, and nothing in the future moves it."""

from __future__ import annotations

from ingest.readings import US
from processors.bins import BIN_US
from processors.watermark import GAP_US, Watermarks
from tests.unit.processors.readings import NOON_US

LATENESS_US = 10 * US
IDLE_US = 90 * US


def fresh(closed_until_us: int | None = NOON_US, now_us: int = NOON_US) -> Watermarks:
    watermarks = Watermarks(LATENESS_US, IDLE_US)
    watermarks.open(1, closed_until_us, now_us)
    return watermarks


def minutes(due: list[tuple[int, int]]) -> list[int]:
    return [(minute - NOON_US) // BIN_US for _, minute in due]


def test_a_minute_is_due_when_readings_have_passed_it_by_the_lateness() -> None:
    watermarks = fresh()
    watermarks.hear(1, NOON_US, NOON_US + 69 * US, NOON_US + 69 * US)
    assert [] == minutes(watermarks.due(NOON_US + 69 * US, 100))

    watermarks.hear(1, NOON_US, NOON_US + 70 * US, NOON_US + 70 * US)
    assert [0] == minutes(watermarks.due(NOON_US + 70 * US, 100))


def test_silence_advances_it_with_the_wall_clock() -> None:
    watermarks = fresh()
    watermarks.hear(1, NOON_US, NOON_US + 30 * US, NOON_US + 31 * US)

    # 40 s after a reading that ended at 12:00:30 the field stands at 12:01:10 at least.
    assert [] == minutes(watermarks.due(NOON_US + 70 * US, 100))
    assert [0] == minutes(watermarks.due(NOON_US + 71 * US, 100))
    assert [0, 1, 2] == minutes(watermarks.due(NOON_US + 191 * US, 100))


def test_a_device_that_lags_catches_up_with_the_wall_clock_when_it_falls_silent() -> None:
    watermarks = fresh()
    late = 600 * US
    watermarks.hear(1, NOON_US, NOON_US + 60 * US, NOON_US + late)
    assert 0 == len(watermarks.due(NOON_US + late, 100))

    # Silent for longer than idle: the wall clock less idle and lateness rules.
    now = NOON_US + late + IDLE_US + US
    assert (now - IDLE_US - LATENESS_US) == watermarks.value(1, now)


def test_in_a_backlog_silence_means_nothing() -> None:
    watermarks = fresh()
    watermarks.hear(1, NOON_US, NOON_US + 30 * US, NOON_US + 31 * US)

    assert [] == watermarks.due(NOON_US + 3600 * US, 100, live=False)


def test_the_history_of_a_new_feed_begins_with_its_first_reading() -> None:
    watermarks = fresh(closed_until_us=None, now_us=NOON_US + 600 * US)
    watermarks.hear(1, NOON_US, NOON_US + 10 * US, NOON_US + 600 * US)

    assert NOON_US == watermarks.closed_until(1)
    assert [] == watermarks.due(NOON_US + 600 * US, 100)


def test_a_first_reading_from_the_future_moves_nothing_but_history_does_not_begin_after_it() -> None:
    """Five minutes before our start: they are neither final nor due before the wall clock has passed them."""
    watermarks = fresh(closed_until_us=None, now_us=NOON_US)
    before = watermarks.value(1, NOON_US)
    watermarks.begin(1, NOON_US - 300 * US)

    assert before == watermarks.value(1, NOON_US)
    assert NOON_US - 300 * US == watermarks.closed_until(1)
    # Of a feed that has been heard, its minutes are where they were.
    watermarks.hear(1, NOON_US - 600 * US, NOON_US - 590 * US, NOON_US)
    watermarks.begin(1, NOON_US - 900 * US)
    assert NOON_US - 600 * US == watermarks.closed_until(1)


def test_minutes_are_closed_once_and_in_order() -> None:
    watermarks = fresh()
    now = NOON_US + 300 * US
    due = watermarks.due(now, 2)
    assert [0, 1] == minutes(due)

    for device, minute in due:
        watermarks.close(device, minute)
    assert [2, 3] == minutes(watermarks.due(now + 10 * US, 2))


def test_a_silence_of_days_leaves_one_day_of_missing_minutes() -> None:
    watermarks = fresh()
    now = NOON_US + 3 * GAP_US

    due = watermarks.due(now, 10_000)

    assert now - GAP_US == due[0][1]
    assert len(due) < GAP_US // BIN_US


def test_an_old_reading_does_not_move_it_back() -> None:
    watermarks = fresh()
    watermarks.hear(1, NOON_US, NOON_US + 120 * US, NOON_US + 120 * US)
    before = watermarks.value(1, NOON_US + 121 * US)
    watermarks.hear(1, NOON_US - 999 * US, NOON_US - 900 * US, NOON_US + 121 * US)

    assert before - US <= watermarks.value(1, NOON_US + 121 * US)
