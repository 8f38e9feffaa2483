"""Phase wait: from the call of a phase (code 43) to its green (code 1), or from the end of its green (7) when the call persists.

A call that is dropped (44) before green has no wait. Waits that touch a preemption or `preempt_recovery` (120 s) after it are left
out, and so are those in which a green, yellow or red of the controller lost an edge or the log cannot be trusted. By the bin of
the green: `wait` (mean), `wait_longest`, `waits`, and `skips`: waits longer than `skip_cycles` (1.5) cycles (2.0 when a priority
adjustment fell into them); the cycle is the longer of those in force at begin and end (code 316, else 132), 140 s when free.

A preemption that has not ended counts as lasting. Waits of a call that was called again without having ended are repaired, as far
as is known when the bin is given out; they are in no mean.

Source: PyPI atspm 2.6.1, `timeline` (Phase Wait) and `phase_wait`.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import FAR, Chunk, microseconds
from processors.signals.detectors import covers
from processors.signals.events import (
    CALL,
    CALL_END,
    CYCLE_LENGTH,
    EARLY_GREEN,
    GREEN,
    GREEN_END,
    LATE_GREEN,
    PREEMPT,
    PREEMPT_END,
    US,
    Flags,
    Ints,
)
from processors.signals.measures.timeline import following
from processors.signals.rows import Interval, Rows

UNITS = {"wait": "s", "wait_longest": "s", "waits": "waits", "skips": "waits"}
CYCLES = (CYCLE_LENGTH, 316)
"""Told and, by MAXTIME, actual cycle; the latter where there is one."""
SIGNALS = ((1, 7), (8, 9), (10, 11))


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows by phase for bins in which a wait ended."""
    phase, onset, end = _waits(chunk)
    bad = chunk.untrusted(onset, end) | _broken(chunk, onset, end) | _lost_call_end(chunk, phase, onset, end)
    out.intervals += [
        Interval("phase_wait", f"phase:{number}", begin, finish, lost)
        for number, begin, finish, lost in zip(phase.tolist(), onset.tolist(), end.tolist(), bad.tolist(), strict=True)
    ]
    counted = ~bad & ~covers(*_preempts(chunk), onset, end)
    skipped = end - onset > _longest(chunk, onset, end)
    for number in np.unique(phase[counted]).tolist():
        mine = counted & (phase == number)
        took, which = (end - onset)[mine], chunk.bin(end[mine])
        for b in np.unique(which).tolist():
            inside = took[which == b]
            values = {
                "wait": int(inside.sum()) / len(inside) / US,
                "wait_longest": int(inside.max()) / US,
                "waits": float(len(inside)),
                "skips": float(skipped[mine][which == b].sum()),
            }
            for name, value in values.items():
                chunk.add(out, "phase_wait", f"phase:{number}", name, {b: value})


def _waits(chunk: Chunk) -> tuple[Ints, Ints, Ints]:
    """Phase, onset and end of waits that ended in the chunk."""
    index = chunk.of(CALL, CALL_END, GREEN, GREEN_END)
    phase, code, t = chunk.par[index], chunk.code[index], chunk.t[index]
    place, end = following(chunk, index, phase)
    # Whether a call stands: the last of call and call end, carried forward within the phase.
    changes = np.flatnonzero((code == CALL) | (code == CALL_END))
    slot = np.searchsorted(changes, np.arange(len(index)), side="right") - 1
    standing = np.zeros(len(index), dtype=np.bool_)
    if len(changes):
        last = changes[np.maximum(slot, 0)]
        standing = (slot >= 0) & (phase[last] == phase) & (code[last] == CALL) & (t - t[last] <= chunk.open_longest_us)
    to_green = code[place] == GREEN if len(index) else standing
    chosen = to_green & ((code == CALL) | ((code == GREEN_END) & standing))
    chosen &= chunk.fresh(end) & (end - t <= chunk.open_longest_us)
    return phase[chosen], t[chosen], end[chosen]


