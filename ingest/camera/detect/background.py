"""A background model: whatever was not there before is a vehicle (MOG2, Zivkovic 2004).

Two things make it fit for cameras that adjust themselves. Before a frame is compared, its exposure is set back to that of the
background, by the median of a grid of pixels. And when much of the picture becomes foreground at once, nothing is said
about that frame (flood guard): traffic does not come everywhere in the same instant, light does.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from config.thresholds.camera import BackgroundThresholds
from ingest.camera.detect import Detection, Image
from ingest.camera.geometry import Box, cover

STEP = 6
"""Pixels between those that tell the exposure."""

FOREGROUND = 255
"""MOG2 marks shadow 127."""


class Background:
    """The detector that needs no model file."""

    name = "background"

    def __init__(self, thresholds: BackgroundThresholds) -> None:
        self._t = thresholds
        self._model = self._new()
        self._reference: NDArray[np.float32] | None = None
        self._first: float | None = None
        self._last: float | None = None
        self._flooded_since: float | None = None
        self._usual = 0.0
        self._seen = 0
        self._primed = False
        self.blinded = False

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
        self.blinded = False

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
        rate = max(elapsed / self._t.learning.value, 0.0)
        if not self.ready:
            rate = max(rate, 1 / (self._seen + 1))
        elif self._flooded_since is not None and time - self._flooded_since > self._t.flood_patience.value:
            # Longer than any passing light: this is how it looks now.
            rate = 0.5
        mask = self._model.apply(small, learningRate=min(1.0, rate))
        _, mask = cv2.threshold(mask, FOREGROUND - 1, 255, cv2.THRESH_BINARY)
        mask = cv2.medianBlur(mask, 3)
        share = cv2.countNonZero(mask) / mask.size
        self.blinded = share - self._usual > self._t.flood.value and self._seen > 1
        if self.blinded:
            self._flooded_since = time if self._flooded_since is None else self._flooded_since
            return []
        self._flooded_since = None
        self._usual += (share - self._usual) * min(1.0, elapsed)
        if not self.ready:
            return []
        return self._spots(mask.astype(np.uint8, copy=False), frame.shape[1] / mask.shape[1], frame.shape[0] / mask.shape[0])

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

    def _new(self) -> cv2.BackgroundSubtractorMOG2:
        return cv2.createBackgroundSubtractorMOG2(500, self._t.variance.value, detectShadows=True)


def _samples(small: Image) -> NDArray[np.float32]:
    return small[STEP // 2 :: STEP, STEP // 2 :: STEP, 1].astype(np.float32) + 1


def _disc(size: float) -> NDArray[np.uint8]:
    width = max(3, round(size)) | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)).astype(np.uint8)
