"""Yellow and red actuations: vehicles over the stop line around the begin of red, by phase.

Detectors of function `yellow_red`, in whole cycles (from green to green with exactly one yellow and one red as far as known), from
`offset_window` (30 s) before to after begin of red (code 10); by the bin of that begin, told `offset_window` after the bin's end.

* `yellow`, `red`: actuations on yellow and on red within the window.
* `yellow@-2.5`, `red@1.5`, `green@-7.0`: the same by offset from begin of red, rounded to 0.5 s.

Source: PyPI atspm 2.6.1, `yellow_red`; UDOT ATSPM 5, yellow and red actuations.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk, microseconds
from processors.signals.configuration import Function
from processors.signals.events import US
from processors.signals.phases import arrivals, by_phase, greens, once
from processors.signals.rows import Rows

COLOURS = ("green", "yellow", "red")
STEPS = [n / 2 for n in range(-60, 61)]
UNITS = {
    "yellow": "veh",
    "red": "veh",
    **{f"{colour}@{step:.1f}": "veh" for colour in COLOURS for step in STEPS if (step >= 0) == (colour == "red") or step == 0},
}


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows for what occurred, and zeros of `yellow` and `red` for bins with whole cycles."""
    window = microseconds(chunk.parameters.offset_window.value)
    step = chunk.parameters.offset_step.value
    for phase, detectors in by_phase(chunk, Function.YELLOW_RED).items():
        element = f"phase:{phase}"
        cycle = greens(chunk, phase, chunk.end_us + window)
        red = cycle.red
        until = np.minimum(cycle.next, red + window)
        whole = chunk.fresh(red) & once(chunk, phase, cycle.green, until, chunk.end_us + window)
        whole &= red - cycle.green <= microseconds(chunk.parameters.cycle_longest.value)
        seen = arrivals(chunk, detectors).t
        last = np.searchsorted(cycle.green, seen, side="right") - 1
        ok = last >= 0
        seen, last = seen[ok], last[ok]
        ok = whole[last] if len(last) else np.zeros(0, dtype=np.bool_)
        seen, last = seen[ok], last[ok]
        offset = seen - red[last]
        ok = np.abs(offset) <= window
        seen, last, offset = seen[ok], last[ok], offset[ok]
        colour = np.where(offset >= 0, 2, np.where(seen >= cycle.yellow[last], 1, 0))
        which = chunk.bin(red[last])
        for b in np.unique(chunk.bin(red[whole])).tolist():
            inside = which == b
            for code, name in ((1, "yellow"), (2, "red")):
                chunk.add(out, "yellow_red", element, name, {b: float((inside & (colour == code)).sum())})
            rounded = np.rint(offset[inside] / US / step).astype(np.int64)
            pairs, count = np.unique(np.stack((colour[inside], rounded)), axis=1, return_counts=True)
            for (code, steps), number in zip(pairs.T.tolist(), count.tolist(), strict=True):
                chunk.add(out, "yellow_red", element, f"{COLOURS[code]}@{steps * step:.1f}", {b: float(number)})
