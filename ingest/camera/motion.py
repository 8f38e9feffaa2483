"""Where a vehicle is on the measured road and how fast: a Kalman filter of constant velocity, the same along both axes."""

from __future__ import annotations

from math import hypot, sqrt

from config.thresholds.camera import MotionThresholds
from ingest.camera.geometry import Point


class Motion:
    """Place and velocity of one vehicle, in metres and metres a second."""

    __slots__ = ("_both", "_place", "_speed", "_t", "at", "pace")

    def __init__(self, at: Point, thresholds: MotionThresholds) -> None:
        self._t = thresholds
        self.at = at
        self.pace: Point = (0.0, 0.0)
        # Variances of place and speed, and their covariance.
        self._place = thresholds.place.value**2
        self._both = 0.0
        self._speed = thresholds.fastest.value**2

    @property
    def stands(self) -> bool:
        """Whether it is so slow that it may stand."""
        return hypot(*self.pace) < self._t.standing.value

    def ahead(self, elapsed: float) -> tuple[Point, float]:
        """Where it will be `elapsed` seconds on, and the standard error of that."""
        place, _, _ = self._grown(elapsed)
        if self.stands:
            # What is measured of its place trembles; what stands does not.
            return self.at, sqrt(place)
        return (self.at[0] + self.pace[0] * elapsed, self.at[1] + self.pace[1] * elapsed), sqrt(place)

    def coast(self, elapsed: float) -> None:
        """It was not seen."""
        self._place, self._both, self._speed = self._grown(elapsed)
        self.at = (self.at[0] + self.pace[0] * elapsed, self.at[1] + self.pace[1] * elapsed)

    def seen(self, at: Point, elapsed: float) -> None:
        """It was seen at `at`, `elapsed` seconds after the last time it was moved."""
        self.coast(elapsed)
        total = self._place + self._t.place.value**2
        gain, quick = self._place / total, self._both / total
        dx, dy = at[0] - self.at[0], at[1] - self.at[1]
        self.at = (self.at[0] + gain * dx, self.at[1] + gain * dy)
        self.pace = (self.pace[0] + quick * dx, self.pace[1] + quick * dy)
        self._speed -= quick * self._both
        self._both *= 1 - gain
        self._place *= 1 - gain

    def _grown(self, elapsed: float) -> tuple[float, float, float]:
        """The variances after `elapsed` seconds of an acceleration that is not known."""
        noise = self._t.acceleration.value**2
        place = self._place + 2 * elapsed * self._both + elapsed**2 * self._speed + noise * elapsed**4 / 4
        return place, self._both + elapsed * self._speed + noise * elapsed**3 / 2, self._speed + noise * elapsed**2
