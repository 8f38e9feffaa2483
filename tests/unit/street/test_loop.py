"""From SUMO's vehicle data of one second to counts, occupancy and changes."""

from __future__ import annotations

import pytest

from ingest.contract import VehicleClass
from subak.street.loop import Change, Loop, LoopSecond, Passage, Raw

# Each case: seconds of raw data (from second 0), and what they must give.
CASES: list[tuple[str, list[list[Raw]], list[LoopSecond]]] = [
    ("nothing", [[]], [LoopSecond()]),
    (
        "one vehicle inside a second",
        [[("SM.1", 1.9, 0.2, 0.5, "SM")]],
        [LoopSecond((Passage(VehicleClass.SM, 360),), 30, (Change(20, on=True), Change(50, on=False)))],
    ),
    (
        "a vehicle over an edge is counted in the second in which it comes",
        [[("MP.1", 4.3, 0.8, -1, "MP")], [("MP.1", 4.3, 0.8, 1.3, "MP")]],
        [
            LoopSecond((Passage(VehicleClass.MP, 360),), 20, (Change(80, on=True),)),
            LoopSecond((), 30, (Change(30, on=False),)),
        ],
    ),
    (
        "one that stands is counted once and occupies all the time",
        [[("MP.1", 4.3, 0.0, -1, "MP")], [("MP.1", 4.3, 0.0, -1, "MP")], []],
        [
            LoopSecond((Passage(VehicleClass.MP, 360),), 100, (Change(0, on=True),)),
            LoopSecond((), 100, ()),
            LoopSecond((), 0, (Change(0, on=False),)),
        ],
    ),
    (
        "two beside each other occupy the road once",
        [[("SM.1", 1.9, 0.1, 0.4, "SM"), ("SM.2", 1.9, 0.2, 0.5, "SM")]],
        [
            LoopSecond(
                (Passage(VehicleClass.SM, 360), Passage(VehicleClass.SM, 360)), 40, (Change(10, on=True), Change(50, on=False))
            )
        ],
    ),
    (
        "a gap frees the loop",
        [[("SM.1", 1.9, 0.1, 0.3, "SM"), ("SM.2", 1.9, 0.6, -1, "SM")]],
        [
            LoopSecond(
                (Passage(VehicleClass.SM, 360), Passage(VehicleClass.SM, 360)),
                60,
                (Change(10, on=True), Change(30, on=False), Change(60, on=True)),
            )
        ],
    ),
]


@pytest.mark.parametrize(("raw", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_seconds(raw: list[list[Raw]], expected: list[LoopSecond]) -> None:
    loop = Loop(set(), lambda _: 10.0)
    actual = [loop.second(data, float(start)) for start, data in enumerate(raw)]
    assert actual == expected


def test_a_vehicle_that_changes_lanes_on_the_loops_is_counted_on_the_first() -> None:
    counted: set[str] = set()
    kerb, middle = (Loop(counted, lambda _: 5.0) for _ in range(2))
    first = kerb.second([("SM.1", 1.9, 0.7, 1.0, "SM")], 0.0)
    second = middle.second([("SM.1", 1.9, 1.0, 1.4, "SM")], 1.0)
    assert (len(first.passages), len(second.passages)) == (1, 0)
    assert second.occupied == 40


def test_a_vehicle_that_is_gone_has_the_speed_of_its_passage() -> None:
    loop = Loop(set(), lambda _: None)
    seen = loop.second([("MP.1", 4.0, 0.25, 0.75, "MP")], 0.0)
    assert seen.passages == (Passage(VehicleClass.MP, 288),)
