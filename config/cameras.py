"""What a camera of the site is asked to see: source, counting lines, zones and the measured ground."""

from __future__ import annotations

from math import hypot
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from config.credentials import PASSWORD, secret_in
from config.dialects import Spoken
from config.files import Strict

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""A name that may stand in a topic: lower-case words joined by hyphens."""

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
"""A short name inside one device or junction: `N1`, `left-2`."""

Position = tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]]
"""Latitude and longitude, WGS 84 degrees."""

Pixel = tuple[Annotated[float, Field(ge=0, le=20_000)], Annotated[float, Field(ge=0, le=20_000)]]
"""x and y from the top left of the picture in which the geometry was drawn."""

Metres = tuple[Annotated[float, Field(ge=-2_000, le=2_000)], Annotated[float, Field(ge=-2_000, le=2_000)]]

FRAME = "frame"
"""The source that is the camera's own `frame` topic."""

SOURCES = ("rtsp://", "rtsps://", "http://", "https://", "file:")

LEAST_LINE = 8.0
"""Pixels: a shorter counting line is a slip of the mouse."""

Stroke = tuple[Pixel, Pixel]


class VirtualLane(Strict):
    """A counting line in a camera's picture.

    Attributes:
        id: Name in the `lanes` of a `counts` message.
        lane: Lane of the camera's junction that the line crosses.
        line: Its two ends; a camera that counts by itself needs none here.
        direction: Which crossings count: `forward` is from the line's left to its right, seen from its first point.
    """

    id: Code
    lane: Code
    line: Stroke | None = None
    direction: Literal["forward", "backward"] = "forward"

    @field_validator("line")
    @classmethod
    def _long_enough(cls, value: Stroke | None) -> Stroke | None:
        return value if value is None else _stroke(value)


class CountingLine(Strict):
    """A further line, as where vehicles leave the junction: turning counts go from line to line.

    Attributes:
        id: Its name.
        line: Its two ends.
    """

    id: Code
    line: Stroke

    @field_validator("line")
    @classmethod
    def _long_enough(cls, value: Stroke) -> Stroke:
        return _stroke(value)


class CameraZone(Strict):
    """An area of the road in a camera's picture.

    Attributes:
        id: Its name.
        points: Its corners, in order.
        kind: `presence` gives occupancy, `queue` also the length of the standing queue, `carriageway` also events.
        heading: Two points, the way vehicles may go.
        lane: Virtual lane whose occupancy it gives.
    """

    id: Code
    points: Annotated[tuple[Pixel, ...], Field(min_length=3, max_length=32)]
    kind: Literal["presence", "queue", "carriageway"] = "presence"
    heading: Stroke | None = None
    lane: Code | None = None


class Ground(Strict):
    """Four measured points of the road: the homography from picture to ground.

    Attributes:
        pixels: Where they are in the picture.
        metres: Where they are on the ground, on any plane axes.
    """

    pixels: tuple[Pixel, Pixel, Pixel, Pixel]
    metres: tuple[Metres, Metres, Metres, Metres]

    @model_validator(mode="after")
    def _is_a_plane(self) -> Self:
        for name, points in (("pixels", self.pixels), ("metres", self.metres)):
            for skip in range(4):
                (x0, y0), (x1, y1), (x2, y2) = (point for index, point in enumerate(points) if index != skip)
                twice_area = abs((x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0))
                longest = max(hypot(x1 - x0, y1 - y0), hypot(x2 - x0, y2 - y0), hypot(x2 - x1, y2 - y1))
                if twice_area <= 1e-3 * longest * longest:
                    raise ValueError(f"{name}: three of the four points lie on one straight; measure four corners of a rectangle")
        return self


