"""A background model: whatever was not there before is a vehicle (MOG2, Zivkovic 2004).

Two things make it fit for cameras that adjust themselves. Before a frame is compared, its exposure is set back to that of the
background, by the median of a grid of pixels. And when much of the picture becomes foreground at once, nothing is said
about that frame (flood guard): traffic does not come everywhere in the same instant, light does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from config.thresholds.camera import BackgroundThresholds, LampThresholds
from ingest.camera.detect import Detection, Image
from ingest.camera.detect.lamps import body, lit, pairs
from ingest.camera.detect.shapes import Expected, Shapes
from ingest.camera.detect.silhouettes import Mask
from ingest.camera.geometry import Box, Point, cover

STEP = 6
"""Pixels between those that tell the exposure."""

LEARN_EVERY = 1.0
"""Seconds between two lessons."""

COARSE = 2
"""Pixels of the mask in one of those in which silhouettes are laid."""

HALF = 127
"""Of 255, above which most of a pixel is in the mask."""

FOREGROUND = 255
"""MOG2 marks shadow 127."""


class Background:
    """The detector that needs no model file."""

    name = "background"

    def __init__(self, thresholds: BackgroundThresholds, lamps: LampThresholds) -> None:
        self._t = thresholds
        self._lamps = lamps
        self.measured: Callable[[Point, tuple[int, int]], Shapes] | None = None
        self._shapes: Shapes | None = None
        self._model = self._new()
        self._reference: NDArray[np.float32] | None = None
        self._first: float | None = None
        self._last: float | None = None
        self._flooded_since: float | None = None
        self._usual = 0.0
        self._seen = 0
        self._primed = False
        self._learned = 0.0
        self._lessons = 0
        self.blinded = False
        self.expected: Sequence[Expected] = ()
        """Vehicles that tracks let expect in the next frame."""

    @property
    def ready(self) -> bool:
        """Whether it has learned for long enough."""
        if self._primed:
            return True
        return self._first is not None and self._last is not None and self._last - self._first >= self._t.warm_up.value

    def reset(self) -> None:
        """Learn from nothing."""
        self._model = self._new()
        self._reference = None
        self._first = self._last = self._flooded_since = None
        self._usual = 0.0
        self._seen = 0
        self._primed = False
        self._learned = 0.0
        self._lessons = 0
        self.blinded = False

    def measure(self, shapes: Callable[[Point, tuple[int, int]], Shapes]) -> None:
        """Tell vehicles apart by silhouettes, made for the scale and the rows and columns of its mask."""
        self.measured = shapes
        self._shapes = None
        self._model.setShadowThreshold(self._shadow())

    def prime(self, background: Image) -> None:
        """Take `background`, a picture of the empty road, as learned."""
        self.reset()
        small = self._small(background)
        self._reference = _samples(small)
        self._model.apply(small, learningRate=1.0)
        self._primed = True

    def detect(self, frame: Image, time: float) -> list[Detection]:
        """Spots of `frame` that are not background; none while it learns, or is flooded."""
        small = self._small(frame)
        elapsed = 0.0 if self._last is None else max(0.0, time - self._last)
        self._last = time
        self._first = time if self._first is None else self._first
        self._seen += 1
        small = self._exposed(small, elapsed)
        marked = self._model.apply(small, learningRate=self._rate(time)).astype(np.uint8, copy=False)
        _, mask = cv2.threshold(marked, FOREGROUND - 1, 255, cv2.THRESH_BINARY)
        mask = cv2.medianBlur(mask, 3)
        share = cv2.countNonZero(mask) / mask.size
        self.blinded = share - self._usual > self._t.flood.value and self._seen > 1
        if self.blinded:
            self._flooded_since = time if self._flooded_since is None else self._flooded_since
            return []
        self._flooded_since = None
        self._learn(small, mask.astype(np.uint8, copy=False), time)
        self._usual += (share - self._usual) * min(1.0, elapsed)
        if not self.ready:
            return []
        if self.measured is not None:
            return self._vehicles(small, mask.astype(np.uint8, copy=False), marked, (frame.shape[1], frame.shape[0]))
        return self._spots(mask.astype(np.uint8, copy=False), frame.shape[1] / mask.shape[1], frame.shape[0] / mask.shape[0])

    def _rate(self, time: float) -> float:
        """How much of this frame is learned at once: nothing, once the road is known (see `_learn`)."""
        if not self.ready:
            return 1 / (self._seen + 1)
        if self._flooded_since is not None and time - self._flooded_since > self._t.flood_patience.value:
            # Longer than any passing light: this is how it looks now.
            return 0.5
        return 0.0

    def _learn(self, small: Image, mask: NDArray[np.uint8], time: float) -> None:
        """Once a second, learn what is not a vehicle, so that a queue at a red light does not become road.

        What stands is learned much more slowly, and so is a spot that is no vehicle at all. While the model is young it may
        have learned a queue as road: then all of every frame is learned.
        """
        if not self.ready or time - self._learned < LEARN_EVERY:
            return
        elapsed = min(time - self._learned, 10 * LEARN_EVERY)
        self._learned = time
        self._lessons += 1
        young = not self._primed and self._first is not None and time - self._first < self._t.young.value
        if young:
            self._model.apply(small, learningRate=min(1.0, elapsed / self._t.young_learning.value))
            return
        lesson = small
        if self._lessons % round(self._t.standing.value) and cv2.countNonZero(mask):
            road = self._model.getBackgroundImage()
            lesson = small.copy()
            cv2.copyTo(road, cv2.dilate(mask, _disc(5)), lesson)
        self._model.apply(lesson, learningRate=min(1.0, elapsed / self._t.learning.value))

    def _spots(self, mask: NDArray[np.uint8], x: float, y: float) -> list[Detection]:
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(self._t.bridge.value * mask.shape[1]))  # type: ignore[assignment]
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(self._t.fill.value * mask.shape[1]))
        count, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
        least = self._t.smallest.value * mask.size
        found: list[Detection] = []
        for left, top, width, height, area in sorted(stats[1:count].tolist(), key=lambda item: -item[4]):
            if area < least:
                break
            box: Box = (left * x, top * y, (left + width) * x, (top + height) * y)
            # A part of something larger, such as a lamp or a window.
            if not any(cover(box, larger.box) > self._t.inside.value for larger in found):
                found.append(Detection(box, score=area / (width * height)))
        return found

    def _vehicles(self, small: Image, mask: Mask, marked: Mask, size: tuple[int, int]) -> list[Detection]:
        goal = mask.shape[1] // COARSE, mask.shape[0] // COARSE
        x, y = size[0] / goal[0], size[1] / goal[1]
        solid = (cv2.resize(mask, goal, interpolation=cv2.INTER_AREA) > HALF).view(np.uint8)
        solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, _disc(3)).astype(np.uint8, copy=False)
        _, dark = cv2.threshold(marked, 0, 255, cv2.THRESH_BINARY)
        dim: Mask = (cv2.resize(dark, goal, interpolation=cv2.INTER_AREA) > HALF).view(np.uint8)
        dim &= solid ^ 1
        if self._shapes is None:
            if self.measured is None:
                return []
            self._shapes = self.measured((x, y), (goal[1], goal[0]))
        level = float(np.median(self._reference)) if self._reference is not None else 255.0
        self._shapes.contrast = min(1.0, max(self._lamps.contrast.value, level / self._lamps.dark.value))
        if level < self._lamps.dark.value:
            places = pairs(lit(small, goal, self._lamps), self._shapes.silhouettes, self._lamps)
            body(places, self._shapes.silhouettes, solid, dim)
        return [
            Detection(
                _scaled(item.box, x, y),
                score=item.fill * item.seen,
                vehicle=item.vehicle,
                near=item.near,
                spot=(item.middle[0] * x, item.middle[1] * y),
                track=item.track,
            )
            for item in self._shapes.fit(solid, dim, self.expected)
        ]

    def _small(self, frame: Image) -> Image:
        height, width = frame.shape[:2]
        goal = round(self._t.work_width.value)
        if width <= goal:
            return frame
        way = cv2.INTER_AREA if width >= 2 * goal else cv2.INTER_LINEAR
        small: Image = cv2.resize(frame, (goal, max(1, round(height * goal / width))), interpolation=way)  # type: ignore[assignment]
        return small

    def _exposed(self, small: Image, elapsed: float) -> Image:
        now = _samples(small)
        if self._reference is None or self._reference.shape != now.shape:
            self._reference = now
            return small
        gain = float(np.median(now / self._reference))
        limit = self._t.gain.value
        gain = min(limit, max(1 / limit, gain))
        self._reference += (now - self._reference) * np.float32(min(1.0, elapsed / self._t.learning.value))
        if abs(gain - 1) < 0.01:
            return small
        level: Image = cv2.convertScaleAbs(small, alpha=1 / gain)  # type: ignore[assignment]
        return level

    def _shadow(self) -> float:
        """How dark a shadow may be: silhouettes know themselves where a vehicle ends, and dark cars look like shadows."""
        return self._t.shadow_measured.value if self.measured is not None else self._t.shadow.value

    def _new(self) -> cv2.BackgroundSubtractorMOG2:
        model = cv2.createBackgroundSubtractorMOG2(500, self._t.variance.value, detectShadows=True)
        model.setBackgroundRatio(self._t.ratio.value)
        model.setShadowThreshold(self._shadow())
        return model


def _scaled(box: Box, x: float, y: float) -> Box:
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y


def _samples(small: Image) -> NDArray[np.float32]:
    return small[STEP // 2 :: STEP, STEP // 2 :: STEP, 1].astype(np.float32) + 1


def _disc(size: float) -> NDArray[np.uint8]:
    width = max(3, round(size)) | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)).astype(np.uint8)
