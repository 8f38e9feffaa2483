"""The simulated traffic: repeatable, mostly motorcycles, counted once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ingest.contract import VehicleClass
from subak.street.signals import Aspect
from tests.unit.street.rehearsal import Rehearsal, rehearse, the_site


def test_the_same_seed_gives_the_same_messages(rehearsal: Rehearsal, tmp_path: Path) -> None:
    again = rehearse(tmp_path, seconds=60)
    assert len(again.messages) > 300
    assert [item.payload for item in again.messages] == [item.payload for item in rehearsal.messages][: len(again.messages)]


def test_another_seed_gives_other_readings(rehearsal: Rehearsal, tmp_path: Path) -> None:
    other = rehearse(tmp_path, seconds=20, seed=2)
    assert [second.loops for second in other.seconds] != [second.loops for second in rehearsal.seconds[:20]]


def test_most_vehicles_are_motorcycles(rehearsal: Rehearsal) -> None:
    counted = Counter(
        passage.vehicle for second in rehearsal.seconds for loop in second.loops.values() for passage in loop.passages
    )
    assert sum(counted.values()) > 500
    assert counted[VehicleClass.SM] / sum(counted.values()) >= 0.6


def test_every_approach_has_traffic(rehearsal: Rehearsal) -> None:
    site = the_site()
    left = {trip.link for second in rehearsal.seconds for trip in second.trips}
    quiet = [a.link for junction in site.junctions for a in junction.approaches if a.link not in left]
    assert len(quiet) <= len(site.links) * 0.15, quiet


def test_a_vehicle_is_counted_once_on_its_approach(rehearsal: Rehearsal) -> None:
    """Those that left an approach late in the run passed its loops in the run, so they cannot outnumber the counts."""
    site = the_site()
    lanes = {
        (controller.id, detector.id): approach.link
        for controller in site.controllers
        for detector in controller.detectors
        for approach in site.junction[controller.junction].approaches
        if detector.lane in {lane.id for lane in approach.lanes}
    }
    counted = Counter[str]()
    for second in rehearsal.seconds:
        for name, loop in second.loops.items():
            counted[lanes[name]] += len(loop.passages)
    left = Counter(trip.link for second in rehearsal.seconds for trip in second.trips)
    # Between loop (40 m) and stop line stand at most some vehicles a lane, at the begin or at the end of the run.
    for link, number in counted.items():
        assert abs(number - left[link]) <= 16 * site.link[link].lanes, link
    total = sum(counted.values())
    assert abs(total - sum(left[link] for link in counted)) < 0.15 * total


def test_greens_tell_who_waited_and_who_was_left(rehearsal: Rehearsal) -> None:
    """Every phase that turned green in the run and was over in it, with the lengths of its program."""
    rows = rehearsal.rows("greens")
    programs = rehearsal.programs
    assert {row["junction"] for row in rows} == set(programs)
    # After a warm-up without queues; who moves off in the first second waits no longer.
    assert sum(1 for row in rows if row["waiting"]) >= 10
    for row in rows:
        lengths = {
            sum(interval.seconds for interval in programs[str(row["junction"])][index : index + 2])
            for index, interval in enumerate(programs[str(row["junction"])])
            if interval.aspect is Aspect.GREEN and row["phase"] in interval.phases
        }
        assert (row["red"] - row["green"]).total_seconds() in lengths  # type: ignore[operator]
        assert 0 <= int(str(row["left"])) <= int(str(row["waiting"]))
