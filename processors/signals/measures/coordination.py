"""Coordination: pattern (code 131), cycle (132), offset (133), and MAXTIME's actual cycle (316) and offset (318).

The last value told up to the end of a bin, carried forward for at most `open_longest` (7 days) through bins that have data; of
several at one moment the highest. Nothing is told before the first report: unknown is not 0. Pattern 254 is free, 255 is flash.

Source: PyPI atspm 2.6.1, `coordination` and `coordination_agg`; UDOT ATSPM 5 for 254 and 255.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.events import CYCLE_LENGTH, PATTERN, Flags
from processors.signals.rows import Rows

UNITS = {"pattern": "number", "cycle": "s", "offset": "s", "actual_cycle": "s", "actual_offset": "s"}
CODES = {"pattern": PATTERN, "cycle": CYCLE_LENGTH, "offset": 133, "actual_cycle": 316, "actual_offset": 318}


def rows(chunk: Chunk, out: Rows) -> None:
    """One row a bin with data and figure that is known."""
    ends = chunk.starts + chunk.bin_us
    for name, code in CODES.items():
        # The canonical order of events holds the highest of one moment last.
        index = np.sort(chunk.of(code))
        t = chunk.t[index]
        last = np.searchsorted(t, ends) - 1
        known = (last >= 0) & chunk.complete
        if len(t):
            known &= ends - t[np.maximum(last, 0)] <= chunk.open_longest_us
        values = {int(b): float(chunk.par[index[last[b]]]) for b in np.flatnonzero(known)}
        chunk.add(out, "coordination", "", name, dict(values))


def keep(chunk: Chunk) -> Flags:
    """The last report of each kind."""
    mask = np.zeros(len(chunk.t), dtype=np.bool_)
    for code in CODES.values():
        index = np.sort(chunk.of(code))
        mask |= chunk.keep_since(index, np.zeros(len(index), dtype=np.int64), chunk.end_us)
    return mask
