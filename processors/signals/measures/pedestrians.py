"""Pedestrians: services, presses, unique presses, delay, and an estimate of how many people walked, by phase.

* `services`: begins of walk (codes 21 and 67).
* `presses`: push button on (90). `unique_presses`: more than `press_gap` (15 s) after the press before; a first press is not told
  from a repeated one and does not count, as in the source.
* `delay`, `delays`: mean time from the first press after a walk ended (22) to the next walk, and of how many; by the bin of that
  walk; those that touch a gap of the log are left out.
* `volume`: people in the bin, from the unique presses x of the hour that begins with it: (0.7167 x + 0.0599 x²) · share of this bin
  in them + 1.1063 ÷ 4. An estimate: `imputed(press_model)`. Told three bins later, for phases with a button and bins in
  which the controller reported anything.

Source: PyPI atspm 2.6.1, `ped`, `full_ped`, `ped_delay`; model of doi.org/10.1177/0361198121994126.
"""

from __future__ import annotations

import numpy as np

from processors.quality import imputed
from processors.signals.chunk import Chunk, microseconds
from processors.signals.events import OVERLAP_WALK, PRESS, US, WALK, WALK_END, Flags, Ints
from processors.signals.rows import Interval, Measure, Rows

UNITS = {
    "services": "walks",
    "presses": "presses",
    "unique_presses": "presses",
    "delay": "s",
    "delays": "presses",
    "volume": "people",
}
HOUR_US = 3600 * US


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows for what occurred; zeros of the volume estimate too."""
    chunk.count(out, "pedestrians", "phase", "services", WALK, OVERLAP_WALK)
    chunk.count(out, "pedestrians", "phase", "presses", PRESS)
    index = unique(chunk)
    fresh = index[index >= chunk.first]
    chunk.tally(out, "pedestrians", "phase", "unique_presses", chunk.par[fresh], chunk.t[fresh])
    delays = waits(chunk)
    for phase in sorted({int(chunk.par[press]) for press, _, trusted in delays if trusted}):
        chosen = [(walk - int(chunk.t[press]), walk) for press, walk, trusted in delays if trusted and chunk.par[press] == phase]
        took, walks = np.array(chosen, dtype=np.int64).T
        chunk.mean(out, "pedestrians", f"phase:{phase}", "delay", walks, took / US)
        chunk.tally(out, "pedestrians", "phase", "delays", np.full(len(walks), phase), walks)
    out.intervals += [
        Interval("ped_delay", f"phase:{chunk.par[press]}", int(chunk.t[press]), walk, not trusted)
        for press, walk, trusted in delays
    ]
    _volumes(chunk, out, index)


def unique(chunk: Chunk) -> Ints:
    """Presses that are a person's first."""
    index = chunk.of(PRESS)
    if len(index) < 2:
        return index[:0]
    same = np.diff(chunk.par[index]) == 0
    gap = np.diff(chunk.t[index])
    apart = (gap > microseconds(chunk.parameters.press_gap.value)) & (gap <= chunk.open_longest_us)
    return np.asarray(index[1:][same & apart])


def waits(chunk: Chunk) -> list[tuple[int, int, bool]]:
    """(index of the press, time of walk, trusted) of walks that began in the chunk."""
    index = chunk.of(PRESS, WALK, WALK_END)
    code, t, phase = chunk.code[index], chunk.t[index], chunk.par[index]
    new = np.append(True, phase[1:] != phase[:-1]) if len(index) else np.zeros(0, dtype=np.bool_)
    after = np.append(False, code[:-1] == WALK_END) | new
    presses = np.flatnonzero((code == PRESS) & after)
    ends = np.flatnonzero(code != PRESS)
    found = []
    for press in presses.tolist():
        slot = int(np.searchsorted(ends, press))
        if slot == len(ends) or phase[ends[slot]] != phase[press]:
            continue
        onset, end = t[press], t[ends[slot]]
        if chunk.begin_us <= end and end - onset <= chunk.open_longest_us:
            lost = bool(chunk.untrusted(onset[None], end[None])[0])
            found.append((int(index[press]), int(end), not lost))
    return found


def _volumes(chunk: Chunk, out: Rows, index: Ints) -> None:
    ahead = max(HOUR_US // chunk.bin_us, 1)
    begin = chunk.begin_us - (ahead - 1) * chunk.bin_us
    phases = np.union1d(chunk.parameters_of(PRESS), np.array(chunk.configuration.pedestrians, dtype=np.int64))
    p = chunk.parameters
    period = chunk.bin_us // US
    index = index[chunk.t[index] >= begin]
    which = (chunk.t[index] - begin) // chunk.bin_us
    for phase in phases.tolist():
        count = np.bincount(which[chunk.par[index] == phase], minlength=len(chunk.starts) + ahead - 1)
        hour = np.convolve(count, np.ones(ahead, dtype=np.int64))[ahead - 1 : len(count)]
        presses = chunk.times(PRESS, phase)
        for b, x in enumerate(hour.tolist()):
            start = begin + b * chunk.bin_us
            known = phase in chunk.configuration.pedestrians or (len(presses) and presses[0] < start + HOUR_US)
            if not known or not chunk.recent[b]:
                continue
            share = count[b] / x if x else 0.0
            people = (p.volume_linear.value * x + p.volume_square.value * x * x) * share + p.volume_least.value / ahead
            row = Measure(start, period, "pedestrians", f"phase:{phase}", "volume", float(people), imputed("press_model"))
            out.measures.append(row)


def keep(chunk: Chunk) -> Flags:
    """Presses of an hour and the last before; everything since the last walk and its end."""
    index = chunk.of(PRESS)
    mask = chunk.keep_since(index, chunk.par[index], chunk.end_us - HOUR_US - chunk.bin_us)
    for phase in chunk.parameters_of(PRESS, WALK, WALK_END).tolist():
        last = max((int(times[-1]) for code in (WALK, WALK_END) if len(times := chunk.times(code, phase))), default=None)
        index = chunk.of(PRESS, WALK, WALK_END)
        index = index[chunk.par[index] == phase]
        t, code = chunk.t[index], chunk.code[index]
        if last is None:
            mask[index[:1]] = True
            continue
        mask[index[(t == last) & (code != PRESS)]] = True
        # Only the press right after it can begin a wait; the ones after that need one to stand before them.
        mask[index[t >= last][:3]] = True
    return mask
