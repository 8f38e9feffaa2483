"""The cameras of the demo whose pictures are counted in: two, so that it stays light."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from config.cameras import FRAME, Camera
from config.errors import ConfigError
from config.site import Site

MOST = 2
"""At five pictures a second each costs some 3 % of a core to draw and as much again to count in."""


def watched_cameras(site: Site) -> list[Camera]:
    """The first cameras of the site that send their pictures over the broker.

    Raises:
        ConfigError: There is none.
    """
    found = [camera for camera in site.cameras if camera.source == FRAME][:MOST]
    if not found:
        raise ConfigError(f"--cameras: {site.path / 'cameras.yaml'}: no camera has `source: {FRAME}`")
    return found


def street_options(watched: Sequence[Camera]) -> list[str]:
    """What makes these cameras of the street send pictures alone: nothing may count for them twice."""
    if not watched:
        return []
    fps = max(2, *(round(camera.fps) for camera in watched))
    return ["--camera-fps", str(fps), *(f"--camera={camera.id}" for camera in watched)]


def worker_options(watched: Sequence[Camera], state: Path) -> list[str]:
    """The worker's command line; `state` is the demo's folder."""
    return ["camera", "run", *(camera.id for camera in watched), "--state", str(worker_state(state))]


def worker_state(state: Path) -> Path:
    """Where the worker keeps its own, which is where the console asks for pictures."""
    return state / "cameras"
