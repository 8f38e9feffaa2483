"""What the measures know of a junction: its detectors, and since when that is true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from config.inventory import Controller
from config.site import Site


class Function(StrEnum):
    """What a detector is good for."""

    ADVANCE = "advance"
    """Counts vehicles upstream of the queue: arrivals."""
    COUNT = "stop_bar_count"
    """Counts vehicles that leave over the stop line, lane by lane."""
    PRESENCE = "presence"
    """Tells that someone stands at the stop line; its events are not vehicles."""
    YELLOW_RED = "yellow_red"
    """Counts vehicles that enter behind the stop line on yellow and red."""
    SPEED = "speed"
    """One end of a speed trap."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One channel of a controller.

    Attributes:
        number: Channel, the parameter of codes 81 and 82.
        phase: Phase that serves its vehicles.
        function: What it is good for.
        distance_m: Upstream of the stop line, m.
        speed_kmh: At which vehicles cover that distance, km/h; 0 leaves out the set-back shift.
        latency_s: From the vehicle to the event, s.
        movement: `left`, `through`, `right`; "" when it serves several.
        trap: Channel of the downstream end of a speed trap.
        trap_m: Distance to it, m.
    """

    number: int
    phase: int
    function: Function
    distance_m: float = 0.0
    speed_kmh: float = 0.0
    latency_s: float = 0.0
    movement: str = ""
    trap: int | None = None
    trap_m: float = 0.0

    @property
    def shift_us(self) -> int:
        """From event to arrival at the stop line: distance ÷ speed − latency (UDOT ATSPM 5), µs in steps of 0.1 s."""
        travel = self.distance_m / (self.speed_kmh / 3.6) if self.speed_kmh > 0 else 0.0
        return round((travel - self.latency_s) * 10) * 100_000


@dataclass(frozen=True, slots=True)
class Configuration:
    """Detectors of a controller as they were from `valid_from_us` on.

    Attributes:
        valid_from_us: Begin of validity; it takes effect at the first bin that begins then or later.
        detectors: A channel may stand here more than once, with several functions.
        pedestrians: Phases with a push button; others are known from their first press on.
        timezone: IANA zone of hours of the day.
    """

    valid_from_us: int
    detectors: tuple[Detector, ...]
    pedestrians: tuple[int, ...] = ()
    timezone: str = "UTC"

    def having(self, function: Function) -> tuple[Detector, ...]:
        """Its detectors of one function."""
        return tuple(detector for detector in self.detectors if detector.function is function)


@dataclass(frozen=True, slots=True)
class History:
    """The configurations of one controller, the earliest first; before the first one, it holds too."""

    configurations: tuple[Configuration, ...]

    def at(self, time_us: int) -> Configuration:
        """What was true then."""
        return next((one for one in reversed(self.configurations) if one.valid_from_us <= time_us), self.configurations[0])

    def next_change(self, time_us: int, bin_us: int) -> int | None:
        """The first bin after `time_us` at which another configuration takes effect."""
        starts = (-(-one.valid_from_us // bin_us) * bin_us for one in self.configurations[1:])
        return min((start for start in starts if start > time_us), default=None)


def history_of(site: Site, controller: str) -> History:
    """The detector configurations of a controller, from the site folder.

    Raises:
        KeyError: The site has no such controller.
    """
    found = next((one for one in site.controllers if one.id == controller), None)
    if found is None:
        raise KeyError(controller)
    zone = ZoneInfo(site.general.timezone)
    phases = {lane.id: approach.phase for approach in site.junction[found.junction].approaches for lane in approach.lanes}
    movements = {
        lane.id: lane.movements[0] if len(lane.movements) == 1 else ""
        for approach in site.junction[found.junction].approaches
        for lane in approach.lanes
    }
    days = sorted({one.valid_from for detector in found.detectors for one in (detector, *detector.earlier)})
    configurations = []
    for day in days:
        begin = datetime.combine(day, time(), zone).astimezone(UTC)
        configurations.append(
            Configuration(
                valid_from_us=int(begin.timestamp()) * 1_000_000,
                detectors=tuple(_detectors(found, day, phases, movements)),
                pedestrians=found.pedestrians,
                timezone=site.general.timezone,
            )
        )
    return History(tuple(configurations))


def _detectors(controller: Controller, day: date, phases: dict[str, int], movements: dict[str, str]) -> Iterable[Detector]:
    """The detectors that were there on that day, as they were set then."""
    for detector in controller.detectors:
        then = max(
            (one for one in (detector, *detector.earlier) if one.valid_from <= day), key=lambda one: one.valid_from, default=None
        )
        if then is None:
            continue
        yield Detector(
            number=detector.number,
            phase=then.phase or phases[detector.lane],
            function=Function.ADVANCE if then.function == "count" else Function(then.function),
            distance_m=then.distance if then.function == "count" else 0.0,
            speed_kmh=then.speed,
            latency_s=then.latency,
            movement=movements[detector.lane],
            trap=then.trap,
            trap_m=then.trap_distance,
        )
