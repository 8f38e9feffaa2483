"""Headlamps in the dark: two at the same distance, a vehicle's width apart, are one vehicle whose body is not seen."""

from __future__ import annotations

from itertools import combinations

import cv2

from config.thresholds.camera import LampThresholds
from ingest.camera.detect import Image
from ingest.camera.detect.silhouettes import Mask, Silhouettes
from ingest.camera.geometry import Point
from ingest.contract import VehicleClass

MOST = 40
"""Lamps in one picture; more is glare."""


def lit(small: Image, goal: tuple[int, int], thresholds: LampThresholds) -> list[Point]:
    """Middles of the lamps in a picture, in pixels of a mask of `goal` columns and rows."""
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    _, bright = cv2.threshold(grey, thresholds.bright.value, 255, cv2.THRESH_BINARY)
    count, _, stats, middles = cv2.connectedComponentsWithStats(bright, connectivity=8)
    x, y = goal[0] / small.shape[1], goal[1] / small.shape[0]
    found = [
        (float(middles[index][0]) * x, float(middles[index][1]) * y)
        for index in range(1, min(count, 4 * MOST))
        if thresholds.smallest.value <= stats[index, cv2.CC_STAT_AREA]
    ]
    return found if len(found) <= MOST else []


def pairs(lamps: list[Point], silhouettes: Silhouettes, thresholds: LampThresholds) -> list[Point]:
    """Spots of the road, in metres, below the middle of each two lamps that are one vehicle's."""
    heading = silhouettes.ground.heading
    spots = [silhouettes.under(lamp, thresholds.height.value) for lamp in lamps]
    found: list[tuple[float, int, int]] = []
    for one, two in combinations(range(len(spots)), 2):
        dx, dy = spots[two][0] - spots[one][0], spots[two][1] - spots[one][1]
        along, across = abs(dx * heading[0] + dy * heading[1]), abs(dx * heading[1] - dy * heading[0])
        if along <= thresholds.along.value and thresholds.narrow.value <= across <= thresholds.wide.value:
            found.append((along, one, two))
    used: set[int] = set()
    middles: list[Point] = []
    for _, one, two in sorted(found):
        if not {one, two} & used:
            used |= {one, two}
            middles.append(((spots[one][0] + spots[two][0]) / 2, (spots[one][1] + spots[two][1]) / 2))
    return middles


def body(places: list[Point], silhouettes: Silhouettes, solid: Mask, dim: Mask) -> None:
    """Let `solid` hold the front of a car above each place, and `dim` the rest of it."""
    for near in places:
        pixel = silhouettes.to_pixels(near)
        shape = silhouettes.at(VehicleClass.MP, pixel)
        parts = shape.over(pixel, solid, dim) if shape is not None else None
        if shape is None or parts is None:
            continue
        patch, inside, behind = parts
        behind |= patch & (inside ^ 1)
        rows = shape.patch.shape[0]
        low = round(pixel[1] + shape.top) + rows // 2 - max(0, round(pixel[1] + shape.top))
        front = patch[max(0, low) :]
        inside[max(0, low) :] |= front
        behind[max(0, low) :] &= inside[max(0, low) :] ^ 1
