"""What cameras need to know that is not geometry; see `camera.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from config.files import Strict, load
from config.thresholds import Threshold

FILE = Path(__file__).parent / "camera.yaml"


class BackgroundThresholds(Strict):
    """The background model."""

    work_width: Threshold
    learning: Threshold
    standing: Threshold
    young: Threshold
    young_learning: Threshold
    shadow: Threshold
    shadow_measured: Threshold
    ratio: Threshold
    warm_up: Threshold
    variance: Threshold
    flood: Threshold
    flood_patience: Threshold
    gain: Threshold
    smallest: Threshold
    bridge: Threshold
    inside: Threshold
    fill: Threshold


class TrackingThresholds(Strict):
    """Following from frame to frame."""

    hits: Threshold
    patience: Threshold
    reach: Threshold
    fastest: Threshold
    size_gain: Threshold
    speed_gain: Threshold
    shared_gain: Threshold
    shared: Threshold
    apart: Threshold


class CountingThresholds(Strict):
    """What crosses a line, what it is and how fast."""

    votes: Threshold
    moved: Threshold
    clear: Threshold
    debris: Threshold
    speed_window: Threshold
    pixel_error: Threshold


class ClassThresholds(Strict):
    """Which class a size is."""

    small: Threshold
    large: Threshold


class ModelThresholds(Strict):
    """A neural network's answers."""

    score: Threshold
    overlap: Threshold
    part: Threshold
    rider: Threshold
    tile: Threshold
    tile_overlap: Threshold


class ShapeThresholds(Strict):
    """Fitting silhouettes into spots."""

    rest: Threshold
    strip: Threshold
    foot: Threshold
    below: Threshold
    inside: Threshold
    margin: Threshold


class VehicleSize(Strict):
    """The box that a class fills, in metres.

    Attributes:
        doubt: Pixels of a spot that make up for one that the class claims and that is not in it.
    """

    length: float
    width: float
    height: float
    doubt: float
    source: str
    date: date


class ZoneThresholds(Strict):
    """Queues and events in zones."""

    standing: Threshold
    gap: Threshold
    stopped: Threshold
    wrong_way: Threshold
    person: Threshold
    against: Threshold
    calm: Threshold


class SeeingThresholds(Strict):
    """Detectors, tracker and counting."""

    background: BackgroundThresholds
    tracking: TrackingThresholds
    counting: CountingThresholds
    classes: ClassThresholds
    model: ModelThresholds
    shapes: ShapeThresholds
    sizes: Mapping[str, VehicleSize]
    zones: ZoneThresholds


class _File(Strict):
    seeing: SeeingThresholds


@cache
def seeing_thresholds(path: Path = FILE) -> SeeingThresholds:
    """How cameras see, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _File).seeing
