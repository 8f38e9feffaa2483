"""Bins are a pure function of readings."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.thresholds import bin_tests
from ingest.readings import US, LaneReading
from processors.bins import BIN_US, Binner, Key, LaneBin
from tests.unit.processors.readings import LANES, NOON_US, reading, readings


def binner() -> Binner:
    return Binner(LANES, bin_tests())


def one_shot(given_readings: list[LaneReading]) -> dict[tuple[int, int], LaneBin]:
    """Every bin that the readings touch, each rebuilt from scratch."""
    fresh = binner()
    touching: dict[Key, list[LaneReading]] = {}
    for item in given_readings:
        for key in fresh.keys(item):
            touching.setdefault(key, []).append(item)
    found = {}
    for key, items in touching.items():
        fresh.load(key, items, 0)
        found.update({(b.lane, b.start_us): b for b in fresh.bins(key, final=True)})
    return found


def bin_of(*given_readings: LaneReading, lane: int = 11, minute: int = 0) -> LaneBin:
    return one_shot(list(given_readings))[lane, NOON_US + minute * BIN_US]


@given(st.lists(readings(), max_size=40), st.data())
def test_any_order_any_batches_and_any_restarts_give_the_same_bits(items: list[LaneReading], data: st.DataObject) -> None:
    """One by one in another order, forgetting some state on the way, equals one pass over all."""
    expected = one_shot(items)
    shuffled = data.draw(st.permutations(items))
    live = binner()
    raw: dict[Key, list[LaneReading]] = {}
    for item in shuffled:
        keys = live.keys(item)
        for key in keys:
            raw.setdefault(key, []).append(item)
        held = [key for key in keys if live.holds(key)]
        for key in held:
            live.add(key, [item], 0)
        for key in keys:
            if key not in held:
                live.load(key, raw[key], 0)
        if data.draw(st.integers(0, 9)) == 0:
            live.forget(list(raw))

    found = {}
    for key, stored in raw.items():
        if not live.holds(key):
            live.load(key, stored, 0)
        found.update({(b.lane, b.start_us): b for b in live.bins(key, final=True)})

    assert expected == found


@given(st.lists(readings(), max_size=40))
def test_totals_of_readings_are_kept_in_bins(items: list[LaneReading]) -> None:
    """Whatever is split: no vehicle, of any class, is lost or made."""
    bins = one_shot(items).values()

    def total(field: str, rows: Iterable[object]) -> int:
        return sum(int(getattr(row, field) or 0) for row in rows)

    for field in ("volume", "sm", "mp", "ks", "bb", "tb", "ktb"):
        assert total(field, items if field == "volume" else [r for r in items if r.volume is not None]) == total(field, bins)


@given(st.lists(readings(), min_size=1, max_size=40))
def test_missing_is_never_zero(items: list[LaneReading]) -> None:
    for lane_bin in one_shot(items).values():
        assert (lane_bin.volume is None) == (lane_bin.covered_ms == 0)
        assert (lane_bin.quality.startswith("missing")) == (lane_bin.volume is None)


def test_a_60_s_reading_is_one_bin() -> None:
    found = bin_of(reading(period_s=60, volume=17, occupancy=2345, speed=301, sm=12, mp=5, ks=0, bb=0, tb=0, ktb=0))

    assert LaneBin(11, NOON_US, 1, 60_000, 17, 2345 * 60_000, 60_000, 301 * 17, 17, 12, 5, 0, 0, 0, 0, "good", True) == found


def test_1_s_readings_sum_and_speed_is_weighted_by_volume() -> None:
    found = bin_of(
        *(reading(at_s=s, period_s=1, seq=s, volume=s % 3, speed=100 * (s % 3) or None, occupancy=s) for s in range(60))
    )

    assert 60 == found.volume
    assert (20 * 100 * 1 + 20 * 200 * 2, 60) == (found.speed_sum, found.speed_volume)
    assert sum(range(60)) * 1000 == found.occupancy_sum
    assert "good" == found.quality


@pytest.mark.parametrize(
    ("given_readings", "quality"),
    [
        # Half a minute is not a minute.
        ([reading(period_s=30)], "partial"),
        # Ends 30 s beyond its minute: counted whole, and said so.
        ([reading(at_s=30, period_s=60)], "suspect(edge)"),
        # Ends 2 s beyond: a clock that is not quite even.
        ([reading(at_s=2, period_s=60)], "good"),
        # Five minutes in one number: divided, and said so.
        ([reading(period_s=300, volume=7)], "imputed(split)"),
        # More than a minute of readings in a minute: a clock was stepped.
        ([reading(period_s=60, seq=1), reading(at_s=1, period_s=10, seq=2)], "suspect(overlap)"),
        ([reading(period_s=60, future=True)], "suspect(clock)"),
        # Stuck on: occupied all the time, and nothing passes.
        ([reading(period_s=60, volume=0, occupancy=10_000, speed=None)], "suspect(locked_on)"),
        # A queue that moves is not stuck.
        ([reading(period_s=60, volume=1, occupancy=10_000, speed=10)], "good"),
        ([reading(period_s=60, volume=3, speed=2500)], "suspect(speed_high)"),
        ([reading(period_s=60, volume=500)], "suspect(volume_high)"),
        # 0 is an observation.
        ([reading(period_s=60, volume=0, occupancy=0, speed=None)], "good"),
        # A fault covers nothing and its word stays.
        ([reading(period_s=60, volume=None, occupancy=None, speed=None, fault="open_loop")], "missing(detector:open_loop)"),
        # The device answered, without a number.
        ([reading(period_s=60, volume=None, occupancy=None, speed=None)], "missing(detector)"),
        # Another lane of the device was heard.
        ([reading(lane=12, period_s=60)], "missing(lane)"),
        # A fault in half of the minute leaves the other half.
        (
            [
                reading(period_s=30),
                reading(at_s=30, period_s=30, seq=1, volume=None, occupancy=None, speed=None, fault="open_loop"),
            ],
            "partial",
        ),
    ],
)
def test_quality(given_readings: list[LaneReading], quality: str) -> None:
    assert quality == bin_of(*given_readings).quality


def test_a_vehicle_without_a_period_counts_and_covers_no_time() -> None:
    found = bin_of(reading(period_s=0, volume=1), reading(at_s=7, period_s=0, seq=1, volume=1))

    assert (2, 0, "partial") == (found.volume, found.covered_ms, found.quality)


def test_a_silent_device_is_the_missing_element() -> None:
    silent = binner()
    silent.load((1, NOON_US), [], 0)

    assert ["missing(device)"] * 3 == [b.quality for b in silent.bins((1, NOON_US), final=True)]


def test_a_long_reading_is_divided_exactly() -> None:
    long = reading(period_s=300, volume=7)

    assert [1, 1, 2, 1, 2] == [bin_of(long, minute=minute).volume for minute in range(5)]


def test_only_changed_lanes_are_stored_while_a_minute_is_open() -> None:
    live = binner()
    live.load((1, NOON_US), [reading(lane=11), reading(lane=12)], 0)

    assert {11, 12} == {b.lane for b in live.bins((1, NOON_US), final=False)}

    live.add((1, NOON_US), [reading(lane=12, at_s=10, seq=1)], 0)

    assert {12} == {b.lane for b in live.bins((1, NOON_US), final=False)}
    assert {11, 12, 13} == {b.lane for b in live.bins((1, NOON_US), final=True)}


def test_memory_is_bounded_by_eviction() -> None:
    live = binner()
    live.load((1, NOON_US), [], now_us=5 * US)
    live.evict(before_us=5 * US)
    assert live.holds((1, NOON_US))

    live.evict(before_us=6 * US)
    assert not live.holds((1, NOON_US))
