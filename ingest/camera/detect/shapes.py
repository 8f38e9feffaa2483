"""Which vehicles make a spot: silhouettes of known sizes, laid into it from the nearest to the farthest.

Motorcycles beside and behind each other make one spot, and a spot says nothing about its class. With the ground measured, a box of
the size of each class can be drawn at any place of the road. The nearest vehicle of a spot touches its lower edge; the
class that explains most of the spot and claims least that is not in it is taken, its pixels are taken away, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot

import cv2
import numpy as np
from numpy.typing import NDArray

from config.thresholds.camera import ShapeThresholds, VehicleSize
from ingest.camera.geometry import Box, Homography, Point
from ingest.camera.pose import Pose
from ingest.contract import VehicleClass

Mask = NDArray[np.uint8]

GRID = 2
"""Pixels between places whose silhouettes are drawn apart."""

UNKNOWN = 0.7
"""How much a pixel outside the picture counts for a silhouette that reaches there."""

MOST = 24
"""Vehicles that one spot may be."""

LARGEST = 4.0
"""Part of the picture's size beyond which a silhouette is of no use."""


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
    """A class at one place.

    Attributes:
        left: Of the patch, in pixels of the mask.
        top: Of the patch.
        patch: 1 where the vehicle is.
        box: Its box in the mask; may reach outside.
        area: Pixels inside the mask.
        share: Part of the silhouette that is inside the mask.
        whole: 1 where the vehicle is, in the whole of its box.
        full: Pixels of it.
    """

    left: int
    top: int
    patch: Mask
    box: Box
    area: int
    share: float
    whole: Mask
    full: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """One vehicle in a spot, in pixels of the mask."""

    vehicle: VehicleClass
    box: Box
    fill: float
    whole: bool


