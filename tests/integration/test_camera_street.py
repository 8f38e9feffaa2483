"""A view of the street, drawn by the test, is counted right: short, and so only to one vehicle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from config.site import load_site
from ingest.camera.geometry import Direction
from ingest.camera.offline import count
from subak.street.render import SCENES, render

SITE = Path(__file__).parents[2] / "config" / "sites" / "badung"


def test_a_drawn_queue_that_leaves_is_counted(tmp_path: Path) -> None:
    """Dense; the day's view is too thin in as few seconds (see docs/camera-counting.md for clips of two minutes)."""
    scene = next(scene for scene in SCENES if scene.name == "dense")
    truth = render(replace(scene, seconds=16, seed=3), tmp_path / "clip.mp4", load_site(SITE))
    done = count(tmp_path / "clip.mp4", truth.view)
    forward = [item for item in done.crossings if item.direction is Direction.FORWARD]

    assert 5 == len(truth.crossings)
    assert abs(len(forward) - len(truth.crossings)) <= 1
    assert [] == [item for item in done.crossings if item.direction is Direction.BACKWARD]
