"""Sparkplug B: values one row a type, sessions, and a sequence of 256 numbers whose losses are counted once and exactly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.errors import ConfigError
from ingest.door import Admission, Door
from ingest.feeds.sparkplug.encode import encode
from ingest.feeds.sparkplug.payload import Payload
from ingest.readings import PresenceChange, SensorReading
from ingest.registry import Registry
from processors.sequence import SequenceState, follow
from tests.unit.ingest.samples import sample_door, sample_site

RECEIVED = 1_795_478_410_500_000  # 2026-11-24T08:00:10.5+08:00
SENT_MS = 1_795_478_408_000
NODE = "spBv1.0/badung/{}/cabinet-7"
DEVICES = ("", "ap-north", "ap-south")


def admit(door: Door, kind: str, device: str, seq: int | None, *metrics: dict[str, Any], time_ms: int = SENT_MS) -> Admission:
    payload: dict[str, Any] = {"timestamp": time_ms, "metrics": list(metrics)} | ({} if seq is None else {"seq": seq})
    topic = NODE.format(kind) + (f"/{device}" if device else "")
    return door.admit(topic, encode(payload), RECEIVED + (time_ms - SENT_MS) * 1000)


def birth(door: Door, session: int = 1) -> None:
    admit(door, "NBIRTH", "", 0, {"name": "bdSeq", "longValue": session}, {"name": "supply_v", "alias": 1, "datatype": 10})
    admit(door, "DBIRTH", "ap-north", 1, {"name": "clients", "alias": 10, "datatype": 7, "intValue": 1})


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ({"intValue": 31}, 31.0),
        ({"longValue": 31}, 31.0),
        ({"doubleValue": 31.25}, 31.25),
        ({"floatValue": 31.25}, 31.25),
        ({"booleanValue": True}, 1.0),
        ({"booleanValue": False}, 0.0),
        ({"datatype": 3, "intValue": 2**32 - 5}, -5.0),  # Int32
        ({"datatype": 1, "intValue": 256 - 5}, -5.0),  # Int8 in its own bits
        ({"datatype": 1, "intValue": 2**32 - 5}, -5.0),  # Int8 with the sign extended
        ({"datatype": 2, "intValue": 2**16 - 5}, -5.0),  # Int16
        ({"datatype": 4, "longValue": 2**64 - 5}, -5.0),  # Int64
        ({"datatype": 7, "intValue": 100}, 100.0),  # UInt32
        ({"isNull": True}, None),
        ({"isNull": True, "doubleValue": 31.0}, None),  # null wins
    ],
    ids=str,
)
def test_values(metric: dict[str, Any], expected: float | None) -> None:
    door, _ = sample_door("sparkplug")
    [reading] = admit(door, "NDATA", "", 1, {"name": "Cabinet/temperature_c", **metric}).records
    assert isinstance(reading, SensorReading)
    assert reading.value == expected


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ({"doubleValue": "NaN"}, "out_of_range"),
        ({"doubleValue": "Infinity"}, "out_of_range"),
        ({"doubleValue": -300.0}, "out_of_range"),
        ({"intValue": 2**32 - 5}, "out_of_range"),  # without a data type -5 cannot be told from 4 thousand million
        ({"longValue": 2**64 - 1}, "out_of_range"),
        ({"stringValue": "31"}, "wrong_type"),
        ({}, "wrong_type"),
        ({"doubleValue": 31.0, "timestamp": 1}, "time_too_old"),
        ({"doubleValue": 31.0, "timestamp": 2**64 - 1}, "time_in_future"),
    ],
    ids=str,
)
def test_refused_values(metric: dict[str, Any], reason: str) -> None:
    door, _ = sample_door("sparkplug")
    admission = admit(door, "NDATA", "", 1, {"name": "temperature_c", **metric})
    assert admission.records == []
    assert [letter.reason for letter in admission.dead] == [reason]


def states(admission: Admission) -> dict[int, str]:
    return {
        record.device: record.state
        for part in (admission, *admission.also)
        for record in part.records
        if isinstance(record, PresenceChange)
    }


def test_a_nodes_death_is_that_of_all_behind_it_each_at_its_own() -> None:
    door, registry = sample_door("sparkplug")
    birth(door)
    admission = admit(door, "NDEATH", "", None, {"name": "bdSeq", "longValue": 1})
    assert {registry.device_name(device): state for device, state in states(admission).items()} == {
        "net-gateway": "offline",
        "wifi-north": "offline",
        "wifi-south": "offline",
    }
    assert all(record.device == part.source for part in (admission, *admission.also) for record in part.records)  # type: ignore[union-attr]


def test_the_will_of_a_session_that_was_replaced_takes_nobody_offline() -> None:
    door, _ = sample_door("sparkplug")
    birth(door, session=2)
    admission = admit(door, "NDEATH", "", None, {"name": "bdSeq", "longValue": 1})
    assert (states(admission), [letter.reason for letter in admission.dead]) == ({}, ["stale_death"])
    assert admit(door, "DDATA", "ap-north", 2, {"alias": 10, "intValue": 3}).dead == []


def test_two_doors_do_not_know_each_others_aliases() -> None:
    one, _ = sample_door("sparkplug")
    other, _ = sample_door("sparkplug")
    birth(one)
    assert admit(one, "DDATA", "ap-north", 2, {"alias": 10, "intValue": 3}).dead == []
    assert [d.reason for d in admit(other, "DDATA", "ap-north", 2, {"alias": 10, "intValue": 3}).dead] == ["unknown_alias"]


@settings(max_examples=100, deadline=None)
@given(
    sent=st.lists(st.sampled_from(DEVICES), min_size=1, max_size=600),
    losses=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 100)), max_size=5),
)
@example(sent=[""] * 600, losses=[])  # wraps twice
@example(sent=[""] * 600, losses=[(250, 10), (506, 20)])  # lost over the wrap
def test_every_lost_message_is_counted_once(sent: list[str], losses: list[tuple[int, int]]) -> None:
    door, _ = sample_door("sparkplug")
    lost = {index for first, count in losses for index in range(first, min(first + count, len(sent)))}
    # Longer than half of the numbers cannot be told from disorder.
    run = 0
    for index in range(len(sent)):
        run = run + 1 if index in lost else 0
        if run > 120:
            lost.discard(index)
            run = 0
    order = [*DEVICES, *sent, *DEVICES]
    known: dict[int, SequenceState] = {}
    counted = 0
    for index, device in enumerate(order):
        if index - len(DEVICES) in lost:
            continue
        admission = admit(door, "DDATA" if device else "NDATA", device, index % 256, time_ms=SENT_MS + index)
        assert admission.seq is not None
        step = follow(known.get(admission.source), admission.seq, (SENT_MS + index) * 1000)
        known[admission.source] = step.state
        counted += step.lost
    assert counted == len(lost)


def test_a_message_twice_or_late_is_no_loss() -> None:
    door, _ = sample_door("sparkplug")
    numbers = [admit(door, "NDATA", "", seq).seq for seq in (1, 2, 2, 3, 2, 4)]
    assert numbers == [1, 2, 2, 3, 3, 4]


def test_what_a_birth_may_make_us_remember_is_bounded() -> None:
    door, _ = sample_door("sparkplug")
    metrics = [{"name": "m", "alias": alias} for alias in range(10_001)]
    admission = admit(door, "DBIRTH", "ap-north", 1, *metrics)
    assert [letter.reason for letter in admission.dead] == ["out_of_range"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff", "not_protobuf"),
        (b"hello", "not_protobuf"),
        (b"\x12" * 1000, "not_protobuf"),
        (b'{"metrics":[]}', "not_protobuf"),
        (b"\x12\x05\x0a\x03\xff\xff\xff", "not_utf8"),  # a name that is not UTF-8
        (b"\x12\x02\x10\x03", "unknown_alias"),
        (b"\x12\x00", "unknown_alias"),  # neither name nor alias
    ],
)
def test_bytes_that_are_no_payload_of_ours(payload: bytes, reason: str) -> None:
    door, _ = sample_door("sparkplug")
    [letter] = door.admit(NODE.format("NDATA"), payload, RECEIVED).dead
    assert letter.reason == reason


def test_the_message_has_the_fields_of_the_specification() -> None:
    fields = {field.name: field.number for field in Payload.DESCRIPTOR.fields_by_name["metrics"].message_type.fields}
    assert fields == {
        "name": 1,
        "alias": 2,
        "timestamp": 3,
        "datatype": 4,
        "is_historical": 5,
        "is_null": 7,
        "int_value": 10,
        "long_value": 11,
        "float_value": 12,
        "double_value": 13,
        "boolean_value": 14,
        "string_value": 15,
    }


def test_a_device_without_its_node_is_a_configuration_error() -> None:
    site = sample_site("sparkplug", network_links=())
    with pytest.raises(ConfigError, match="wifi-north, wifi-south: their edge node badung/cabinet-7 is missing"):
        Door(Registry.for_site(site), site)


def test_two_devices_of_one_address_are_a_configuration_error() -> None:
    north, south = sample_site("sparkplug").access_points
    site = sample_site("sparkplug", access_points=(north, south.model_copy(update={"address": north.address})))
    with pytest.raises(ConfigError, match="wifi-north and wifi-south have the same address in Sparkplug"):
        Door(Registry.for_site(site), site)
