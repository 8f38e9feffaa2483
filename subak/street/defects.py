"""What is wrong inside one controller; faults between it and the broker are in `faults`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class LoopDefect(StrEnum):
    """How a broken loop reads."""

    STUCK_ON = "stuck_on"
    OPEN_LOOP = "open_loop_212"


class CameraDefect(StrEnum):
    """How a camera fails."""

    FROZEN = "frozen"
    TURNED = "turned"
    COVERED = "covered"
    SLOW = "slow"


OPEN_LOOP_CODE = 212.0
"""NTCIP 1202 detectorOccupancy: open loop."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` up to, not including, `end` (Unix seconds)."""

    begin: int
    end: int

    def __contains__(self, second: int) -> bool:
        return self.begin <= second < self.end


@dataclass(frozen=True, slots=True)
class Defects:
    """Faults of one controller.

    Attributes:
        loops: Broken detectors.
        clock_ahead: Seconds by which its clock is ahead.
        silent: When it keeps what it measures to itself, although connected.
        down: When it reboots: it says nothing, its connection breaks, and its numbers start again at 0 after.
        door: When its cabinet is open, which it logs as an alarm.
    """

    loops: Mapping[str, LoopDefect] = field(default_factory=dict)
    clock_ahead: int = 0
    silent: tuple[Window, ...] = ()
    down: tuple[Window, ...] = ()
    door: tuple[Window, ...] = ()

    def withheld(self, second: int) -> str | None:
        """Name of the fault that keeps a message made in `second` from being sent."""
        if any(second in window for window in self.silent):
            return "silent"
        if any(second in window for window in self.down):
            return "reboot"
        return None


SOUND = Defects()
