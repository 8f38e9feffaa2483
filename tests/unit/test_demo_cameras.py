"""The cameras of the demo: who counts in them, and that nobody does it twice."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.settings import DEFAULT_SITE
from config.site import load_site
from ingest.topics import Stream
from subak.camera.door import KEYS_FILE, read_keys
from subak.demo.cameras import admit_viewer, street_options, watched_cameras, worker_environment, worker_options
from subak.street.assumptions import load_assumptions
from subak.street.camera import CameraDevice, View
from tests.support.pipelines import SITE


def test_two_cameras_are_watched_at_the_rate_that_the_site_expects(tmp_path: Path) -> None:
    watched = watched_cameras(SITE)
    names = ["cam-dewa-ruci", "cam-sunset-patih-jelantik"]
    assert names == [camera.id for camera in watched]
    cameras = ["--camera-fps", "5", *(f"--camera={name}" for name in names)]
    assert ["street", "--quiet", "--seed", "7", "--faults", *cameras] == street_options(watched, 7, faults=True)
    assert ["camera", "run", *names, "--state", str(tmp_path / "cameras")] == worker_options(watched, tmp_path)
    assert ["street", "--quiet", "--seed", "1"] == street_options([], 1, faults=False)


@pytest.mark.parametrize(("fps", "streams"), [(1, {Stream.FRAME, Stream.COUNTS, Stream.HEALTH}), (2, {Stream.FRAME})])
def test_a_camera_of_the_street_that_is_watched_says_nothing_of_itself(fps: int, streams: set[Stream]) -> None:
    camera = SITE.cameras[0]
    approach = next(item for item in SITE.junction[camera.junction].approaches if item.id == camera.approach)
    device = CameraDevice(
        View(camera, approach, SITE.link[approach.link]), load_assumptions().classes, SITE.zone, frames=True, fps=fps
    )
    messages = [message for second in range(1_795_492_800, 1_795_492_860) for message in device.second(second, [])]
    assert streams == {message.stream for message in messages}
    assert 60 * fps == sum(message.stream is Stream.FRAME for message in messages)


def test_a_site_without_pictures_is_told(tmp_path: Path) -> None:
    site = Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))
    text = (site / "cameras.yaml").read_text(encoding="utf-8")
    (site / "cameras.yaml").write_text(text.replace("source: frame\n", "source: rtsp://10.0.0.5/live\n"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"--cameras: .*cameras\.yaml: no camera has `source: frame`"):
        watched_cameras(load_site(site))


def test_the_viewers_key_is_told_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    key = admit_viewer(tmp_path)
    path = Path(worker_environment(tmp_path)[KEYS_FILE])
    assert {"demo": hashlib.sha256(key.encode()).hexdigest()} == read_keys(str(path))
    assert key not in path.read_text(encoding="utf-8")
    assert key != admit_viewer(tmp_path)
