"""Readings and events of controllers, against the simulation and the truth."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec

from config.site import Kind
from ingest.contract import Counts, Detectors, Events, Health, Metrics, Status, VehicleClass
from ingest.topics import STREAMS, Stream
from subak.street import hires as codes
from tests.unit.street.rehearsal import SECONDS, Rehearsal, rehearse, the_site

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
    assert len(rows) == SECONDS // 60 * sum(len(controller.lanes) for controller in the_site().controllers)
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


def test_every_green_ends_for_a_reason(rehearsal: Rehearsal) -> None:
    reasons: dict[tuple[str, int], int] = {}
    seen: set[int] = set()
    for device, code, parameter in _events(rehearsal):
        if code in (codes.GAP_OUT, codes.MAX_OUT, codes.FORCE_OFF):
            reasons[device, parameter] = code
            seen.add(code)
        elif code == codes.GREEN_TERMINATION:
            assert reasons.pop((device, parameter)) is not None
    assert not reasons
    # In the afternoon the junctions are coordinated.
    assert {codes.GAP_OUT, codes.FORCE_OFF} == seen


def test_the_pattern_is_told_with_its_cycle_and_splits(rehearsal: Rehearsal) -> None:
    told: dict[str, dict[int, int]] = defaultdict(dict)
    for device, code, parameter in _events(rehearsal):
        if code in (codes.PATTERN, codes.CYCLE, codes.OFFSET) or codes.SPLIT_1 <= code < codes.SPLIT_1 + 16:
            told[device][code] = parameter
    site = the_site()
    for controller in site.controllers:
        found = told[controller.id]
        assert (3, 90, 0) == (found[codes.PATTERN], found[codes.CYCLE], found[codes.OFFSET])
        phases = {approach.phase for approach in site.junction[controller.junction].approaches}
        splits = {code - codes.SPLIT_1 + 1: seconds for code, seconds in found.items() if code >= codes.SPLIT_1}
        assert phases == set(splits)
        # Phases of one stage share its split; the stages fill the cycle.
        assert sum({(phase - 1) % 4: seconds for phase, seconds in splits.items()}.values()) == found[codes.CYCLE]


def test_a_call_is_dropped_when_its_phase_turns_green(rehearsal: Rehearsal) -> None:
    called: set[tuple[str, int]] = set()
    greens: set[tuple[str, int]] = set()
    count = 0
    for device, code, phase in _events(rehearsal):
        if code == codes.PHASE_CALL:
            assert (device, phase) not in called | greens
            called.add((device, phase))
            count += 1
        elif code == codes.PHASE_CALL_DROPPED:
            called.remove((device, phase))
        elif code == codes.BEGIN_GREEN:
            greens.add((device, phase))
        elif code == codes.GREEN_TERMINATION:
            greens.discard((device, phase))
    assert count > 30


def test_pedestrians_walk_in_the_green_of_their_phase(rehearsal: Rehearsal) -> None:
    order = {
        codes.BEGIN_WALK: codes.BEGIN_CLEARANCE,
        codes.BEGIN_CLEARANCE: codes.BEGIN_DONT_WALK,
        codes.BEGIN_DONT_WALK: codes.BEGIN_WALK,
    }
    owners = {(c.id, phase) for c in the_site().controllers for phase in c.pedestrians}
    last: dict[tuple[str, int], int] = {}
    called: set[tuple[str, int]] = set()
    green: set[tuple[str, int]] = set()
    for device, code, phase in _events(rehearsal):
        key = (device, phase)
        if code == codes.BEGIN_GREEN:
            green.add(key)
        elif code == codes.GREEN_TERMINATION:
            green.discard(key)
        elif code == codes.PEDESTRIAN_CALL:
            called.add(key)
        elif code in order:
            assert key in owners
            assert order.get(last.get(key, codes.BEGIN_DONT_WALK)) == code
            last[key] = code
            if code == codes.BEGIN_WALK:
                assert key in green
                called.remove(key)
    assert last


def test_presence_zones_change_no_count(rehearsal: Rehearsal, tmp_path: Path) -> None:
    """The same street without them: the same readings of the lanes, byte by byte."""
    site = the_site()
    controllers = tuple(item.model_copy(update={"detectors": item.lanes}) for item in site.controllers)
    without = rehearse(tmp_path, seconds=60, site=site.model_copy(update={"controllers": controllers}))

    def lanes(run: Rehearsal) -> list[bytes]:
        return [item.payload for item in run.messages if item.stream is Stream.DETECTORS]

    assert len(lanes(without)) >= len(site.controllers)
    assert lanes(without) == lanes(rehearsal)[: len(lanes(without))]


def test_presence_zones_tell_of_waiting_vehicles_in_the_log_only(rehearsal: Rehearsal) -> None:
    """On red somebody stands in them for longer than anybody takes to drive over them; no message counts them."""
    zones = {(item.id, one.number) for item in the_site().controllers for one in item.detectors if not one.is_lane}
    on: dict[tuple[str, int], float] = {}
    longest: dict[tuple[str, int], float] = {}
    for message in rehearsal.messages:
        if message.stream is Stream.DETECTORS:
            reading = msgspec.json.decode(message.payload, type=Detectors)
            assert not [lane.id for lane in reading.lanes if lane.id.endswith("-stop")]
        if message.stream is not Stream.EVENTS:
            continue
        for event in msgspec.json.decode(message.payload, type=Events).events:
            zone = message.device, event.parameter
            if zone in zones and event.code == 82:
                on[zone] = event.time.timestamp()
            elif zone in zones and event.code == 81:
                longest[zone] = max(longest.get(zone, 0.0), event.time.timestamp() - on.pop(zone, event.time.timestamp()))
    assert sum(1 for seconds in longest.values() if seconds >= 15) >= len(zones) // 2
