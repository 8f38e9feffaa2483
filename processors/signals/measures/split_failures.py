"""Split failures: greens that did not serve all who waited.

Per cycle and approach (all presence detectors of a phase as one): `green_occupancy` is the share of green (code 1 to 8) with a
vehicle at the stop line, `red_occupancy` the same of the first `red_time` (5 s) of red (from code 10). A split failure has both at
or above 0.8. Cycles without exactly one yellow and one red, or
longer than `cycle_longest`, are left out. Per bin (of the moment `red_time` after begin of red):
`cycles`, means of `green_time`, `green_occupancy` and `red_occupancy`, and the number of `split_failures`.

A detector that is on for longer than `stuck_on` (15 min), or in a fault that the controller reported, or has not told anything yet,
says nothing about demand: its cycles have no figures, and a bin with nothing else has the value missing with quality
`missing(stuck_on)`, `missing(fault)` or `missing(detector)`: never 0 % and never 100 %.

Source: PyPI atspm 2.6.1, `split_failures` by approach; UDOT ATSPM 5, Purdue split failure; UDOT ATSPM issue 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.quality import PARTIAL, missing
from processors.signals.chunk import FAR, Chunk, microseconds
from processors.signals.configuration import Detector, Function
from processors.signals.detectors import Presence, covers, faults, keep_faults, presence, stuck
from processors.signals.events import US, Flags, Ints
from processors.signals.phases import by_phase, greens, once
from processors.signals.rows import Rows

UNITS = {"cycles": "cycles", "green_time": "s", "green_occupancy": "1", "red_occupancy": "1", "split_failures": "cycles"}


@dataclass(frozen=True, slots=True)
class Fails:
    """Cycles of one approach with figures, from its presence detectors.

    Attributes:
        green: Begin of green.
        due: `red_time` after begin of red.
        green_us: Length of green.
        green_on_us: Presence in it.
        red_on_us: Presence in the first `red_time` of red.
        failed: Both were high.
        unsound: Why a cycle has no figures: 0 it has, else a place in `REASONS`.
    """

    green: Ints
    due: Ints
    green_us: Ints
    green_on_us: Ints
    red_on_us: Ints
    failed: Flags
    unsound: Ints


REASONS = ("", "detector", "stuck_on", "fault")


def fails(chunk: Chunk, phase: int, detectors: list[Detector]) -> Fails:
    """Cycles of a phase whose first seconds of red are over, with what its presence detectors saw.

    An edge that was put half-way is known when the event after it is told. What is not told `offset_window` after the end of the
    bin counts as not known, whatever comes later.
    """
    p = chunk.parameters
    red_time = microseconds(p.red_time.value)
    after = microseconds(p.offset_window.value)
    until = chunk.end_us + after
    cycle = greens(chunk, phase, until)
    due = np.where(cycle.red < FAR, cycle.red + red_time, FAR)
    whole = (cycle.yellow < cycle.red) & (due <= cycle.next) & (due < chunk.end_us)
    whole &= due - cycle.green <= microseconds(p.cycle_longest.value)
    # A second yellow or red before the next green tells that a green between is lost; as far as known when the bin is given out.
    whole &= once(chunk, phase, cycle.green, np.minimum(cycle.next, chunk.given(np.minimum(due, until))), until)
    green, yellow, red, due = cycle.green[whole], cycle.yellow[whole], cycle.red[whole], due[whole]
    spans = Spans(green, yellow, red, due)
    channels = sorted({detector.number for detector in detectors})
    seen = [presence(chunk, channel, until) for channel in channels]
    green_on, red_on, unsound = _seen(chunk, spans, seen, channels)
    which = chunk.bin(due)
    ends = chunk.begin_us + (np.unique(which) + 1) * chunk.bin_us + after
    open_then = np.zeros(len(ends), dtype=np.bool_)
    for one in seen:
        open_then |= covers(one.put, one.put_told + 1, ends - 1, ends)
    for end, b in zip(ends[open_then].tolist(), np.unique(which)[open_then].tolist(), strict=True):
        then = [presence(chunk, channel, end) for channel in channels]
        inside = which == b
        few = Spans(green[inside], yellow[inside], red[inside], due[inside])
        green_on[inside], red_on[inside], unsound[inside] = _seen(chunk, few, then, channels)
    length = yellow - green
    failed = (green_on >= p.green_occupancy.value * length) & (red_on >= p.red_occupancy.value * red_time)
    return Fails(green, due, length, green_on, red_on, failed, unsound)


@dataclass(frozen=True, slots=True)
class Spans:
    """Green from begin to yellow, and the first seconds of red, of some cycles."""

    green: Ints
    yellow: Ints
    red: Ints
    due: Ints


def _seen(chunk: Chunk, spans: Spans, seen: list[Presence], channels: list[int]) -> tuple[Ints, Ints, Ints]:
    """Presence on green and on red, and why it is not to be believed."""
    on, off = together(seen)
    unsound = np.zeros(len(spans.green), dtype=np.int64)
    unsound[min((one.known_from for one in seen), default=int(FAR)) > spans.green] = 1
    for one, channel in zip(seen, channels, strict=True):
        unsound[covers(*stuck(chunk, one), spans.green, spans.due)] = 2
        unsound[covers(*faults(chunk, channel), spans.green, spans.due)] = 3
    return overlap(on, off, spans.green, spans.yellow), overlap(on, off, spans.red, spans.due), unsound


def together(seen: list[Presence]) -> tuple[Ints, Ints]:
    """Times in which at least one of several channels is on, as intervals that do not touch."""
    on = np.concatenate([one.on for one in seen]) if seen else np.zeros(0, dtype=np.int64)
    off = np.concatenate([one.off for one in seen]) if seen else np.zeros(0, dtype=np.int64)
    if not len(on):
        return on, off
    order = np.argsort(on, kind="stable")
    on, off = on[order], np.maximum.accumulate(off[order])
    new = np.append(True, on[1:] > off[:-1])
    return on[new], off[np.append(np.flatnonzero(new)[1:] - 1, len(off) - 1)]


def overlap(on: Ints, off: Ints, begin: Ints, end: Ints) -> Ints:
    """How much of each span [begin, end) is on, µs."""
    if not len(on):
        return np.zeros(len(begin), dtype=np.int64)
    ends = np.minimum(off, np.int64(2**53))
    length = np.concatenate(([0], np.cumsum(ends - on)))

    def so_far(at: Ints) -> Ints:
        begun = np.searchsorted(on, at, side="right")
        last = np.maximum(begun - 1, 0)
        return np.where(begun > 0, length[last] + np.minimum(ends[last], at) - on[last], 0)

    return so_far(end) - so_far(begin)


def rows(chunk: Chunk, out: Rows) -> None:
    """Five rows a bin and approach that had cycles."""
    red_time = microseconds(chunk.parameters.red_time.value)
    for phase, detectors in by_phase(chunk, Function.PRESENCE).items():
        one = fails(chunk, phase, detectors)
        fresh = chunk.fresh(one.due)
        which = chunk.bin(one.due)
        for b in np.unique(which[fresh]).tolist():
            inside = fresh & (which == b)
            sound = inside & (one.unsound == 0)
            n = int(sound.sum())
            values: dict[str, float | None]
            if n:
                values = {
                    "cycles": float(n),
                    "green_time": float(one.green_us[sound].sum()) / n / US,
                    "green_occupancy": float(np.sum(one.green_on_us[sound] / one.green_us[sound])) / n,
                    "red_occupancy": float(one.red_on_us[sound].sum()) / n / red_time,
                    "split_failures": float(one.failed[sound].sum()),
                }
                quality = PARTIAL if n < inside.sum() else ""
            else:
                values = dict.fromkeys(UNITS) | {"cycles": 0.0}
                quality = missing(REASONS[int(one.unsound[inside].max())])
            for name, value in values.items():
                chunk.add(out, "split_failures", f"phase:{phase}", name, {b: value}, quality)


def keep(chunk: Chunk) -> Flags:
    """Faults of detectors; cycles and presences are kept by `arrivals`."""
    return keep_faults(chunk)
