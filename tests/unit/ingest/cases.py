"""Golden cases: one JSON file in `ingest/feeds/<dialect>/cases/`, named after what it shows or the bug it stands for.

Its payload is `payload` (JSON), `payload_text`, `payload_hex`, or `payload_encoded`: JSON that `encode` of the feed's
`encode.py` turns into what is sent, for dialects that are not text. `before` are messages that came earlier, for feeds that
remember something.
"""

from __future__ import annotations

import json
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from ingest.door import Admission, Door
from ingest.fixedpoint import microseconds
from tests.unit.ingest.samples import FEEDS

CASES = sorted(FEEDS.glob("*/cases/*.json"))


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text())
    return case


def payload_of(case: dict[str, Any], dialect: str) -> bytes:
    if "payload_hex" in case:
        return bytes.fromhex(case["payload_hex"])
    if "payload_encoded" in case:
        encoder = import_module(f"ingest.feeds.{dialect}.encode")
        return bytes(encoder.encode(case["payload_encoded"]))
    text = case["payload_text"] if "payload_text" in case else json.dumps(case["payload"])
    return str(text).encode()


def received_us(case: dict[str, Any]) -> int:
    return microseconds(datetime.fromisoformat(case["received"]))


def admit(door: Door, case: dict[str, Any], dialect: str) -> Admission:
    """What the door says to the case, after what came before it."""
    for earlier in case.get("before", []):
        door.admit(earlier["topic"], payload_of(earlier, dialect), received_us(case))
    return door.admit(case["topic"], payload_of(case, dialect), received_us(case))
