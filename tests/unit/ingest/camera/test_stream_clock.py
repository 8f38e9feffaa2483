"""The time of frames of a stream whose clock drifts, leaps, stands still or is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from ingest.camera.stream_clock import LEAD, LEAP_US, StreamClock

S = 1_000_000
NOW = 1_795_492_800 * S
STEP = S // 5


def run(told: Callable[[int], int | None], frames: Iterable[int], arrives: Callable[[int], int] = lambda us: us) -> list[int]:
    """Times of frames, 5 a second, in µs after the first one's arrival."""
    clock = StreamClock()
    return [clock.time_us(told(index * STEP), NOW + arrives(index * STEP)) - NOW for index in frames]


@pytest.mark.parametrize("rate", [1.01, 0.99, 1.0])
def test_a_clock_that_runs_a_little_wrong_is_led_and_never_set(rate: float) -> None:
    clock = StreamClock()
    times = [clock.time_us(7 * S + round(us * rate), NOW + us) - NOW for us in range(0, 1800 * S, STEP)]
    late = [abs(time - us) for time, us in zip(times, range(0, 1800 * S, STEP), strict=True)]
    assert 0 == clock.resets
    assert max(late) < 0.2 * S
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert all(abs(step / (STEP * rate) - 1) <= LEAD + 1e-4 for step in steps)


def test_jitter_of_the_network_moves_no_frame() -> None:
    """Frames arrive up to 0.15 s late; a vehicle's speed follows the stream."""
    times = run(lambda us: us, range(500), lambda us: us + (us // STEP * 7919 % 4) * 50_000)
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert all(abs(step - STEP) < STEP * LEAD for step in steps)


@pytest.mark.parametrize("leap", [3600 * S, -3600 * S, -5 * S])
def test_after_a_leap_the_time_is_that_of_arrival(leap: int) -> None:
    times = run(lambda us: us + 7200 * S + (leap if us >= 20 * S else 0), range(200))
    assert [index * STEP for index in range(200)] == pytest.approx(times, abs=1)


def test_a_stream_without_a_clock_or_with_one_that_stands_is_of_its_arrival() -> None:
    expected = [index * STEP for index in range(50)]
    assert expected == run(lambda _: None, range(50))
    assert expected == run(lambda _: 0, range(50))


def test_frames_held_up_and_then_sent_all_at_once_keep_their_times() -> None:
    """8 s of a stall: more than a leap, and none."""
    times = run(lambda us: us, range(200), lambda us: 28 * S if 20 * S <= us < 28 * S else us)
    assert [index * STEP for index in range(200)] == pytest.approx(times, abs=0.2 * S)


def test_a_stream_that_stays_late_is_set_by_arrival() -> None:
    """It was held up for longer than any buffer explains; what it showed meanwhile is late by that much."""
    times = run(lambda us: us, range(300), lambda us: us if us < 20 * S else us + 6 * S)
    assert 6 * S == pytest.approx(times[-1] - 299 * STEP, abs=0.2 * S)


def test_a_clock_that_is_much_too_fast_is_set_again_and_no_time_goes_back() -> None:
    clock = StreamClock()
    times = [clock.time_us(round(us * 1.2), NOW + us) - NOW for us in range(0, 120 * S, STEP)]
    assert clock.resets > 2
    assert sorted(times) == times
    assert all(abs(time - index * STEP) <= LEAP_US + S for index, time in enumerate(times))
