"""How many minutes to count by hand, which, and what the counts say of a camera."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.daylight import Daylight
from subak.camera.accuracy import Compared, Minute, accuracy, choose, needed

DAY, NIGHT = Daylight.DAY, Daylight.NIGHT


def compared(*pairs: tuple[int, int], kind: str = "all") -> list[Compared]:
    return [Compared("N1", index, DAY, kind, auto, manual) for index, (auto, manual) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("spread", "margin", "confidence", "population", "expected"),
    [
        # (1.96 * 0.35 / 0.05)² = 188.2
        (0.35, 0.05, 0.95, 1_000_000, 189),
        # Of 100 minutes: 188.2 / (1 + 1.882) = 65.3
        (0.35, 0.05, 0.95, 100, 66),
        (0.35, 0.10, 0.95, 1_000_000, 48),
        (0.35, 0.05, 0.90, 1_000_000, 133),
        # A camera without error needs no counting, and of nothing nothing can be counted.
        (0.0, 0.05, 0.95, 1_000, 0),
        (0.35, 0.05, 0.95, 0, 0),
    ],
)
def test_needed_minutes(spread: float, margin: float, confidence: float, population: int, expected: int) -> None:
    assert expected == needed(spread, margin, confidence, population)


@pytest.mark.parametrize(("margin", "confidence"), [(0.0, 0.95), (-1.0, 0.95), (0.05, 0.0), (0.05, 1.0), (0.05, 95.0)])
def test_impossible_wishes_are_refused(margin: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        needed(0.35, margin, confidence, 100)


MINUTES = [Minute("N1", minute, DAY if minute < 600 else NIGHT, minute % 50) for minute in range(1000)]


def test_choice_is_by_lot_of_each_half_and_of_all_levels_of_traffic() -> None:
    chosen = choose(MINUTES, {DAY: 30, NIGHT: 10}, seed=1)
    assert [30, 10] == [sum(minute.half is half for minute in chosen) for half in (DAY, NIGHT)]
    assert len(set(chosen)) == 40
    # Thirty parts of 50 levels: every fifth of the levels is there six times.
    fifths = [sum(minute.half is DAY and minute.volume // 10 == fifth for minute in chosen) for fifth in range(5)]
    assert [6] * 5 == fifths


@given(st.permutations(MINUTES[:40]), st.integers(0, 60), st.integers())
def test_choice_depends_on_the_seed_alone(minutes: list[Minute], count: int, seed: int) -> None:
    chosen = choose(minutes, {DAY: count}, seed)
    assert choose(MINUTES[:40], {DAY: count}, seed) == chosen
    assert len(set(chosen)) == min(count, 40)


def test_accuracy_counts_errors_of_both_signs() -> None:
    # 2 too many and 2 too few of 20 are not a good camera with a total that fits.
    found = accuracy(compared((12, 10), (8, 10)), 0.95, 100, 1)
    assert (2, 20, 20) == (found.minutes, found.auto, found.manual)
    assert found.accuracy == pytest.approx(0.8)


def test_accuracy_may_be_below_zero_and_is_none_without_vehicles() -> None:
    assert accuracy(compared((5, 1)), 0.95, 100, 1).accuracy == pytest.approx(-3.0)
    nothing = accuracy(compared((0, 0), (1, 0)), 0.95, 100, 1)
    assert (None, None, None) == (nothing.accuracy, nothing.low, nothing.high)


def test_a_single_minute_has_no_interval() -> None:
    found = accuracy(compared((9, 10)), 0.95, 100, 1)
    assert (None, None, None) == (found.low, found.high, found.spread)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """A counter that misses one in ten; 200 validations of 60 minutes each, at 90 %."""
    dice = random.Random(7)
    held = 0
    for validation in range(200):
        pairs = []
        for _ in range(60):
            manual = dice.randrange(5, 30)
            pairs.append((sum(dice.random() < 0.9 for _ in range(manual)), manual))
        found = accuracy(compared(*pairs), 0.9, 200, validation)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.9 <= found.high
    # 200 trials of 0.9 lie between 165 and 195 but for three in a thousand.
    assert 165 <= held <= 195
