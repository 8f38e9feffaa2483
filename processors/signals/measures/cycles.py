"""Cycles: each phase from begin of red to begin of red, with its figures and its points of the coordination diagram.

A cycle begins at the end of yellow (code 9), is green from code 1 and yellow from code 8, and ends at the next code 9. Without
exactly one green and one yellow it is `partial`; longer than `cycle_longest` (1 h) it is `partial` and has nothing but its begin and end. Its
arrivals are those of the advance detectors at the stop line (event + distance ÷ speed − latency); its split failure is that of its
green and of the red that follows. It is told with the bin in which the first `red_time` (5 s) of that red are over.

Source: UDOT ATSPM 5, red-to-red cycles, Purdue coordination diagram, split monitor (programmed splits: codes 134 to 149).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.quality import GOOD, PARTIAL
from processors.signals.chunk import FAR, Chunk, microseconds
from processors.signals.configuration import Function
from processors.signals.events import (
    FORCE_OFF,
    GAP_OUT,
    GREEN,
    MAX_OUT,
    SPLIT_OF_PHASE_1,
    US,
    YELLOW,
    YELLOW_END,
    Flags,
    Ints,
)
from processors.signals.measures.split_failures import Fails, fails
from processors.signals.phases import Arrivals, arrivals, by_phase
from processors.signals.rows import Cycle, Rows

UNITS: dict[str, str] = {}
TERMINATIONS = (GAP_OUT, MAX_OUT, FORCE_OFF)
NAMES = (None, "gap_out", "max_out", "force_off")


@dataclass(frozen=True, slots=True)
class Reds:
    """Cycles of one phase from red to red.

    Attributes:
        start: Begin of red.
        green: First begin of green in it, or `FAR`.
        yellow: First begin of yellow after that, or `FAR`.
        end: Next begin of red.
        whole: Exactly one green and then one yellow.
        short: Not longer than the longest cycle.
    """

    start: Ints
    green: Ints
    yellow: Ints
    end: Ints
    whole: Flags
    short: Flags


def reds(chunk: Chunk, phase: int) -> Reds:
    """The cycles of a phase that have ended before the end of the chunk."""
    ends = chunk.times(YELLOW_END, phase)
    start, end = ends[:-1], ends[1:]
    green, yellow = chunk.times(GREEN, phase), chunk.times(YELLOW, phase)
    first = np.append(green, FAR)[np.searchsorted(green, start)]
    first = np.where(first < end, first, FAR)
    then = np.append(yellow, FAR)[np.searchsorted(yellow, np.where(first < FAR, first, start))]
    then = np.where(then < end, then, FAR)
    one_green = np.searchsorted(green, end) - np.searchsorted(green, start) == 1
    one_yellow = np.searchsorted(yellow, end) - np.searchsorted(yellow, start) == 1
    short = end - start <= microseconds(chunk.parameters.cycle_longest.value)
    whole = one_green & one_yellow & (first < then) & (then < FAR)
    return Reds(start, np.where(short, first, FAR), np.where(short, then, FAR), end, whole, short)


def rows(chunk: Chunk, out: Rows) -> None:
    """One row a cycle."""
    red_time = microseconds(chunk.parameters.red_time.value)
    advance, presence = by_phase(chunk, Function.ADVANCE), by_phase(chunk, Function.PRESENCE)
    for phase in chunk.parameters_of(YELLOW_END).tolist():
        cycle = reds(chunk, phase)
        chosen = np.flatnonzero(chunk.fresh(cycle.end + red_time) & (cycle.end - cycle.start <= chunk.open_longest_us))
        if not len(chosen):
            continue
        seen = arrivals(chunk, advance[phase]) if phase in advance else None
        failed = fails(chunk, phase, presence[phase]) if phase in presence else None
        how, told = ends(chunk, phase, cycle), programmed(chunk, phase, cycle)
        for c in chosen.tolist():
            split = float(told[c]) if told[c] >= 0 else None
            out.cycles.append(_cycle(chunk, phase, cycle, c, seen, failed, NAMES[how[c]], split))


def _cycle(
    chunk: Chunk,
    phase: int,
    cycle: Reds,
    c: int,
    seen: Arrivals | None,
    failed: Fails | None,
    termination: str | None,
    split_s: float | None,
) -> Cycle:
    start, green, yellow, end = (int(column[c]) for column in (cycle.start, cycle.green, cycle.yellow, cycle.end))
    green_on = red_on = delay = None
    failure: bool | None = None
    known = cycle.short[c] and seen is not None
    points, channels = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    on_green: int | None = None
    if known and seen is not None:
        inside = slice(*np.searchsorted(seen.t, (start, end)).tolist())
        points, channels = seen.t[inside], seen.detector[inside]
        if green < FAR:
            on_green = int(((points >= green) & (points < yellow)).sum())
            delay = int((green - points[points < green]).sum()) / US
    if failed is not None and green < FAR:
        slot = int(np.searchsorted(failed.green, green))
        red_time = microseconds(chunk.parameters.red_time.value)
        if (
            slot < len(failed.green)
            and failed.green[slot] == green
            and failed.due[slot] <= end + red_time
            and not failed.unsound[slot]
        ):
            green_on = float(failed.green_on_us[slot] / failed.green_us[slot])
            red_on = float(failed.red_on_us[slot] / red_time)
            failure = bool(failed.failed[slot])
    return Cycle(
        phase=phase,
        start_us=start,
        green_us=green if green < FAR else None,
        yellow_us=yellow if yellow < FAR else None,
        end_us=end,
        programmed_s=split_s,
        termination=termination,
        green_occupancy=green_on,
        red_occupancy=red_on,
        split_failure=failure,
        arrivals=len(points) if known else None,
        arrivals_on_green=on_green,
        delay_s=delay,
        quality=GOOD if cycle.whole[c] and cycle.short[c] and not _lost(chunk, start, end) else PARTIAL,
        arrivals_us=points.tolist(),
        arrival_detectors=channels.tolist(),
    )


def _lost(chunk: Chunk, start: int, end: int) -> bool:
    return bool(chunk.untrusted(np.array([start]), np.array([end]))[0])


def ends(chunk: Chunk, phase: int, cycle: Reds) -> Ints:
    """How the green of each cycle ended, the last that was told: a place in `NAMES`."""
    latest, how = cycle.start - 1, np.zeros(len(cycle.start), dtype=np.int64)
    for number, code in enumerate(TERMINATIONS, 1):
        times = chunk.times(code, phase)
        if len(times):
            slot = np.searchsorted(times, cycle.end) - 1
            last = np.where(slot >= 0, times[np.maximum(slot, 0)], -1)
            how = np.where(last > latest, number, how)
            latest = np.maximum(last, latest)
    return np.where(cycle.short, how, 0)


def programmed(chunk: Chunk, phase: int, cycle: Reds) -> Ints:
    """The split that was in force at the end of each cycle, s; -1 when none was told within 7 days."""
    index = np.sort(chunk.of(SPLIT_OF_PHASE_1 + phase - 1))
    if not len(index):
        return np.full(len(cycle.end), -1)
    times = chunk.t[index]
    slot = np.searchsorted(times, cycle.end) - 1
    last = np.maximum(slot, 0)
    return np.where((slot >= 0) & (cycle.end - times[last] <= chunk.open_longest_us), chunk.par[index[last]], -1)


def keep(chunk: Chunk) -> Flags:
    """The last programmed split of each phase, and how greens of cycles ended that are not told."""
    mask = np.zeros(len(chunk.t), dtype=np.bool_)
    for code in range(SPLIT_OF_PHASE_1, SPLIT_OF_PHASE_1 + 16):
        index = np.sort(chunk.of(code))
        since = chunk.end_us - microseconds(chunk.parameters.red_time.value)
        mask |= chunk.keep_since(index, np.zeros(len(index), dtype=np.int64), since)
    for code in TERMINATIONS:
        index = chunk.of(code)
        since = chunk.end_us - microseconds(chunk.parameters.cycle_longest.value)
        mask |= chunk.keep_since(index, chunk.par[index], since)
    return mask
