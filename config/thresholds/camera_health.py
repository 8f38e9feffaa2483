"""When a camera cannot be trusted; see `camera_health.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from config.files import Strict, load
from config.thresholds import Threshold

FILE = Path(__file__).parent / "camera_health.yaml"

Worth = Literal["good", "suspect", "missing"]


class HealthThresholds(Strict):
    """Measures of a picture and of a stream, with those at which a condition ends again."""

    onset: Threshold
    clear: Threshold
    covered_contrast: Threshold
    covered_clear: Threshold
    low_contrast: Threshold
    low_contrast_clear: Threshold
    night: Threshold
    night_clear: Threshold
    glare: Threshold
    glare_clear: Threshold
    blurred: Threshold
    blurred_clear: Threshold
    frozen: Threshold
    moved: Threshold
    moved_clear: Threshold
    match: Threshold
    match_clear: Threshold
    low_fps: Threshold
    low_fps_clear: Threshold
    stall: Threshold
    lost: Threshold
    hang: Threshold
    restart_first: Threshold
    restart_most: Threshold
    reference_s: Threshold


class CameraHealthFile(Strict):
    """The whole file.

    Attributes:
        health: Thresholds.
        worth: Of the counts, by condition.
    """

    health: HealthThresholds
    worth: Mapping[str, Worth]


@cache
def camera_health(path: Path = FILE) -> CameraHealthFile:
    """The thresholds, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, CameraHealthFile)