class Shapes:
    """Silhouettes for one mask: a part of the picture, made smaller."""

    def __init__(
        self,
        ground: Ground,
        sizes: Mapping[str, VehicleSize],
        thresholds: ShapeThresholds,
        origin: Point,
        scale: Point,
        shape: tuple[int, int],
    ) -> None:
        """`origin`: of the part in the picture; `scale`: pixels of the picture in one of the mask; `shape`: rows, columns."""
        self._ground = ground
        self._sizes = [(VehicleClass(name), size) for name, size in sizes.items()]
        self._smallest = min(self._sizes, key=lambda item: item[1].width * item[1].height)
        self._t = thresholds
        self._origin = origin
        self._scale = scale
        self._rows, self._columns = shape
        self._known: dict[tuple[VehicleClass, int, int], Silhouette | None] = {}

    def fit(self, spot: Mask, left: int, top: int) -> list[Fitted]:
        """Vehicles of one `spot` (1 inside), whose upper left corner is at `left`, `top` of the mask; `spot` is used up."""
        found: list[Fitted] = []
        for _ in range(MOST):
            rows = np.flatnonzero(spot.any(axis=1))
            if not len(rows):
                break
            bottom = int(rows[-1])
            least = self._at(*self._smallest, left + spot.shape[1] // 2, top + bottom)
            if least is None or np.count_nonzero(spot) < self._t.rest.value * least.area:
                break
            best = self._best(spot, left, top, bottom, least)
            if best is None:
                # What lies lowest is no vehicle: a lamp's light on the road, a bit of shadow.
                spot[max(0, bottom - max(1, round((least.box[3] - least.box[1]) * self._t.strip.value))) :] = 0
                continue
            vehicle, silhouette, fill = best
            _erase(spot, silhouette, left, top, self._t.margin.value)
            found.append(Fitted(vehicle, silhouette.box, fill, silhouette.share > 0.98))
        return found

    def _best(
        self, spot: Mask, left: int, top: int, bottom: int, least: Silhouette
    ) -> tuple[VehicleClass, Silhouette, float] | None:
        """The class and place that explain most of the lowest part of the spot; None when none explains more than it claims."""
        depth = max(2, round((least.box[3] - least.box[1]) * self._t.foot.value))
        low, high = _run(spot, bottom, depth)
        best: tuple[VehicleClass, Silhouette, float] | None = None
        highest = 0.0
        for vehicle, size in self._sizes:
            middle = self._at(vehicle, size, left + (low + high) // 2, top + bottom - depth // 2)
            if middle is None:
                continue
            rows, columns = middle.whole.shape
            # Below the picture's edge, too, where the spot goes on below it.
            below = round(rows * self._t.below.value) if top + bottom >= self._rows - 2 else 0
            reach = columns // 2 + (high - low) // 2
            x0 = left + (low + high) // 2 - columns // 2 - reach
            y0 = top + bottom - depth - rows + 1
            region = self._region(spot, left, top, x0, y0, columns + 2 * reach, rows + depth + below)
            hits = cv2.matchTemplate(region, middle.whole.astype(np.float32), cv2.TM_CCORR)
            _, most, _, (column, row) = cv2.minMaxLoc(hits)
            score = most - size.doubt * (middle.full - most)
            if score <= highest:
                continue
            silhouette = self._at(vehicle, size, x0 + column + columns // 2, y0 + row + rows - 1)
            if silhouette is None or silhouette.share < self._t.inside.value:
                continue
            highest = score
            best = vehicle, silhouette, min(1.0, most / middle.full)
        return best

    def _region(self, spot: Mask, left: int, top: int, x0: int, y0: int, width: int, height: int) -> NDArray[np.float32]:
        """A part of the mask with nothing but the spot in it; what lies outside the picture may be anything."""
        region = np.full((height, width), UNKNOWN, np.float32)
        a, b = max(0, -x0), min(width, self._columns - x0)
        c, d = max(0, -y0), min(height, self._rows - y0)
        region[c:d, a:b] = 0
        a, b = max(0, left - x0), min(width, left + spot.shape[1] - x0)
        c, d = max(0, top - y0), min(height, top + spot.shape[0] - y0)
        if b > a and d > c:
            region[c:d, a:b] = spot[c + y0 - top : d + y0 - top, a + x0 - left : b + x0 - left]
        return region

    def _at(self, vehicle: VehicleClass, size: VehicleSize, column: int, row: int) -> Silhouette | None:
        key = vehicle, column // GRID, row // GRID
        if key not in self._known:
            self._known[key] = self._draw(size, key[1] * GRID + GRID / 2, key[2] * GRID + GRID / 2)
        return self._known[key]

    def _draw(self, size: VehicleSize, column: float, row: float) -> Silhouette | None:
        """The silhouette whose box has the middle of its lower edge there; None beyond the horizon."""
        goal = (self._origin[0] + column * self._scale[0], self._origin[1] + row * self._scale[1])
        wanted = self._ground.plane.to_metres(goal)
        middle = wanted
        hull = np.empty((0, 2))
        for _ in range(3):
            if not np.isfinite(middle).all() or hypot(*middle) > 1e4:
                return None
            hull = self._ground.pose.cuboid(middle, self._ground.heading, size.length, size.width, size.height)
            at = self._ground.plane.to_metres(((hull[:, 0].min() + hull[:, 0].max()) / 2, hull[:, 1].max()))
            middle = middle[0] + wanted[0] - at[0], middle[1] + wanted[1] - at[1]
        corners = (hull - np.array(self._origin)) / np.array(self._scale)
        x0, y0 = corners.min(axis=0)
        x1, y1 = corners.max(axis=0)
        if not np.isfinite(corners).all() or x1 - x0 > LARGEST * self._columns or y1 - y0 > LARGEST * self._rows:
            return None
        full = np.zeros((max(1, round(y1 - y0)), max(1, round(x1 - x0))), np.uint8)
        cv2.fillConvexPoly(full, cv2.convexHull(np.round(corners - (x0, y0)).astype(np.int32)), (1,))
        left, top = max(0, int(x0)), max(0, int(y0))
        right, bottom = min(self._columns, int(x1) + 1), min(self._rows, int(y1) + 1)
        if right - left < 2 or bottom - top < 2:
            return None
        outline = cv2.convexHull(np.round(corners - (left, top)).astype(np.int32))
        patch = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillConvexPoly(patch, outline, (1,))
        area = int(np.count_nonzero(patch))
        if area < 6:
            return None
        box: Box = (float(x0), float(y0), float(x1), float(y1))
        pixels = int(np.count_nonzero(full))
        return Silhouette(left, top, patch, box, area, min(1.0, area / max(1, pixels)), full, pixels)


def _overlap(spot: Mask, silhouette: Silhouette, left: int, top: int) -> tuple[Mask, Mask] | None:
    """The parts of spot and silhouette that lie over each other, as views."""
    x0, y0 = max(left, silhouette.left), max(top, silhouette.top)
    x1 = min(left + spot.shape[1], silhouette.left + silhouette.patch.shape[1])
    y1 = min(top + spot.shape[0], silhouette.top + silhouette.patch.shape[0])
    if x1 <= x0 or y1 <= y0:
        return None
    return (
        spot[y0 - top : y1 - top, x0 - left : x1 - left],
        silhouette.patch[y0 - silhouette.top : y1 - silhouette.top, x0 - silhouette.left : x1 - silhouette.left],
    )


def _run(spot: Mask, bottom: int, depth: int) -> tuple[int, int]:
    """First and last column of what reaches lowest: others may begin a little higher beside it."""
    foot = np.flatnonzero(spot[max(0, bottom - depth) : bottom + 1].any(axis=0))
    lowest = int(np.flatnonzero(spot[bottom])[0])
    breaks = np.flatnonzero(np.diff(foot) > 1)
    edges = [0, *(int(item) + 1 for item in breaks), len(foot)]
    for begin, end in pairwise(edges):
        if foot[begin] <= lowest <= foot[end - 1]:
            return int(foot[begin]), int(foot[end - 1])
    return int(foot[0]), int(foot[-1])


def _erase(spot: Mask, silhouette: Silhouette, left: int, top: int, margin: float) -> None:
    """Take the silhouette out of the spot, with a rim: mirrors, and the error of its place."""
    rim = max(1, round(margin * min(silhouette.patch.shape)))
    padded = cv2.copyMakeBorder(silhouette.patch, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(0,))
    patch = cv2.dilate(padded, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)).astype(np.uint8, copy=False)
    wide = replace(silhouette, left=silhouette.left - rim, top=silhouette.top - rim, patch=patch)
    parts = _overlap(spot, wide, left, top)
    if parts:
        parts[0][parts[1] > 0] = 0
    # What lies below it cannot be nearer.
    low = round(silhouette.box[3]) - top
    if 0 <= low < spot.shape[0]:
        x0, x1 = max(0, round(silhouette.box[0]) - left), max(0, round(silhouette.box[2]) - left)
        spot[low:, x0:x1] = 0
