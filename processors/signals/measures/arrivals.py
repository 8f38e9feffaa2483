"""Arrivals on green: how many vehicles of the advance detectors arrive at the stop line while their phase is green.

* `arrivals`, `arrivals_on_green`, `arrivals_on_yellow`, `arrivals_on_red`: vehicles, by the bin of their arrival (event + distance ÷
  speed − latency). Before the first signal event of a phase its arrivals are of no colour. A bin
  in which the begin of a green or yellow is missing is `partial`: that green is not in `green_ratio`.
* `share_on_green`: arrivals_on_green ÷ arrivals. `green_ratio`: share of the bin in which the phase was green; `platoon_ratio`:
  share_on_green ÷ green_ratio (HCM 7, chapter 19): above 1 platoons meet green.

A detector that is stuck or faulty makes them `suspect(stuck_on)` or `suspect(fault)`. The points of the coordination diagram
stand in the cycles (`arrivals_us`, `arrival_detectors`).

Source: PyPI atspm 2.6.1, `arrival_on_green`, `platoon_ratio`; Purdue coordination diagram (JTRP, 2012).
"""

from __future__ import annotations

import numpy as np

from processors.quality import PARTIAL
from processors.signals.chunk import FAR, Chunk
from processors.signals.configuration import Function
from processors.signals.detectors import soundness
from processors.signals.events import GREEN, RED, YELLOW, Flags, Ints
from processors.signals.phases import arrivals, by_phase, keep_cycles, shown
from processors.signals.rows import Rows

UNITS = {
    "arrivals": "veh",
    "arrivals_on_green": "veh",
    "arrivals_on_yellow": "veh",
    "arrivals_on_red": "veh",
    "share_on_green": "1",
    "green_ratio": "1",
    "platoon_ratio": "1",
}
COLOURS = {"arrivals_on_green": GREEN, "arrivals_on_yellow": YELLOW, "arrivals_on_red": RED}


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows by phase with advance detectors, for bins in which the controller reported anything."""
    for phase, detectors in by_phase(chunk, Function.ADVANCE).items():
        element = f"phase:{phase}"
        seen = arrivals(chunk, detectors).t
        seen = seen[chunk.fresh(seen)]
        which = chunk.bin(seen)
        colour = shown(chunk, phase, seen)
        total = np.bincount(which, minlength=len(chunk.starts))
        green_us = green_time(chunk, phase)
        unsound = lost_greens(chunk, phase) | soundness(chunk, detectors)
        by_colour = {name: np.bincount(which[colour == code], minlength=len(chunk.starts)) for name, code in COLOURS.items()}
        for b in np.flatnonzero((total > 0) | (chunk.counts > 0)).tolist():
            quality = unsound.get(b, "")
            chunk.add(out, "arrivals", element, "arrivals", {b: float(total[b])}, quality)
            for name, count in by_colour.items():
                chunk.add(out, "arrivals", element, name, {b: float(count[b])}, quality)
            ratio = float(green_us[b]) / chunk.bin_us
            chunk.add(out, "arrivals", element, "green_ratio", {b: ratio}, quality)
            if total[b]:
                share = float(by_colour["arrivals_on_green"][b] / total[b])
                chunk.add(out, "arrivals", element, "share_on_green", {b: share}, quality)
                if ratio:
                    chunk.add(out, "arrivals", element, "platoon_ratio", {b: share / ratio}, quality)


def lost_greens(chunk: Chunk, phase: int) -> dict[int, str]:
    """Bins in which the begin of a green or of its yellow is missing: one was followed by another of its kind."""
    index = chunk.of(GREEN, YELLOW)
    index = index[chunk.par[index] == phase]
    again = chunk.t[index][1:][chunk.code[index][1:] == chunk.code[index][:-1]]
    return dict.fromkeys(chunk.bin(again[chunk.fresh(again)]).tolist(), PARTIAL)


def green_time(chunk: Chunk, phase: int) -> Ints:
    """Microseconds of green of each bin: from begin of green to the next begin of yellow or green."""
    green = chunk.times(GREEN, phase)
    yellow = chunk.times(YELLOW, phase)
    if not len(green):
        return np.zeros(len(chunk.starts), dtype=np.int64)
    following = np.append(yellow, FAR)[np.searchsorted(yellow, green)]
    end = np.minimum(np.minimum(following, np.append(green[1:], FAR)), chunk.end_us)
    edges = np.append(chunk.starts, chunk.end_us)
    # Green seen so far at each edge; what lies before the chunk cancels out.
    length = np.concatenate(([0], np.cumsum(end - green)))
    begun = np.searchsorted(green, edges, side="right")
    last = np.maximum(begun - 1, 0)
    so_far = np.where(begun > 0, length[last] + np.minimum(end[last], edges) - green[last], 0)
    return np.diff(so_far)


def keep(chunk: Chunk) -> Flags:
    """See `phases.keep_cycles`."""
    return keep_cycles(chunk)
