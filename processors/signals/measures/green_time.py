"""Green time utilisation: how much of its green a phase used, by the bin of the cycle's end.

Of whole cycles (`cycles`): vehicles on green (over the stop line where it has counters, else arrivals of the advance detectors) x
`saturation_headway` (2 s) ÷ (green x counters). `utilisation`: that share, above 1 when traffic is denser than assumed; `vehicles`;
`green`: seconds of green; `per_second`: vehicles a second of green and counter.

Source: UDOT ATSPM 5, green time utilization, as one figure instead of its picture; HCM 7, chapter 19, v ÷ c.
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

UNITS = {"utilisation": "1", "vehicles": "veh", "green": "s", "per_second": "veh/s"}


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows by phase with counters for bins in which a cycle ended."""
    headway = chunk.parameters.saturation_headway.value
    counters = by_phase(chunk, Function.ADVANCE) | by_phase(chunk, Function.COUNT)
    for phase, detectors in sorted(counters.items()):
        cycle = reds(chunk, phase)
        chosen = cycle.whole & cycle.short & chunk.fresh(cycle.end)
        if not chosen.any():
            continue
        green, yellow, end = cycle.green[chosen], cycle.yellow[chosen], cycle.end[chosen]
        seen = arrivals(chunk, detectors).t
        vehicles = np.searchsorted(seen, yellow) - np.searchsorted(seen, green)
        which = chunk.bin(end)
        unsound = soundness(chunk, detectors)
        for b in np.unique(which).tolist():
            inside = which == b
            n, shown = int(vehicles[inside].sum()), int((yellow - green)[inside].sum()) / US
            rate = n / shown / len(detectors)
            values = {"utilisation": rate * headway, "vehicles": float(n), "green": shown, "per_second": rate}
            for name, value in values.items():
                chunk.add(out, "green_time", f"phase:{phase}", name, {b: value}, unsound.get(b, ""))
