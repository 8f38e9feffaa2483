"""Where the camera hangs, found from its four measured points, so that heights can be drawn too.

A plane seen by a camera with square pixels and its axis in the middle of the picture tells focal length and pose (Zhang, A flexible
new technique for camera calibration, 2000, section 3.1, with one view). Where the view tells no focal length, as straight from
above, an ordinary one is assumed; heights matter little there.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ingest.camera.geometry import Homography, Point

USUAL_FOCAL = 1.0
"""Focal length in widths of the picture where none can be told: a view 53 degrees wide."""

FOCALS = (0.3, 8.0)
"""Focal lengths that can be, in widths of the picture: from 118 degrees to a long telephoto lens."""

Hull = NDArray[np.float64]
"""Corners as rows of x and y, pixels."""


class Pose:
    """A pinhole camera above a plane."""

    def __init__(self, plane: Homography, width: float, height: float) -> None:
        """`width` and `height` of the picture in pixels."""
        centre = np.array([width / 2, height / 2])
        shift = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1]])
        ground = shift @ plane.inverse
        ground /= np.linalg.norm(ground)
        self.focal = _focal(ground, width)
        scale = np.diag([1 / self.focal, 1 / self.focal, 1.0])
        axes = scale @ ground
        axes /= sqrt(float(np.linalg.norm(axes[:, 0]) * np.linalg.norm(axes[:, 1])))
        # The point of the road in the middle of the picture lies before the camera.
        middle = plane.to_metres((float(centre[0]), float(centre[1])))
        if np.isfinite(middle).all() and (axes @ np.array([*middle, 1.0]))[2] < 0:
            axes = -axes
        up = np.cross(axes[:, 0], axes[:, 1])
        up /= np.linalg.norm(up)
        # Up is towards the camera, which is at the origin.
        if up @ axes[:, 2] > 0:
            up = -up
        self._centre = centre
        self._matrix = np.column_stack([axes[:, 0], axes[:, 1], up, axes[:, 2]])
        self.height = abs(float(up @ axes[:, 2]))

    def project(self, points: NDArray[np.float64]) -> Hull:
        """Pixels of `points`, rows of metres: two on the road and the height above it."""
        seen = points @ self._matrix[:, :3].T + self._matrix[:, 3]
        depth = np.maximum(seen[:, 2], 0.2)
        pixels: Hull = seen[:, :2] / depth[:, None] * self.focal + self._centre
        return pixels

    def cuboid(self, middle: Point, heading: Point, length: float, width: float, height: float) -> Hull:
        """The eight corners of a box whose base has its `middle` on the road and its length along `heading` (metres)."""
        along = np.array(heading) * length / 2
        side = np.array([-heading[1], heading[0]]) * width / 2
        base = np.array(middle) + np.array([along + side, along - side, -along - side, -along + side])
        low, high = np.column_stack([base, np.zeros(4)]), np.column_stack([base, np.full(4, height)])
        return self.project(np.vstack([low, high]))


def _focal(ground: NDArray[np.float64], width: float) -> float:
    """Focal length in pixels: the two axes of the plane are seen at right angles and equally long."""
    one, two = ground[:, 0], ground[:, 1]
    # Both conditions are linear in 1 / focal^2.
    a = np.array([one[0] * two[0] + one[1] * two[1], one[0] ** 2 + one[1] ** 2 - two[0] ** 2 - two[1] ** 2])
    b = np.array([one[2] * two[2], one[2] ** 2 - two[2] ** 2])
    if float(a @ a) > 0:
        inverse = -float(a @ b) / float(a @ a)
        if inverse > 0 and FOCALS[0] * width <= 1 / sqrt(inverse) <= FOCALS[1] * width:
            return 1 / sqrt(inverse)
    return USUAL_FOCAL * width
