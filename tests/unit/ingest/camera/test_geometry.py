from __future__ import annotations

import pytest

from ingest.camera.geometry import Direction, GeometryError, Homography, Line, Zone

UP = Line((320, 300), (320, 140))
"""Drawn upwards: its left is the picture's left."""


@pytest.mark.parametrize(
    ("line", "before", "after", "expected"),
    [
        # Who stands at (320, 300) and looks up to (320, 140) has the picture's left on the left.
        (UP, (300, 200), (340, 200), Direction.FORWARD),
        (UP, (340, 200), (300, 200), Direction.BACKWARD),
        # The same line from its other end: left and right change places.
        (Line((320, 140), (320, 300)), (300, 200), (340, 200), Direction.BACKWARD),
        # Looking along the picture's rows to the right, up is left: downwards is forward.
        (Line((0, 216), (768, 216)), (100, 200), (100, 230), Direction.FORWARD),
        (Line((0, 216), (768, 216)), (100, 230), (100, 200), Direction.BACKWARD),
        # Looking to the left, upwards is forward.
        (Line((768, 216), (0, 216)), (100, 230), (100, 200), Direction.FORWARD),
        # Past its end.
        (UP, (300, 310), (340, 310), None),
        # Along it, and not over it.
        (UP, (300, 200), (300, 250), None),
        # Onto the line counts, and away from it on the same side does not count again.
        (UP, (300, 200), (320, 200), Direction.FORWARD),
        (UP, (320, 200), (340, 200), None),
    ],
)
def test_forward_is_from_left_to_right_seen_from_the_first_point(
    line: Line, before: tuple[float, float], after: tuple[float, float], expected: Direction | None
) -> None:
    found = line.crossing(before, after)

    assert expected == (found[0] if found else None)


def test_the_part_of_the_way_gives_the_time_of_the_crossing() -> None:
    assert UP.crossing((310, 200), (350, 200)) == (Direction.FORWARD, 0.25)


def test_a_line_scales_with_the_picture() -> None:
    assert Line((640, 600), (640, 280)) == UP.scaled(2, 2)


def test_a_zone_holds_what_lies_inside() -> None:
    zone = Zone("z", ((0, 0), (10, 0), (10, 10), (5, 5), (0, 10)))

    assert [True, False, False] == [zone.holds(point) for point in ((2, 5), (5, 8), (11, 5))]


def test_four_points_measure_the_road() -> None:
    # A road 7 m wide that narrows from 400 to 200 pixels.
    plane = Homography([(100, 300), (500, 300), (400, 200), (200, 200)], [(0, 0), (7, 0), (7, 20), (0, 20)])

    assert pytest.approx((0, 0), abs=1e-4) == plane.to_metres((100, 300))
    assert pytest.approx((3.5, 20), abs=1e-4) == plane.to_metres((300, 200))
    # Half way in metres is not half way in pixels.
    assert plane.to_pixels((3.5, 10))[1] < 250
    assert plane.metres_per_pixel((300, 210)) > plane.metres_per_pixel((300, 290))


@pytest.mark.parametrize(
    "pixels",
    [
        [(0, 0), (10, 0), (20, 0), (5, 9)],
        [(0, 0), (10, 0), (10, 10)],
        [(0, 0), (0, 0), (10, 10), (0, 10)],
    ],
)
def test_points_that_span_no_area_are_refused(pixels: list[tuple[float, float]]) -> None:
    with pytest.raises(GeometryError):
        Homography(pixels, [(0, 0), (7, 0), (7, 20), (0, 20)])
