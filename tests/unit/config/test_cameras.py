"""Geometry of cameras in the site folder: what is wrong is told with file, line and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.drawing import draw
from config.errors import ConfigFileError
from config.settings import DEFAULT_SITE
from config.site import load_site


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("source: frame", "source: ftp://camera", "allowed are frame, rtsp://"),
        ("line: [[374, 195], [436, 195]]", "line: [[374, 195], [375, 195]]", "is shorter than 8 pixels"),
        ("line: [[374, 195], [436, 195]]", "line: [[374, 195], [900, 195]]", "lies outside the picture of 640 x 360"),
        (", line: [[374, 195], [436, 195]]", "", "lanes.E1.line is missing"),
        ("metres: [[5, 0], [5, 9.6], [35, 9.6], [35, 0]]", "metres: [[5, 0], [6, 0], [7, 0], [35, 9]]", "lie on one straight"),
        ("picture: [640, 360]\n", "\n", "needs `picture:"),
        ("{id: E2, lane: E2,", "{id: E1, lane: E2,", "stands more than once"),
    ],
)
def test_what_is_wrong_is_told(site: Path, old: str, new: str, says: str) -> None:
    path = site / "cameras.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigFileError, match=r"(?s)cameras\.yaml.*line \d+") as caught:
        load_site(site)
    assert says in str(caught.value)


def test_what_is_drawn_is_there_and_comments_stay(site: Path) -> None:
    draw(site, "cam-canggu", (1280, 720), {"SE1": [(500, 400), (700, 410)]}, {"box": [(0, 0), (640, 0), (640, 360)]})
    camera = next(item for item in load_site(site).cameras if item.id == "cam-canggu")
    assert ((500, 400), (700, 410)) == camera.lanes[0].line
    assert (1280, 720) == camera.picture
    assert ["queue", "box"] == [zone.id for zone in camera.zones]
    assert (site / "cameras.yaml").read_text(encoding="utf-8").startswith("# Cameras look along one approach")


def test_a_drawing_that_does_not_load_is_not_written(site: Path) -> None:
    before = (site / "cameras.yaml").read_bytes()
    with pytest.raises(ConfigFileError, match="is shorter than 8 pixels"):
        draw(site, "cam-canggu", (640, 360), {"SE1": [(5, 5), (6, 5)]}, {})
    with pytest.raises(ConfigFileError, match="there is no camera 'cam-none'"):
        draw(site, "cam-none", (640, 360), {}, {})
    assert before == (site / "cameras.yaml").read_bytes()
