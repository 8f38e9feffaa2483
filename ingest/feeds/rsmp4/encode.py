"""The way back, for golden cases and for those who build a controller: Python values to what RSMP 4 sends."""

from __future__ import annotations

import cbor2


def encode(value: object) -> bytes:
    """JSON-like data as CBOR."""
    return cbor2.dumps(value)
