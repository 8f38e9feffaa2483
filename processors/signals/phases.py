"""Greens, yellows and reds of the phases in a chunk, and the arrivals of their detectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from processors.signals.chunk import FAR, Chunk, microseconds
from processors.signals.configuration import Detector, Function
from processors.signals.events import DETECTOR_OFF, DETECTOR_ON, GREEN, RED, YELLOW, YELLOW_END, Flags, Ints


@dataclass(frozen=True, slots=True)
class Greens:
    """The greens of one phase, each with what follows it before the next green; `FAR` where nothing does.

    Attributes:
        green: Begin of green.
        next: Begin of the next green.
        yellow: First begin of yellow after it.
        yellows: How many before the next green.
        red: First begin of red clearance after it.
        reds: How many before the next green.
    """

    green: Ints
    next: Ints
    yellow: Ints
    yellows: Ints
    red: Ints
    reds: Ints


def greens(chunk: Chunk, phase: int, until_us: int = 0) -> Greens:
    """Cycles from green to green of one phase, as the package atspm divides them; up to the end of the chunk or a little later."""
    until_us = max(until_us, chunk.end_us)
    green = chunk.seen(GREEN, phase, until_us)
    after = np.append(green[1:], FAR)
    found = []
    for code in (YELLOW, RED):
        times = chunk.seen(code, phase, until_us)
        first, last = np.searchsorted(times, green), np.searchsorted(times, after)
        found += [np.append(times, FAR)[first], last - first]
    yellow, yellows, red, reds = found
    return Greens(green, after, np.where(yellows > 0, yellow, FAR), yellows, np.where(reds > 0, red, FAR), reds)


def shown(chunk: Chunk, phase: int, times: Ints) -> Ints:
    """What a phase shows at these times: 1 green, 8 yellow, 10 red, 0 not known.

    The furthest of green, yellow, red since the last begin of green (as atspm); an event at the same moment counts.
    """
    green = chunk.times(GREEN, phase)
    last_green, known = _last(chunk, green, times)
    state = np.zeros(len(times), dtype=np.int64)
    state[known] = GREEN
    for code in (YELLOW, RED):
        last, told = _last(chunk, chunk.times(code, phase), times)
        state[told & (~known | (last >= last_green))] = code
    return state


def _last(chunk: Chunk, events: Ints, times: Ints) -> tuple[Ints, Flags]:
    """The last event up to each time, and whether there is one that is not too old."""
    if not len(events):
        return np.full(len(times), -1), np.zeros(len(times), dtype=np.bool_)
    slot = np.searchsorted(events, times, side="right") - 1
    last = events[np.maximum(slot, 0)]
    return last, (slot >= 0) & (times - last <= chunk.open_longest_us)


def once(chunk: Chunk, phase: int, begin: Ints, end: Ints, until_us: int) -> Flags:
    """Which spans [begin, end) hold exactly one begin of yellow and one of red."""
    whole = np.ones(len(begin), dtype=np.bool_)
    for code in (YELLOW, RED):
        times = chunk.seen(code, phase, until_us)
        whole &= np.searchsorted(times, end) - np.searchsorted(times, begin) == 1
    return whole


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Vehicles at the stop line, had there been no signal: event + distance ÷ speed − latency.

    Attributes:
        t: Times, rising.
        detector: The channel that saw each.
    """

    t: Ints
    detector: Ints


def arrivals(chunk: Chunk, detectors: Iterable[Detector]) -> Arrivals:
    """What these detectors saw; also of the stretch after the end of the chunk that latency brings back into it."""
    chosen = tuple(detectors)
    times, channels = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    late = chunk.t[chunk.now :], chunk.code[chunk.now :] == DETECTOR_ON, chunk.par[chunk.now :]
    for detector in chosen:
        seen = np.append(chunk.times(DETECTOR_ON, detector.number), late[0][late[1] & (late[2] == detector.number)])
        times.append(seen + detector.shift_us)
        channels.append(np.full(len(seen), detector.number, dtype=np.int64))
    t, channel = np.concatenate(times), np.concatenate(channels)
    order = np.lexsort((channel, t))
    return Arrivals(t[order], channel[order])


def by_phase(chunk: Chunk, function: Function) -> dict[int, list[Detector]]:
    """Detectors of one function by phase."""
    found: dict[int, list[Detector]] = {}
    for detector in sorted(chunk.configuration.having(function), key=lambda one: (one.phase, one.number)):
        found.setdefault(detector.phase, []).append(detector)
    return found


def keep_cycles(chunk: Chunk) -> Flags:
    """What later figures by cycle depend on.

    Of each phase its signal events and those of its detectors since the last begin of red or green before the end, whichever is
    earlier, less than the longest cycle ago; the last event of each code and parameter before that; and for detectors what has
    not arrived yet.
    """
    parameters = chunk.parameters
    # Who needs what: a red and its neighbourhood, a cycle from red to red, a cycle from green to green.
    neighbourhood = microseconds(max(parameters.offset_window.value, parameters.red_time.value))
    horizon = chunk.end_us - microseconds(parameters.cycle_longest.value) - neighbourhood
    since: dict[int, int] = {}
    for phase in chunk.parameters_of(GREEN, YELLOW, YELLOW_END, RED).tolist():
        begins = []
        for code in (GREEN, YELLOW_END):
            times = chunk.times(code, phase)
            # The cycle that was over a neighbourhood ago is told; the one before what is left may still be asked for.
            over = int(np.searchsorted(times, chunk.end_us - neighbourhood))
            begins.append(int(times[max(0, over - 1)]) if len(times) else chunk.end_us)
        since[phase] = max(min(begins), horizon)
    mask = np.zeros(len(chunk.t), dtype=np.bool_)
    for code in (GREEN, YELLOW, YELLOW_END, RED):
        index = chunk.of(code)
        table = np.array([since[phase] for phase in chunk.par[index].tolist()], dtype=np.int64)
        mask |= chunk.keep_since(index, chunk.par[index], table)
    of_detector: dict[int, int] = {}
    for detector in chunk.configuration.detectors:
        begin = since.get(detector.phase, chunk.end_us) - max(detector.shift_us, 0)
        of_detector[detector.number] = min(
            begin, of_detector.get(detector.number, begin), chunk.end_us - max(detector.shift_us, 0)
        )
    index = chunk.of(DETECTOR_OFF, DETECTOR_ON)
    table = np.array([of_detector.get(channel, chunk.end_us) for channel in chunk.par[index].tolist()], dtype=np.int64)
    return mask | chunk.keep_since(index, chunk.par[index], table)
