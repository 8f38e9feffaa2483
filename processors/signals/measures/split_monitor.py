"""Split monitor: what each phase got, by the bin in which its cycle ended (begin of red).

Only whole cycles (`cycles`). `cycles`: how many; `split`, `split_p85`: mean and 85th percentile (nearest rank) of green + yellow + red
clearance as far as the cycle shows it, that is from begin of green to begin of the next red (code 1 to 9); `green`: mean green;
`programmed`: mean programmed split; `gap_outs`, `max_outs`, `force_offs`: share of cycles that ended so.

Source: UDOT ATSPM 5, split monitor.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.events import US, YELLOW_END
from processors.signals.measures import cycles
from processors.signals.rows import Rows

UNITS = {
    "cycles": "cycles",
    "split": "s",
    "split_p85": "s",
    "green": "s",
    "programmed": "s",
    "gap_outs": "1",
    "max_outs": "1",
    "force_offs": "1",
}


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows by phase for bins in which it ended a cycle."""
    for phase in chunk.parameters_of(YELLOW_END).tolist():
        element = f"phase:{phase}"
        cycle = cycles.reds(chunk, phase)
        chosen = cycle.whole & cycle.short & chunk.fresh(cycle.end)
        which = chunk.bin(cycle.end)
        how = cycles.ends(chunk, phase, cycle)
        told = cycles.programmed(chunk, phase, cycle)
        for b in np.unique(which[chosen]).tolist():
            inside = chosen & (which == b)
            n = int(inside.sum())
            split = np.sort(cycle.end[inside] - cycle.green[inside])
            values: dict[str, float | None] = {
                "cycles": float(n),
                "split": int(split.sum()) / n / US,
                "split_p85": int(split[-(-85 * n // 100) - 1]) / US,
                "green": int((cycle.yellow[inside] - cycle.green[inside]).sum()) / n / US,
            }
            for number, name in enumerate(("gap_outs", "max_outs", "force_offs"), 1):
                values[name] = int((how[inside] == number).sum()) / n
            if len(told) and (told[inside] >= 0).all():
                values["programmed"] = int(told[inside].sum()) / n
            for name, value in values.items():
                chunk.add(out, "split_monitor", element, name, {b: value})
