"""Fixed-time signal programs, made from the phase numbers of a junction's approaches.

Phases are NEMA's: 2 and 6 face each other, 4 and 8 cross them; odd numbers are the turns beside them. Phases of one
pair are green together, pairs follow each other, each with yellow and all-red.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from config.site import Junction
from subak.street.assumptions import SignalAssumption


class Aspect(StrEnum):
    """What a phase shows."""

    GREEN = "green"
    YELLOW = "yellow"
    RED_CLEARANCE = "red clearance"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of the cycle in which nothing changes.

    Attributes:
        seconds: How long.
        phases: Phases that show `aspect`; every other phase is red.
        aspect: What they show.
    """

    seconds: int
    phases: frozenset[int]
    aspect: Aspect

    def shown(self, phase: int) -> Aspect:
        """What `phase` shows now."""
        return self.aspect if phase in self.phases else Aspect.RED


def program(junction: Junction, times: SignalAssumption) -> tuple[Interval, ...]:
    """The cycle of `junction`; green is shared out by the lanes that each pair of phases serves."""
    lanes: dict[int, int] = {}
    for approach in junction.approaches:
        lanes[approach.phase] = max(lanes.get(approach.phase, 0), len(approach.lanes))
    pairs = _pairs(lanes)
    clearance = times.yellow + times.all_red
    green = times.cycle - len(pairs) * clearance
    weights = [max(lanes[phase] for phase in pair) for pair in pairs]
    intervals: list[Interval] = []
    for pair, seconds in zip(pairs, _share_out(green, weights, times.shortest_green), strict=True):
        intervals += (
            Interval(seconds, pair, Aspect.GREEN),
            Interval(times.yellow, pair, Aspect.YELLOW),
            Interval(times.all_red, pair, Aspect.RED_CLEARANCE),
        )
    return tuple(intervals)


def _pairs(phases: Iterable[int]) -> list[frozenset[int]]:
    """Phases that may be green together: those that differ by four, in the order 1+5, 2+6, 3+7, 4+8."""
    grouped: dict[int, set[int]] = {}
    for phase in phases:
        grouped.setdefault((phase - 1) % 4, set()).add(phase)
    return [frozenset(grouped[key]) for key in sorted(grouped)]


def _share_out(green: int, weights: Sequence[int], least: int) -> list[int]:
    """Whole seconds in proportion to `weights`, none below `least`; the last takes what rounding leaves."""
    total = sum(weights)
    shares = [max(least, green * weight // total) for weight in weights]
    shares[-1] = max(least, green - sum(shares[:-1]))
    return shares
