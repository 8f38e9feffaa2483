"""What a camera is asked, and what it answers: plain records that may leave its process."""

from __future__ import annotations

from msgspec import Struct

from ingest.camera.geometry import Direction, Line, Point, Zone
from ingest.contract import VehicleClass


class View(Struct, frozen=True):
    """Geometry of one camera.

    Attributes:
        size: Width and height of the picture in which it was drawn; None: that of the frames.
        lines: Counting lines.
        zones: Areas of the road.
        pixels: Four measured points of the road, in the picture.
        metres: The same four on the ground, in metres on any plane axes; empty when nothing was measured.
        roi: Left, top, width and height of the part to look at; None: all.
    """

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    size: tuple[int, int] | None = None
    pixels: tuple[Point, ...] = ()
    metres: tuple[Point, ...] = ()
    roi: tuple[float, float, float, float] | None = None


class Crossing(Struct, frozen=True):
    """One vehicle over one line, once.

    Attributes:
        line: Name of the line.
        direction: How.
        vehicle: Its class.
        frame: Number of the frame in which it was over the line, from 0.
        time_us: Then, microseconds of the stream's time.
        speed_kmh: Its speed there, None where the ground was not measured.
        speed_error_kmh: Standard uncertainty of that speed.
        headway_s: Since the one before over this line in this direction, front to front or middle to middle alike.
    """

    line: str
    direction: Direction
    vehicle: VehicleClass
    frame: int
    time_us: int
    speed_kmh: float | None = None
    speed_error_kmh: float | None = None
    headway_s: float | None = None


class Turn(Struct, frozen=True):
    """One vehicle that came in over one line and left over another."""

    entry: str
    exit: str
    vehicle: VehicleClass
    time_us: int


class ZoneState(Struct, frozen=True):
    """One zone in one frame.

    Attributes:
        zone: Its name.
        vehicles: How many stand or drive in it.
        queue_m: Metres of standing queue, None where the ground was not measured or the zone asks for none.
    """

    zone: str
    vehicles: int
    queue_m: float | None = None


class Happening(Struct, frozen=True):
    """An event in a zone, at its onset and again at its end.

    Attributes:
        kind: `wrong_way`, `stopped` or `person`.
        zone: Where.
        onset_us: Since when.
        end_us: Until when; None: it goes on.
    """

    kind: str
    zone: str
    onset_us: int
    end_us: int | None = None


class Seen(Struct, frozen=True):
    """What one frame told.

    Attributes:
        frame: Its number, from 0.
        time_us: Its time.
        ready: Whether the detector could see; a background model learns first.
        blinded: Whether this frame could not be used.
        crossings: Vehicles counted with this frame; they may have been over the line some frames before.
        turns: Ways from line to line that ended.
        zones: State of each zone.
        happenings: Onsets and ends of events.
    """

    frame: int
    time_us: int
    ready: bool = True
    blinded: bool = False
    crossings: tuple[Crossing, ...] = ()
    turns: tuple[Turn, ...] = ()
    zones: tuple[ZoneState, ...] = ()
    happenings: tuple[Happening, ...] = ()
