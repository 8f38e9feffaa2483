"""How fast the simulated time goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """The simulated time as a function of the real one.

    Attributes:
        begin: Unix second of the simulation at which the run begins; a whole minute.
        speed: Simulated seconds a second; 0 is as fast as possible.
        anchor: Unix time of the simulation at `wall`.
        wall: Reading of the monotonic clock, seconds.
        real: The simulated time is the real one, so the clock must not be restarted.
    """

    begin: int
    speed: float
    anchor: float
    wall: float
    real: bool

    @classmethod
    def of(cls, start: datetime | None, speed: float) -> Clock:
        """A clock for a run from `start`, without which it is the real time.

        A run begins on the whole minute before `start`, so that no bin of it is half empty; the seconds up to `start` are
        made up for as fast as the simulation can.
        """
        given = start.timestamp() if start is not None else time.time()
        return cls(int(given) // 60 * 60, speed, given, time.monotonic(), real=start is None and speed == 1)

    def started(self) -> Clock:
        """The same clock after the street has been set up: at its anchor now, unless it shows the real time."""
        return self if self.real else replace(self, wall=time.monotonic())

    def wait(self, second: int) -> float:
        """Real seconds until the simulated time reaches `second` (Unix time); 0 when it has."""
        if self.speed == 0:
            return 0.0
        return max(0.0, self.wall + (second - self.anchor) / self.speed - time.monotonic())
