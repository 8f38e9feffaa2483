"""Turning counts: vehicles that left over the stop line, by phase and movement.

Detectors of function `stop_bar_count` whose configuration names one movement (`left`, `through`, `right`); those of lanes that serve
several count as `shared`. By the bin of the event less its latency.

Source: UDOT ATSPM 5, turning movement counts (lane-by-lane counters).
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.configuration import Function
from processors.signals.detectors import soundness
from processors.signals.phases import arrivals, by_phase
from processors.signals.rows import Rows

UNITS = {"left": "veh", "through": "veh", "right": "veh", "shared": "veh"}


def rows(chunk: Chunk, out: Rows) -> None:
    """One row a bin, approach and movement that has a counter."""
    for phase, detectors in by_phase(chunk, Function.COUNT).items():
        for movement in UNITS:
            mine = [detector for detector in detectors if (detector.movement or "shared") == movement]
            if not mine:
                continue
            seen = arrivals(chunk, mine).t
            count = np.bincount(chunk.bin(seen[chunk.fresh(seen)]), minlength=len(chunk.starts))
            unsound = soundness(chunk, mine)
            for b in np.flatnonzero((count > 0) | (chunk.counts > 0)).tolist():
                chunk.add(out, "turning_counts", f"phase:{phase}", movement, {b: float(count[b])}, unsound.get(b, ""))
