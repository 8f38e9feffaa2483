"""Lines and tracks: what is counted, and what only trembles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from config.thresholds.camera import seeing_thresholds
from ingest.camera.classify import Classifier
from ingest.camera.count import Counter
from ingest.camera.detect import Detection
from ingest.camera.geometry import Direction, Homography, Line, Point, Zone, ZoneKind
from ingest.camera.track import Tracker
from ingest.camera.video import usual
from ingest.contract import VehicleClass

FLAT = Homography([(0, 0), (400, 0), (400, 400), (0, 400)], [(0, 0), (40, 0), (40, 40), (0, 40)])
"""Ten pixels a metre, straight from above."""
LINE = Line((400, 200), (0, 200), "line")
"""Crossed forward upwards."""
HEADING = Zone("road", ((0, 0), (400, 0), (400, 400), (0, 400)), ZoneKind.QUEUE, heading=((200, 390), (200, 10)))


def counted(way: Sequence[float | None], zones: Sequence[Zone] = ()) -> list[tuple[Direction, VehicleClass]]:
    """Of a motorcycle whose place is at each height of `way`, ten frames a second; None: it was not seen."""
    thresholds = seeing_thresholds()
    tracker = Tracker(thresholds.tracking, thresholds.motion)
    tracker.plane = FLAT
    counter = Counter([LINE], thresholds.counting, Classifier(thresholds.classes), FLAT, zones)
    found: list[tuple[Direction, VehicleClass]] = []
    for frame, y in enumerate([*way, *[None] * 20]):
        seen = [] if y is None else [spot((200, y))]
        tracker.step(seen, frame / 10)
        crossings, _ = counter.step(tracker, frame, frame / 10)
        found += [(item.direction, item.vehicle) for item in crossings]
    return found


def spot(place: Point) -> Detection:
    x, y = place
    return Detection((x - 3, y - 20, x + 3, y), vehicle=VehicleClass.SM, near=(x / 10, y / 10), spot=place)


def test_once_in_its_direction() -> None:
    assert [(Direction.FORWARD, VehicleClass.SM)] == counted([260.0 - 4 * frame for frame in range(30)])
    assert [(Direction.BACKWARD, VehicleClass.SM)] == counted([140.0 + 4 * frame for frame in range(30)])


def test_a_silhouette_that_slides_to_the_next_vehicle_does_not_count() -> None:
    """In a jam a track slid by a vehicle's length over the line and ended there, again and again."""
    assert [] == counted([190.0] * 10 + [190.0 + 2 * frame for frame in range(11)] + [210.0] * 10)


def test_trembling_on_the_line_does_not_count() -> None:
    assert [] == counted([200.0 + (8 if frame % 2 else -8) for frame in range(60)])


def test_what_was_only_expected_beyond_the_line_does_not_count() -> None:
    """A track ran on over the line by itself, after its vehicle was lost."""
    assert [] == counted([260.0 - 4 * frame for frame in range(15)] + [None] * 10)


def test_against_the_heading_it_must_go_farther() -> None:
    short, long = [180.0 + 4 * frame for frame in range(12)], [160.0 + 4 * frame for frame in range(28)]

    assert [(Direction.BACKWARD, VehicleClass.SM)] == counted(short)
    assert [] == counted(short, [HEADING])
    assert [(Direction.BACKWARD, VehicleClass.SM)] == counted(long, [HEADING])


def test_a_queue_that_waited_is_not_the_road() -> None:
    """The median of a clip was the queue, where one stood for more than half of it."""
    samples = np.full((36, 60, 60, 3), 90, np.uint8)
    for first, last, colour in ((4, 16, (200, 200, 200)), (20, 32, (30, 30, 180))):
        samples[first:last, 15:45, 15:45] = colour

    assert 90 == np.median(np.median(samples, axis=0)[0:10])
    assert (np.median(samples, axis=0)[30, 30] != 90).any()
    assert np.abs(usual(samples).astype(int) - 90).max() <= 1
