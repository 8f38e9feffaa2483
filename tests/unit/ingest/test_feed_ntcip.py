"""NTCIP: units and fault codes, one row a code: a fault becomes a name, and never a number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.door import Admission
from ingest.readings import LaneReading
from tests.unit.ingest.samples import sample_door

RECEIVED = 1_795_478_410_500_000  # 2026-11-24T08:00:10.5+08:00
END = "2026-11-24T08:00:10+08:00"


def ntcip(volume: int | None, occupancy: int | None) -> Admission:
    door, _ = sample_door("ntcip")
    detector = {"number": 1, "volume": volume, "occupancy": occupancy}
    payload = json.dumps({"seq": 1, "end": END, "period_s": 10, "detectors": [detector]}).encode()
    return door.admit("ntcip/gw-1/17/volume-occupancy", payload, RECEIVED)


def values(admission: Admission) -> tuple[Any, ...]:
    [reading] = admission.records
    assert isinstance(reading, LaneReading)
    return reading.volume, reading.occupancy, reading.fault


@pytest.mark.parametrize(
    ("volume", "occupancy", "expected"),
    [
        (0, 0, (0, 0, None)),
        (254, 1, (254, 50, None)),  # one step is 0.5 %
        (3, 199, (3, 9950, None)),
        (3, 200, (3, 10_000, None)),  # the last number
        (3, 210, (None, None, "max_presence")),
        (3, 211, (None, None, "no_activity")),
        (3, 212, (None, None, "open_loop")),
        (3, 213, (None, None, "shorted_loop")),
        (3, 214, (None, None, "excessive_change")),
        (3, 215, (None, None, "reserved")),
        (3, 216, (None, None, "watchdog")),
        (3, 217, (None, None, "erratic_output")),
        (255, 30, (None, None, "volume_overflow")),
        (255, 212, (None, None, "open_loop")),  # the detector's fault says more than the counter's
        (None, 30, (None, 1500, None)),
        (3, None, (3, None, None)),
    ],
)
def test_units_and_fault_codes(volume: int | None, occupancy: int | None, expected: tuple[Any, ...]) -> None:
    assert values(ntcip(volume, occupancy)) == expected


@pytest.mark.parametrize("occupancy", [*range(201, 210), *range(218, 256)])
def test_reserved_occupancies_are_refused(occupancy: int) -> None:
    admission = ntcip(3, occupancy)
    assert admission.records == []
    assert [letter.reason for letter in admission.dead] == ["out_of_range"]
