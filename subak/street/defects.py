"""What is wrong inside one controller; faults between it and the broker are in `faults`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from config.errors import ConfigError


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


@dataclass(frozen=True, slots=True)
class CameraFault:
    """One fault of one camera.

    Attributes:
        camera: Which.
        kind: How it fails.
        window: When.
    """

    camera: str
    kind: CameraDefect
    window: Window

    @classmethod
    def parse(cls, text: str, begin: int, cameras: Collection[str]) -> Self:
        """Read `CAMERA:KIND[:AFTER_S[:LASTS_S]]` of a run from `begin` (Unix time).

        Raises:
            ConfigError: It has another form, or names no camera or fault.
        """
        camera, _, rest = text.partition(":")
        kind, _, times = rest.partition(":")
        numbers = times.split(":") if times else []
        if camera not in cameras:
            raise ConfigError(f"--camera-fault {text}: {camera!r} is no camera; allowed are {', '.join(cameras)}")
        if kind not in list(CameraDefect) or len(numbers) > 2 or not all(number.isdecimal() for number in numbers):
            allowed = ", ".join(CameraDefect)
            raise ConfigError(f"--camera-fault {text}: must be CAMERA:KIND[:AFTER_S[:LASTS_S]], KIND one of {allowed}")
        after = int(numbers[0]) if numbers else 0
        lasts = int(numbers[1]) if len(numbers) > 1 else 10**9
        return cls(camera, CameraDefect(kind), Window(begin + after, begin + after + lasts))
