"""Has data: whether the controller's log of a bin is whole.

A bin has data when every sub-bin of `sub_bin_min` (5 min) holds at least `sub_bin_events` (3) events of standard codes (up to
218). The quality of every other figure of the bin follows: `good` with data, `partial` with some events, `missing(device)`
without any. A silent controller gets rows for 24 h, then none.

Source: PyPI atspm 2.6.1, `has_data`.
"""

from __future__ import annotations

from processors.quality import missing
from processors.signals.chunk import Chunk
from processors.signals.events import DAY_US, US
from processors.signals.rows import Measure, Rows

UNITS = {"has_data": "1 or 0", "events": "events"}


def rows(chunk: Chunk, out: Rows) -> None:
    """Two rows a bin."""
    period = chunk.bin_us // US
    for start, whole, count, quality in zip(
        chunk.starts.tolist(), chunk.complete.tolist(), chunk.counts.tolist(), chunk.quality, strict=True
    ):
        if not count and start - chunk.last_before(start) >= DAY_US:
            continue
        told = quality if count else missing("device")
        out.measures.append(Measure(start, period, "has_data", "", "has_data", float(whole), told))
        out.measures.append(Measure(start, period, "has_data", "", "events", float(count), told))
