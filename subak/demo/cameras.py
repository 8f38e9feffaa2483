"""The cameras of the demo whose pictures are counted in: two, so that it stays light."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from config.cameras import FRAME, Camera
from config.errors import ConfigError
from config.site import Site
from subak.access.files import write_secret
from subak.camera.door import KEYS_FILE

KEYS, VIEWER = "camera-keys", "demo"
KEY_BYTES = 9

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


def street_options(watched: Sequence[Camera], seed: int, *, faults: bool) -> list[str]:
    """The street's command line: the watched cameras send pictures alone, so that nothing counts for them twice."""
    options = ["street", "--quiet", "--seed", str(seed), *(["--faults"] if faults else [])]
    if watched:
        fps = max(2, *(round(camera.fps) for camera in watched))
        options += ["--camera-fps", str(fps), *(f"--camera={camera.id}" for camera in watched)]
    return options


def worker_options(watched: Sequence[Camera], state: Path) -> list[str]:
    """The worker's command line; `state` is the demo's folder."""
    return ["camera", "run", *(camera.id for camera in watched), "--state", str(state / "cameras")]


def worker_environment(state: Path) -> dict[str, str]:
    """Where the console asks for pictures, and who may see them."""
    return {"SUBAK_CAMERA_STATE": str(state / "cameras"), KEYS_FILE: str(state / KEYS)}


def admit_viewer(state: Path) -> str:
    """A new key, with which the person in front of the demo may see its pictures; only its hash is kept."""
    key = secrets.token_urlsafe(KEY_BYTES)
    write_secret(state / KEYS, f"{VIEWER} {hashlib.sha256(key.encode()).hexdigest()}\n")
    return key
