"""One detector: what SUMO says about it each second, as counts, occupancy and on/off changes.

A vehicle is counted once, in the second in which its front reaches the loop, on the lane where that happens. A vehicle
that changes lanes beside or on a loop is not counted again on the other lane. All sums are whole numbers, so that they
come out the same in whatever order they are added: speed in 0.1 km/h, time in 0.01 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ingest.contract import VehicleClass

Raw = tuple[str, float, float, float, str]
"""SUMO's vehicle data: vehicle, length m, entry s, exit s (-1 while it is on the loop), type."""

TICKS = 100
"""Ticks of occupied time a second."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One counted vehicle.

    Attributes:
        vehicle: Its class.
        speed: 0.1 km/h.
    """

    vehicle: VehicleClass
    speed: int


@dataclass(frozen=True, slots=True)
class Change:
    """The loop becomes occupied or free.

    Attributes:
        tick: 0.01 s from the start of the second.
        on: It becomes occupied.
    """

    tick: int
    on: bool


@dataclass(frozen=True, slots=True)
class LoopSecond:
    """One second of one loop.

    Attributes:
        passages: Vehicles counted.
        occupied: Ticks in which at least one vehicle was on it.
        changes: When it became occupied or free, in order.
    """

    passages: tuple[Passage, ...] = ()
    occupied: int = 0
    changes: tuple[Change, ...] = ()


QUIET = LoopSecond()


class Zone:
    """A stretch of a lane on which someone stands or does not; it counts nothing. Its memory between seconds."""

    def __init__(self) -> None:
        self._on = False

    def second(self, raw: Iterable[Raw], start: float) -> LoopSecond:
        """Read SUMO's vehicle data of the step from `start` (simulation seconds)."""
        busy: list[tuple[int, int]] = []
        for _, _, entry, leave, _ in raw:
            begin = max(0, round((entry - start) * TICKS))
            end = TICKS if leave < 0 else min(TICKS, round((leave - start) * TICKS))
            if end > begin:
                busy.append((begin, end))
        if not busy and not self._on:
            return QUIET
        occupied, changes = self._merge(busy)
        return LoopSecond((), occupied, changes)

    def _merge(self, busy: list[tuple[int, int]]) -> tuple[int, tuple[Change, ...]]:
        occupied = 0
        changes: list[Change] = []
        reached = 0
        for begin, end in sorted(busy):
            if self._on and begin > reached:
                changes.append(Change(reached, on=False))
                self._on = False
            if not self._on:
                changes.append(Change(begin, on=True))
                self._on = True
            occupied += max(0, end - max(begin, reached))
            reached = max(reached, end)
        if self._on and reached < TICKS:
            changes.append(Change(reached, on=False))
            self._on = False
        return occupied, tuple(changes)


class Loop(Zone):
    """A loop that counts each vehicle of its approach once."""

    def __init__(self, counted: set[str], speed_of: Callable[[str], float | None]) -> None:
        """`counted`: vehicles already counted on this approach, shared by its lanes; `speed_of`: m/s, None if gone."""
        super().__init__()
        self._counted = counted
        self._speed_of = speed_of

    def second(self, raw: Iterable[Raw], start: float) -> LoopSecond:
        """Read SUMO's vehicle data of the step from `start` (simulation seconds)."""
        data = sorted(raw, key=lambda item: (item[2], item[0]))
        passages: list[Passage] = []
        for name, length, entry, leave, kind in data:
            if name not in self._counted and entry < start + 1:
                self._counted.add(name)
                speed = self._speed_of(name)
                if speed is None:
                    speed = length / (leave - entry) if leave > entry else 0.0
                passages.append(Passage(VehicleClass(kind), round(speed * 36)))
        seen = super().second(data, start)
        return replace(seen, passages=tuple(passages)) if passages else seen
