"""Lines, zones and the ground plane of one camera's picture.

Pixels have their origin at the top left, x to the right and y down. Everything is given for a picture of a reference size and
scaled to the frames that come.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import hypot

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Point = tuple[float, float]
"""x and y, pixels of the picture or metres on the ground."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


class Direction(StrEnum):
    """How a line was crossed."""

    FORWARD = "forward"
    BACKWARD = "backward"


class Line(Struct, frozen=True):
    """A counting line.

    Whoever stands at `first` and looks to `second`, in the picture as it is seen, has a left and a right: *forward* is from
    the left to the right. A line drawn upwards is crossed forward from the left of the picture to its right.

    Attributes:
        first: Where it begins.
        second: Where it ends.
        id: Its name, for a virtual lane that of the site folder.
    """

    first: Point
    second: Point
    id: str = ""

    def side(self, point: Point) -> float:
        """Pixels of `point` from the line's straight: below 0 on its left, above 0 on its right."""
        (x0, y0), (x1, y1) = self.first, self.second
        return ((x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0)) / hypot(x1 - x0, y1 - y0)

    def along(self, point: Point) -> float:
        """Where the foot of `point` lies on the line: 0 at its first point, 1 at its second."""
        (x0, y0), (x1, y1) = self.first, self.second
        return ((point[0] - x0) * (x1 - x0) + (point[1] - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)

    def crossing(self, before: Point, after: Point) -> tuple[Direction, float] | None:
        """How the way from `before` to `after` crosses the line, and at which part of the way (0 to 1); None: not at all.

        A point on the line itself is on its right, so that no way is counted at both its ends.
        """
        left, right = self.side(before), self.side(after)
        if (left < 0) == (right < 0):
            return None
        part = left / (left - right)
        where = (before[0] + (after[0] - before[0]) * part, before[1] + (after[1] - before[1]) * part)
        if not 0 <= self.along(where) <= 1:
            return None
        return (Direction.FORWARD if left < 0 else Direction.BACKWARD), part

    def scaled(self, x: float, y: float) -> Line:
        """The same line in a picture `x` times as wide and `y` times as high."""
        return Line((self.first[0] * x, self.first[1] * y), (self.second[0] * x, self.second[1] * y), self.id)


class ZoneKind(StrEnum):
    """What is asked of a zone."""

    PRESENCE = "presence"
    QUEUE = "queue"
    CARRIAGEWAY = "carriageway"


class Zone(Struct, frozen=True):
    """An area of the road.

    Attributes:
        id: Its name.
        points: Its corners, in order.
        kind: `presence` gives occupancy, `queue` also the length of the standing queue, `carriageway` also events (stopped
            vehicle, person, wrong way).
        heading: Two points: the way vehicles may go. Against it is the wrong way; a queue begins at the second point.
    """

    id: str
    points: tuple[Point, ...]
    kind: ZoneKind = ZoneKind.PRESENCE
    heading: tuple[Point, Point] | None = None

    def holds(self, point: Point) -> bool:
        """Whether `point` lies in the zone (ray casting; an edge may count either way)."""
        x, y = point
        inside = False
        x0, y0 = self.points[-1]
        for x1, y1 in self.points:
            if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
                inside = not inside
            x0, y0 = x1, y1
        return inside

    def scaled(self, x: float, y: float) -> Zone:
        """The same zone in a picture `x` times as wide and `y` times as high."""
        points = tuple((px * x, py * y) for px, py in self.points)
        heading = None
        if self.heading:
            (x0, y0), (x1, y1) = self.heading
            heading = ((x0 * x, y0 * y), (x1 * x, y1 * y))
        return Zone(self.id, points, self.kind, heading)


class GeometryError(ValueError):
    """Measured points do not make a plane."""


class Homography:
    """The road as a plane, from four measured points of it (Hartley and Zisserman, Multiple View Geometry, 2004, ch. 4)."""

    def __init__(self, pixels: Sequence[Point], metres: Sequence[Point]) -> None:
        """`pixels[i]` shows the spot `metres[i]` of the road.

        Raises:
            GeometryError: Not four points, or three of them on one straight.
        """
        if len(pixels) != 4 or len(metres) != 4:
            raise GeometryError(f"a homography needs four measured points, got {len(pixels)} and {len(metres)}")
        for name, points in (("pixels", pixels), ("metres", metres)):
            if _flat(points):
                raise GeometryError(f"three of the four {name} lie on one straight line; measure points that span an area")
        self.matrix: NDArray[np.float64] = cv2.getPerspectiveTransform(
            np.asarray(pixels, np.float32), np.asarray(metres, np.float32)
        ).astype(np.float64)
        self.inverse = np.linalg.inv(self.matrix).astype(np.float64)

    def to_metres(self, point: Point) -> Point:
        """The spot of the road that the pixel `point` shows; infinite beyond the horizon."""
        return _apply(self.matrix, point)

    def to_pixels(self, point: Point) -> Point:
        """The pixel that shows the spot `point` of the road, in metres."""
        return _apply(self.inverse, point)

    def metres_per_pixel(self, point: Point) -> float:
        """The larger of the metres that one pixel to the side and one up covers at `point`: what a pixel of error costs."""
        x0, y0 = self.to_metres(point)
        return max(
            hypot(x1 - x0, y1 - y0)
            for x1, y1 in (self.to_metres((point[0] + 1, point[1])), self.to_metres((point[0], point[1] - 1)))
        )


def foot(box: Box) -> Point:
    """The middle of the lower edge."""
    return (box[0] + box[2]) / 2, box[3]


def middle(box: Box) -> Point:
    """The middle of the box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def area(box: Box) -> float:
    """Square pixels."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def common(one: Box, other: Box) -> float:
    """Square pixels in both."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def union_share(one: Box, other: Box) -> float:
    """Common area over the area of both (intersection over union)."""
    both = common(one, other)
    return both / (area(one) + area(other) - both) if both else 0.0


def cover(one: Box, other: Box) -> float:
    """Share of `one` that lies in `other`."""
    both = common(one, other)
    return both / area(one) if both else 0.0


def hull(boxes: Sequence[Box]) -> Box:
    """The smallest box around all."""
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _flat(points: Sequence[Point]) -> bool:
    for skip in range(4):
        (x0, y0), (x1, y1), (x2, y2) = (point for i, point in enumerate(points) if i != skip)
        area = abs((x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0))
        longest = max(hypot(x1 - x0, y1 - y0), hypot(x2 - x0, y2 - y0), hypot(x2 - x1, y2 - y1))
        if area <= 1e-3 * longest * longest:
            return True
    return False


def _apply(matrix: NDArray[np.float64], point: Point) -> Point:
    x = matrix[0, 0] * point[0] + matrix[0, 1] * point[1] + matrix[0, 2]
    y = matrix[1, 0] * point[0] + matrix[1, 1] * point[1] + matrix[1, 2]
    w = matrix[2, 0] * point[0] + matrix[2, 1] * point[1] + matrix[2, 2]
    if abs(w) < 1e-12:
        return float("inf"), float("inf")
    return float(x / w), float(y / w)
