"""The colour of a link says what was validly observed at its end, or that nothing was."""

from __future__ import annotations

import math

import pytest

from config.settings import DEFAULT_SITE
from config.site import Link, load_site
from dashboards.console.map import (
    HEIGHT,
    Frame,
    LinkLook,
    age_look,
    arrow,
    drawing,
    link_state,
    place_labels,
    shifted,
    speed_look,
    spread,
    up_to,
)
from storage.readers import LaneRow, MinuteRow
from tests.unit.dashboards.rows import MINUTE, NEWEST, NOW, THRESHOLDS, gap, lane, minute

LINK = Link(id="dewa-ruci-to-legian", start="dewa-ruci", end="legian", road="Jl. Imam Bonjol", lanes=2, speed_limit=40)
KERB, CENTRE = lane(1), lane(2, detector="E2", lane="E2", from_kerb=2)
CAMERA = lane(3, kind="cctv", device="cam-legian")


class TestLinkState:
    def test_speed_is_weighted_by_volume_over_lanes_and_minutes(self) -> None:
        minutes = {
            1: (minute(1, volume=10, speed=20.0), minute(0, volume=30, speed=40.0)),
            2: (minute(0, 2, volume=60, speed=30.0),),
        }

        state = link_state(LINK, [KERB, CENTRE], minutes, NOW, THRESHOLDS)

        # (10 x 20 + 30 x 40 + 60 x 30) / 100 = 32 km/h, 80 % of 40.
        assert (LinkLook.FREE, 32.0, 80, 100, 2) == (state.speed_look, state.speed, state.share, state.volume, state.valid)

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            # No bin at all.
            ((), LinkLook.UNKNOWN),
            # Bins without a valid observation.
            ((gap(1), gap(0)), LinkLook.UNKNOWN),
            # A suspect or imputed value colours nothing, however fast.
            ((minute(0, quality="suspect(speed_high)", speed=170.0),), LinkLook.UNKNOWN),
            ((minute(0, quality="imputed(split)"),), LinkLook.UNKNOWN),
            # What may still change colours nothing.
            ((minute(0, final=False),), LinkLook.UNKNOWN),
            # Five minutes after its end a minute is history.
            ((minute(4),), LinkLook.UNKNOWN),
            ((minute(3),), LinkLook.FREE),
            # Vehicles that had no speed.
            ((minute(0, speed=None),), LinkLook.UNKNOWN),
            # The detector worked and saw nothing: an empty road, not an unknown one.
            ((minute(0, volume=0, speed=None),), LinkLook.EMPTY),
            # A partial minute is an observation.
            ((minute(0, quality="partial", speed=10.0),), LinkLook.JAM),
        ],
    )
    def test_never_green_without_a_valid_observation(self, rows: tuple[MinuteRow, ...], expected: LinkLook) -> None:
        assert expected == link_state(LINK, [KERB], {1: rows}, NOW, THRESHOLDS).speed_look

    @pytest.mark.parametrize(
        ("controller", "camera", "expected"),
        [
            # Both see the lane: counted once, from the controller.
            (minute(0, speed=30.0), minute(0, 3, speed=10.0), (30.0, ("atc",))),
            # The controller has nothing valid: the camera stands in, and the tip says so.
            (gap(0), minute(0, 3, speed=10.0), (10.0, ("cctv",))),
        ],
    )
    def test_a_lane_counts_once(self, controller: MinuteRow, camera: MinuteRow, expected: tuple[float, tuple[str, ...]]) -> None:
        lanes: list[LaneRow] = [CAMERA, KERB]

        state = link_state(LINK, lanes, {1: (controller,), 3: (camera,)}, NOW, THRESHOLDS)

        assert expected == (state.speed, state.kinds)

    def test_a_link_out_of_the_site_has_no_detectors(self) -> None:
        assert LinkLook.UNEQUIPPED == link_state(LINK, [], {}, NOW, THRESHOLDS).speed_look

    def test_worst_quality_is_told(self) -> None:
        state = link_state(LINK, [KERB], {1: (minute(1, quality="partial"), minute(0))}, NOW, THRESHOLDS)

        assert "partial" == state.quality


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (120, LinkLook.FREE),
        (67, LinkLook.FREE),
        (66.9, LinkLook.SLOW),
        (50, LinkLook.SLOW),
        (49.9, LinkLook.DENSE),
        (30, LinkLook.DENSE),
        (29.9, LinkLook.JAM),
        (0, LinkLook.JAM),
    ],
)
def test_classes_of_speed(share: float, expected: LinkLook) -> None:
    assert expected == speed_look(share, THRESHOLDS)