class Camera(Spoken):
    """A CCTV camera.

    Attributes:
        junction: Junction it looks at.
        approach: Approach it looks along.
        height: Metres above the road.
        period: Seconds covered by one of its counts.
        source: Where `subak camera run` gets its pictures: `frame` (its own MQTT topic), an rtsp://, http:// or https:// address
            or file:PATH?start=TIME. None: it counts by itself.
        credential: Name of the user and password that the source wants; they stand in SUBAK_CAMERA_CREDENTIALS, never here.
        fps: Frames a second that it should give.
        model: ONNX model; None: the background model.
        picture: Width and height of the picture in which lines and zones were drawn.
        lanes: What it counts.
        lines: Further lines.
        zones: Areas of the road.
        ground: Measured points, for speed and queue length.
    """

    id: Name
    name: str
    junction: Name
    approach: Code
    position: Position
    height: Annotated[float, Field(gt=0, le=60)] = 7.0
    period: Annotated[float, Field(gt=0, le=3600)] = 60.0
    source: str | None = None
    credential: Name | None = None
    fps: Annotated[float, Field(gt=0, le=120)] = 10.0
    model: Path | None = None
    picture: tuple[Annotated[int, Field(ge=16, le=8192)], Annotated[int, Field(ge=16, le=8192)]] | None = None
    lanes: tuple[VirtualLane, ...] = ()
    lines: tuple[CountingLine, ...] = ()
    zones: tuple[CameraZone, ...] = ()
    ground: Ground | None = None

    @field_validator("source")
    @classmethod
    def _known_source(cls, value: str | None) -> str | None:
        if value is None or value == FRAME or value.startswith(SOURCES):
            return value
        raise ValueError(f"allowed are {FRAME}, {', '.join(SOURCES)}…")

    # Not with the field: an error there would show what was found in it.
    @model_validator(mode="after")
    def _without_secrets(self) -> Self:
        source = self.source or ""
        is_network = "://" in source
        if is_network and secret_in(source):
            raise ValueError(
                f"source: a user or password stands in the address; write it without, with `credential: {self.credential or self.id}`, and put"
                f" the line `{self.credential or self.id} user:password` into the file that SUBAK_CAMERA_CREDENTIALS_FILE names"
            )
        if self.credential is not None and not is_network:
            raise ValueError("credential: only a source on the network, rtsp:// or http://, wants one")
        if PASSWORD in source and self.credential is None:
            raise ValueError(f"credential: is missing; the source has {PASSWORD} for it")
        return self

    @model_validator(mode="after")
    def _drawn(self) -> Self:
        drawn = [name for name, given in (("lines", self.lines), ("zones", self.zones), ("ground", self.ground)) if given]
        drawn += [f"lanes.{lane.id}.line" for lane in self.lanes if lane.line]
        if drawn and self.picture is None:
            raise ValueError(f"{drawn[0]} needs `picture: [width, height]`, the size of the picture it was drawn in")
        if self.picture is not None:
            width, height = self.picture
            for where, points in self._points():
                for x, y in points:
                    if x > width or y > height:
                        raise ValueError(f"{where}: ({x:g}, {y:g}) lies outside the picture of {width} x {height}")
        if self.source is not None:
            without = [lane.id for lane in self.lanes if lane.line is None]
            if without:
                raise ValueError(f"lanes.{without[0]}.line is missing; a camera with a source is counted by its lines")
        names = [lane.id for lane in self.lanes] + [line.id for line in self.lines]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"lines: {', '.join(sorted(twice))} stands more than once among lanes and lines")
        for zone in self.zones:
            if zone.lane is not None and zone.lane not in {lane.id for lane in self.lanes}:
                raise ValueError(f"zones.{zone.id}.lane: {zone.lane!r} is no lane of this camera")
        return self

    def _points(self) -> list[tuple[str, tuple[Pixel, ...]]]:
        return [
            *((f"lanes.{lane.id}.line", lane.line) for lane in self.lanes if lane.line),
            *((f"lines.{line.id}.line", line.line) for line in self.lines),
            *((f"zones.{zone.id}.points", zone.points) for zone in self.zones),
            *((("ground.pixels", self.ground.pixels),) if self.ground else ()),
        ]


def _stroke(value: Stroke) -> Stroke:
    (x0, y0), (x1, y1) = value
    if hypot(x1 - x0, y1 - y0) < LEAST_LINE:
        raise ValueError(f"is shorter than {LEAST_LINE:.0f} pixels: give its two ends as [[x, y], [x, y]]")
    return value
