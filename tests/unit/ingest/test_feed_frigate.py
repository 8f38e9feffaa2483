"""Frigate: what counts, one row a reason why not; and no plate, name or picture in anything that is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ConfigError
from ingest.door import Admission, Door
from ingest.feeds import Context, Decoded, Message, Route
from ingest.feeds.frigate.decoder import FrigateFeed
from ingest.readings import LaneReading, PresenceChange
from ingest.registry import Registry
from tests.unit.ingest.samples import sample_door, sample_site

RECEIVED = 1_795_478_410_500_000  # 2026-11-24T08:00:10.5+08:00
SEEN = 1_795_478_408.25
EVENTS = "frigate/events"
SECRETS = ("DK1234ABC", "Pak Wayan", "/9j/4AAQSkZJRg", "rtsp://admin:secret@10.0.0.9/1", "0.4321")
DOOR, REGISTRY = sample_door("frigate")


def event(kind: str = "end", **after: Any) -> dict[str, Any]:
    tracked = {
        "id": "1795478404.125-mxklsc",
        "camera": "north",
        "frame_time": SEEN,
        "label": "car",
        "false_positive": False,
        "stationary": False,
        "position_changes": 2,
        "entered_zones": ["north_kerb"],
        "average_estimated_speed": 31.26,
    }
    return {"type": kind, "before": tracked, "after": tracked | after}


def telling(**after: Any) -> dict[str, Any]:
    """An event with everything in it that may not be stored."""
    plate, name, picture, _, place = SECRETS
    return event(
        **after,
        sub_label=[name, 0.9],
        recognized_license_plate=plate,
        recognized_license_plate_score=0.93,
        thumbnail=picture,
        snapshot={"box": [1, 2, 3, 4], "attributes": [{"label": "license_plate", "text": plate}]},
        path_data=[[[float(place), 0.5], SEEN]],
        data={"description": f"{name} in {plate}"},
    )


def admit(message: Any, topic: str = EVENTS, door: Door = DOOR) -> Admission:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return door.admit(topic, payload, RECEIVED)


def vehicles(admission: Admission) -> list[LaneReading]:
    return [record for record in admission.records if isinstance(record, LaneReading)]


@pytest.mark.parametrize(
    "change",
    [
        {"stationary": True},
        {"position_changes": 0},
        {"false_positive": True},
        {"entered_zones": []},
        {"entered_zones": ["sidewalk"]},
        {"entered_zones": ["east_kerb"]},  # a lane, but of another camera
        {"label": "person"},
        {"label": "license_plate"},
    ],
    ids=str,
)
def test_what_does_not_count_only_shows_that_the_camera_is_alive(change: dict[str, Any]) -> None:
    camera = REGISTRY.named("cam-north")
    assert camera is not None
    assert vehicles(admit(event())) != []
    assert admit(event(**change)).records == [PresenceChange(camera.number, "online", RECEIVED)]


@pytest.mark.parametrize(
    ("label", "expected"),
    [("motorcycle", "sm"), ("car", "mp"), ("truck", "ks"), ("bus", "bb"), ("school_bus", "bb"), ("bicycle", "ktb")],
)
def test_labels(label: str, expected: str) -> None:
    [reading] = vehicles(admit(event(label=label)))
    assert {name: getattr(reading, name) for name in ("sm", "mp", "ks", "bb", "tb", "ktb")} == dict.fromkeys(
        ("sm", "mp", "ks", "bb", "tb", "ktb"), 0
    ) | {expected: 1}


def test_a_life_of_an_object_is_one_vehicle() -> None:
    kinds = ["new", "update", "update", "update", "end"]
    assert sum(len(vehicles(admit(event(kind)))) for kind in kinds) == 1


def test_an_event_sent_twice_is_the_same_row_and_two_objects_are_two() -> None:
    keys = {
        (reading.lane, reading.start_us, reading.seq)
        for tracked in ("1795478404.125-mxklsc", "1795478404.125-mxklsc", "1795478404.125-abcdef")
        for reading in vehicles(admit(event(id=tracked)))
    }
    assert len(keys) == 2


def test_the_time_between_vehicles_is_not_claimed() -> None:
    assert [(reading.volume, reading.period_ms) for reading in vehicles(admit(event()))] == [(1, 0)]


def test_events_are_of_the_camera_they_name() -> None:
    admissions = [
        admit(event(camera=camera, entered_zones=["north_kerb", "east_kerb"])) for camera in ("north", "east", "garage")
    ]
    assert [REGISTRY.device_name(admission.source) for admission in admissions] == ["cam-north", "cam-east", "app-frigate"]


def assert_nothing_secret(admission: Admission) -> None:
    for part in (admission, *admission.also):
        for letter in part.dead:
            kept = letter.payload + letter.detail.encode()
            assert not [secret for secret in SECRETS if secret.encode() in kept]
        assert not [secret for secret in SECRETS if secret in repr(part.records)]


STATS = {
    "cameras": {"north": {"camera_fps": "five", "note": SECRETS[0]}, SECRETS[1]: {"camera_fps": 1}},
    "cpu_usages": {"361": {"cmdline": SECRETS[3]}},
    "service": {"last_updated": 1_795_478_400, "version": SECRETS[0]},
}
TELLING = {
    "unknown camera": (EVENTS, telling(camera="garage")),
    "camera named like a person": (EVENTS, telling(camera=SECRETS[1])),
    "no time": (EVENTS, telling(frame_time=None)),
    "1970": (EVENTS, telling(frame_time=5)),
    "unknown type": (EVENTS, {**telling(), "type": SECRETS[0]}),
    "impossible speed": (EVENTS, telling(average_estimated_speed=-3)),
    "a plate in place of a label": (EVENTS, telling(label=SECRETS[0], frame_time="now")),
    "a plate in place of an id": (EVENTS, telling(id=SECRETS[0], frame_time="now")),
    "a plate in place of a number": (EVENTS, telling(frame_time=SECRETS[0])),
    "a name in place of a zone": (EVENTS, telling(entered_zones=[SECRETS[1]], frame_time="now")),
    "cut off": (EVENTS, json.dumps(telling()).encode()[:-5]),
    "a list": (EVENTS, [telling()]),
    "too large": (EVENTS, json.dumps(telling()).encode() + b" " * (1 << 20)),
    "not UTF-8": (EVENTS, b"\xff" + json.dumps(telling()).encode()),
    "stats": ("frigate/stats", STATS),
    "stats in 1970": ("frigate/stats", {**STATS, "service": {"last_updated": 3}}),
    "presence": ("frigate/available", SECRETS[0].encode()),
    "camera presence": ("frigate/north/status/detect", SECRETS[1].encode()),
    "a topic that is not subscribed to": ("frigate/reviews", telling()),
    "recognised plates": ("frigate/tracked_object_update", {"type": "lpr", "plate": SECRETS[0], "name": SECRETS[1]}),
    "a snapshot": ("frigate/north/car/snapshot", b"\xff\xd8\xff\xe0" + SECRETS[2].encode()),
    "a snapshot of another format": ("frigate/north/car/snapshot", SECRETS[2].encode()),
}


@pytest.mark.parametrize("case", TELLING)
def test_no_plate_name_or_picture_in_a_dead_letter(case: str) -> None:
    topic, message = TELLING[case]
    admission = admit(message, topic)
    assert admission.dead or any(other.dead for other in admission.also)
    assert_nothing_secret(admission)


def test_a_dead_letter_keeps_what_a_technician_needs() -> None:
    [letter] = admit(telling(camera="garage")).dead
    assert json.loads(letter.payload)["after"] == event(camera="garage")["after"]
    assert letter.size == len(json.dumps(telling(camera="garage")).encode())


class _Broken(FrigateFeed):
    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        raise ZeroDivisionError


def test_a_broken_decoder_or_redaction_keeps_nothing_secret() -> None:
    site = sample_site("frigate")
    door = Door(Registry.for_site(site), site, feeds={"frigate": _Broken()})
    assert_nothing_secret(admit(telling(), door=door))
    assert_nothing_secret(admit(b"[" * (1 << 20), door=door))


def test_a_payload_that_the_database_refuses_is_redacted_too() -> None:
    kept = DOOR.redact(EVENTS, json.dumps(telling()).encode())
    assert json.loads(kept) == event()
    assert DOOR.redact("frigate/north/car/snapshot", SECRETS[2].encode()) == b""
    assert DOOR.redact("subak/v1/sample/cctv/x/counts", b"{}") == b"{}"


@settings(max_examples=300, deadline=None)
@given(
    change=st.fixed_dictionaries(
        {},
        # Names of cameras and zones are configuration; a plate stands in no field where Frigate writes them.
        optional={
            "camera": st.sampled_from(["garage", SECRETS[1], None, 5]),
            "entered_zones": st.sampled_from([[], [SECRETS[1]], None, "north_kerb"]),
            "label": st.sampled_from([*SECRETS, None]),
            "frame_time": st.one_of(st.integers(), st.sampled_from(SECRETS)),
            "id": st.sampled_from([*SECRETS, None]),
        },
    ),
    cuts=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 3), st.binary(max_size=3)), max_size=4),
    topic=st.sampled_from([EVENTS, "frigate/stats", "frigate/available", "frigate/anything"]),
)
def test_no_plate_name_or_picture_whatever_is_damaged(
    change: dict[str, Any], cuts: list[tuple[int, int, bytes]], topic: str
) -> None:
    payload = json.dumps(telling(**change)).encode()
    for place, removed, added in cuts:
        at = place % (len(payload) + 1)
        payload = payload[:at] + added + payload[at + removed :]
    assert_nothing_secret(admit(payload, topic))


def test_cameras_without_their_server_are_a_configuration_error() -> None:
    site = sample_site("frigate", applications=())
    with pytest.raises(ConfigError, match="cam-north, cam-east: their Frigate server 'frigate' is missing"):
        Door(Registry.for_site(site), site)


def test_two_cameras_of_one_name_are_a_configuration_error() -> None:
    north, east = sample_site("frigate").cameras
    site = sample_site("frigate", cameras=(north, east.model_copy(update={"address": {"camera": "north"}})))
    with pytest.raises(ConfigError, match="cam-north and cam-east have the same address"):
        Door(Registry.for_site(site), site)


def test_only_what_is_read_is_subscribed_to() -> None:
    assert DOOR.topic_filters == [
        "subak/v1/sample/#",
        "frigate/available",
        "frigate/east/status/detect",
        "frigate/events",
        "frigate/north/status/detect",
        "frigate/stats",
    ]
