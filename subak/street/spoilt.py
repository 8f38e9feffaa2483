"""What a camera's faults do to its pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from subak.street.defects import CameraDefect

TURNED_BY = (70, 24)
"""Pixels to the right and down by which a turned camera looks aside: some 6 degrees."""


class Spoiler:
    """The faults of one camera; a frozen one keeps its last picture."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._random = np.random.default_rng(7)

    def spoil(self, image: NDArray[np.uint8], fault: CameraDefect | None) -> NDArray[np.uint8]:
        """The picture as it leaves the camera."""
        match fault:
            case CameraDefect.FROZEN if self._last is not None:
                return self._last
            case CameraDefect.TURNED:
                dx, dy = TURNED_BY
                moved = np.array([[1.0, 0.0, -dx], [0.0, 1.0, -dy]])
                size = image.shape[1], image.shape[0]
                aside = cv2.warpAffine(image, moved, size, borderMode=cv2.BORDER_REFLECT)
                return np.asarray(aside, np.uint8)
            case CameraDefect.COVERED:
                # A plastic bag: light, no shape, the noise of the sensor.
                noise = self._random.normal(0, 2.0, image.shape[:2])[:, :, None]
                covered = np.clip(image.mean() * 0.6 + noise + np.zeros(3), 0, 255)
                return np.asarray(covered, np.uint8)
        self._last = image
        return image
