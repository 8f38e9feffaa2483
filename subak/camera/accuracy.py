"""How good a camera's counts are, against minutes that a person has counted.

The accuracy of n minutes is 1 - Σ|auto - manual| / Σ manual. It is a ratio of two sums, so its spread is that of a ratio
estimator (Cochran, Sampling Techniques, 3rd edition 1977, chapter 6): with s the standard deviation of
|auto - manual| - (1 - accuracy) * manual, as a part of the mean of manual, the standard error is s / √n.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist

from msgspec import Struct

from processors.daylight import Daylight


class Minute(Struct, frozen=True):
    """A lane-minute that a camera has counted.

    Attributes:
        lane: Virtual lane, as in the camera's counts.
        start_us: Begin, µs since 1970-01-01 UTC.
        half: Of the day.
        volume: Vehicles that the camera counted.
    """

    lane: str
    start_us: int
    half: Daylight
    volume: int


class Compared(Struct, frozen=True):
    """What a camera and a person counted of one class in one lane-minute (veh)."""

    lane: str
    start_us: int
    half: Daylight
    kind: str
    auto: int
    manual: int


class Accuracy(Struct, frozen=True):
    """How well a camera counts.

    Attributes:
        minutes: Lane-minutes compared.
        auto: Counted by the camera (veh).
        manual: Counted by a person (veh).
        accuracy: 1 - Σ|auto - manual| / Σ manual; below 0 when errors are more than vehicles; None when there were none.
        low: Lower end of the interval of confidence.
        high: Upper end of it.
        spread: Standard deviation of a minute's error as a part of the mean hand count; the next plan may use it.
    """

    minutes: int
    auto: int
    manual: int
    accuracy: float | None
    low: float | None
    high: float | None
    spread: float | None


def needed(spread: float, margin: float, confidence: float, population: int) -> int:
    """How many minutes to count by hand.

    Args:
        spread: Standard deviation of a minute's error, as a part of the mean hand count of a minute.
        margin: Half the width of the interval that is wanted, as a part (0.05 = ±5 %).
        confidence: That the interval holds the truth, between 0 and 1.
        population: Minutes there are to choose from; of few, fewer are needed.

    Returns:
        Minutes, at most `population`.

    Raises:
        ValueError: An argument is out of range.
    """
    if not (0 < confidence < 1 and margin > 0 and spread >= 0 and population >= 0):
        raise ValueError("confidence lies between 0 and 1, margin above 0, spread and population not below 0")
    infinite = (NormalDist().inv_cdf((1 + confidence) / 2) * spread / margin) ** 2
    return min(population, math.ceil(infinite / (1 + infinite / population))) if population else 0


def choose(minutes: Iterable[Minute], counts: Mapping[Daylight, int], seed: int) -> list[Minute]:
    """Choose minutes by lot: of each half of the day so many, evenly from quiet, usual and busy ones.

    Args:
        minutes: To choose from, in any order; the choice does not depend on it.
        counts: How many of each half.
        seed: The same seed chooses the same.

    Returns:
        In order of time, then lane.
    """
    dice = random.Random(seed)  # noqa: S311 - a lot that can be drawn again
    chosen: list[Minute] = []
    pool = sorted(minutes, key=lambda m: (m.volume, m.start_us, m.lane))
    for half, count in sorted(counts.items()):
        of_half = [minute for minute in pool if minute.half is half]
        wanted = min(count, len(of_half))
        # Equal parts of the ordered list, one drawn from each: every level of traffic is there in its proportion.
        edges = [len(of_half) * part // wanted for part in range(wanted + 1)] if wanted else []
        chosen += [of_half[dice.randrange(low, high)] for low, high in pairwise(edges)]
    return sorted(chosen, key=lambda m: (m.start_us, m.lane))


def accuracy(compared: Sequence[Compared], confidence: float, draws: int, seed: int) -> Accuracy:
    """Accuracy over some lane-minutes and classes.

    Args:
        compared: All of the classes that are asked for.
        confidence: Of the interval, between 0 and 1.
        draws: Of the bootstrap over lane-minutes; the classes of a minute stay together.
        seed: Of the draws.
    """
    by_minute: dict[tuple[str, int], tuple[int, int]] = {}
    for row in compared:
        error, manual = by_minute.get((row.lane, row.start_us), (0, 0))
        by_minute[row.lane, row.start_us] = (error + abs(row.auto - row.manual), manual + row.manual)
    cells = [by_minute[key] for key in sorted(by_minute)]
    auto, manual = sum(row.auto for row in compared), sum(row.manual for row in compared)
    if not manual:
        return Accuracy(len(cells), auto, manual, None, None, None, None)
    wrong = sum(error for error, _ in cells) / manual
    mean = manual / len(cells)
    variance = sum((error - wrong * count) ** 2 for error, count in cells) / (len(cells) - 1) if len(cells) > 1 else None
    spread = math.sqrt(variance) / mean if variance is not None else None
    low, high = _interval(cells, confidence, draws, seed) if len(cells) > 1 else (None, None)
    return Accuracy(len(cells), auto, manual, 1 - wrong, low, high, spread)


def _interval(cells: Sequence[tuple[int, int]], confidence: float, draws: int, seed: int) -> tuple[float, float]:
    """Percentiles of the bootstrap; a draw without any vehicle says nothing and is not counted."""
    dice = random.Random(seed)  # noqa: S311 - a figure that can be computed again
    drawn: list[float] = []
    for _ in range(draws):
        sample = dice.choices(cells, k=len(cells))
        if manual := sum(count for _, count in sample):
            drawn.append(1 - sum(error for error, _ in sample) / manual)
    drawn.sort()
    tail = (1 - confidence) / 2
    return drawn[round(tail * (len(drawn) - 1))], drawn[round((1 - tail) * (len(drawn) - 1))]
