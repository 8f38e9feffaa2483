"""Vehicles found in masks that are painted with the silhouettes of vehicles at known places of a road."""

from __future__ import annotations

import numpy as np
import pytest

from config.thresholds.camera import seeing_thresholds
from ingest.camera.detect.lamps import body, pairs
from ingest.camera.detect.shapes import Expected, Fitted, Shapes
from ingest.camera.detect.silhouettes import Ground, Silhouettes
from ingest.camera.geometry import Homography, Point
from ingest.camera.pose import Pose
from ingest.contract import VehicleClass
from subak.street.assumptions import load_assumptions
from subak.street.picture import HEIGHT, WIDTH, Picture
from subak.street.render import POLE

SM, MP, KS, BB = VehicleClass.SM, VehicleClass.MP, VehicleClass.KS, VehicleClass.BB
SCALE = 640 / 240


@pytest.fixture(scope="module")
def silhouettes() -> Silhouettes:
    """Of a camera 8 m up; the road's axes are metres from the kerb and metres from the stop line, traffic comes towards it."""
    picture = Picture("road", 3, POLE, load_assumptions().classes)
    metres = [(0.0, 6.0), (9.6, 6.0), (9.6, 26.0), (0.0, 26.0)]
    plane = Homography([picture.project(y, x, 0) for x, y in metres], metres)
    ground = Ground(plane, Pose(plane, WIDTH, HEIGHT), (0.0, -1.0))
    return Silhouettes(ground, seeing_thresholds().sizes, (0.0, 0.0), (SCALE, SCALE), (135, 240))


def mask_of(silhouettes: Silhouettes, *vehicles: tuple[VehicleClass, Point]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    mask = np.zeros((silhouettes.rows, silhouettes.columns), np.uint8)
    for vehicle, near in vehicles:
        pixel = silhouettes.to_pixels(near)
        shape = silhouettes.at(vehicle, pixel)
        parts = shape.over(pixel, mask) if shape else None
        assert parts is not None
        parts[1][:] |= parts[0]
    return mask


def found(
    silhouettes: Silhouettes, *vehicles: tuple[VehicleClass, Point], expected: list[Expected] | None = None
) -> list[Fitted]:
    mask = mask_of(silhouettes, *vehicles)
    return Shapes(silhouettes, seeing_thresholds().shapes).fit(mask, np.zeros_like(mask), expected or [])


def places(fitted: list[Fitted]) -> list[tuple[VehicleClass, int, int]]:
    """Class and place to two metres, the nearest first."""
    return sorted(
        ((item.vehicle, 2 * round(item.near[0] / 2), 2 * round(item.near[1] / 2)) for item in fitted), key=lambda i: i[2]
    )


@pytest.mark.parametrize("vehicle", [SM, MP, KS])
def test_a_vehicle_alone(silhouettes: Silhouettes, vehicle: VehicleClass) -> None:
    assert [(vehicle, 4, 6)] == places(found(silhouettes, (vehicle, (4.0, 6.0))))


def test_a_car_behind_a_motorcycle_is_not_cut_into_motorcycles(silhouettes: Silhouettes) -> None:
    known = [Expected(1, (4.0, 8.0), 0.2, {SM: 0.9}, looks=20, stands=True)]
    fitted = found(silhouettes, (MP, (4.0, 11.5)), (SM, (4.0, 8.0)), expected=known)

    assert [(SM, 1), (MP, None)] == [(item.vehicle, item.track) for item in fitted]


def test_motorcycles_abreast_are_not_a_car(silhouettes: Silhouettes) -> None:
    assert [(SM, 4, 10), (SM, 6, 10)] == sorted(places(found(silhouettes, (SM, (4.4, 10.0)), (SM, (5.6, 10.0)))))


def test_a_car_and_a_truck_behind_it_do_not_become_one_bus(silhouettes: Silhouettes) -> None:
    """Once they are known: what one of them explains is no reason to take the other for something longer."""
    expected = [
        Expected(1, (5.0, 6.0), 0.2, {MP: 0.9}, looks=20, stands=True),
        Expected(2, (5.0, 11.5), 0.2, {KS: 0.9}, looks=20, stands=True),
    ]
    fitted = found(silhouettes, (MP, (5.0, 6.0)), (KS, (5.0, 11.5)), expected=expected)

    assert [(1, MP), (2, KS)] == sorted((item.track or 0, item.vehicle) for item in fitted)


def test_a_vehicle_that_is_quite_hidden_is_not_invented(silhouettes: Silhouettes) -> None:
    """A track ran on through the vehicle before it, and was counted where nothing was to be seen."""
    expected = [Expected(1, (5.0, 8.0), 0.2, {KS: 0.9}, 20, stands=True), Expected(2, (5.0, 9.0), 0.2, {SM: 0.9}, 5, stands=True)]

    assert [1] == [item.track for item in found(silhouettes, (KS, (5.0, 8.0)), expected=expected)]


def test_two_lamps_of_a_car_in_the_dark_are_not_two_motorcycles(silhouettes: Silhouettes) -> None:
    thresholds = seeing_thresholds()
    mask = np.zeros((silhouettes.rows, silhouettes.columns), np.uint8)
    lamps: list[Point] = []
    for across in (3.4, 4.6):
        ((x, y),) = silhouettes.ground.pose.project(np.array([[across, 10.0, 0.75]]))
        lamps.append((float(x) / SCALE, float(y) / SCALE))
        column, row = round(lamps[-1][0]), round(lamps[-1][1])
        mask[row - 3 : row + 4, column - 3 : column + 4] = 1
    dim = np.zeros_like(mask)
    middles = pairs(lamps, silhouettes, thresholds.lamps)
    body(middles, silhouettes, mask, dim)
    shapes = Shapes(silhouettes, thresholds.shapes)
    shapes.contrast = thresholds.lamps.contrast.value

    assert [(4, 10)] == [(round(x), round(y)) for x, y in middles]
    assert [(MP, 4, 10)] == places(shapes.fit(mask, dim))


def test_lamps_of_two_motorcycles_one_behind_the_other_are_no_pair(silhouettes: Silhouettes) -> None:
    seen = silhouettes.ground.pose.project(np.array([[4.4, 10.0, 0.75], [5.6, 11.0, 0.75]]))

    assert [] == pairs([(x / SCALE, y / SCALE) for x, y in seen.tolist()], silhouettes, seeing_thresholds().lamps)
