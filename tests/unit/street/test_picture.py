"""The cameras' pictures."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ingest.contract import VehicleClass
from subak.street.assumptions import load_assumptions
from subak.street.picture import HEIGHT, WIDTH, Mount, Picture, daylight
from subak.street.traffic import Seen

BALI = ZoneInfo("Asia/Makassar")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=BALI)
NIGHT = datetime(2026, 11, 24, 23, 0, tzinfo=BALI)


@pytest.fixture(scope="module")
def picture() -> Picture:
    return Picture("cam-test", 2, Mount(7.0), load_assumptions().classes)


@pytest.mark.parametrize("vehicle", list(VehicleClass))
def test_a_vehicle_is_where_it_stands(picture: Picture, vehicle: VehicleClass) -> None:
    seen = Seen(f"{vehicle}.1", vehicle, 12.0, 1.6, 0.0)
    changed = (picture.draw([seen], NOON) != picture.draw([], NOON)).any(axis=2)
    rows, columns = np.nonzero(changed)
    x, y = picture.project(12.0, 1.6, 0.5)
    assert columns.min() <= x <= columns.max()
    assert rows.min() <= y <= rows.max()
    assert changed.mean() < 0.2


def test_the_far_is_above_the_near_and_the_kerb_is_on_the_right(picture: Picture) -> None:
    assert picture.project(100, 1.6, 0)[1] < picture.project(10, 1.6, 0)[1]
    assert picture.project(10, 0, 0)[0] > picture.project(10, 6.4, 0)[0]


def test_a_picture_has_the_promised_size(picture: Picture) -> None:
    assert picture.draw([], NOON).shape == (HEIGHT, WIDTH, 3)


def test_nights_are_dark_but_for_headlamps(picture: Picture) -> None:
    night = picture.draw([], NIGHT)
    assert night.mean() < picture.draw([], NOON).mean() / 2
    lit = picture.draw([Seen("MP.1", VehicleClass.MP, 12.0, 1.6, 0.0)], NIGHT)
    assert lit.max() - night.max() >= 0
    assert int(lit.astype(int).sum()) > int(night.astype(int).sum())


# Each case: hour of the day, light.
@pytest.mark.parametrize(("hour", "light"), [(0, 0), (5.5, 0), (6.7, 1), (12, 1), (17.8, 1), (18.9, 0), (23.9, 0)])
def test_daylight(hour: float, light: float) -> None:
    assert daylight(hour) == pytest.approx(light, abs=1e-6)


def test_a_picture_repeats(picture: Picture) -> None:
    seen = [Seen("SM.7", VehicleClass.SM, 20.0, 4.0, 5.0)]
    again = Picture("cam-test", 2, Mount(7.0), load_assumptions().classes)
    assert np.array_equal(picture.draw(seen, NOON), again.draw(seen, NOON))