@pytest.mark.parametrize(
    ("back", "expected"), [(0, LinkLook.FRESH), (1, LinkLook.AGEING), (3, LinkLook.AGEING), (4, LinkLook.STALE)]
)
def test_classes_of_age(back: int, expected: LinkLook) -> None:
    # The newest final minute ended 80 s ago; 120 s are fresh, 300 s the end.
    assert expected == age_look(NEWEST - back * MINUTE, NOW, THRESHOLDS)


class TestGeometry:
    def test_traffic_keeps_left(self) -> None:
        # Eastwards on a map whose y grows to the south: left is north, a smaller y.
        assert [(2.0, -5.0), (98.0, -5.0)] == shifted([(0, 0), (100, 0)], 5, 2)

    def test_directions_do_not_cover_each_other(self) -> None:
        there, back = shifted([(0, 0), (0, 90)], 5, 0), shifted([(0, 90), (0, 0)], 5, 0)

        assert {5.0} == {x for x, _ in there}
        assert {-5.0} == {x for x, _ in back}

    def test_a_bend_keeps_its_distance(self) -> None:
        # East, then south: the corner of the left side lies outside.
        corner = shifted([(0, 0), (100, 0), (100, 100)], 5, 0)[1]

        assert (105.0, -5.0) == pytest.approx(corner)

    def test_arrow_points_where_the_traffic_goes(self) -> None:
        assert (109.0, 0.0) == arrow([(0, 0), (100, 0)])[0]

    def test_scale_is_true(self) -> None:
        frame = Frame([(-8.7, 115.1), (-8.6, 115.2)])

        south = math.dist(frame.at((-8.7, 115.1)), frame.at((-8.69, 115.1)))
        east = math.dist(frame.at((-8.65, 115.1)), frame.at((-8.65, 115.11)))

        assert math.cos(math.radians(8.65)) == pytest.approx(east / south)

    def test_what_lies_outside_points_there(self) -> None:
        frame = Frame([(-8.7, 115.1), (-8.6, 115.2)])
        inside, pointer = frame.clamp(frame.at((-8.5, 115.15)))

        assert "↑" == pointer
        assert 0 < inside[1] < HEIGHT

    def test_markers_at_one_place_are_spread(self) -> None:
        places = spread([(0, 0), (0, 0), (0, 0)], [(0, 0)])

        assert 3 == len({*places} - {(0, 0)})

    def test_labels_do_not_cover_each_other(self) -> None:
        placed = place_labels([((100, 100), ["Jl. Raya Kuta"]), ((105, 104), ["Jl. Imam Bonjol"])], [], 600)
        (_, a), (_, b) = placed

        assert min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1])


class TestDrawing:
    def test_every_link_and_every_placed_device_of_the_site(self) -> None:
        site = load_site(DEFAULT_SITE)
        picture = drawing(site)

        assert {link.id for link in site.links} == {link["id"] for link in picture["links"]}
        assert {device.id for device in site.devices if device.position is not None} == {mark["id"] for mark in picture["marks"]}

    def test_nothing_lies_outside_the_frame(self) -> None:
        picture = drawing(load_site(DEFAULT_SITE))

        assert all(0 < mark["x"] < picture["width"] and 0 < mark["y"] < HEIGHT for mark in picture["marks"])


def test_the_future_is_not_the_newest_minute() -> None:
    ahead = minute(-10)

    assert NEWEST + MINUTE == up_to({1: (minute(0),), 2: (ahead,)}, NOW)
