"""Splits: how often MAXTIME controllers reported a split, and its mean (codes 300 to 317), by code.

Codes 300 to 315 are the splits of phases 1 to 16, 316 is the cycle.

Source: PyPI atspm 2.6.1, `splits` (MAXTIME only).
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import Chunk
from processors.signals.rows import Rows

UNITS = {"services": "reports", "split": "s"}
CODES = range(300, 318)


def rows(chunk: Chunk, out: Rows) -> None:
    """Two rows a bin and code that was reported."""
    means(chunk, out, "splits", CODES, "services", "split")


def means(chunk: Chunk, out: Rows, measure: str, codes: range | tuple[int, ...], services: str, mean: str) -> None:
    """Number and mean of the parameters of each code."""
    for code in codes:
        index = chunk.of(code)
        index = index[index >= chunk.first]
        if not len(index):
            continue
        which = chunk.bin(chunk.t[index])
        count = np.bincount(which, minlength=len(chunk.starts))
        total = np.bincount(which, weights=chunk.par[index], minlength=len(chunk.starts))
        values = {int(b): float(total[b] / count[b]) for b in np.flatnonzero(count)}
        chunk.add(out, measure, f"code:{code}", mean, dict(values))
        chunk.add(out, measure, f"code:{code}", services, {b: float(count[b]) for b in values})
