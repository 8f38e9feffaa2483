"""The hi-res event log of one simulated controller: Indiana codes, 0.1 s.

What the simulation shows is logged as it is: signal changes, detectors, calls of vehicles. What a controller knows besides is made up,
from the seed alone, and changes nothing in the streets: which pattern runs, why a green ended, pedestrians at a button, an emergency
vehicle that asks for its way (the input is logged, the lights do not follow), an open door, a restart after a power failure.

Why a green ended: the plans are fixed-time, so a phase is forced off (6); it is logged as gap-out (4) when no vehicle was on its
detectors for the last seconds of the green, and as max-out (5) at night, when the junction runs free of coordination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from random import Random

from config.site import Controller, Junction
from subak.street.defects import Defects, LoopDefect
from subak.street.loop import TICKS, LoopSecond
from subak.street.signals import Aspect, Interval

# Indiana Traffic Signal Hi Resolution Data Logger Enumerations.
BEGIN_GREEN = 1
GAP_OUT = 4
MAX_OUT = 5
FORCE_OFF = 6
GREEN_TERMINATION = 7
BEGIN_YELLOW = 8
END_YELLOW = 9
BEGIN_RED_CLEARANCE = 10
END_RED_CLEARANCE = 11
BEGIN_WALK = 21
BEGIN_CLEARANCE = 22
BEGIN_DONT_WALK = 23
PHASE_CALL = 43
PHASE_CALL_DROPPED = 44
PEDESTRIAN_CALL = 45
DETECTOR_OFF = 81
DETECTOR_ON = 82
DETECTOR_OPEN_LOOP = 86
PEDESTRIAN_OFF = 89
PEDESTRIAN_ON = 90
PREEMPT_ON = 102
PREEMPT_OFF = 104
PATTERN = 131
CYCLE = 132
OFFSET = 133
SPLIT_1 = 134
FLASH = 173
ALARMS = 175
POWER_FAILURE = 182
POWER_RESTORED = 184

ENDS = {Aspect.GREEN: GREEN_TERMINATION, Aspect.YELLOW: END_YELLOW, Aspect.RED_CLEARANCE: END_RED_CLEARANCE}
BEGINS = {Aspect.GREEN: BEGIN_GREEN, Aspect.YELLOW: BEGIN_YELLOW, Aspect.RED_CLEARANCE: BEGIN_RED_CLEARANCE}

GAP = 3
"""Seconds without a vehicle on any detector of a phase after which its green ends by gap."""

FREE = 254
"""Pattern without coordination (NTCIP 1202 coordPatternStatus)."""

PATTERNS = ((0, FREE), (5, 1), (11, 2), (15, 3), (22, FREE))
"""Local hour from which each pattern runs, as the two peaks of the day ask for."""

WALK = 6
"""Seconds of walk; what the green leaves is clearance."""

BUTTON_EVERY = 100
"""Mean seconds between two calls of pedestrians at one crossing."""

PREEMPT_EVERY = 5400
"""Mean seconds between two emergency vehicles at one junction."""

PREEMPT_LASTS = 25
"""Seconds for which one asks."""

DOOR = 0x20
"""Bit of the alarm group for the cabinet's door."""

NOT_FLASHING, FLASH_AT_START = 2, 7
"""NTCIP 1202 unitFlashStatus."""

START_UP = 6
"""Seconds of flashing after a restart."""

NAMES = {ALARMS: "door", POWER_FAILURE: "restart", FLASH: "restart"}
"""What the truth calls a message that tells of such a condition."""

Entry = tuple[int, int, int]
"""Tenths of a second from the begin of the second (below zero: told late), code and parameter."""


@dataclass(slots=True)
class _Crossing:
    """One phase with a push button; seconds are counted from the begin of its walk."""

    called: bool = False
    walk: int | None = None


