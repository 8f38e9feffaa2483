"""Readings for tests of processors, made by hand or by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ingest.readings import US, LaneReading

MINUTE_US = 60 * US
NOON_US = 1_795_492_800 * US  # 2026-11-24 12:00 WITA, 04:00 UTC
LANES = {1: (11, 12, 13), 2: (21,)}


def reading(lane: int = 11, at_s: float = 0.0, period_s: float = 10.0, seq: int = 0, **values: Any) -> LaneReading:
    """A reading that begins `at_s` seconds after noon; `values` are fields of LaneReading."""
    fields: dict[str, Any] = {
        "volume": 1, "occupancy": 1000, "speed": 300, "sm": None, "mp": None, "ks": None, "bb": None, "tb": None, "ktb": None,
        "fault": None, "future": False,
    }  # fmt: skip
    fields.update(values)
    return LaneReading(
        lane=lane,
        start_us=NOON_US + round(at_s * US),
        seq=seq,
        period_ms=round(period_s * 1000),
        received_us=NOON_US + round((at_s + period_s) * US),
        **fields,
    )


@st.composite
def readings(draw: st.DrawFn) -> LaneReading:
    """Any reading the door may let in, within a quarter of an hour."""
    faulty = draw(st.booleans()) and draw(st.booleans())
    classes = None if faulty or draw(st.booleans()) else draw(st.lists(st.integers(0, 20), min_size=6, max_size=6))
    volume = None if faulty else draw(st.one_of(st.none(), st.integers(0, 200)))
    if classes is not None:
        volume = sum(classes)
    sm, mp, ks, bb, tb, ktb = classes if classes is not None else (None,) * 6
    return LaneReading(
        lane=draw(st.sampled_from([11, 12, 13, 21])),
        start_us=NOON_US + draw(st.integers(0, 900_000)) * 1000,
        seq=draw(st.integers(0, 1000)),
        period_ms=draw(st.one_of(st.sampled_from([1000, 5000, 10_000, 60_000, 300_000]), st.integers(1, 3_600_000))),
        volume=volume,
        occupancy=None if faulty else draw(st.one_of(st.none(), st.integers(0, 10_000))),
        speed=None if faulty or not volume else draw(st.one_of(st.none(), st.integers(0, 3000))),
        sm=sm, mp=mp, ks=ks, bb=bb, tb=tb, ktb=ktb,
        fault=draw(st.sampled_from(["open_loop", "max_presence"])) if faulty else None,
        future=draw(st.booleans()) and draw(st.booleans()),
        received_us=NOON_US,
    )  # fmt: skip
