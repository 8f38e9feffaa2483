"""A peer's cases (udot-atspm): what it computes from the same events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from processors.signals import Configuration, Events, History
from processors.signals.events import US
from tests.support.shared import shared_data
from tests.support.signals import measured

NO_DETECTORS = History((Configuration(0, ()),))


def _micro(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 10) * US // 10


def _case(name: str) -> tuple[Events, list[dict[str, Any]]]:
    case = json.loads(shared_data("signals", name).read_text())
    given, expected = (part["$values"] if isinstance(part, dict) else part for part in (case["Input"], case["Output"]))
    return Events.of((_micro(one["Timestamp"]), one["EventCode"], one["EventParam"]) for one in given), expected


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_red_to_red_cycles() -> None:
    events, expected = _case("CreateRedToRedCyclesTestData1.json")
    actual = [(c.phase, c.start_us, c.green_us, c.yellow_us, c.end_us) for c in measured(events, NO_DETECTORS).cycles]
    assert len(actual) == 25
    edges = ("Start", "GreenEvent", "YellowEvent", "End")
    assert [(one["PhaseNumber"], *(_micro(one[edge]) for edge in edges)) for one in expected] == actual


def test_dwell_times_of_preemption() -> None:
    events, expected = _case("CalculateDwellTimeTestData1.json")
    rows = [row for row in measured(events, NO_DETECTORS).intervals if row.kind == "preempt_dwell"]
    assert len(rows) == 15
    assert [
        (f"preempt:{one['PreemptNumber']}", _micro(one["Start"]), _micro(one["End"]), _seconds(one["Seconds"]))
        for one in expected
    ] == [(row.element, row.onset_us, row.end_us, (row.end_us - row.onset_us) / US) for row in rows]
