"""Counting in a view drawn from the street, whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.site import load_site
from ingest.camera.geometry import Direction
from ingest.camera.offline import count
from ingest.contract import VehicleClass
from subak.street.render import SCENES, render

SITE = Path(__file__).parents[2] / "config" / "sites" / "badung"


@pytest.mark.parametrize("name", ["day", "night"])
def test_a_drawn_street_is_counted_by_class(tmp_path: Path, name: str) -> None:
    scene = replace(next(item for item in SCENES if item.name == name), seconds=30)
    file = tmp_path / f"{name}.mp4"
    truth = render(scene, file, load_site(SITE))
    done = count(file, truth.view)

    assert truth.frames == done.frames == 300
    mine = [item for item in done.crossings if item.direction is Direction.FORWARD]
    assert 5 < len(truth.crossings)
    assert abs(len(mine) - len(truth.crossings)) <= 2
    motorcycles = sum(item.vehicle is VehicleClass.SM for item in mine)
    assert abs(motorcycles - truth.by_class[VehicleClass.SM]) <= 3
    # On a measured ground each crossing that was seen long enough has a speed that a street has, and says how sure it is.
    speeds = [item for item in mine if item.speed_kmh is not None]
    assert len(speeds) > len(mine) / 2
    assert all(0 < (item.speed_kmh or 0) < 100 and 0 < (item.speed_error_kmh or 0) < 30 for item in speeds)