def _broken(chunk: Chunk, onset: Ints, end: Ints) -> Flags:
    """Waits during which a signal of the controller lost an edge, as far as is known when the bin is given out."""
    bad = np.zeros(len(onset), dtype=np.bool_)
    longest = microseconds(chunk.parameters.clearance_longest.value)
    known = chunk.given(end)
    for begin, finish in SIGNALS:
        index = chunk.ahead(begin, finish)
        if not len(index):
            continue
        place, ends = following(chunk, index, chunk.par[index])
        code, t = chunk.code[index], chunk.t[index]
        lost_begin = (code == finish) & (code[place] == finish)
        wrong = (((code == begin) & (code[place] != finish)) | lost_begin) & (ends < FAR)
        if begin != GREEN:
            wrong |= (code == begin) & (ends < FAR) & (ends - t > longest)
        for start, stop in zip(t[wrong].tolist(), ends[wrong].tolist(), strict=True):
            bad |= (onset < stop) & (start < end) & (stop < known)
    return bad


def _lost_call_end(chunk: Chunk, phase: Ints, onset: Ints, end: Ints) -> Flags:
    """Waits of a call that is called again without having ended, as far as is known when the bin is given out."""
    bad = np.zeros(len(phase), dtype=np.bool_)
    index = chunk.ahead(CALL, CALL_END)
    known = chunk.given(end)
    for number in np.unique(phase).tolist():
        mine = np.flatnonzero(phase == number)
        calls = index[chunk.par[index] == number]
        t, again = np.append(chunk.t[calls], FAR), np.append(chunk.code[calls] == CALL, False)
        following_call = np.searchsorted(t, onset[mine], side="right")
        following_call = np.minimum(following_call, len(calls))
        bad[mine] = again[following_call] & (t[following_call] < known[mine])
    return bad


def _preempts(chunk: Chunk) -> tuple[Ints, Ints]:
    """Begin and end of preemptions with their recovery."""
    index = chunk.of(PREEMPT, PREEMPT_END)
    place, end = following(chunk, index, chunk.par[index])
    begins = chunk.code[index] == PREEMPT
    recovery = microseconds(chunk.parameters.preempt_recovery.value)
    return chunk.t[index][begins], np.where(end < FAR, end + recovery, FAR)[begins] if len(place) else end


def _longest(chunk: Chunk, onset: Ints, end: Ints) -> np.ndarray:
    """How long a wait may last before the phase was skipped, µs."""
    p = chunk.parameters

    def cycle(at: Ints) -> Ints:
        found = np.zeros(len(at), dtype=np.int64)
        for code in CYCLES:
            index = np.sort(chunk.of(code))
            t, value = np.append(chunk.t[index], FAR), np.append(chunk.par[index], 0)
            slot = np.searchsorted(t, at, side="right") - 1
            known = (slot >= 0) & (at - t[slot] <= chunk.open_longest_us)
            found = np.where(known, value[slot], found)
        return np.where(found > 0, found, round(p.assumed_cycle.value))

    adjusted = np.sort(chunk.t[chunk.of(EARLY_GREEN, LATE_GREEN)])
    priority = np.searchsorted(adjusted, end, side="right") > np.searchsorted(adjusted, onset)
    factor = np.where(priority, p.skip_cycles_priority.value, p.skip_cycles.value)
    return np.maximum(cycle(onset), cycle(end)) * factor * US


def keep(chunk: Chunk) -> Flags:
    """Calls and greens that a wait can begin with, and of everything that judges a wait what came since the oldest of these."""
    index = chunk.of(CALL, CALL_END, GREEN, GREEN_END)
    phase = chunk.par[index]
    mask = chunk.keep_since(index, phase, chunk.end_us) | chunk.keep_last(CALL, CALL_END)
    last = np.append(phase[1:] != phase[:-1], True) if len(index) else phase > 0
    recent = chunk.t[index] >= chunk.end_us - chunk.open_longest_us
    waiting = index[last & recent & ((chunk.code[index] == CALL) | (chunk.code[index] == GREEN_END))]
    since = int(chunk.t[waiting].min()) if len(waiting) else chunk.end_us
    since -= microseconds(chunk.parameters.preempt_recovery.value)
    for codes in ((PREEMPT, PREEMPT_END), (EARLY_GREEN, LATE_GREEN), *SIGNALS):
        found = chunk.of(*codes)
        mask |= chunk.keep_since(found, chunk.par[found], since)
    for code in CYCLES:
        cycle = np.sort(chunk.of(code))
        mask |= chunk.keep_since(cycle, np.zeros(len(cycle), dtype=np.int64), since)
    return mask
