"""What the street assumes about traffic (`traffic.yaml`), as types."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.files import Strict, load
from ingest.contract import VehicleClass

FILE = Path(__file__).parent / "traffic.yaml"

Share = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(gt=0, le=30)]


class ClassAssumption(Strict):
    """One vehicle class.

    Attributes:
        share: Part of the vehicles that enter.
        length: Metres.
        width: Metres.
        height: Metres, with its rider.
        speed_factor: Wished speed as a part of the speed limit.
        top_speed: km/h that it can do at most; None leaves it to SUMO's vehicle class.
        shape: SUMO vehicle class; it decides how the vehicle drives.
    """

    share: Share
    length: Metres
    width: Metres
    height: Metres
    speed_factor: Annotated[float, Field(gt=0, le=2)]
    top_speed: Annotated[float, Field(gt=0, le=200)] | None = None
    shape: str


class SignalAssumption(Strict):
    """Times of the fixed-time programs, whole seconds.

    Attributes:
        cycle: Whole cycle.
        yellow: After each green.
        all_red: After each yellow.
        shortest_green: No stage is greener for less.
    """

    cycle: Annotated[int, Field(ge=30, le=240)]
    yellow: Annotated[int, Field(ge=3, le=6)]
    all_red: Annotated[int, Field(ge=1, le=10)]
    shortest_green: Annotated[int, Field(ge=5, le=60)]


class SimulationAssumption(Strict):
    """How the simulation runs.

    Attributes:
        warm_up: Seconds simulated before the first that is published.
        teleport_after: Seconds after which a stuck vehicle is lifted over the jam, so that no gridlock stays.
        lateral_resolution: Metres; width of the strips in which vehicles find their place beside each other.
        loop_length: Metres of road that a loop covers, along it.
        presence_length: Metres of road that a presence zone covers.
    """

    warm_up: Annotated[int, Field(ge=0, le=3600)]
    teleport_after: Annotated[int, Field(ge=30, le=3600)]
    lateral_resolution: Annotated[float, Field(gt=0, le=4)]
    loop_length: Annotated[float, Field(ge=0, le=10)]
    presence_length: Annotated[float, Field(gt=0, le=50)]


class Assumptions(Strict):
    """The whole file.

    Attributes:
        classes: By PKJI class.
        entering_per_lane: Vehicles an hour and lane at a gate in the busiest hour, by speed limit in km/h.
        profile: Share of the busiest hour, by hour of the site's day.
        signals: Times of the signal programs.
        nearness: Metres of road by which the weight of a destination falls by e.
        simulation: How the simulation runs.
    """

    classes: Mapping[VehicleClass, ClassAssumption]
    entering_per_lane: Annotated[Mapping[int, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    profile: Annotated[tuple[Share, ...], Field(min_length=24, max_length=24)]
    signals: SignalAssumption
    nearness: Annotated[float, Field(gt=0)]
    simulation: SimulationAssumption

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = sum(item.share for item in self.classes.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"classes: the shares add up to {total:.4f}, not to 1")
        missing = [name.value for name in VehicleClass if name not in self.classes]
        if missing:
            raise ValueError(f"classes: {', '.join(missing)} missing; a class that never comes has share 0")
        return self

    @cached_property
    def shares(self) -> tuple[tuple[VehicleClass, ...], tuple[float, ...]]:
        """Classes and their shares, in the same order."""
        return tuple(self.classes), tuple(item.share for item in self.classes.values())

    def entering(self, lanes: int, speed_limit: int) -> float:
        """Vehicles an hour that enter at a gate in the busiest hour; the nearest speed limit of the table decides."""
        nearest = min(self.entering_per_lane, key=lambda limit: abs(limit - speed_limit))
        return lanes * self.entering_per_lane[nearest]

    def activity(self, hour: float) -> float:
        """Share of the busiest hour at `hour` (0 to 24) of the site's day, on a line between the middles of hours."""
        position = (hour - 0.5) % 24
        index = int(position)
        part = position - index
        return self.profile[index] * (1 - part) + self.profile[(index + 1) % 24] * part


def load_assumptions(path: Path = FILE) -> Assumptions:
    """Read and check the assumptions.

    Raises:
        ConfigFileError: The file is missing or does not fit.
    """
    return load(path, Assumptions)
