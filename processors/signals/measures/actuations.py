"""Actuations: how often each detector went on (code 82) in a bin.

Every channel that went on is counted, whatever its function; a channel of a stop-line presence zone has `actuations` too, but
these are not vehicles (`approach_volume` leaves them out). A configured channel, or one that went on within the last
`known_days` (2), gets a zero in a bin in which the controller reported anything; in a silent bin it gets no row: missing is not
zero.

Source: PyPI atspm 2.6.1, `actuations` with `fill_in_missing`.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.events import DAY_US, DETECTOR_ON, Flags
from processors.signals.rows import Rows

UNITS = {"actuations": "events"}


def rows(chunk: Chunk, out: Rows) -> None:
    """One row a bin and channel."""
    index = chunk.of(DETECTOR_ON)
    channel, t = chunk.par[index], chunk.t[index]
    ids = np.union1d(np.unique(channel), np.array([d.number for d in chunk.configuration.detectors], dtype=np.int64))
    if not len(ids):
        return
    inside = index >= chunk.first
    values = np.zeros((len(ids), len(chunk.starts)))
    np.add.at(values, (np.searchsorted(ids, channel[inside]), chunk.bin(t[inside])), 1)
    configured = {detector.number for detector in chunk.configuration.detectors}
    known = np.zeros(values.shape, dtype=np.bool_)
    longest = chunk.parameters.known_days.value * DAY_US
    for row, number in enumerate(ids.tolist()):
        if number in configured:
            known[row] = True
            continue
        times = chunk.times(DETECTOR_ON, number)
        last = np.searchsorted(times, chunk.starts) - 1
        known[row] = (last >= 0) & (chunk.starts - times[np.maximum(last, 0)] <= longest)
    chunk.table(out, "actuations", "detector", "actuations", ids, values, (values > 0) | (known & (chunk.counts > 0)[None, :]))


def keep(chunk: Chunk) -> Flags:
    """When each channel went on last."""
    return chunk.keep_last(DETECTOR_ON)
