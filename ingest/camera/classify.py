"""The class of a vehicle: from a model's name for it, or from its size."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median

from config.thresholds.camera import ClassThresholds
from ingest.camera.detect import Kind
from ingest.camera.geometry import Box, area
from ingest.camera.track import Track
from ingest.contract import VehicleClass

NAMED: dict[Kind, VehicleClass] = {
    Kind.CAR: VehicleClass.MP,
    Kind.MOTORCYCLE: VehicleClass.SM,
    Kind.BUS: VehicleClass.BB,
    Kind.TRUCK: VehicleClass.TB,
    Kind.BICYCLE: VehicleClass.KTB,
}

USUAL = 61
"""Vehicles whose median is the usual size where nothing was measured."""


class Classifier:
    """Classes of one camera's tracks."""

    def __init__(self, thresholds: ClassThresholds) -> None:
        self._t = thresholds
        self._areas: deque[float] = deque(maxlen=USUAL)

    def vehicle(self, track: Track) -> VehicleClass | None:
        """The class of `track`; None when it is no vehicle."""
        kind = track.kind
        if kind is Kind.PERSON:
            return None
        if kind is not Kind.VEHICLE:
            return NAMED[kind]
        if track.vehicles:
            return max(track.vehicles, key=lambda name: track.vehicles[name])
        return self._relative(track.sizes)

    def _relative(self, sizes: Sequence[Box]) -> VehicleClass:
        """Without a measured ground: by the usual size. Of what is never whole in the picture the size is not known."""
        if not sizes:
            return VehicleClass.MP
        size = median(area(box) for box in sizes)
        usual = median(self._areas) if self._areas else size
        self._areas.append(size)
        if size < self._t.small.value * usual:
            return VehicleClass.SM
        if size > self._t.large.value * usual:
            return VehicleClass.TB
        return VehicleClass.MP
