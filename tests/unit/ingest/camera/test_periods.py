"""Counts of even periods, in the stream's time."""

from __future__ import annotations

from ingest.camera.geometry import Direction
from ingest.camera.periods import US, Periods
from ingest.camera.reports import Counted, CountedLane, LaneCount, TurnCount
from ingest.camera.view import Crossing, Seen, Turn, ZoneState
from ingest.contract import Sight, VehicleClass

MINUTE = 60 * US
BEGIN = 1_000 * MINUTE


def crossing(time_us: int, line: str = "N1", direction: Direction = Direction.FORWARD, speed: float | None = None) -> Crossing:
    return Crossing(line, direction, VehicleClass.SM, 0, time_us, speed)


def run(frames: list[tuple[Seen, Sight]]) -> list[Counted]:
    periods = Periods([CountedLane("N1", zone="stop"), CountedLane("N2", "backward")], 60)
    return [counted for seen, sight in frames for counted in periods.take(seen, sight)]


def watched(first: int, last: int, **more: object) -> list[tuple[Seen, Sight]]:
    return [(Seen(0, BEGIN + second * US), Sight.OK) for second in range(first, last)]


def test_a_late_crossing_counts_in_the_minute_in_which_it_happened() -> None:
    late = Seen(0, BEGIN + 61 * US, crossings=(crossing(BEGIN + 59 * US, speed=30.0), crossing(BEGIN + 60 * US)))
    first, second = run([*watched(0, 61), (late, Sight.OK), *watched(62, 130)])
    assert Counted(BEGIN, 60.0, (LaneCount("N1", {VehicleClass.SM: 1}, 30.0), LaneCount("N2", {})), (), Sight.OK) == first
    assert {VehicleClass.SM: 1} == second.lanes[0].classes
    assert BEGIN + MINUTE == second.start_us


def test_the_first_period_covers_what_was_watched() -> None:
    first, second = run(watched(45, 130))
    assert (BEGIN + 45 * US, 15.0) == (first.start_us, first.period_s)
    assert (BEGIN + MINUTE, 60.0) == (second.start_us, second.period_s)


def test_a_lane_counts_its_direction_alone() -> None:
    seen = Seen(
        0,
        BEGIN + 30 * US,
        crossings=(
            crossing(BEGIN + 30 * US, "N1", Direction.BACKWARD),
            crossing(BEGIN + 30 * US, "N2", Direction.BACKWARD),
            crossing(BEGIN + 30 * US, "out"),
        ),
        turns=(Turn("N1", "out", VehicleClass.MP, BEGIN + 30 * US),),
    )
    [counted] = run([*watched(0, 30), (seen, Sight.OK), *watched(31, 65)])
    assert [{}, {VehicleClass.SM: 1}] == [lane.classes for lane in counted.lanes]
    assert (TurnCount("N1", "out", {VehicleClass.MP: 1}),) == counted.turns


def test_the_worst_condition_of_a_period_is_its_condition() -> None:
    frames = watched(0, 200)
    frames[30] = (frames[30][0], Sight.COVERED)
    frames[31] = (frames[31][0], Sight.NIGHT)
    assert [Sight.COVERED, Sight.OK, Sight.OK] == [counted.sight for counted in run(frames)]


def test_a_zone_gives_the_occupancy_of_its_lane() -> None:
    frames = [
        (Seen(0, BEGIN + second * US, zones=(ZoneState("stop", int(second < 15)), ZoneState("other", 3))), Sight.OK)
        for second in range(65)
    ]
    [counted] = run(frames)
    assert [25.0, None] == [lane.occupancy for lane in counted.lanes]
