"""Properties of the door: it answers everything, and every message ends as records, dead letters or both."""

from __future__ import annotations

import json

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.door import Admission, Disposition, Door
from ingest.topics import STREAMS

RECEIVED = 1_795_478_410_000_000
START = "2026-11-24T08:00:00+08:00"
DEVICES = ("atc-sample", "cam-sample", "vms-sample", "net-sample", "wifi-sample", "app-sample")
TOPICS = tuple(
    f"subak/v1/sample/{kind}/{device}/{stream}"
    for (kind, streams), device in zip(STREAMS.items(), DEVICES, strict=True)
    for stream in sorted(streams)
)
MESSAGES = (
    {
        "seq": 1,
        "start": START,
        "period_s": 10,
        "lanes": [
            {"id": "N1", "volume": 5, "occupancy": 12.3, "speed": 33.3, "classes": {"SM": 3}},
            {"id": "N2", "volume": None, "occupancy": 212},
            {"id": "left", "volume": 0, "fault": "cable_cut"},
        ],
    },
    {"seq": 1, "events": [[START, 81, 5], [START, 82, 5]]},
    {"seq": 1, "time": START, "metrics": {"clients": 3, "latency_ms": 1.5, "loss_percent": None}},
    {"seq": 1, "time": START, "fps": 25, "frozen": False},
    {"seq": 1, "time": START, "multi": "JALAN TUTUP", "crc": 77, "source_mode": "central", "faults": ["pixel"]},
    {"command": "c1", "time": START, "multi": "[jp3]MACET", "priority": 3, "lease_s": 60},
    {"seq": 1, "time": START, "command": "c1", "outcome": "refused", "error": "priority"},
)
SEEDS = (*(json.dumps(message).encode() for message in MESSAGES), b"online", b"\xff\xd8\xff\xe0JFIF")

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def assert_sound(admission: Admission, payload: bytes) -> None:
    """Holds for every answer of the door."""
    assert admission.records or admission.dead
    if admission.disposition is Disposition.REJECTED:
        assert admission.records == []
        assert [letter.partial for letter in admission.dead] == [False]
    else:
        assert admission.records
        assert all(letter.partial for letter in admission.dead)
    for letter in admission.dead:
        assert letter.size == len(payload)
        assert payload.startswith(letter.payload)
        assert letter.detail
        assert len(letter.detail) <= 500
        assert letter.detail.isprintable()
        assert letter.topic.isprintable()
    for text in texts(msgspec.to_builtins(admission.records)):
        assert text.encode()
        assert "\0" not in text


def texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item) if text]
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item) if text]
    return []


@quick
@given(topic=st.one_of(st.sampled_from(TOPICS), st.text(max_size=80)), payload=st.binary(max_size=400))
def test_any_bytes_on_any_topic(door: Door, topic: str, payload: bytes) -> None:
    assert_sound(door.admit(topic, payload, RECEIVED), payload)


@quick
@given(
    topic=st.sampled_from(TOPICS),
    level=st.integers(0, 6),
    text=st.text(st.characters(), max_size=8),
    payload=st.sampled_from(SEEDS),
)
def test_any_text_in_a_topic(door: Door, topic: str, level: int, text: str, payload: bytes) -> None:
    levels = topic.split("/")
    levels[level:level] = [text]
    assert_sound(door.admit("/".join(levels), payload, RECEIVED), payload)
    levels = topic.split("/")
    levels[min(level, 5)] = text
    assert_sound(door.admit("/".join(levels), payload, RECEIVED), payload)


@quick
@given(
    topic=st.sampled_from(TOPICS),
    payload=st.sampled_from(SEEDS),
    cuts=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5), st.binary(max_size=5)), min_size=1, max_size=4),
)
def test_valid_payloads_damaged(door: Door, topic: str, payload: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for place, removed, added in cuts:
        at = place % (len(payload) + 1)
        payload = payload[:at] + added + payload[at + removed :]
    assert_sound(door.admit(topic, payload, RECEIVED), payload)


numbers = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-5, 300),
    st.floats(allow_nan=True),
    st.floats(-5, 300),
    st.sampled_from([210, 217.0, 209.99, 217.01, 100, 100.0000001]),
)
names = st.one_of(st.sampled_from(["N1", "N2", "left", "right", "clients", "latency_ms"]), st.text(max_size=6))
times = st.one_of(
    st.datetimes().map(lambda time: time.isoformat() + "Z"),
    st.datetimes().map(lambda time: time.isoformat() + "+08:00"),
    st.sampled_from([START, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", ""]),
    st.text(max_size=5),
)
lanes = st.fixed_dictionaries(
    {"id": names},
    optional={
        "volume": numbers,
        "occupancy": numbers,
        "speed": numbers,
        "classes": st.one_of(st.none(), st.dictionaries(st.sampled_from(["SM", "MP", "KTB", "X"]), numbers)),
        "fault": st.one_of(st.none(), st.text(max_size=6), st.just("open_loop")),
    },
)
messages = st.one_of(
    st.fixed_dictionaries(
        {"seq": numbers, "start": times, "period_s": numbers, "lanes": st.lists(lanes, max_size=5)},
        optional={"conditions": st.dictionaries(st.text(max_size=5), numbers)},
    ),
    st.fixed_dictionaries({"seq": numbers, "events": st.lists(st.lists(st.one_of(times, numbers), max_size=4), max_size=5)}),
    st.fixed_dictionaries({"seq": st.just(1), "events": st.lists(st.tuples(times, numbers, numbers), min_size=1, max_size=5)}),
    st.fixed_dictionaries({"seq": st.just(1), "time": times, "metrics": st.dictionaries(names, numbers, min_size=1, max_size=4)}),
    st.fixed_dictionaries(
        {"seq": st.just(1), "time": times, "multi": st.text(max_size=9), "crc": st.just(1)},
        optional={"source_mode": st.just("central"), "faults": st.lists(st.text(max_size=4)), "command": st.text()},
    ),
)


@settings(quick, max_examples=300)
@given(topic=st.sampled_from(TOPICS), message=messages)
def test_messages_of_the_right_shape_with_any_values(door: Door, topic: str, message: object) -> None:
    payload = json.dumps(message).encode()
    assert_sound(door.admit(topic, payload, RECEIVED), payload)


@quick
@given(
    start=st.datetimes(),
    received=st.integers(-(2**62), 2**62),
    topic=st.sampled_from(TOPICS),
)
def test_any_clock(door: Door, start: object, received: int, topic: str) -> None:
    for seed in SEEDS:
        payload = seed.replace(START.encode(), f"{start:%Y-%m-%dT%H:%M:%S}Z".encode())
        assert_sound(door.admit(topic, payload, received), payload)
