from __future__ import annotations

from config.thresholds.camera import seeing_thresholds
from ingest.camera.detect import Detection, Kind
from ingest.camera.geometry import Homography, Zone, ZoneKind
from ingest.camera.track import Track, Tracker
from ingest.camera.view import Happening, ZoneState
from ingest.camera.zones import Watch

SQUARE = ((0.0, 0.0), (400.0, 0.0), (400.0, 400.0), (0.0, 400.0))
FLAT = Homography([(0, 0), (400, 0), (400, 400), (0, 400)], [(0, 0), (40, 0), (40, 40), (0, 40)])
"""Ten pixels a metre, straight from above."""


def drive(kind: Kind, way: list[tuple[float, float]], zone: Zone, fps: int = 10) -> tuple[list[ZoneState], list[Happening]]:
    """A thing of 20 by 40 pixels whose foot goes along `way`, one position a frame."""
    thresholds = seeing_thresholds()
    tracker, watch = Tracker(thresholds.tracking, thresholds.motion), Watch([zone], thresholds.zones, FLAT)
    states: list[ZoneState] = []
    happenings: list[Happening] = []
    for frame, (x, y) in enumerate(way):
        time = frame / fps
        tracks = tracker.step([Detection((x - 10, y - 40, x + 10, y), kind)], time)
        found, events = watch.step([track for track in tracks if tracker.confirmed(track)], time)
        states += found
        happenings += events
    return states, happenings


def road(kind: ZoneKind) -> Zone:
    """Vehicles go down the picture; the stop line is at y = 390."""
    return Zone("road", SQUARE, kind, heading=((200, 0), (200, 390)))


def test_against_the_heading_is_the_wrong_way() -> None:
    _, up = drive(Kind.CAR, [(200, 390 - 6 * frame) for frame in range(60)], road(ZoneKind.CARRIAGEWAY))
    _, down = drive(Kind.CAR, [(200, 41 + 6 * frame) for frame in range(55)], road(ZoneKind.CARRIAGEWAY))

    assert [("wrong_way", None)] == [(event.kind, event.end_us) for event in up]
    assert [] == down


def test_a_track_that_slides_back_along_a_queue_is_nobody_against_the_traffic() -> None:
    came = [(200.0, 41.0 + 6 * frame) for frame in range(40)]
    _, slid = drive(Kind.CAR, came + [(200.0, 275.0 - 6 * frame) for frame in range(30)], road(ZoneKind.CARRIAGEWAY))
    _, rolled = drive(Kind.CAR, [(200.0, 390.0 - 3 * frame) for frame in range(24)], road(ZoneKind.CARRIAGEWAY))

    # The same way back without having come, and long enough, is one: the case above.
    assert [] == [event.kind for event in slid]
    assert [] == [event.kind for event in rolled]


def test_who_seems_to_go_against_vehicles_beside_him_that_set_off_is_one_of_them() -> None:
    thresholds = seeing_thresholds()
    tracker, watch = Tracker(thresholds.tracking, thresholds.motion), Watch([road(ZoneKind.CARRIAGEWAY)], thresholds.zones, FLAT)
    told: list[Happening] = []
    for frame in range(60):
        back, forth = 390.0 - 4 * frame, 230.0 + 4 * frame
        boxes = [Detection((190, back - 40, 210, back), Kind.CAR), Detection((235, forth - 40, 255, forth), Kind.CAR)]
        tracks = tracker.step(boxes, frame / 10)
        told += watch.step([track for track in tracks if tracker.confirmed(track)], frame / 10)[1]

    # It has gone 8 m against the heading at 2.0 s; until 2.8 s another is nearer than 8 m.
    assert ["wrong_way"] == [event.kind for event in told if event.end_us is None]
    assert all(event.onset_us >= 2_700_000 for event in told)


def test_who_stands_long_enough_has_stopped_until_driving_on() -> None:
    way = [(200.0, 100.0)] * 250 + [(200.0, 100.0 + 8 * frame) for frame in range(80)]
    _, happenings = drive(Kind.CAR, way, road(ZoneKind.CARRIAGEWAY))

    assert ["stopped", "stopped"] == [event.kind for event in happenings]
    assert [True, False] == [event.end_us is None for event in happenings]
    assert happenings[1].onset_us == happenings[0].onset_us < 1_000_000
    assert 24_000_000 < (happenings[1].end_us or 0) < 27_000_000


def test_of_an_event_that_ends_while_the_camera_is_covered_nobody_tells_an_end() -> None:
    thresholds = seeing_thresholds()
    parked = [Track(1, Detection((190, 60, 210, 100), Kind.CAR), 0.0)]
    watch = Watch([road(ZoneKind.CARRIAGEWAY)], thresholds.zones, FLAT)
    told = [event for second in range(30) for event in watch.step(parked, second)[1]]
    assert [("stopped", None)] == [(event.kind, event.end_us) for event in told]

    # Covered for a minute: it may stand there or not. It does, and goes on; covered again, and it is gone.
    for second in range(30, 90):
        assert watch.step([], second, blind=True)[1] == []
    assert (watch.step(parked, 90)[1], watch.ongoing) == ([], told)
    for second in range(91, 100):
        watch.step([], second, blind=True)
    assert [event for second in range(100, 110) for event in watch.step([], second)[1]] == []
    assert [] == watch.ongoing


def test_a_person_on_the_carriageway_is_an_event_and_no_vehicle() -> None:
    states, happenings = drive(Kind.PERSON, [(100 + frame, 200) for frame in range(30)], road(ZoneKind.CARRIAGEWAY))

    assert ["person"] == [event.kind for event in happenings]
    assert 0 == max(state.vehicles for state in states)


def test_a_queue_is_measured_from_the_stop_line() -> None:
    states, _ = drive(Kind.CAR, [(200, 300)] * 30, road(ZoneKind.QUEUE))
    moving, _ = drive(Kind.CAR, [(200, 100 + 8 * frame) for frame in range(30)], road(ZoneKind.QUEUE))

    # 90 pixels before the stop line are 9 m.
    assert ZoneState("road", 1, 9.0) == states[-1]
    assert ZoneState("road", 1, 0.0) == moving[-1]
