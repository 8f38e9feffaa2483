"""Golden cases of every feed: a message, and exactly what must become of it.

Numbers of the registry are written as the names they stand for, microseconds as UTC times.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.door import Admission
from ingest.registry import Registry
from tests.unit.ingest.cases import CASES, admit, read
from tests.unit.ingest.samples import DIALECTS, FEEDS, sample_door


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
        **({"source": registry.device_name(admission.source)} if admission.also else {}),
        **({"numbers": list(admission.numbers)} if admission.numbers else {}),
        **(
            {"also": [{"source": registry.device_name(a.source), **shown(a, registry)} for a in admission.also]}
            if admission.also
            else {}
        ),
    }


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_cases_a_sample_and_a_page(dialect: str) -> None:
    folder = FEEDS / dialect
    assert (folder / "sample.yaml").is_file()
    assert (folder / "README.md").is_file()
    assert len(list(folder.glob("cases/*.json"))) >= 5


def test_every_folder_is_a_dialect() -> None:
    assert {path.parent.name for path in FEEDS.glob("*/decoder.py")} == set(DIALECTS)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_golden_case(path: Path) -> None:
    case, dialect = read(path), path.parent.parent.name
    door, registry = sample_door(dialect)
    assert shown(admit(door, case, dialect), registry) == case["expected"]
