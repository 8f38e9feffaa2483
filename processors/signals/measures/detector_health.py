"""Detector health: whether each configured channel can be believed, by channel.

* `occupancy`: share of the bin in which it was on, as far as known at the end of the bin; None while it has told nothing.
* `stuck_on`: 1 when it has been on for longer than `stuck_on` (15 min) without a word.
* `fault`: 1 when the controller reported a fault (codes 84 to 88) that is not restored (83).
* `lost_edges`: ON after ON or OFF after OFF: edges that were lost on the way.
* `silent`: hours since its last event at the end of the bin, at most 168.

Rows of a silent controller are not given: that is the device's fault, not the detector's. Comparison with other weeks is the
watchdog's.

Source: UDOT ATSPM 5, watchdog; Indiana enumerations; in place of atspm's `detector_health`, which needs weeks of counts.
"""

from __future__ import annotations

import numpy as np

from processors.quality import missing
from processors.signals.chunk import FAR, Chunk
from processors.signals.detectors import covers, faults, presence, stuck
from processors.signals.events import DETECTOR_OFF, DETECTOR_ON, US
from processors.signals.rows import Rows

UNITS = {"occupancy": "1", "stuck_on": "1 or 0", "fault": "1 or 0", "lost_edges": "events", "silent": "h"}
HOUR_US = 3600 * US


def rows(chunk: Chunk, out: Rows) -> None:
    """Five rows a bin and configured channel."""
    ends = chunk.starts + chunk.bin_us
    for channel in sorted({detector.number for detector in chunk.configuration.detectors}):
        element = f"detector:{channel}"
        seen = presence(chunk, channel, chunk.end_us)
        hidden = covers(*stuck(chunk, seen), chunk.starts, ends)
        broken = covers(*faults(chunk, channel), chunk.starts, ends)
        index = np.sort(np.append(chunk.times(DETECTOR_ON, channel), chunk.times(DETECTOR_OFF, channel)))
        slot = np.searchsorted(index, ends) - 1
        age = np.where(slot >= 0, ends - np.append(index, FAR)[slot], FAR)
        lost = lost_edges(chunk, channel)
        for b in np.flatnonzero(chunk.counts > 0).tolist():
            told = age[b] <= chunk.open_longest_us
            part = on_time(chunk, channel, int(chunk.starts[b]), int(ends[b])) / chunk.bin_us if told else None
            values = {
                "occupancy": part,
                "stuck_on": float(hidden[b]),
                "fault": float(broken[b]),
                "lost_edges": float(lost[b]),
                "silent": float(age[b]) / HOUR_US if told else None,
            }
            for name, value in values.items():
                quality = missing("detector") if value is None else ""
                chunk.add(out, "detector_health", element, name, {b: value}, quality)


def on_time(chunk: Chunk, channel: int, begin: int, end: int) -> int:
    """Microseconds in which a channel was on, from its ON to the next event of it; no half-way repairs, which need the future."""
    on, off = chunk.times(DETECTOR_ON, channel), chunk.times(DETECTOR_OFF, channel)
    first, last = (int(np.searchsorted(on, edge)) for edge in (begin, end))
    events = on[max(first - 1, 0) : last]
    following = np.minimum(
        np.append(on, FAR)[np.searchsorted(on, events, side="right")], np.append(off, FAR)[np.searchsorted(off, events)]
    )
    return int(np.maximum(np.minimum(following, end) - np.maximum(events, begin), 0).sum())


def lost_edges(chunk: Chunk, channel: int) -> np.ndarray:
    """By bin, how often an event repeated the one before it."""
    on, off = chunk.times(DETECTOR_ON, channel), chunk.times(DETECTOR_OFF, channel)
    t = np.append(off, on)
    kind = np.append(np.zeros(len(off)), np.ones(len(on)))
    order = np.lexsort((kind, t))
    t, kind = t[order], kind[order]
    again = t[1:][(kind[1:] == kind[:-1]) & (np.diff(t) <= chunk.open_longest_us)]
    again = again[chunk.fresh(again)]
    return np.bincount(chunk.bin(again), minlength=len(chunk.starts))
