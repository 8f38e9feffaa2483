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
    memory: Threshold
    patience: Threshold
    reach: Threshold
    fastest: Threshold
    size_gain: Threshold
    speed_gain: Threshold
    shared_gain: Threshold
    shared: Threshold
    apart: Threshold


class MotionThresholds(Strict):
    """How vehicles move over the measured road."""

    place: Threshold
    acceleration: Threshold
    fastest: Threshold
    gate: Threshold
    standing: Threshold


class CountingThresholds(Strict):
    """What crosses a line, what it is and how fast."""

    votes: Threshold
    moved: Threshold
    clear: Threshold
    travel: Threshold
    clear_measured: Threshold
    travel_measured: Threshold
    travel_against: Threshold
    looks: Threshold
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
    seen: Threshold
    seen_again: Threshold
    hidden: Threshold
    expected: Threshold
    strip: Threshold
    foot: Threshold
    above: Threshold
    dim: Threshold
    accept: Threshold
    fill: Threshold
    fill_new: Threshold
    fill_other: Threshold
    still: Threshold
    steady: Threshold
    reach: Threshold
    other: Threshold
    below: Threshold
    inside: Threshold
    margin: Threshold


class LampThresholds(Strict):
    """Headlamps in the dark."""

    dark: Threshold
    contrast: Threshold
    bright: Threshold
    smallest: Threshold
    height: Threshold
    along: Threshold
    narrow: Threshold
    wide: Threshold


class VehicleSize(Strict):
    """The form of a class, in metres.

    Attributes:
        parts: Boxes of which it is made: begin and end along its length (0 to 1), width and height in metres.
        doubt: Pixels of a spot that make up for one that the class claims and that is not in it.
    """

    length: float
    parts: tuple[tuple[float, float, float, float], ...]
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
    way_against: Threshold
    way_ahead: Threshold
    beside: Threshold
    calm: Threshold


class SeeingThresholds(Strict):
    """Detectors, tracker and counting."""

    background: BackgroundThresholds
    tracking: TrackingThresholds
    motion: MotionThresholds
    counting: CountingThresholds
    classes: ClassThresholds
    model: ModelThresholds
    shapes: ShapeThresholds
    lamps: LampThresholds
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
