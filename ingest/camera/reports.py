"""What a decoder says to its supervisor: plain records, one JSON object a line. No picture and no track is among them.

The one exception is a snapshot that a person with the right has asked for.
"""

from __future__ import annotations

from msgspec import Struct

from config.credentials import Login
from ingest.camera.view import View
from ingest.contract import Sight, VehicleClass

Tally = dict[VehicleClass, int]


class CountedLane(Struct, frozen=True):
    """A virtual lane as the decoder counts it.

    Attributes:
        id: Name of its line in the view.
        direction: Crossings that count.
        zone: Zone that gives its occupancy; None for none.
    """

    id: str
    direction: str = "forward"
    zone: str | None = None


class Task(Struct, frozen=True):
    """What one decoder works on: the first line on its standard input.

    Attributes:
        camera: Its name.
        source: As in the site folder.
        login: User and password that the source wants.
        view: Geometry.
        lanes: That are counted.
        fps: Frames a second that are expected.
        period_s: Seconds of one count.
        model: ONNX model; None: the background model.
        reference: File of the reference view; None keeps none.
    """

    camera: str
    source: str
    view: View
    lanes: tuple[CountedLane, ...]
    fps: float
    period_s: float
    model: str | None = None
    reference: str | None = None
    login: Login | None = None


class LaneCount(Struct, frozen=True):
    """One lane over one period."""

    id: str
    classes: Tally
    speed_kmh: float | None = None
    occupancy: float | None = None


class TurnCount(Struct, frozen=True):
    """Vehicles from one line to another over one period."""

    entry: str
    exit: str
    classes: Tally


class Counted(Struct, frozen=True, tag="counted"):
    """A period is over.

    Attributes:
        start_us: From when it was watched.
        period_s: For how long.
        lanes: Every lane, those without vehicles too.
        turns: Ways from line to line.
        sight: The worst condition in it.
    """

    start_us: int
    period_s: float
    lanes: tuple[LaneCount, ...]
    turns: tuple[TurnCount, ...]
    sight: Sight


class Happened(Struct, frozen=True, tag="happened"):
    """An event in a zone began, or ended."""

    kind: str
    zone: str
    onset_us: int
    end_us: int | None = None


class Beat(Struct, frozen=True, tag="beat"):
    """A sign of life, about once a second.

    Attributes:
        frames: Since the one before.
        time_us: Of the last frame; None before the first.
        fps: Frames a second of the stream's time.
        brightness: Mean grey level.
        sharpness: Variance of the Laplacian.
        ready: Whether the detector has learned what the empty road looks like.
        refused: Why a frame could not be used.
        ongoing: Events that were told and go on; None while it cannot see.
    """

    frames: int
    time_us: int | None = None
    fps: float | None = None
    brightness: float | None = None
    sharpness: float | None = None
    ready: bool = False
    refused: str | None = None
    ongoing: tuple[Happened, ...] | None = None


class Changed(Struct, frozen=True, tag="changed"):
    """The condition is another."""

    sight: Sight
    since_us: int
    detail: str


class Resized(Struct, frozen=True, tag="resized"):
    """The stream's pictures have another size from now on."""

    width: int
    height: int


class Shown(Struct, frozen=True, tag="shown"):
    """The snapshot that was asked for, as JPEG."""

    jpeg: bytes
    boxes: tuple[tuple[float, float, float, float], ...] = ()


class Failed(Struct, frozen=True, tag="failed"):
    """The decoder cannot go on, and why."""

    reason: str


class Ended(Struct, frozen=True, tag="ended"):
    """A file is read to its end."""

    frames: int


Report = Beat | Counted | Changed | Happened | Resized | Shown | Failed | Ended
