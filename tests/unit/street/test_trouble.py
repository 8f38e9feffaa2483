"""Trouble that was asked for: it begins and ends when told, and the devices say what real ones would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pyarrow.parquet as pq
import pytest

from config.errors import ConfigError
from config.site import Kind
from ingest.contract import ActivateError, Command, Health, Incidence, Observed, Outcome, Result, SourceMode, Status, VehicleClass
from ingest.topics import Stream
from subak.street.camera import CameraDevice, View
from subak.street.defects import CameraDefect, Window
from subak.street.faults import Way
from subak.street.message import Message
from subak.street.sign import STRAY, SignDevice
from subak.street.traffic import Seen
from subak.street.trouble import DeviceDefect, Fault, SignDefect, TroubledWay, Troubles
from subak.street.truth import Truth
from subak.street.watching import CALM, STANDS_FOR, Watching, riders
from tests.unit.street.rehearsal import START, quick_assumptions, the_site

BEGIN = int(datetime.fromisoformat(START).timestamp())
SITE = the_site()
ZONE = ZoneInfo("Asia/Makassar")


def test_options_become_troubles() -> None:
    found = Troubles.parse(
        SITE,
        BEGIN,
        camera_event=["cam-canggu:stopped:60:300", "cam-dewa-ruci:wrong_way"],
        sign_fault=["vms-sanur:stray:10:20"],
        device_fault=["atc-legian:door:5:6", "app-permit:silent"],
    )

    assert [(f.device, f.kind.value, f.window.begin - BEGIN) for f in found] == [
        ("cam-canggu", "stopped", 60),
        ("cam-dewa-ruci", "wrong_way", 0),
        ("vms-sanur", "stray", 10),
        ("atc-legian", "door", 5),
        ("app-permit", "silent", 0),
    ]
    (broken_down,) = found.incidents(SITE, BEGIN)
    assert (broken_down.link, broken_down.lane, broken_down.after, broken_down.lasts) == ("berawa-to-canggu", 0, 60, 300)
    assert found.defects({})["atc-legian"].door == (Window(BEGIN + 5, BEGIN + 11),)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        # A device that is not there, or is another kind of device.
        ("camera_event", "cam-nowhere:stopped"),
        ("sign_fault", "cam-canggu:pixel"),
        # A kind that is not there, a time that is none, a part too many.
        ("sign_fault", "vms-sanur:melted"),
        ("camera_event", "cam-canggu:stopped:soon"),
        ("device_fault", "atc-legian:silent:1:2:3"),
        # A sign's door is the sign's.
        ("device_fault", "vms-sanur:door"),
    ],
)
def test_what_cannot_be_is_refused(option: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"--{option.replace('_', '-')} {text.split(':', maxsplit=1)[0]}"):
        Troubles.parse(SITE, BEGIN, **{option: [text]})


def message(device: str = "app-permit", payload: bytes = b'{"seq":1}') -> Message:
    now = datetime.fromtimestamp(BEGIN, UTC)
    return Message(device, Kind.APP, Stream.METRICS, 1, now, now, payload)


def test_a_silent_device_sends_nothing_and_a_garbled_one_rubbish() -> None:
    window = Window(BEGIN + 10, BEGIN + 20)
    for kind, payloads in ((DeviceDefect.SILENT, []), (DeviceDefect.GARBLED, [b'{"seq"'])):
        way = TroubledWay(SITE, Way(SITE), [Fault("app-permit", kind, window)])
        (sent,) = way.send(message(), BEGIN + 10)
        assert [delivery.payload for delivery in sent.deliveries] == payloads
        assert (sent.faults, [delivery.message for delivery in sent.deliveries]) == ((kind.value,), [None] * len(payloads))
        # Before and after it, and of another device, all is as without.
        for other, now in ((message(), BEGIN + 9), (message(), BEGIN + 20), (message("app-parking"), BEGIN + 15)):
            assert way.send(other, now) == Way(SITE).send(other, now)


def test_the_truth_tells_what_was_asked_for(tmp_path: Path) -> None:
    Truth(
        SITE, tmp_path, BEGIN, troubles=Troubles.parse(SITE, BEGIN, sign_fault=["vms-sanur:pixel:10:20", "vms-sunset:door:5"])
    ).close()

    rows = pq.read_table(tmp_path / "troubles.parquet").to_pylist()
    start = datetime.fromtimestamp(BEGIN, UTC)
    assert [tuple(row.values()) for row in rows] == [
        ("vms-sanur", "pixel", start + timedelta(seconds=10), start + timedelta(seconds=30)),
        ("vms-sunset", "door", start + timedelta(seconds=5), None),
    ]


def test_a_sign_tells_of_its_faults_at_once_and_of_their_end() -> None:
    place = SITE.signs[0]
    faults = [Fault(place.id, kind, Window(BEGIN + 5, BEGIN + 25)) for kind in (SignDefect.PIXEL, SignDefect.DOOR)]
    sign = SignDevice(place, ZONE, faults)
    said = [(second, told) for second in range(30) for told in sign.tick(datetime.fromtimestamp(BEGIN + second, UTC))]

    found = [(second, msgspec.json.decode(told.payload, type=Status)) for second, told in said]
    assert [(second, status.faults, status.door_open) for second, status in found] == [
        (0, [], False),
        (5, ["pixel_failure"], True),
        (15, ["pixel_failure"], True),
        (25, [], False),
    ]


def test_a_sign_in_local_hands_shows_what_nobody_commanded_and_refuses() -> None:
    place = SITE.signs[0]
    sign = SignDevice(place, ZONE, [Fault(place.id, SignDefect.STRAY, Window(BEGIN, BEGIN + 20))])
    now = datetime.fromtimestamp(BEGIN, UTC)

    (told,) = sign.tick(now)
    status = msgspec.json.decode(told.payload, type=Status)
    (answer,) = sign.receive(msgspec.json.encode(Command("a", now, "MACET", 5, 60)), now)
    (after,) = sign.tick(now + timedelta(seconds=20))

    assert (status.multi, status.source_mode, status.command) == (STRAY, SourceMode.LOCAL, None)
    result = msgspec.json.decode(answer.payload, type=Result)
    assert (result.outcome, result.error) == (Outcome.REFUSED, ActivateError.LOCAL_MODE)
    assert msgspec.json.decode(after.payload, type=Status).multi == ""


def car(name: str, distance: float, speed: float) -> Seen:
    return Seen(name, VehicleClass.MP, distance, 1.6, speed)


def told(watching: Watching, second: int, *seen: Seen) -> list[tuple[Incidence, bool]]:
    watching.second(BEGIN + second, seen)
    return [(item.kind, item.end is not None) for item in watching.news()]


def test_a_vehicle_that_outlasts_every_red_is_told_with_its_begin_and_its_end() -> None:
    watching = Watching(ZONE)
    news: list[Observed] = []
    for second in range(300):
        standing = second < STANDS_FOR + 30
        watching.second(BEGIN + second, [car("MP.1", 25.0, 0.0)] if standing else [])
        news += watching.news()

    begin, end = (datetime.fromtimestamp(BEGIN + second, UTC) for second in (0, STANDS_FOR + 29))
    assert [(item.kind, item.onset, item.end) for item in news] == [
        (Incidence.STOPPED, begin, None),
        (Incidence.STOPPED, begin, end),
    ]


def test_a_queue_at_a_red_light_is_no_event() -> None:
    watching = Watching(ZONE)
    for cycle in range(3):
        for second in range(STANDS_FOR - 1):
            assert told(watching, cycle * STANDS_FOR + second, car(f"MP.{cycle}", 5.0, 0.0)) == []


def test_riders_against_the_traffic_are_one_event_however_many_come() -> None:
    watching = Watching(ZONE)
    news = [
        (second, item)
        for second in range(60)
        for item in told(watching, second, *(riders(BEGIN + second, BEGIN) if second < 40 else []))
    ]

    assert news == [(1, (Incidence.WRONG_WAY, False)), (39 + CALM, (Incidence.WRONG_WAY, True))]


def test_a_camera_that_was_covered_tells_no_end_that_it_did_not_see() -> None:
    watching = Watching(ZONE)
    for second in range(10):
        watching.second(BEGIN + second, riders(BEGIN + second, BEGIN))
    (begun,) = watching.news()
    watching.blind(BEGIN + 10)
    assert [begun] == watching.ongoing
    for second in range(11, 11 + CALM):
        watching.second(BEGIN + second, [])
    assert ([], []) == (watching.news(), watching.ongoing)


def test_a_camera_tells_events_with_its_health_but_not_while_it_is_covered() -> None:
    camera = SITE.cameras[0]
    approach = next(item for item in SITE.junction[camera.junction].approaches if item.id == camera.approach)
    view = View(camera, approach, SITE.link[approach.link])
    found = {}
    for faults in ([], [Fault(camera.id, CameraDefect.COVERED, Window(BEGIN, BEGIN + 20))]):
        device = CameraDevice(view, quick_assumptions().classes, ZONE, frames=False, faults=faults)
        said = [m for second in range(10) for m in device.second(BEGIN + second, riders(BEGIN + second, BEGIN))]
        (health,) = [msgspec.json.decode(m.payload, type=Health) for m in said if m.stream is Stream.HEALTH]
        assert health.ongoing == (None if faults else health.events)
        found[len(faults)] = [(item.kind, item.zone) for item in health.events]
    assert found == {0: [(Incidence.WRONG_WAY, "carriageway")], 1: []}
