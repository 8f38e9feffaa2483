"""Golden cases of every feed: a message, and exactly what must become of it.

A case is one JSON file in `ingest/feeds/<dialect>/cases/`, named after what it shows or after the bug it stands for. Its
payload is `payload` (JSON), `payload_text` or `payload_hex`. Numbers of the registry are written as the names they stand for,
microseconds as UTC times.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest import feeds
from ingest.door import Admission, Door
from ingest.fixedpoint import microseconds
from ingest.registry import Registry

CASES = sorted(Path(feeds.__file__).parent.glob("*/cases/*.json"))


def payload_of(case: dict[str, Any]) -> bytes:
    if "payload_hex" in case:
        return bytes.fromhex(case["payload_hex"])
    text = case["payload_text"] if "payload_text" in case else json.dumps(case["payload"])
    return str(text).encode()


def moment(us: int | None) -> str | None:
    return None if us is None else (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat()


def field(name: str, value: Any, registry: Registry) -> tuple[str, Any]:
    """One field of a record as a case writes it down."""
    if name.endswith("_us"):
        return name.removesuffix("_us"), moment(value)
    value = list(value) if isinstance(value, tuple) else value
    names = {"lane": registry.lane_name, "device": registry.device_name, "metric": registry.metric_name}
    return name, names[name](value) if name in names else value


def shown(admission: Admission, registry: Registry) -> dict[str, Any]:
    """The admission as a case writes it down; dead letters without payload and topic, which are the message's."""
    return {
        "disposition": admission.disposition.value,
        "seq": admission.seq,
        "time": moment(admission.time_us),
        "records": [
            {
                "record": type(record).__name__,
                **dict(
                    field(name, value, registry) for name, value in msgspec.to_builtins(record).items() if name != "received_us"
                ),
            }
            for record in admission.records
        ],
        "dead": [{"reason": letter.reason, "detail": letter.detail, "partial": letter.partial} for letter in admission.dead],
    }


def test_there_are_cases() -> None:
    assert len(CASES) > 20


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_golden_case(door: Door, registry: Registry, path: Path) -> None:
    case = json.loads(path.read_text())
    received_us = microseconds(datetime.fromisoformat(case["received"]))
    assert shown(door.admit(case["topic"], payload_of(case), received_us), registry) == case["expected"]
