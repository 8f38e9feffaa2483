"""What is to be seen in one frame: the port of the detectors, and how one is chosen."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from numpy import uint8
from numpy.typing import NDArray

from ingest.camera.geometry import Box, Point
from ingest.contract import VehicleClass

Image = NDArray[uint8]
"""Height by width by 3, blue, green, red."""


class Kind(StrEnum):
    """What a detector calls a thing; `vehicle` is one whose class only its size will tell."""

    VEHICLE = "vehicle"
    CAR = "car"
    MOTORCYCLE = "motorcycle"
    BUS = "bus"
    TRUCK = "truck"
    BICYCLE = "bicycle"
    PERSON = "person"


class Detection(Struct, frozen=True):
    """One thing in one frame.

    Attributes:
        box: Where, in pixels of the frame.
        kind: What.
        score: How sure, 0 to 1.
        whole: Whether all of it is in the picture.
        vehicle: Its class, where the detector could tell it by size.
        near: The middle of its near end on the road in metres, where the detector could tell.
        spot: Where the middle of its base is on the road, where the detector could tell.
        track: Number of the track that it goes on, where the detector followed it itself.
    """

    box: Box
    kind: Kind = Kind.VEHICLE
    score: float = 1.0
    whole: bool = True
    vehicle: VehicleClass | None = None
    near: Point | None = None
    spot: Point | None = None
    track: int | None = None


class Detector(Protocol):
    """Looks at the frames of one camera, in their order."""

    name: str
    """As in the answer of `subak camera count`."""

    @property
    def ready(self) -> bool:
        """Whether it can see; a background model must learn first."""
        ...

    @property
    def blinded(self) -> bool:
        """Whether the last frame could not be used, as when the exposure jumped."""
        ...

    def detect(self, frame: Image, time: float) -> list[Detection]:
        """Things in `frame`, taken at `time` (seconds of the stream)."""
        ...

    def reset(self) -> None:
        """Forget what was learned: another view, or another stream."""
        ...


class ModelError(Exception):
    """A model file cannot be used."""
