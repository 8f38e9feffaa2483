"""The door: every bad input gets its reason, good input becomes the right record, nothing raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from config.errors import ConfigError
from config.site import Site
from ingest.door import Disposition, Door
from ingest.feeds import Context, Decoded, Message, Route
from ingest.feeds.native.decoder import NativeFeed
from ingest.fixedpoint import microseconds
from ingest.readings import LaneReading, PresenceChange, SensorReading, SignalEvent, SignMessage
from ingest.registry import Registry
from ingest.topics import Stream

RECEIVED = microseconds(datetime(2026, 11, 24, 0, 0, 10, tzinfo=UTC))
START = "2026-11-24T08:00:00+08:00"
ATC = "subak/v1/sample/atc/atc-sample"
CCTV = "subak/v1/sample/cctv/cam-sample"
VMS = "subak/v1/sample/vms/vms-sample"
WIFI = "subak/v1/sample/wifi/wifi-sample"
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


def encode(value: object) -> bytes:
    return json.dumps(value).encode()


def detectors(*lanes: dict[str, Any], **head: Any) -> bytes:
    return encode({"seq": 7, "start": START, "period_s": 10, "lanes": list(lanes), **head})


def events(*rows: list[Any]) -> bytes:
    return encode({"seq": 7, "events": list(rows)})


def metrics(values: dict[str, Any], time: str = START) -> bytes:
    return encode({"seq": 7, "time": time, "metrics": values})


GOOD = {"id": "N1", "volume": 5, "occupancy": 12.3, "speed": 33.3}
STATUS = {"seq": 7, "time": START, "multi": "JALAN TUTUP", "crc": 1, "source_mode": "central"}
COMMAND = {"command": "c1", "time": START, "multi": "JALAN TUTUP", "priority": 3, "lease_s": 60}

REJECTED = {
    # Topics
    "one level too many": (f"{ATC}/detectors/extra", detectors(GOOD), "unknown_topic"),
    "one level too few": ("subak/v1/sample/atc/atc-sample", detectors(GOOD), "unknown_topic"),
    "empty topic": ("", detectors(GOOD), "unknown_topic"),
    "trailing slash": (f"{ATC}/detectors/", detectors(GOOD), "unknown_topic"),
    "leading slash": (f"/{ATC}/detectors", detectors(GOOD), "unknown_topic"),
    "another root": ("trafik/v1/sample/atc/atc-sample/detectors", detectors(GOOD), "unknown_topic"),
    "another version": ("subak/v2/sample/atc/atc-sample/detectors", detectors(GOOD), "unknown_topic"),
    "no such kind": ("subak/v1/sample/radar/atc-sample/detectors", detectors(GOOD), "unknown_topic"),
    "another site": ("subak/v1/gianyar/atc/atc-sample/detectors", detectors(GOOD), "unknown_site"),
    "unknown device": ("subak/v1/sample/atc/atc-nowhere/detectors", detectors(GOOD), "unknown_device"),
    "device under another kind": ("subak/v1/sample/vms/atc-sample/status", encode(STATUS), "unknown_device"),
    "stream of another kind": (f"{ATC}/counts", detectors(GOOD), "unknown_stream"),
    "NUL in the topic": ("subak/v1/sample/atc/atc\0/detectors", detectors(GOOD), "unknown_device"),
    "lone surrogate in the topic": ("subak/v1/sample/atc/\ud800/detectors", detectors(GOOD), "unknown_device"),
    # Payloads
    "empty payload": (f"{ATC}/detectors", b"", "empty_payload"),
    "empty presence": (f"{ATC}/presence", b"", "empty_payload"),
    "empty frame": (f"{CCTV}/frame", b"", "empty_payload"),
    "not UTF-8": (f"{ATC}/detectors", b'{"seq":\xff}', "not_utf8"),
    "not UTF-8 in a string": (f"{ATC}/detectors", detectors(GOOD).replace(b"N1", b"N\xff"), "not_utf8"),
    "presence not UTF-8": (f"{ATC}/presence", b"\xfe\xff", "not_utf8"),
    "cut off": (f"{ATC}/detectors", detectors(GOOD)[:-3], "not_json"),
    "trailing garbage": (f"{ATC}/detectors", detectors(GOOD) + b"}", "not_json"),
    "NaN": (f"{ATC}/detectors", detectors(GOOD).replace(b"12.3", b"NaN"), "not_json"),
    "Infinity": (f"{ATC}/detectors", detectors(GOOD).replace(b"12.3", b"-Infinity"), "not_json"),
    "plain text": (f"{ATC}/detectors", b"hello", "not_json"),
    "NUL bytes": (f"{ATC}/detectors", bytes(100), "not_json"),
    "1 MiB of open arrays": (f"{ATC}/detectors", b"[" * (1 << 20), "too_deep"),
    "1 MiB of open objects": (f"{CCTV}/counts", b'{"a":' * (1 << 17), "too_deep"),
    "deep inside a lane": (f"{ATC}/detectors", detectors(GOOD).replace(b"5,", b"[" * 5000 + b","), "too_deep"),
    "deep and closed": (f"{ATC}/events", b"[" * 400_000 + b"]" * 400_000, "too_deep"),
    "deep inside ignored conditions": (
        f"{CCTV}/counts",
        b'{"seq":1,"conditions":{"fog":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        "too_deep",
    ),
    "more than 1 MiB": (f"{ATC}/detectors", b" " * (1 << 20) + detectors(GOOD), "too_large"),
    # Types
    "array instead of object": (f"{ATC}/detectors", b"[]", "wrong_type"),
    "string instead of number": (f"{ATC}/detectors", detectors({"id": "N1", "volume": "5"}), "wrong_type"),
    "fractional volume": (f"{ATC}/detectors", detectors({"id": "N1", "volume": 1.5}), "wrong_type"),
    "true as volume": (f"{ATC}/detectors", detectors({"id": "N1", "volume": True}), "wrong_type"),
    "no seq": (f"{ATC}/detectors", encode({"start": START, "period_s": 10, "lanes": [GOOD]}), "wrong_type"),
    "no lanes": (f"{ATC}/detectors", detectors(), "wrong_type"),
    "unknown field": (f"{ATC}/detectors", detectors(GOOD, sqe=1), "wrong_type"),
    "mistyped lane field": (f"{ATC}/detectors", detectors({"id": "N1", "volumes": 3}), "wrong_type"),
    "conditions are not for controllers": (f"{ATC}/detectors", detectors(GOOD, conditions={}), "wrong_type"),
    "time without offset": (f"{ATC}/detectors", detectors(GOOD, start="2026-11-24T08:00:00"), "wrong_type"),
    "time as a number": (f"{ATC}/detectors", detectors(GOOD, start=1795478400), "wrong_type"),
    "event of two": (f"{ATC}/events", events([START, 81]), "wrong_type"),
    "no events": (f"{ATC}/events", events(), "wrong_type"),
    "event time is no time": (f"{ATC}/events", events(["yesterday", 81, 1]), "wrong_type"),
    "fault is no name": (f"{ATC}/detectors", detectors({"id": "N1", "fault": "Open Loop!"}), "wrong_type"),
    "fault ends in a line feed": (f"{ATC}/detectors", detectors({"id": "N1", "fault": "open_loop\n"}), "wrong_type"),
    "classes without volume": (f"{ATC}/detectors", detectors({"id": "N1", "classes": {"SM": 1}}), "wrong_type"),
    "unknown class": (f"{ATC}/detectors", detectors({**GOOD, "classes": {"CAR": 1}}), "wrong_type"),
    "presence is another word": (f"{ATC}/presence", b"on", "wrong_type"),
    "presence as JSON": (f"{ATC}/presence", b'"online"', "wrong_type"),
    "presence with a line feed": (f"{ATC}/presence", b"online\n", "wrong_type"),
    "metric is text": (f"{WIFI}/metrics", metrics({"clients": "3"}), "wrong_type"),
    "no metrics": (f"{WIFI}/metrics", metrics({}), "wrong_type"),
    "unknown source mode": (f"{VMS}/status", encode({**STATUS, "source_mode": "magic"}), "wrong_type"),
    "NUL in a sign's text": (f"{VMS}/status", encode({**STATUS, "multi": "A\0B"}), "wrong_type"),
    "line feed after a sign's text": (f"{VMS}/command", encode({**COMMAND, "multi": "A\n"}), "wrong_type"),
    # Ranges
    "negative volume": (f"{ATC}/detectors", detectors({"id": "N1", "volume": -1}), "out_of_range"),
    "negative occupancy": (f"{ATC}/detectors", detectors({"id": "N1", "occupancy": -0.1}), "out_of_range"),
    "occupancy just above 100": (f"{ATC}/detectors", detectors({"id": "N1", "occupancy": 100.01}), "out_of_range"),
    "occupancy in half percents": (f"{ATC}/detectors", detectors({"id": "N1", "occupancy": 180}), "out_of_range"),
    "occupancy between fault codes": (f"{ATC}/detectors", detectors({"id": "N1", "occupancy": 211.5}), "out_of_range"),
    "occupancy above the fault codes": (f"{ATC}/detectors", detectors({"id": "N1", "occupancy": 218}), "out_of_range"),
    "speed above 300": (f"{ATC}/detectors", detectors({"id": "N1", "speed": 301}), "out_of_range"),
    "number beyond doubles": (f"{ATC}/detectors", detectors(GOOD).replace(b"12.3", b"1e999"), "out_of_range"),
    "seq beyond 2^53": (f"{ATC}/detectors", detectors(GOOD, seq=2**53 + 1), "out_of_range"),
    "seq beyond 64 bits": (f"{ATC}/detectors", detectors(GOOD, seq=10**30), "out_of_range"),
    "negative seq": (f"{ATC}/detectors", detectors(GOOD, seq=-1), "out_of_range"),
    "no period": (f"{ATC}/detectors", detectors(GOOD, period_s=0), "out_of_range"),
    "period below 1 ms": (f"{ATC}/detectors", detectors(GOOD, period_s=0.0004), "out_of_range"),
    "period of a day": (f"{ATC}/detectors", detectors(GOOD, period_s=86_400), "out_of_range"),
    "more classes than vehicles": (
        f"{ATC}/detectors",
        detectors({**GOOD, "classes": {"SM": 3, "MP": 3}}),
        "out_of_range",
    ),
    "the same lane twice": (f"{ATC}/detectors", detectors(GOOD, GOOD), "out_of_range"),
    "negative event code": (f"{ATC}/events", events([START, -1, 1]), "out_of_range"),
    "metric above its range": (f"{WIFI}/metrics", metrics({"loss_percent": 100.5}), "out_of_range"),
    "metric below its range": (f"{WIFI}/metrics", metrics({"clients": -1}), "out_of_range"),
    "lease of a day": (f"{VMS}/command", encode({**COMMAND, "lease_s": 86_400}), "out_of_range"),
    # Names
    "unknown lane": (f"{ATC}/detectors", detectors({"id": "Q9", "volume": 1}), "unknown_lane"),
    "lane in other letters": (f"{ATC}/detectors", detectors({"id": "n1", "volume": 1}), "unknown_lane"),
    "metric of another kind": (f"{WIFI}/metrics", metrics({"users": 1}), "unknown_metric"),
    # Times
    "1970": (f"{ATC}/detectors", detectors(GOOD, start="1970-01-01T00:00:00Z"), "time_too_old"),
    "year 1": (f"{ATC}/detectors", detectors(GOOD, start="0001-01-01T00:00:00+08:00"), "time_too_old"),
    "last second of 1999": (f"{ATC}/detectors", detectors(GOOD, start="1999-12-31T23:59:59.999999Z"), "time_too_old"),
    "a day and a second ahead": (f"{ATC}/detectors", detectors(GOOD, start="2026-11-25T00:00:11Z"), "time_in_future"),
    "year 9999": (f"{ATC}/detectors", detectors(GOOD, start="9999-12-31T23:59:59-08:00"), "time_in_future"),
    "only event in 1970": (f"{ATC}/events", events(["1970-01-01T00:00:00Z", 81, 1]), "time_too_old"),
    "metrics in 1970": (f"{WIFI}/metrics", metrics({"clients": 1}, "1970-01-01T00:00:00Z"), "time_too_old"),
    "status in 1970": (f"{VMS}/status", encode({**STATUS, "time": "1970-01-01T00:00:00Z"}), "time_too_old"),
    # Pictures
    "frame is a PNG": (f"{CCTV}/frame", b"\x89PNG\r\n\x1a\n" + bytes(100), "not_an_image"),
    "frame is text": (f"{CCTV}/frame", b"data:image/jpeg;base64,", "not_an_image"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_bad_input_gets_its_reason(door: Door, case: str) -> None:
    topic, payload, reason = REJECTED[case]
    admission = door.admit(topic, payload, RECEIVED)
    assert admission.disposition is Disposition.REJECTED
    assert admission.records == []
    [letter] = admission.dead
    assert letter.reason == reason
    assert not letter.partial
    assert letter.size == len(payload)
    assert letter.source == admission.source
    assert 0 < len(letter.detail) <= 500
    assert letter.detail.isprintable()
    assert letter.topic.isprintable()


PARTIAL = {
    "unknown lane": (f"{ATC}/detectors", detectors(GOOD, {"id": "Q9", "volume": 1}), 1, {"unknown_lane": "'Q9'"}),
    "negative volume": (
        f"{ATC}/detectors",
        detectors(GOOD, {"id": "N2", "volume": -1}),
        1,
        {"out_of_range": "$.lanes[1].volume"},
    ),
    "occupancy 150": (f"{ATC}/detectors", detectors(GOOD, {"id": "N2", "occupancy": 150}), 1, {"out_of_range": "'N2'"}),
    "one lane twice": (
        f"{ATC}/detectors",
        detectors(GOOD, {"id": "N2"}, {"id": "N2"}, {"id": "N2"}),
        1,
        {"out_of_range": "'N2' stands in the message more than once"},
    ),
    "a lane that is no object": (f"{ATC}/detectors", detectors(GOOD, 5), 1, {"wrong_type": "$.lanes[1]"}),  # type: ignore[arg-type]
    "two reasons": (
        f"{CCTV}/counts",
        detectors({"id": "left", "volume": 1}, {"id": "right", "volume": -1}, {"id": "up"}, conditions={"light": "day"}),
        1,
        {"out_of_range": "$.lanes[1].volume", "unknown_lane": "'up'"},
    ),
    "one event in 1970": (
        f"{ATC}/events",
        events([START, 81, 1], ["1970-01-01T00:00:00Z", 82, 1], [START, 82, 1]),
        2,
        {"time_too_old": "events[1]"},
    ),
    "one event too short": (f"{ATC}/events", events([START, 81], [START, 82, 1]), 1, {"wrong_type": "$.events[0]"}),
    "unknown metric": (f"{WIFI}/metrics", metrics({"clients": 3, "uptime": 4}), 1, {"unknown_metric": "'uptime'"}),
    "metric out of range": (
        f"{WIFI}/metrics",
        metrics({"clients": 3, "loss_percent": 101}),
        1,
        {"out_of_range": "'loss_percent' is 101; possible are 0 to 100"},
    ),
    "metric of a wrong type": (
        f"{WIFI}/metrics",
        metrics({"clients": 3, "loss_percent": "1"}),
        1,
        {"wrong_type": "loss_percent"},
    ),
}


@pytest.mark.parametrize("case", PARTIAL)
def test_a_bad_part_costs_only_itself(door: Door, case: str) -> None:
    topic, payload, stored, reasons = PARTIAL[case]
    admission = door.admit(topic, payload, RECEIVED)
    assert admission.disposition is Disposition.ADMITTED
    assert len(admission.records) == stored
    assert admission.seq == 7
    assert {letter.reason for letter in admission.dead} == set(reasons)
    for letter in admission.dead:
        assert letter.partial
        assert reasons[letter.reason] in letter.detail
        assert letter.payload == payload


def one(door: Door, topic: str, payload: bytes) -> Any:
    admission = door.admit(topic, payload, RECEIVED)
    assert admission.dead == []
    [record] = admission.records
    return record


def test_missing_is_not_zero(door: Door) -> None:
    nothing = one(door, f"{ATC}/detectors", detectors({"id": "N1"}))
    assert (nothing.volume, nothing.occupancy, nothing.speed, nothing.sm, nothing.fault) == (None,) * 5
    zero = one(door, f"{ATC}/detectors", detectors({"id": "N1", "volume": 0, "occupancy": 0, "classes": {}}))
    assert (zero.volume, zero.occupancy, zero.speed, zero.sm, zero.ktb, zero.fault) == (0, 0, None, 0, 0, None)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (210, "max_presence"),
        (211, "no_activity"),
        (212, "open_loop"),
        (213, "shorted_loop"),
        (214, "excessive_change"),
        (215, "reserved"),
        (216, "watchdog"),
        (217, "erratic_output"),
        (217.0, "erratic_output"),
    ],
)
def test_a_fault_code_is_never_a_number(door: Door, code: float, name: str) -> None:
    lane = {"id": "N1", "volume": 9, "occupancy": code, "speed": 50, "classes": {"SM": 9}}
    reading = one(door, f"{ATC}/detectors", detectors(lane))
    assert reading.fault == name
    values = (reading.volume, reading.occupancy, reading.speed)
    assert values == (None, None, None)
    assert (reading.sm, reading.mp, reading.ks, reading.bb, reading.tb, reading.ktb) == (None,) * 6


def test_the_devices_own_fault_clears_the_values(door: Door) -> None:
    reading = one(door, f"{ATC}/detectors", detectors({**GOOD, "fault": "cable_cut"}))
    assert (reading.fault, reading.volume, reading.occupancy, reading.speed) == ("cable_cut", None, None, None)


def test_a_whole_reading(door: Door, registry: Registry) -> None:
    classes = {"SM": 6, "MP": 5, "KS": 4, "BB": 3, "TB": 2, "KTB": 1}
    payload = detectors({"id": "N2", "volume": 22, "occupancy": 12.34, "speed": 33.3, "classes": classes})
    device = registry.named("atc-sample")
    assert device is not None
    assert one(door, f"{ATC}/detectors", payload) == LaneReading(
        lane=device.lanes["N2"],
        start_us=RECEIVED - 10_000_000,
        seq=7,
        period_ms=10_000,
        volume=22,
        occupancy=1234,
        speed=333,
        sm=6,
        mp=5,
        ks=4,
        bb=3,
        tb=2,
        ktb=1,
        fault=None,
        future=False,
        received_us=RECEIVED,
    )


@pytest.mark.parametrize(
    ("start", "future"),
    [
        ("2026-11-21T00:00:00Z", False),  # three days late is fine
        ("2026-11-24T00:00:05Z", False),  # ends 5 s after receipt: within the tolerance
        ("2026-11-24T00:00:05.000001Z", True),  # ends 1 µs later than that
        ("2026-11-24T00:10:00Z", True),  # a clock ten minutes ahead is kept and flagged
        ("2026-11-25T00:00:10Z", True),  # exactly a day ahead: the last that is kept
    ],
)
def test_a_clock_ahead_is_flagged(door: Door, start: str, future: bool) -> None:
    assert one(door, f"{ATC}/detectors", detectors(GOOD, start=start)).future is future


def test_events_keep_their_place_when_another_is_bad(door: Door) -> None:
    payload = events(["1970-01-01T00:00:00Z", 1, 1], [START, -5, 1], ["2026-11-24T08:00:00.1+08:00", 82, 3])
    admission = door.admit(f"{ATC}/events", payload, RECEIVED)
    [event] = admission.records
    assert isinstance(event, SignalEvent)
    assert (event.ordinal, event.code, event.parameter) == (2, 82, 3)
    assert event.time_us == RECEIVED - 9_900_000
    assert admission.key == (7, event.time_us)


def test_equal_events_in_one_message_are_all_kept(door: Door) -> None:
    admission = door.admit(f"{ATC}/events", events([START, 82, 3], [START, 82, 3]), RECEIVED)
    assert [record.ordinal for record in admission.records if isinstance(record, SignalEvent)] == [0, 1]


def test_a_missing_metric_stays_missing(door: Door) -> None:
    reading = one(door, f"{WIFI}/metrics", metrics({"clients": None}))
    assert isinstance(reading, SensorReading)
    assert reading.value is None


@pytest.mark.parametrize("state", ["online", "offline", "shutdown"])
def test_presence(door: Door, registry: Registry, state: str) -> None:
    device = registry.named("vms-sample")
    assert device is not None
    assert one(door, f"{VMS}/presence", state.encode()) == PresenceChange(device.number, state, RECEIVED)


def test_a_retained_command_is_a_step_of_the_sign(door: Door) -> None:
    admission = door.admit(f"{VMS}/command", encode(COMMAND), RECEIVED)
    [step] = admission.records
    assert isinstance(step, SignMessage)
    assert (step.step, step.command, step.multi, step.priority, step.lease_s) == ("command", "c1", "JALAN TUTUP", 3, 60)
    assert admission.seq is None


def test_status_and_result_are_steps_of_the_sign(door: Door) -> None:
    status = one(door, f"{VMS}/status", encode({**STATUS, "faults": ["pixel"], "door_open": True}))
    assert (status.step, status.crc, status.source_mode, status.faults) == ("status", 1, "central", ("pixel",))
    answer = {"seq": 8, "time": START, "command": "c1", "outcome": "refused", "error": "priority"}
    result = one(door, f"{VMS}/result", encode(answer))
    assert (result.step, result.command, result.outcome, result.error) == ("result", "c1", "refused", "priority")


@pytest.mark.parametrize(
    "payload",
    [
        detectors({"id": "N1", "volume": -1}),
        detectors(GOOD, start="1970-01-01T00:00:00Z"),
        detectors(GOOD, period_s="ten"),
        detectors({"id": "Q9"}),
    ],
)
def test_a_rejected_message_still_tells_its_sequence(door: Door, payload: bytes) -> None:
    assert door.admit(f"{ATC}/detectors", payload, RECEIVED).seq == 7


def test_what_a_device_writes_does_not_choose_its_reason(door: Door) -> None:
    [letter] = door.admit(f"{ATC}/detectors", detectors(GOOD, **{"` >= `": 1}), RECEIVED).dead
    assert letter.reason == "wrong_type"


class _Broken(NativeFeed):
    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        raise ZeroDivisionError("oops\0")


def test_a_broken_decoder_costs_one_message(site: Site, registry: Registry) -> None:
    door = Door(registry, site, feeds={"native": _Broken()})
    admission = door.admit(f"{ATC}/detectors", detectors(GOOD), RECEIVED)
    [letter] = admission.dead
    assert (letter.reason, letter.detail) == ("decoder_fault", "ZeroDivisionError: oops\ufffd")
    assert admission.stream is Stream.DETECTORS


def test_an_unknown_dialect_is_a_configuration_error(site: Site, registry: Registry) -> None:
    with pytest.raises(ConfigError, match="no feed for dialect 'native'; dialects are other"):
        Door(registry, site, feeds={"other": _Broken()})