class EventLog:
    """What one controller logs, second by second."""

    def __init__(
        self, controller: Controller, junction: Junction, program: Sequence[Interval], zone: tzinfo, defects: Defects, seed: int
    ) -> None:
        """`program`: the junction's cycle; `seed`: of what is made up."""
        self._controller = controller
        self._program = program
        self._zone = zone
        self._defects = defects
        self._random = Random(f"hires {seed} {controller.id}")
        serves = {lane.id: approach.phase for approach in junction.approaches for lane in approach.lanes}
        self._phase = {d.id: d.phase or serves[d.lane] for d in controller.detectors}
        self._interval: int | None = None
        self._pattern: int | None = None
        self._quiet: dict[int, int] = {}
        self._called: set[int] = set()
        self._on: set[str] = set()
        self._crossings = {phase: _Crossing() for phase in controller.pedestrians}
        self._preempt: int | None = None
        self._reported = False

    def second(self, start: int, loops: Mapping[str, LoopSecond], interval: int) -> list[Entry]:
        """What is logged in the second from `start` (Unix time), in order."""
        entries = self._condition(start)
        entries += self._plan(start)
        entries += self._signals(interval)
        entries += self._pedestrians(interval)
        entries += self._emergency()
        # Stable: what happens at one tenth keeps the order above.
        entries += sorted(self._detectors(loops, interval), key=lambda entry: entry[0])
        return sorted(entries, key=lambda entry: entry[0])

    def _condition(self, start: int) -> list[Entry]:
        """What the controller says of itself."""
        entries: list[Entry] = []
        if not self._reported:
            self._reported = True
            for detector in self._controller.detectors:
                if self._defects.loops.get(detector.id) is LoopDefect.OPEN_LOOP:
                    entries.append((0, DETECTOR_OPEN_LOOP, detector.number))
                elif self._defects.loops.get(detector.id) is LoopDefect.STUCK_ON:
                    entries.append((0, DETECTOR_ON, detector.number))
        for window in self._defects.down:
            if start == window.end:
                # Both are told when there is power again, the failure with its own time.
                entries.append(((window.begin - window.end) * 10, POWER_FAILURE, 0))
                entries += [(0, POWER_RESTORED, 0), (0, FLASH, FLASH_AT_START)]
            elif start == window.end + START_UP:
                entries.append((0, FLASH, NOT_FLASHING))
        for window in self._defects.door:
            if start in (window.begin, window.end):
                entries.append((0, ALARMS, DOOR if start == window.begin else 0))
        return entries

    def _plan(self, start: int) -> list[Entry]:
        """The pattern when it changes, with its cycle, offset and splits."""
        hour = datetime.fromtimestamp(start, UTC).astimezone(self._zone).hour
        pattern = next(number for since, number in reversed(PATTERNS) if hour >= since)
        if pattern == self._pattern:
            return []
        self._pattern = pattern
        if pattern == FREE:
            return [(0, PATTERN, pattern)]
        cycle = sum(interval.seconds for interval in self._program)
        splits = {
            phase: sum(interval.seconds for interval in self._program if phase in interval.phases)
            for phase in sorted(set().union(*(interval.phases for interval in self._program)))
        }
        # The program begins anew with every whole cycle of the clock: its offset is none.
        return [
            (0, PATTERN, pattern),
            (0, CYCLE, cycle),
            (0, OFFSET, 0),
            *((0, SPLIT_1 + phase - 1, seconds) for phase, seconds in splits.items()),
        ]

    def _signals(self, interval: int) -> list[Entry]:
        entries: list[Entry] = []
        if self._interval is not None and interval != self._interval:
            before, now = self._program[self._interval], self._program[interval]
            if before.aspect is Aspect.GREEN:
                entries += [(0, self._why(phase), phase) for phase in sorted(before.phases)]
            entries += [(0, ENDS[before.aspect], phase) for phase in sorted(before.phases)]
            entries += [(0, BEGINS[now.aspect], phase) for phase in sorted(now.phases)]
            if now.aspect is Aspect.GREEN:
                entries += [(0, PHASE_CALL_DROPPED, phase) for phase in sorted(now.phases & self._called)]
                self._called -= now.phases
        self._interval = interval
        return entries

    def _why(self, phase: int) -> int:
        if self._quiet.get(phase, 0) >= GAP:
            return GAP_OUT
        return MAX_OUT if self._pattern == FREE else FORCE_OFF

    def _detectors(self, loops: Mapping[str, LoopSecond], interval: int) -> list[Entry]:
        entries: list[Entry] = []
        green = self._program[interval].phases if self._program[interval].aspect is Aspect.GREEN else frozenset()
        busy: set[int] = set()
        for detector in self._controller.detectors:
            if detector.id in self._defects.loops:
                continue
            phase = self._phase[detector.id]
            if detector.id in self._on:
                busy.add(phase)
            for change in loops[detector.id].changes:
                tenth = round(change.tick * 10 / TICKS)
                entries.append((tenth, DETECTOR_ON if change.on else DETECTOR_OFF, detector.number))
                if change.on:
                    busy.add(phase)
                    self._on.add(detector.id)
                    if phase not in green and phase not in self._called:
                        self._called.add(phase)
                        entries.append((tenth, PHASE_CALL, phase))
                else:
                    self._on.discard(detector.id)
        for phase in set(self._phase.values()):
            self._quiet[phase] = 0 if phase in busy else self._quiet.get(phase, 0) + 1
        return entries

    def _pedestrians(self, interval: int) -> list[Entry]:
        """Somebody presses the button; walk comes with the next green of the phase and is over with it."""
        entries: list[Entry] = []
        now = self._program[interval]
        for phase, crossing in self._crossings.items():
            is_green = now.aspect is Aspect.GREEN and phase in now.phases
            if crossing.walk is not None:
                crossing.walk += 1
                if crossing.walk == WALK:
                    entries.append((0, BEGIN_CLEARANCE, phase))
                if not is_green:
                    if crossing.walk < WALK:
                        entries.append((0, BEGIN_CLEARANCE, phase))
                    entries.append((0, BEGIN_DONT_WALK, phase))
                    crossing.walk = None
            elif is_green and crossing.called:
                entries.append((0, BEGIN_WALK, phase))
                crossing.called, crossing.walk = False, 0
            if self._random.random() < 1 / BUTTON_EVERY:
                tenth = self._random.randint(1, 4)
                entries += [(tenth, PEDESTRIAN_ON, phase), (tenth + 4, PEDESTRIAN_OFF, phase)]
                if not crossing.called and crossing.walk is None:
                    crossing.called = True
                    entries.append((tenth, PEDESTRIAN_CALL, phase))
        return entries

    def _emergency(self) -> list[Entry]:
        if self._preempt is not None:
            self._preempt -= 1
            if self._preempt == 0:
                self._preempt = None
                return [(0, PREEMPT_OFF, 1)]
        elif self._random.random() < 1 / PREEMPT_EVERY:
            self._preempt = PREEMPT_LASTS
            return [(0, PREEMPT_ON, 1)]
        return []


def reported(controller: Controller, defects: Defects, start: int) -> list[tuple[str, str, int, int | None]]:
    """The faults that a controller reports in a run from `start`: rule of the watchdog, element, onset and end (Unix seconds)."""
    found: list[tuple[str, str, int, int | None]] = [
        ("detector_fault", f"detector:{detector.number}", start, None)
        for detector in controller.detectors
        if defects.loops.get(detector.id) is LoopDefect.OPEN_LOOP
    ]
    for window in defects.down:
        found.append(("power_failure", "", window.begin, window.end))
        found.append(("flash", "", window.end, window.end + START_UP))
    found += [("controller_alarm", f"code:{ALARMS}", window.begin, window.end) for window in defects.door]
    return found
