"""The traffic itself: SUMO in this process, advanced second by second.

libsumo keeps its state in the process, so there is one `Traffic` at a time. Everything random comes from the seed: the
same site, assumptions, seed and start give the same vehicles, and so the same readings, on the same version of SUMO.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from types import TracebackType
from typing import Self

import libsumo

from config.site import Approach, Junction, Site
from ingest.contract import VehicleClass
from subak.street.additional import approach_of, command_of, write_additional
from subak.street.assumptions import Assumptions
from subak.street.demand import Demand, Pair
from subak.street.incident import Incident
from subak.street.loop import Loop, LoopSecond, Zone
from subak.street.network import lane_of, network_path
from subak.street.served import HALTED, Served, Serving
from subak.street.signals import Aspect, Interval, program

QUEUE_GAP = 15.0
"""Metres: a longer gap ends a queue."""

LoopName = tuple[str, str]
"""Controller and detector."""

ApproachName = tuple[str, str]
"""Junction and approach."""


@dataclass(frozen=True, slots=True)
class LinkTrip:
    """A vehicle's way over one whole link.

    Attributes:
        link: Which.
        entry: Unix second in which it came on.
        exit: Unix second in which it was no longer on it.
        vehicle: Its class.
    """

    link: str
    entry: int
    exit: int
    vehicle: VehicleClass


@dataclass(frozen=True, slots=True)
class Second:
    """What happened in one second.

    Attributes:
        start: Unix time at which it began.
        loops: What each detector saw.
        intervals: The interval of its program in which each junction was, by position in the program.
        trips: Ways over links that ended.
        served: Greens that are over.
    """

    start: int
    loops: Mapping[LoopName, LoopSecond]
    intervals: Mapping[str, int]
    trips: Sequence[LinkTrip]
    served: Sequence[Served]


@dataclass(frozen=True, slots=True)
class Seen:
    """A vehicle as a camera at the stop line sees it.

    Attributes:
        name: Stays with the vehicle; only for shading, it never leaves the street.
        vehicle: Its class.
        distance: Metres from the stop line upstream to its front.
        lateral: Metres from the kerb to its middle.
        speed: m/s.
    """

    name: str
    vehicle: VehicleClass
    distance: float
    lateral: float
    speed: float


class Traffic:
    """One run of the simulation."""

    def __init__(self, site: Site, assumptions: Assumptions, seed: int, start: int, incidents: Sequence[Incident] = ()) -> None:
        """Load the network; `start` is the Unix second after the warm-up.

        Raises:
            ConfigError: The site has no network file.
        """
        self.programs: dict[str, tuple[Interval, ...]] = {}
        self._site = site
        self._assumptions = assumptions
        self._start = start
        self._time = 0
        self._vehicles = 0
        self._incidents = [item.placed(site, start) for item in incidents]
        network = network_path(site)
        with tempfile.TemporaryDirectory() as folder:
            additional = Path(folder) / "additional.xml"
            write_additional(additional, site, assumptions)
            libsumo.start(command_of(network, additional, assumptions, seed))
        counted: dict[str, set[str]] = {link.id: set() for link in site.links}
        self._counted = counted
        self._loops: dict[LoopName, Zone] = {
            (controller.id, detector.id): Loop(counted[approach.link], _speed) if detector.is_lane else Zone()
            for controller in site.controllers
            for detector in controller.detectors
            for approach in [approach_of(site.junction[controller.junction], detector.lane)]
        }
        self._on_link: dict[str, dict[str, int]] = {link.id: {} for link in site.links}
        for junction in site.junctions:
            self.programs[junction.id] = self._set_program(junction)
        self._serving = Serving(site.junctions, self.programs)
        self._demand = Demand(site, assumptions, self._add_routes(), seed)

    @property
    def now(self) -> int:
        """Unix time that the simulation has reached."""
        return self._start - self._assumptions.simulation.warm_up + self._time

    def warm_up(self) -> Iterator[float]:
        """Fill the streets before the start; yields the part done, 0 to 1."""
        total = self._assumptions.simulation.warm_up
        while self._time < total:
            self.step()
            yield self._time / total

    def step(self) -> Second:
        """Simulate one second."""
        start = self.now
        self._enter(start)
        for incident in self._incidents:
            incident.apply(start)
        begin = float(self._time)
        libsumo.simulationStep()
        self._time += 1
        loops = {
            name: loop.second(libsumo.inductionloop.getVehicleData("/".join(name)), begin) for name, loop in self._loops.items()
        }
        intervals = {junction.id: libsumo.trafficlight.getPhase(junction.id) for junction in self._site.junctions}
        return Second(start, loops, intervals, self._trips(start), self._serving.second(start, intervals))

    def queues(self) -> dict[ApproachName, float]:
        """Metres of standing queue behind each stop line, on the lane where it is longest.

        From the stop line to the rear of the last vehicle slower than 5 km/h that follows the one before it within 15 m.
        """
        return {
            (junction.id, approach.id): max(_queue(lane_of(approach, lane.id)) for lane in approach.lanes)
            for junction in self._site.junctions
            for approach in junction.approaches
        }

    def seen(self, approach: Approach, reach: float) -> list[Seen]:
        """Vehicles within `reach` metres of the stop line of `approach`, the farthest first."""
        kerb = libsumo.lane.getShape(f"{approach.link}_0")
        width = libsumo.lane.getWidth(f"{approach.link}_0")
        (x0, y0), (x1, y1) = kerb[-2], kerb[-1]
        length = hypot(x1 - x0, y1 - y0)
        along = ((x1 - x0) / length, (y1 - y0) / length)
        found: list[Seen] = []
        for name in libsumo.edge.getLastStepVehicleIDs(approach.link):
            x, y = libsumo.vehicle.getPosition(name)
            dx, dy = x - x1, y - y1
            distance = -(dx * along[0] + dy * along[1])
            if distance > reach:
                continue
            # To the right of the direction of travel is away from the kerb, as traffic keeps left.
            lateral = dx * along[1] - dy * along[0] + width / 2
            found.append(Seen(name, _class_of(name), distance, lateral, libsumo.vehicle.getSpeed(name)))
        return sorted(found, key=lambda item: (-item.distance, item.name))

    def vehicles(self) -> int:
        """Vehicles that are on the road now."""
        return int(libsumo.vehicle.getIDCount())

    def close(self) -> None:
        """End the simulation; another may then start in this process."""
        libsumo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _enter(self, start: int) -> None:
        for trip in self._demand.second(start):
            name = f"{trip.vehicle}.{self._vehicles}"
            self._vehicles += 1
            libsumo.vehicle.add(name, _route(trip.gates), trip.vehicle.value, departLane="free", departSpeed="desired")

    def _trips(self, start: int) -> list[LinkTrip]:
        trips: list[LinkTrip] = []
        lifted = set(libsumo.simulation.getStartingTeleportIDList())
        for link, before in self._on_link.items():
            names = libsumo.edge.getLastStepVehicleIDs(link)
            here = set(names)
            gone = [name for name in before if name not in here]
            for name in gone:
                entry = before.pop(name)
                self._counted[link].discard(name)
                if name not in lifted:
                    trips.append(LinkTrip(link, entry, start, _class_of(name)))
            for name in names:
                before.setdefault(name, start)
        return trips

    def _set_program(self, junction: Junction) -> tuple[Interval, ...]:
        intervals = program(junction, self._assumptions.signals)
        phase_of = {approach.link: approach.phase for approach in junction.approaches}
        ways: list[tuple[str, str]] = [links[0][:2] for links in libsumo.trafficlight.getControlledLinks(junction.id)]
        phases = [phase_of[_edge(lane)] for lane, _ in ways]
        states = [
            "".join(
                _signal(interval.shown(phase), way, {_edge(other): phase_of[_edge(other)] for other, _ in ways}, interval)
                for way, phase in zip(ways, phases, strict=True)
            )
            for interval in intervals
        ]
        # Neighbours start half a cycle apart, so that the whole corridor does not turn green at once.
        first = 0 if self._site.junctions.index(junction) % 2 == 0 else len(intervals) // 2
        libsumo.trafficlight.setProgramLogic(
            junction.id,
            libsumo.trafficlight.Logic(
                "street",
                0,
                first,
                [
                    libsumo.trafficlight.Phase(interval.seconds, state, interval.seconds, interval.seconds)
                    for interval, state in zip(intervals, states, strict=True)
                ],
            ),
        )
        libsumo.trafficlight.setPhase(junction.id, first)
        return intervals

    def _add_routes(self) -> dict[Pair, float]:
        """Tell SUMO the shortest route of each pair of gates; returns its metres."""
        gates = {gate.id for gate in self._site.gates}
        distances: dict[Pair, float] = {}
        for first in (link for link in self._site.links if link.start in gates):
            for last in (link for link in self._site.links if link.end in gates and link.end != first.start):
                route = libsumo.simulation.findRoute(first.id, last.id, VehicleClass.MP.value)
                if route.edges:
                    pair = (first.start, last.end)
                    libsumo.route.add(_route(pair), route.edges)
                    distances[pair] = float(route.length)
        return distances


def _signal(aspect: Aspect, way: tuple[str, str], phases: Mapping[str, int], interval: Interval) -> str:
    """SUMO's letter for one way: `g` where someone who is green too has the right of way, `G` where nobody has."""
    if aspect is Aspect.YELLOW:
        return "y"
    if aspect is not Aspect.GREEN:
        return "r"
    for lane in libsumo.lane.getFoes(*way):
        if phases.get(_edge(lane)) in interval.phases:
            return "g"
    return "G"


def _queue(lane: str) -> float:
    if not libsumo.lane.getLastStepHaltingNumber(lane):
        return 0.0
    length = libsumo.lane.getLength(lane)
    tail = length
    names = libsumo.lane.getLastStepVehicleIDs(lane)
    for position, name in sorted(((libsumo.vehicle.getLanePosition(name), name) for name in names), reverse=True):
        if tail - position > QUEUE_GAP:
            break
        if libsumo.vehicle.getSpeed(name) < HALTED:
            tail = min(tail, position - libsumo.vehicle.getLength(name))
    return float(min(length, length - tail))


def _speed(name: str) -> float | None:
    """m/s of a vehicle, None when it has left the simulation."""
    try:
        return float(libsumo.vehicle.getSpeed(name))
    except libsumo.TraCIException:
        return None


def _class_of(name: str) -> VehicleClass:
    return VehicleClass(name.partition(".")[0])


def _edge(lane: str) -> str:
    return lane.rpartition("_")[0]


def _route(gates: Pair) -> str:
    return " ".join(gates)
