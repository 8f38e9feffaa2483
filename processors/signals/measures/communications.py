"""Communications: means of what the controller tells of its line, by code.

MAXVIEW's 400 (time drift), 500 (attempts), 501 (failures), 502 (loss), 503 (response time), in the vendor's units.

Source: PyPI atspm 2.6.1, `communications`.
"""

from __future__ import annotations

from processors.signals.chunk import Chunk
from processors.signals.measures.splits import means
from processors.signals.rows import Rows

UNITS = {"reports": "reports", "mean": "as the vendor's code"}
CODES = (400, 500, 501, 502, 503)


def rows(chunk: Chunk, out: Rows) -> None:
    """Two rows a bin and code that was reported."""
    means(chunk, out, "communications", CODES, "reports", "mean")
