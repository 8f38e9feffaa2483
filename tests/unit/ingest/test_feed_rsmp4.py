"""RSMP 4: -1 one row a place it may stand, times that are never those of arrival, and CBOR that means harm."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest

from config.errors import ConfigError
from ingest.door import Admission, Door
from ingest.readings import LaneReading
from ingest.registry import Registry
from tests.unit.ingest.samples import sample_door, sample_site

RECEIVED = 1_795_478_410_500_000  # 2026-11-24T00:00:10.5Z
TS = "2026-11-24T00:00:00.000Z"
NODE = "bali/badung/tlc-001"
ONE = f"{NODE}/status/traffic.count/live/dl/1"
REPLAY = f"{NODE}/replay/traffic.count/live/dl/1"
ALL = "bali/badung/tlc-002/status/S0205"
DOOR, _ = sample_door("rsmp4")
KINDS = {"P": 4, "PS": 0, "L": 1, "LS": 0, "B": 0, "SP": 0, "MC": 7, "C": 0}


def admit(topic: str, message: Any) -> Admission:
    return DOOR.admit(topic, cbor2.dumps(message), RECEIVED)


def entry(seq: int = 1, ts: Any = TS, **values: Any) -> dict[str, Any]:
    return {"ts": ts, "values": values, "seq": seq}


def readings(topic: str, message: Any) -> list[LaneReading]:
    return [record for record in admit(topic, message).records if isinstance(record, LaneReading)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # volume, occupancy (0.01 %), speed (0.1 km/h), fault
        ({"vehicles": 0}, (0, None, None, None)),
        ({"vehicles": 65_535}, (65_535, None, None, None)),
        ({"vehicles": -1}, (None, None, None, "detector_fault")),
        ({"vehicles": -1, "speed": 40, "occupancy": 3}, (None, None, None, "detector_fault")),
        ({"vehicles": 3, "speed": -1}, (3, None, None, None)),
        ({"vehicles": 3, "occupancy": -1}, (3, None, None, None)),
        ({"vehicles": 3, "speed": 0, "occupancy": 0}, (3, 0, 0, None)),
        ({"vehicles": 3, "speed": 41, "occupancy": 100}, (3, 10_000, 410, None)),
        ({"speed": -1}, (None, None, None, "detector_fault")),  # S0202 alone
        ({"speed": 41}, (None, None, 410, None)),
        ({"occupancy": -1}, (None, None, None, "detector_fault")),  # S0203 alone
        ({"occupancy": 7}, (None, 700, None, None)),
        ({"vehicles": 12, "MC": -1}, (12, None, None, None)),  # classes failed, the count did not
        (KINDS | {"B": -1}, (None, None, None, "detector_fault")),  # S0204: the sum would be too low
        (KINDS, (12, None, None, None)),
        ({"vehicles.sum": 12, "speed.average": 33}, (12, None, 330, None)),
    ],
    ids=str,
)
def test_values_and_faults(values: dict[str, int], expected: tuple[Any, ...]) -> None:
    [reading] = readings(ONE, entry(**values))
    assert (reading.volume, reading.occupancy, reading.speed, reading.fault) == expected


@pytest.mark.parametrize("text", ["7,-1", [7, -1], "7, -1"])
def test_minus_one_in_a_list_is_one_detectors_fault(text: Any) -> None:
    found = readings(ALL, entry(vehicles=text))
    assert [(reading.volume, reading.fault) for reading in found] == [(7, None), (None, "detector_fault")]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"vehicles": -2}, "out_of_range"),
        ({"vehicles": 65_536}, "out_of_range"),
        ({"occupancy": 101}, "out_of_range"),
        ({"occupancy": 212}, "out_of_range"),  # a fault code of NTCIP is none here
        ({"speed": 301}, "out_of_range"),
        ({"vehicles": 10**400}, "out_of_range"),
        ({"vehicles": 1.5}, "wrong_type"),
        ({"vehicles": True}, "wrong_type"),
        ({"vehicles": "7"}, "wrong_type"),
        ({"vehicles": None}, "wrong_type"),
        ({"P": 4, "MC": 7}, "incomplete_count"),
        ({"vehicles": 3, "P": 4}, "out_of_range"),  # more cars than vehicles
        ({"stage": "1"}, "wrong_type"),
        ({}, "wrong_type"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refused_values(values: dict[str, Any], reason: str) -> None:
    admission = admit(ONE, entry(seq=9, **values))
    assert admission.records == []
    assert [letter.reason for letter in admission.dead] == [reason]
    assert admission.seq == 9


def test_a_replayed_entry_is_the_row_it_was_live() -> None:
    live = readings(ONE, entry(seq=41, vehicles=9))
    replayed = readings(REPLAY, {"entries": [entry(seq=41, vehicles=9)], "done": True})
    assert live == replayed


@pytest.mark.parametrize(
    ("stamp", "values", "start"),
    [
        ("end", {}, 1_795_478_340_000_000),  # ts is the end of the minute
        ("start", {}, 1_795_478_400_000_000),
        ("end", {"starttime": "2026-11-23T23:59:00Z"}, 1_795_478_340_000_000),
        ("end", {"starttime": "2026-11-23T23:59:20Z"}, 1_795_478_360_000_000),  # sent a little late
        ("start", {"starttime": TS}, 1_795_478_400_000_000),
    ],
)
def test_the_period_is_the_entrys_own(stamp: str, values: dict[str, Any], start: int) -> None:
    controller = sample_site("rsmp4").controllers[0]
    controller = controller.model_copy(update={"address": {**controller.address, "stamp": stamp}})
    site = sample_site("rsmp4", controllers=(controller,))
    door = Door(Registry.for_site(site), site)
    admission = door.admit(ONE, cbor2.dumps(entry(vehicles=1, **values)), RECEIVED)
    assert [(r.start_us, r.period_ms) for r in admission.records if isinstance(r, LaneReading)] == [(start, 60_000)]


def test_another_stamp_is_a_configuration_error() -> None:
    controller = sample_site("rsmp4").controllers[0]
    controller = controller.model_copy(update={"address": {**controller.address, "stamp": "middle"}})
    site = sample_site("rsmp4", controllers=(controller,))
    with pytest.raises(ConfigError, match=r"atc-sample: address\.stamp is 'middle'; allowed are start, end"):
        Door(Registry.for_site(site), site)


def test_a_batch_tells_all_its_numbers() -> None:
    batch = {"entries": [entry(seq, f"2026-11-23T23:5{seq}:00Z", vehicles=seq) for seq in (5, 6, 7)]}
    admission = admit(ONE, batch)
    assert (admission.seq, admission.numbers) == (None, (5, 6, 7))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\x81" * 100_000 + b"\x01", "too_deep"),
        (b"\xa1\x61a" * 17 + b"\x01", "too_deep"),
        (b"\x9b" + b"\xff" * 8, "not_cbor"),  # an array of 2^64 items
        (b"\x5b\x00\x00\x00\x7f" + b"\xff" * 4, "not_cbor"),  # half a TiB of bytes
        (b"\xc2\x5a\x00\x0f\xff\xf0" + b"\xff" * 0xFFFF0, "wrong_type"),  # an integer of 8 million bits
        (b"\xc4\x82\x1b" + b"\x7f" + b"\xff" * 7 + b"\x01", "not_cbor"),  # a decimal with an exponent of 2^63
        (b"\xd8\x23\x65(((((", "not_cbor"),  # a regular expression
        (b"\xa1\x80\x01", "not_cbor"),  # an array as a key: keys that collide
        (b"\x61\xff", "not_cbor"),  # text that is not UTF-8
        (b"\xff", "not_cbor"),
        (b"\xf6", "wrong_type"),
        (b"\xd8\x1c\x81\xd8\x1d\x00", "wrong_type"),  # an array that holds itself
        (b"hello", "not_cbor"),
    ],
)
def test_hostile_cbor(payload: bytes, reason: str) -> None:
    [letter] = DOOR.admit(ONE, payload, RECEIVED).dead
    assert letter.reason == reason
