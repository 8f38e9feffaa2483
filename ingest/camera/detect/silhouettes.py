"""What a vehicle of each class looks like at any place of the road, drawn once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot

import cv2
import numpy as np
from numpy.typing import NDArray

from config.thresholds.camera import VehicleSize
from ingest.camera.geometry import Box, Homography, Point
from ingest.camera.pose import Pose
from ingest.contract import VehicleClass

Mask = NDArray[np.uint8]
Values = NDArray[np.float32]

GRID = 2
"""Pixels between places whose silhouettes are drawn apart."""

LARGEST = 4.0
"""Part of the picture's size beyond which a silhouette is of no use."""

DETAIL = 500
"""Pixels of a silhouette from which it is matched at half the scale, at four times as many at a quarter, and so on."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What was measured of the road that a camera sees.

    Attributes:
        plane: The road.
        pose: The camera above it.
        heading: The way of most vehicles, a unit vector in metres.
    """

    plane: Homography
    pose: Pose
    heading: Point


@dataclass(frozen=True, slots=True)
class Silhouette:
    """A class near one place.

    Attributes:
        vehicle: The class.
        left: From the middle of its near end, where it touches the road, to the left edge of the patch, in pixels.
        top: From there to the upper edge.
        patch: 1 where the vehicle is.
        area: Pixels of it.
        factor: Pixels of the mask in one of `small`.
        small: The patch at the scale at which it is matched, 0 to 1.
        length: Metres.
        width: Metres.
        away: From its near end to its far end, a unit vector in metres.
    """

    vehicle: VehicleClass
    left: float
    top: float
    patch: Mask
    area: int
    factor: int
    small: Values
    length: float
    width: float
    away: Point

    def box(self, near: Point) -> Box:
        """Its box, in pixels of the mask, when the middle of its near end is seen at `near`."""
        rows, columns = self.patch.shape
        x, y = near[0] + self.left, near[1] + self.top
        return x, y, x + columns, y + rows

    def over(self, near: Point, *masks: Mask) -> tuple[Mask, ...] | None:
        """The part of it that is inside the picture, and the parts of the masks under it, as views."""
        x0, y0 = round(near[0] + self.left), round(near[1] + self.top)
        rows, columns = self.patch.shape
        a, b = max(0, x0), min(masks[0].shape[1], x0 + columns)
        c, d = max(0, y0), min(masks[0].shape[0], y0 + rows)
        if b <= a or d <= c:
            return None
        return self.patch[c - y0 : d - y0, a - x0 : b - x0], *(item[c:d, a:b] for item in masks)


class Silhouettes:
    """The silhouettes of one mask: a part of the picture, made smaller."""

    def __init__(
        self, ground: Ground, sizes: Mapping[str, VehicleSize], origin: Point, scale: Point, shape: tuple[int, int]
    ) -> None:
        """`origin`: of the part in the picture; `scale`: pixels of the picture in one of the mask; `shape`: rows, columns."""
        self.ground = ground
        self.sizes = {VehicleClass(name): size for name, size in sizes.items()}
        self.smallest = min(self.sizes, key=lambda name: self.sizes[name].length)
        self._origin = origin
        self._scale = scale
        self.rows, self.columns = shape
        self._known: dict[tuple[VehicleClass, int, int], Silhouette | None] = {}

    def to_metres(self, pixel: Point) -> Point:
        """The spot of the road at a pixel of the mask."""
        return self.ground.plane.to_metres(
            (self._origin[0] + pixel[0] * self._scale[0], self._origin[1] + pixel[1] * self._scale[1])
        )

    def to_pixels(self, spot: Point) -> Point:
        """The pixel of the mask that shows a spot of the road."""
        x, y = self.ground.plane.to_pixels(spot)
        return (x - self._origin[0]) / self._scale[0], (y - self._origin[1]) / self._scale[1]

    def under(self, pixel: Point, height: float) -> Point:
        """The spot of the road below what is seen at a pixel of the mask, `height` metres up."""
        spot = self.to_metres(pixel)
        for _ in range(3):
            ((x, y),) = self.ground.pose.project(np.array([[*spot, height]]))
            at = ((x - self._origin[0]) / self._scale[0], (y - self._origin[1]) / self._scale[1])
            seen, wanted = self.to_metres(at), self.to_metres(pixel)
            spot = spot[0] + wanted[0] - seen[0], spot[1] + wanted[1] - seen[1]
        return spot

    def at(self, vehicle: VehicleClass, near: Point) -> Silhouette | None:
        """The class with the middle of its near end at about the pixel `near`; None where none can be."""
        if not (abs(near[0]) < LARGEST * self.columns and abs(near[1]) < LARGEST * self.rows):
            return None
        key = vehicle, int(near[0] // GRID), int(near[1] // GRID)
        if key not in self._known:
            self._known[key] = self._draw(vehicle, (key[1] * GRID + GRID / 2, key[2] * GRID + GRID / 2))
        return self._known[key]

    def _draw(self, vehicle: VehicleClass, near: Point) -> Silhouette | None:
        size = self.sizes[vehicle]
        end = self.to_metres(near)
        if not np.isfinite(end).all() or hypot(*end) > 1e4:
            return None
        away = self._away(end)
        hulls: list[NDArray[np.float64]] = []
        for begin, stop, width, height in size.parts:
            ahead = (begin + stop) / 2 * size.length
            centre = (end[0] + away[0] * ahead, end[1] + away[1] * ahead)
            corners = self.ground.pose.cuboid(centre, away, (stop - begin) * size.length, width, height)
            hulls.append((corners - np.array(self._origin)) / np.array(self._scale))
        every = np.vstack(hulls)
        x0, y0 = np.floor(every.min(axis=0))
        x1, y1 = np.ceil(every.max(axis=0))
        if not np.isfinite(every).all() or x1 - x0 > LARGEST * self.columns or y1 - y0 > LARGEST * self.rows:
            return None
        patch = np.zeros((max(1, int(y1 - y0)), max(1, int(x1 - x0))), np.uint8)
        for hull in hulls:
            cv2.fillConvexPoly(patch, cv2.convexHull(np.round(hull - (x0, y0)).astype(np.int32)), (1,))
        area = int(np.count_nonzero(patch))
        if area < 6:
            return None
        factor = 1
        while area > DETAIL * factor * factor:
            factor *= 2
        rows, columns = patch.shape
        padded = cv2.copyMakeBorder(patch, 0, -rows % factor, 0, -columns % factor, cv2.BORDER_CONSTANT, value=(0,))
        goal = (padded.shape[1] // factor, padded.shape[0] // factor)
        small = cv2.resize(padded.astype(np.float32), goal, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        width = max(part[2] for part in size.parts)
        left, top = float(x0) - near[0], float(y0) - near[1]
        return Silhouette(vehicle, left, top, patch, area, factor, small, size.length, width, away)

    def _away(self, end: Point) -> Point:
        """The way of the road that leads away from the camera: up in the picture."""
        x, y = self.ground.heading
        ahead = self.ground.plane.to_pixels((end[0] + x, end[1] + y))
        behind = self.ground.plane.to_pixels((end[0] - x, end[1] - y))
        return (x, y) if ahead[1] < behind[1] else (-x, -y)
