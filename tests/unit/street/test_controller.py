"""Readings and events of controllers, against the simulation and the truth."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from config.site import Kind
from ingest.contract import Counts, Detectors, Events, Health, Metrics, Status, VehicleClass
from ingest.topics import STREAMS, Stream
from subak.street import controller as codes
from tests.unit.street.rehearsal import SECONDS, Rehearsal, the_site

TYPES = {
    Stream.COUNTS: Counts,
    Stream.DETECTORS: Detectors,
    Stream.EVENTS: Events,
    Stream.HEALTH: Health,
    Stream.METRICS: Metrics,
    Stream.STATUS: Status,
}


def test_every_payload_fits_the_contract(rehearsal: Rehearsal) -> None:
    seen = set()
    for message in rehearsal.messages:
        msgspec.json.decode(message.payload, type=TYPES[message.stream])
        assert message.stream in STREAMS[message.kind]
        seen.add((message.device, message.stream))
    assert {device for device, _ in seen} == {device.id for device in the_site().devices}
    assert {stream for _, stream in seen} == set(TYPES)


def test_numbers_rise_by_one_in_every_stream(rehearsal: Rehearsal) -> None:
    numbers: dict[tuple[str, Stream], list[int | None]] = defaultdict(list)
    for message in rehearsal.messages:
        numbers[message.device, message.stream].append(message.seq)
    for found in numbers.values():
        assert found == list(range(len(found)))


def test_readings_sum_to_the_truth(rehearsal: Rehearsal) -> None:
    """Per lane-minute and class, exactly; speed to the rounding of 0.1 km/h a reading, occupancy to 0.01 % a reading."""
    sums: dict[tuple[str, str, float], list[float]] = defaultdict(lambda: [0.0] * (3 + len(VehicleClass)))
    for message in rehearsal.messages:
        if message.stream is not Stream.DETECTORS:
            continue
        reading = msgspec.json.decode(message.payload, type=Detectors)
        start = reading.start.timestamp()
        assert start % reading.period_s == 0
        for lane in reading.lanes:
            assert lane.volume is not None
            assert lane.occupancy is not None
            assert lane.classes is not None
            assert (lane.speed is None) == (lane.volume == 0)
            found = sums[message.device, lane.id, start // 60 * 60]
            found[0] += lane.volume
            found[1] += lane.volume * (lane.speed or 0.0)
            found[2] += lane.occupancy * reading.period_s / 60
            for index, name in enumerate(VehicleClass, 3):
                found[index] += getattr(lane.classes, name.value)
    rows = rehearsal.rows("lane_minutes")
    assert len(rows) == SECONDS // 60 * sum(len(controller.detectors) for controller in the_site().controllers)
    for row in rows:
        minute = row["minute"].timestamp()  # type: ignore[attr-defined]
        found = sums.pop((str(row["device"]), str(row["detector"]), minute))
        assert found[0] == row["volume"]
        assert found[3:] == [row[name.value] for name in VehicleClass]
        assert row["seconds"] == 60
        assert abs(found[2] - float(str(row["occupancy"]))) <= 0.01
        if row["volume"]:
            assert abs(found[1] / found[0] - float(str(row["speed"]))) <= 0.05 + 1e-9
        else:
            assert row["speed"] is None
    assert not sums


def test_events_never_show_conflicting_greens(rehearsal: Rehearsal) -> None:
    """A phase may be green, yellow or clearing only with its partner across the junction (2 and 6, 4 and 8)."""
    active: dict[str, set[int]] = defaultdict(set)
    greens: dict[str, set[int]] = defaultdict(set)
    for device, code, parameter in _events(rehearsal):
        if code == codes.BEGIN_GREEN:
            active[device].add(parameter)
            greens[device].add(parameter)
            assert len({phase % 4 for phase in active[device]}) == 1, (device, active[device])
        elif code == codes.END_RED_CLEARANCE:
            active[device].discard(parameter)
    site = the_site()
    for controller in site.controllers:
        assert greens[controller.id] == {a.phase for a in site.junction[controller.junction].approaches}


def test_signal_changes_come_in_order(rehearsal: Rehearsal) -> None:
    order = {
        codes.BEGIN_GREEN: codes.GREEN_TERMINATION,
        codes.GREEN_TERMINATION: codes.BEGIN_YELLOW,
        codes.BEGIN_YELLOW: codes.END_YELLOW,
        codes.END_YELLOW: codes.BEGIN_RED_CLEARANCE,
        codes.BEGIN_RED_CLEARANCE: codes.END_RED_CLEARANCE,
        codes.END_RED_CLEARANCE: codes.BEGIN_GREEN,
    }
    last: dict[tuple[str, int], int] = {}
    for device, code, phase in _events(rehearsal):
        if code in order:
            before = last.get((device, phase))
            assert before is None or order[before] == code
            last[device, phase] = code


def test_detectors_turn_on_and_off_in_turn(rehearsal: Rehearsal) -> None:
    state: dict[tuple[str, int], int] = {}
    seen = 0
    for device, code, number in _events(rehearsal):
        if code in (codes.DETECTOR_ON, codes.DETECTOR_OFF):
            assert state.get((device, number)) != code
            state[device, number] = code
            seen += 1
    assert seen > 500


def _events(rehearsal: Rehearsal) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    last: dict[str, float] = {}
    for message in rehearsal.messages:
        if message.stream is Stream.EVENTS:
            assert message.kind is Kind.ATC
            for event in msgspec.json.decode(message.payload, type=Events).events:
                at = event.time.timestamp()
                assert round(at * 10, 3) == round(at * 10), "events are placed to 0.1 s"
                assert at >= last.get(message.device, 0.0)
                last[message.device] = at
                found.append((message.device, event.code, event.parameter))
    return found
