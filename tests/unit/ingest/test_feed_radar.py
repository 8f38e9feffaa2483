"""The radar: classes one row a code, and bins that are exact where the radar watched and no fuller than that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.thresholds import bin_tests
from ingest.readings import LaneReading
from processors.bins import BIN_US, Binner, LaneBin
from tests.unit.ingest.samples import sample_door

TOPIC = "topo/devices/4711/evt/vehicle"
BEGIN_MS = 1_795_478_400_000  # a full minute
DOOR, REGISTRY = sample_door("radar")
RADAR = REGISTRY.named("radar-sample")


def admit(time_ms: int, counter: int, quiet_ms: int, **more: Any) -> list[LaneReading]:
    vehicle = {"t": time_ms, "c": counter, "lane": 0, "dir": 0, "class": 1, "speed": 40, "td_lane": quiet_ms, **more}
    admission = DOOR.admit(TOPIC, json.dumps(vehicle).encode(), time_ms * 1000 + 300_000)
    assert admission.dead == []
    return [record for record in admission.records if isinstance(record, LaneReading)]


@pytest.mark.parametrize(
    ("code", "axles", "expected"),
    [
        (235, 2, "sm"),
        (1, 2, "mp"),
        (240, 2, "mp"),
        (4, 2, "mp"),  # light van
        (2, 3, "mp"),  # car with trailer: its axles do not make it a lorry
        (3, 3, "mp"),
        (8, 2, "ks"),
        (12, 3, "tb"),
        (32, 4, "tb"),
        (69, 5, "tb"),
        (96, 5, "tb"),
        (107, 5, "tb"),
        (120, 2, "bb"),
        (125, 3, "bb"),
        (230, 2, "ktb"),
        (234, 2, "ktb"),
        (225, 2, None),  # other
        (70, 2, None),  # between the ranges
        (999, 2, None),
        (-1, 2, None),
        (None, 2, None),
    ],
)
def test_class_codes(code: int | None, axles: int, expected: str | None) -> None:
    [reading] = admit(BEGIN_MS + 5000, 1, 1000, **{"class": code, "axles": axles})
    found = {name: getattr(reading, name) for name in ("sm", "mp", "ks", "bb", "tb", "ktb")}
    assert found == dict.fromkeys(found, 0) | ({expected: 1} if expected else {})


@pytest.mark.parametrize(
    ("quiet_ms", "rows", "covered_ms"),
    [
        (0, 1, 0),  # after a restart
        (-5, 1, 0),  # a clock set back
        (1, 1, 1),
        (3_600_000, 61, 3_600_000),  # 08:30:05.001, an hour back: 60 whole or partial minutes and the begun one
        (86_400_000, 61, 3_600_000),  # a day: an hour is taken
    ],
)
def test_quiet_times(quiet_ms: int, rows: int, covered_ms: int) -> None:
    readings = admit(BEGIN_MS + 1_805_000, 1, quiet_ms)
    assert len(readings) == rows
    assert sum(reading.period_ms for reading in readings) == covered_ms
    assert sum(reading.volume or 0 for reading in readings) == 1
    assert readings[0].volume == 1


def bins(readings: list[LaneReading], lane: int, minutes: int) -> list[LaneBin]:
    binner = Binner({1: [lane]}, bin_tests())
    found = []
    for minute in range(minutes):
        key = (1, (BEGIN_MS * 1000) + minute * BIN_US)
        binner.load(key, [r for r in readings if key in binner.keys(r)], 0)
        found += binner.bins(key, final=True)
    return found


@settings(max_examples=40, deadline=None)
@given(
    gaps=st.lists(st.integers(1, 200_000), min_size=1, max_size=60),
    lost=st.sets(st.integers(0, 59)),
    shuffle=st.randoms(use_true_random=False),
)
def test_bins_count_every_vehicle_and_cover_only_what_was_told(gaps: list[int], lost: set[int], shuffle: Any) -> None:
    assert RADAR is not None
    lane = RADAR.lanes["0-in"]
    times = [BEGIN_MS - 1 + sum(gaps[: index + 1]) for index in range(len(gaps))]
    heard = [(time, index, gaps[index]) for index, time in enumerate(times) if index not in lost]
    readings = [reading for time, index, gap in heard for reading in admit(time, index, gap)]
    shuffle.shuffle(readings)
    minutes = (times[-1] - BEGIN_MS) // 60_000 + 1
    for minute, lane_bin in enumerate(bins(readings, lane, minutes)):
        begin = BEGIN_MS + minute * 60_000
        told = [
            moment
            for time, _, gap in heard
            for moment in (max(begin, time + 1 - gap), min(begin + 60_000, time + 1))
            if time + 1 > begin and time + 1 - gap < begin + 60_000
        ]
        covered = sum(told[1::2]) - sum(told[::2])
        assert lane_bin.covered_ms == covered
        assert (lane_bin.volume or 0) == sum(begin <= time < begin + 60_000 for time, _, _ in heard)
        assert lane_bin.volume is not None or covered == 0
        if covered == 60_000:
            assert lane_bin.quality in ("good", "suspect(volume_high)")


def test_a_detection_sent_twice_is_the_same_rows() -> None:
    assert [(r.lane, r.start_us, r.seq) for r in admit(BEGIN_MS + 130_000, 7, 90_000)] == [
        (r.lane, r.start_us, r.seq) for r in admit(BEGIN_MS + 130_000, 7, 90_000)
    ]
