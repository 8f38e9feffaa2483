"""Terminations: how greens ended, by phase: gap-out (code 4), max-out (5), force-off (6).

Source: Purdue phase termination (Indiana enumerations); PyPI atspm 2.6.1, `terminations`.
"""

from __future__ import annotations

from processors.signals.chunk import Chunk
from processors.signals.events import FORCE_OFF, GAP_OUT, MAX_OUT
from processors.signals.rows import Rows

UNITS = {"gap_out": "greens", "max_out": "greens", "force_off": "greens"}
CODES = {"gap_out": GAP_OUT, "max_out": MAX_OUT, "force_off": FORCE_OFF}


def rows(chunk: Chunk, out: Rows) -> None:
    """One row a bin, phase and kind that occurred."""
    for name, code in CODES.items():
        chunk.count(out, "terminations", "phase", name, code)
