"""Speed from a track's way over the measured ground."""

from __future__ import annotations

from math import hypot

import numpy as np

from config.thresholds.camera import CountingThresholds
from ingest.camera.geometry import Homography
from ingest.camera.track import Track

LEAST = 4
"""Positions that a straight is laid through."""


def speed_at(track: Track, time: float, plane: Homography, thresholds: CountingThresholds) -> tuple[float, float] | None:
    """Speed in km/h and its standard uncertainty near `time`; None when too little was seen.

    A straight is laid through the positions of the window by least squares. The uncertainty of its slope is that of the
    positions over their spread in time; a position is wrong by at least `pixel_error` pixels, and by the residuals where
    those are larger. The error of the four measured points is not in it.
    """
    window = thresholds.speed_window.value
    points = [(at, plane.to_metres(foot), plane.metres_per_pixel(foot)) for at, _, foot in track.path if abs(at - time) <= window]
    if len(points) < LEAST:
        return None
    t = np.array([item[0] for item in points])
    x = np.array([item[1][0] for item in points])
    y = np.array([item[1][1] for item in points])
    spread = t - t.mean()
    total = float(spread @ spread)
    if total <= 0 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    vx, vy = float(spread @ x) / total, float(spread @ y) / total
    residual = np.hypot(x - x.mean() - vx * spread, y - y.mean() - vy * spread)
    noise = float(np.sqrt((residual @ residual) / max(1, len(points) - 2)))
    pixel = thresholds.pixel_error.value * float(np.median([item[2] for item in points]))
    error = max(noise, pixel) / total**0.5
    return round(hypot(vx, vy) * 3.6, 1), round(error * 3.6, 1)
