"""Approach delay: how long arrivals on red wait for green, by phase.

Of cycles from red to red that ended in the bin (whole ones, see `cycles`): Σ over arrivals on red of the time to begin of green.
`delay_total`: that sum; `delay`: per arriving vehicle; `vehicles`: arrivals. Deceleration, queue discharge and second cycles are not
in it: it is a lower bound, for comparing.

Source: UDOT ATSPM 5, approach delay.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.configuration import Function
from processors.signals.detectors import soundness
from processors.signals.events import US
from processors.signals.measures.cycles import reds
from processors.signals.phases import arrivals, by_phase
from processors.signals.rows import Rows

UNITS = {"delay": "s/veh", "delay_total": "s", "vehicles": "veh"}


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows by phase for bins in which a cycle ended."""
    for phase, detectors in by_phase(chunk, Function.ADVANCE).items():
        cycle = reds(chunk, phase)
        chosen = cycle.whole & cycle.short & chunk.fresh(cycle.end)
        if not chosen.any():
            continue
        start, green, end = cycle.start[chosen], cycle.green[chosen], cycle.end[chosen]
        seen = arrivals(chunk, detectors).t
        last = np.searchsorted(start, seen, side="right") - 1
        seen, last = seen[last >= 0], last[last >= 0]
        inside = seen < end[last]
        seen, last = seen[inside], last[inside]
        waited = np.maximum(green[last] - seen, 0)
        vehicles = np.bincount(last, minlength=len(start))
        total = np.zeros(len(start), dtype=np.int64)
        np.add.at(total, last, waited)
        which = chunk.bin(end)
        unsound = soundness(chunk, detectors)
        for b in np.unique(which).tolist():
            n, delay_us = int(vehicles[which == b].sum()), int(total[which == b].sum())
            values = {"vehicles": float(n), "delay_total": delay_us / US} | ({"delay": delay_us / US / n} if n else {})
            for name, value in values.items():
                chunk.add(out, "approach_delay", f"phase:{phase}", name, {b: value}, unsound.get(b, ""))
