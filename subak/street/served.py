"""Who waited when a phase turned green, and who of them was still there at the end of its yellow: the truth of split failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libsumo

from config.site import Junction
from subak.street.network import lane_of
from subak.street.signals import Aspect, Interval

HALTED = 5 / 3.6
"""m/s below which a vehicle stands in a queue."""


@dataclass(frozen=True, slots=True)
class Served:
    """One green of one phase.

    Attributes:
        junction: Where.
        phase: Which.
        green: Unix second in which it began.
        red: Unix second in which its red clearance began.
        waiting: Vehicles that stood on its approaches in its first second; the first of each lane have moved off by then.
        left: Of these, still there when it was over.
    """

    junction: str
    phase: int
    green: int
    red: int
    waiting: int
    left: int


class Serving:
    """The greens of all phases, second by second."""

    def __init__(self, junctions: Sequence[Junction], programs: Mapping[str, Sequence[Interval]]) -> None:
        """`programs`: the cycle of each junction, to which the intervals of `second` refer."""
        self._programs = programs
        self._lanes: dict[tuple[str, int], list[str]] = {}
        for junction in junctions:
            for approach in junction.approaches:
                own = self._lanes.setdefault((junction.id, approach.phase), [])
                own += [lane_of(approach, lane.id) for lane in approach.lanes]
        self._aspects: dict[tuple[str, int], Aspect] = {}
        self._waiting: dict[tuple[str, int], tuple[int, frozenset[str]]] = {}

    def second(self, start: int, intervals: Mapping[str, int]) -> list[Served]:
        """Greens whose yellow ended in the second from `start` (Unix time)."""
        over: list[Served] = []
        for name, lanes in self._lanes.items():
            junction, phase = name
            aspect = self._programs[junction][intervals[junction]].shown(phase)
            before = self._aspects.get(name)
            self._aspects[name] = aspect
            if before is None or aspect is before:
                continue
            if aspect is Aspect.GREEN:
                self._waiting[name] = start, frozenset(item for item in _on(lanes) if libsumo.vehicle.getSpeed(item) < HALTED)
            elif aspect is Aspect.RED_CLEARANCE and name in self._waiting:
                green, waiting = self._waiting.pop(name)
                left = waiting.intersection(_on(lanes))
                over.append(Served(junction, phase, green, start, len(waiting), len(left)))
        return over


def _on(lanes: Sequence[str]) -> list[str]:
    return [vehicle for lane in lanes for vehicle in libsumo.lane.getLastStepVehicleIDs(lane)]
