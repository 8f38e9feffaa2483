"""Preemption and priority: how often and how long emergency vehicles and buses changed the signals, by request number.

* `calls` (code 102), `entries` (105), `dwells` (107), `exits` (111): events of preemption.
* `dwell`: mean of begin of dwell (107) to begin of exit (111), by the bin of the exit; `entry`: mean of 105 to 107.
* `check_ins` (112), `early_greens` (113), `late_greens` (114), `check_outs` (115), `services` (118): events of priority.

Those intervals are told one by one as kinds `preempt`, `preempt_entry`, `preempt_dwell`, `tsp_call`, `tsp_adjustment`,
`tsp_service` (see `timeline`). Repaired intervals are in no mean.

Source: UDOT ATSPM 5, preemption details (dwell time); Indiana enumerations.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.events import US
from processors.signals.measures.timeline import pairs
from processors.signals.rows import Rows

UNITS = {
    "calls": "events",
    "entries": "events",
    "dwells": "events",
    "exits": "events",
    "dwell": "s",
    "entry": "s",
    "check_ins": "events",
    "early_greens": "events",
    "late_greens": "events",
    "check_outs": "events",
    "services": "events",
}
PREEMPTIONS = {"calls": 102, "entries": 105, "dwells": 107, "exits": 111}
PRIORITIES = {"check_ins": 112, "early_greens": 113, "late_greens": 114, "check_outs": 115, "services": 118}


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows for what occurred."""
    for name, code in PREEMPTIONS.items():
        chunk.count(out, "preemption", "preempt", name, code)
    for name, code in PRIORITIES.items():
        chunk.count(out, "preemption", "request", name, code)
    for name, codes in (("dwell", (107, 111)), ("entry", (105, 107))):
        for number, onset, end, repaired in pairs(chunk, {name: codes}).values():
            sound = ~(repaired | chunk.untrusted(onset, end))
            for one in np.unique(number[sound]).tolist():
                mine = sound & (number == one)
                chunk.mean(out, "preemption", f"preempt:{one}", name, end[mine], (end - onset)[mine] / US)
