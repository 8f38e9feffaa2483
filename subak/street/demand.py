"""Who enters the street, when, where from and where to: a Poisson stream at every gate, drawn from the seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import exp
from random import Random

from config.site import Site
from ingest.contract import VehicleClass
from subak.street.assumptions import Assumptions

Pair = tuple[str, str]
"""A gate where a trip starts and one where it ends."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's wish.

    Attributes:
        gates: Where it comes from and goes to.
        vehicle: Its class.
    """

    gates: Pair
    vehicle: VehicleClass


@dataclass(frozen=True, slots=True)
class _Source:
    per_second: float
    exits: tuple[str, ...]
    weights: tuple[float, ...]


class Demand:
    """The stream of trips of one run; the same seed and site give the same stream."""

    def __init__(self, site: Site, assumptions: Assumptions, distances: Mapping[Pair, float], seed: int) -> None:
        """`distances`: metres of road for each pair of gates that a route joins."""
        self._zone = site.zone
        self._assumptions = assumptions
        self._random = Random(f"demand {seed}")
        self._sources: dict[str, _Source] = {}
        gates = {gate.id for gate in site.gates}
        leaving = {link.end: float(link.lanes * link.speed_limit) for link in site.links if link.end in gates}
        for link in site.links:
            if link.start not in gates:
                continue
            exits = tuple(gate for gate in leaving if (link.start, gate) in distances)
            if not exits:
                continue
            self._sources[link.start] = _Source(
                per_second=assumptions.entering(link.lanes, link.speed_limit) / 3600,
                exits=exits,
                weights=tuple(leaving[gate] * exp(-distances[link.start, gate] / assumptions.nearness) for gate in exits),
            )

    def second(self, epoch: int) -> list[Trip]:
        """Trips that start in the second from `epoch` (Unix time)."""
        clock = datetime.fromtimestamp(epoch, self._zone)
        activity = self._assumptions.activity(clock.hour + clock.minute / 60 + clock.second / 3600)
        classes, shares = self._assumptions.shares
        trips: list[Trip] = []
        for gate, source in self._sources.items():
            for _ in range(self._poisson(source.per_second * activity)):
                target = self._random.choices(source.exits, source.weights)[0]
                trips.append(Trip((gate, target), self._random.choices(classes, shares)[0]))
        return trips

    def _poisson(self, mean: float) -> int:
        """Knuth's method: exact and quick for the small means of one second."""
        limit, product, count = exp(-mean), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count
