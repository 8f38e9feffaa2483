"""The time of a frame of a network stream, from the stream's own clock, which counts from nowhere and need not run right: pure.

A stream tells how far its frames are apart, the machine's clock when they arrived. The frame's time follows the stream, so that
jitter of the network moves no vehicle; it is led to the machine's clock slowly, so that a stream that runs a little fast or slow is
neither early nor late after a day.
"""

from __future__ import annotations

LEAP_US = 3_000_000
"""A stream's clock that is ahead by more than this is set by the arrival of that frame."""

LATE_US = 10_000_000
"""So long frames may be late by more than a leap (a stall, then all of them at once) before the clock is set again."""

LEAD = 0.02
"""Part of the passed time by which the clock is led at most: speeds are wrong by no more than this."""

PULL_US = 10_000_000
"""A difference is led away in about this time, as far as `LEAD` lets it."""


class StreamClock:
    """One stream's clock beside the machine's.

    Attributes:
        resets: How often it was set anew after the first time.
    """

    def __init__(self) -> None:
        self.resets = 0
        self._begin_us: float | None = None
        self._told_us = 0
        self._late_since_us: int | None = None
        self._last_us = 0

    def time_us(self, told_us: int | None, arrived_us: int) -> int:
        """The time of a frame (µs); never earlier than that of the frame before, equal for one to be left out.

        Args:
            told_us: By the stream's clock; when it does not tell, or stands still, the frame is of the time it arrived.
            arrived_us: By the machine's.
        """
        is_told = told_us is not None and (self._begin_us is None or told_us != self._told_us)
        time_us = self._told(told_us, arrived_us) if told_us is not None and is_told else arrived_us
        self._last_us = max(self._last_us, time_us)
        return self._last_us

    def _told(self, told_us: int, arrived_us: int) -> int:
        if self._begin_us is None or self._is_wrong(self._begin_us, told_us, arrived_us):
            self._set(told_us, arrived_us)
        else:
            self._lead(self._begin_us, told_us, arrived_us)
        self._told_us = told_us
        return round(self._begin_us or 0) + told_us

    def _is_wrong(self, begin_us: float, told_us: int, arrived_us: int) -> bool:
        """The stream began anew, or tells of the future, or has been late for longer than a stall explains."""
        late_us = arrived_us - (begin_us + told_us)
        if late_us <= LEAP_US:
            self._late_since_us = None
        elif self._late_since_us is None:
            self._late_since_us = arrived_us
        is_late = self._late_since_us is not None and arrived_us - self._late_since_us > LATE_US
        return told_us < self._told_us or late_us < -LEAP_US or is_late

    def _set(self, told_us: int, arrived_us: int) -> None:
        self.resets += self._begin_us is not None
        self._begin_us = arrived_us - told_us
        self._late_since_us = None

    def _lead(self, begin_us: float, told_us: int, arrived_us: int) -> None:
        passed_us = told_us - self._told_us
        late_us = arrived_us - (begin_us + told_us)
        most = LEAD * passed_us
        self._begin_us = begin_us + max(-most, min(most, late_us * passed_us / PULL_US))
