"""What a camera can see, as a state with a reason: pure, over numbers taken from its pictures.

One state at a time, the one that hurts counting most. A state begins after the pictures were so for some seconds of the
stream's time and ends after they were not; each measure has a second threshold at which it counts as over.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from config.thresholds.camera_health import HealthThresholds
from ingest.contract import Grade, Sight

US = 1_000_000

WORST_FIRST = (
    Sight.LOST,
    Sight.COVERED,
    Sight.FROZEN,
    Sight.MOVED,
    Sight.LOW_FPS,
    Sight.GLARE,
    Sight.NIGHT,
    Sight.LOW_CONTRAST,
    Sight.BLURRED,
)


class Sample(Struct, frozen=True):
    """One look at the pictures, about once a second.

    Attributes:
        time_us: Of the stream.
        brightness: Mean grey level, 0 to 255.
        contrast: Standard deviation of the grey levels.
        glare: Share of pixels that are white.
        sharpness: Variance of the Laplacian, as a part of the reference view's; None without a reference.
        change: Mean difference to the picture a look before, grey levels; None for the first.
        shift: Displacement against the reference view, % of the width; None when it cannot be told.
        match: Correlation with the reference view, -1 to 1; None without a reference.
        fps: Frames a second of the stream's time, over the last seconds; None when it is too early.
    """

    time_us: int
    brightness: float
    contrast: float
    glare: float
    sharpness: float | None = None
    change: float | None = None
    shift: float | None = None
    match: float | None = None
    fps: float | None = None


class State(Struct, frozen=True):
    """What a camera can see since when, and why that is said."""

    sight: Sight
    since_us: int
    detail: str


class _Tracked:
    """One condition: since when its measure says so, or does not."""

    __slots__ = ("detail", "held", "since_us")

    def __init__(self) -> None:
        self.held = False
        self.since_us: int | None = None
        self.detail = ""

    def look(self, says: bool | None, time_us: int, onset_us: int, clear_us: int, detail: str) -> None:
        """`says`: None between the two thresholds, where it stays as it is."""
        if says is None or says == self.held:
            self.since_us = None
            return
        if self.since_us is None or time_us < self.since_us:
            self.since_us = time_us
            self.detail = detail if says else self.detail
        if time_us - self.since_us >= (onset_us if says else clear_us):
            self.held, self.since_us = says, None


class Watcher:
    """The state of one camera from its samples."""

    def __init__(self, thresholds: HealthThresholds, expected_fps: float) -> None:
        self._t = thresholds
        self._expected = expected_fps
        self._onset_us = round(thresholds.onset.value * US)
        self._clear_us = round(thresholds.clear.value * US)
        self._tracked: dict[Sight, _Tracked] = {sight: _Tracked() for sight in WORST_FIRST if sight is not Sight.LOST}
        self.state: State | None = None

    def step(self, sample: Sample) -> State | None:
        """Take a sample in; the new state when it has changed (the first one too)."""
        held = self._tracked
        for sight, (says, detail) in self._judged(sample).items():
            held[sight].look(says, sample.time_us, self._onset_us, self._clear_us, detail)
        sight = next((item for item in WORST_FIRST if item in held and held[item].held), Sight.OK)
        if self.state is not None and self.state.sight is sight:
            return None
        self.state = State(sight, sample.time_us, held[sight].detail if sight in held else "")
        return self.state

    def _judged(self, s: Sample) -> dict[Sight, tuple[bool | None, str]]:
        """What each measure says: it is so, it is not, or (None) neither."""
        t = self._t
        dark = self._tracked[Sight.NIGHT].held or s.brightness < t.night_clear.value
        covered = self._tracked[Sight.COVERED].held or s.contrast < t.covered_clear.value
        found: dict[Sight, tuple[bool | None, str]] = {
            Sight.COVERED: (
                _below(s.contrast, t.covered_contrast.value, t.covered_clear.value),
                f"contrast {s.contrast:.1f} grey levels: the picture has no shapes",
            ),
            Sight.FROZEN: (
                None if s.change is None else s.change < t.frozen.value,
                "the same picture again and again",
            ),
            Sight.GLARE: (
                _above(s.glare, t.glare.value, t.glare_clear.value),
                f"{s.glare:.0%} of the picture is white",
            ),
            Sight.NIGHT: (
                # A covered lens is dark too, and is no night.
                False if covered else _below(s.brightness, t.night.value, t.night_clear.value),
                f"mean brightness {s.brightness:.0f} of 255",
            ),
            Sight.LOW_CONTRAST: (
                False if dark or covered else _below(s.contrast, t.low_contrast.value, t.low_contrast_clear.value),
                f"contrast {s.contrast:.1f} grey levels: rain, fog or dirt",
            ),
            Sight.BLURRED: (
                None
                if s.sharpness is None
                else False
                if dark or covered
                else _below(s.sharpness, t.blurred.value, t.blurred_clear.value),
                f"{s.sharpness or 0:.0%} of the sharpness it once had: blurred or dirty",
            ),
            Sight.LOW_FPS: (
                None
                if s.fps is None
                else _below(s.fps, t.low_fps.value * self._expected, t.low_fps_clear.value * self._expected),
                f"{s.fps or 0:.1f} of {self._expected:g} frames a second",
            ),
        }
        found[Sight.MOVED] = self._moved(s, dark=dark, covered=covered)
        return found

    def _moved(self, s: Sample, *, dark: bool, covered: bool) -> tuple[bool | None, str]:
        """Whether the view is another; in the dark or behind a cover that cannot be told, and stays as it is."""
        t = self._t
        if s.match is None or covered:
            return None, ""
        shift = s.shift or 0.0
        if shift > t.moved.value:
            return True, f"the view is displaced by {shift:.0f} % of its width"
        if s.match >= t.match_clear.value and shift <= t.moved_clear.value:
            return False, ""
        blurred = s.sharpness is not None and s.sharpness < t.blurred_clear.value
        if s.match < t.match.value and not dark and not blurred:
            return True, f"the view does not match its reference (correlation {s.match:.2f})"
        return None, ""


def _below(value: float, onset: float, clear: float) -> bool | None:
    return True if value < onset else False if value > clear else None


def _above(value: float, onset: float, clear: float) -> bool | None:
    return True if value > onset else False if value < clear else None


def grade(fps: float, expected_fps: float, reconnects: int, stalls: int) -> Grade:
    """How well a stream comes, after Frigate's connection quality (docs/frontend, camera metrics, 2026).

    Args:
        fps: Frames a second.
        expected_fps: That should come.
        reconnects: In the last hour.
        stalls: In the last hour.
    """
    share = fps / expected_fps
    if reconnects > 10 or fps < 0.1 or share < 0.1:
        return Grade.UNUSABLE
    if reconnects == 0 and share >= 0.9 and stalls < 5:
        return Grade.EXCELLENT
    if reconnects <= 2 and share >= 0.6:
        return Grade.FAIR
    return Grade.POOR


Clock = Callable[[], float]


class Hour:
    """Things that happened in the last hour of a clock (s)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: list[float] = []

    def add(self) -> None:
        """It happened again."""
        self._at.append(self._clock())

    def __len__(self) -> int:
        edge = self._clock() - 3600
        self._at = [at for at in self._at if at > edge]
        return len(self._at)
