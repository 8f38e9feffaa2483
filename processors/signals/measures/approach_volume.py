"""Approach volume: vehicles of each approach at the stop line, by phase.

Counted by the advance detectors where the approach has some, each vehicle at its arrival (event + distance ÷ speed − latency), else
by the counters at the stop line. Presence zones at the stop line are not counted: one ON may be a queue. `volume`: vehicles;
`flow`: vehicles an hour. Zero in a bin in which the controller reported anything, no row in a silent one; `suspect(...)` when a
detector of the approach is stuck or in fault.

Source: UDOT ATSPM 5, approach volume (set-back shift).
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.configuration import Function
from processors.signals.detectors import soundness
from processors.signals.events import US
from processors.signals.phases import arrivals, by_phase
from processors.signals.rows import Rows

UNITS = {"volume": "veh", "flow": "veh/h"}


def rows(chunk: Chunk, out: Rows) -> None:
    """Two rows a bin and approach with counters."""
    counters = by_phase(chunk, Function.COUNT) | by_phase(chunk, Function.ADVANCE)
    for phase in sorted(counters):
        seen = arrivals(chunk, counters[phase]).t
        seen = seen[chunk.fresh(seen)]
        volume = np.bincount(chunk.bin(seen), minlength=len(chunk.starts))
        unsound = soundness(chunk, counters[phase])
        for b in np.flatnonzero((volume > 0) | (chunk.counts > 0)).tolist():
            quality = unsound.get(b, "")
            flow = float(volume[b]) * 3600 * US / chunk.bin_us
            chunk.add(out, "approach_volume", f"phase:{phase}", "volume", {b: float(volume[b])}, quality)
            chunk.add(out, "approach_volume", f"phase:{phase}", "flow", {b: flow}, quality)
