"""Numbers from pictures, for `ingest.camera.condition`; and the reference view, which is edges of a small picture alone."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from config.thresholds.camera_health import HealthThresholds
from ingest.camera.condition import Sample
from ingest.camera.detect import Image

WIDTH, HEIGHT = 160, 90
"""Pixels of the picture that is looked at."""

SHARP_WIDTH = 320
"""Pixels of width at which sharpness is taken."""

FPS_SPAN_US = 10_000_000
FPS_LEAST_US = 4_000_000
"""Of the stream's time, over which frames a second are counted."""

RESPONSE = 0.08
"""Least response of the phase correlation (0 to 1) for a displacement to be believed."""

WHITE = 250

Edges = NDArray[np.float32]


class Look:
    """Looks at the pictures of one camera, each for its time and about one a second closely."""

    def __init__(self, thresholds: HealthThresholds, reference: Path | None = None) -> None:
        """`reference`: where the reference view is kept between runs; None keeps none."""
        self._file = reference
        self._span_us = round(thresholds.reference_s.value * 1_000_000)
        self._times: deque[int] = deque()
        self._last: NDArray[np.uint8] | None = None
        self._sampled_us: int | None = None
        self._learning: list[tuple[Edges, float]] = []
        self._learning_since: int | None = None
        self._reference: Edges | None = None
        self._sharpness = 0.0
        self._window = cv2.createHanningWindow((WIDTH, HEIGHT), cv2.CV_32F)
        self._size: tuple[int, int] | None = None
        self._first_us: int | None = None
        if reference is not None and reference.is_file():
            with np.load(reference, allow_pickle=False) as kept:
                if kept["edges"].shape == (HEIGHT, WIDTH):
                    self._reference = kept["edges"].astype(np.float32)
                    self._sharpness = float(kept["sharpness"])

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the last frame."""
        return self._size

    def fps(self, now_us: int) -> float | None:
        """Frames a second of the stream's time; None when it is too early to say."""
        if self._first_us is None or now_us - self._first_us < FPS_LEAST_US:
            return None
        while self._times and self._times[0] <= now_us - FPS_SPAN_US:
            self._times.popleft()
        span = min(FPS_SPAN_US, now_us - self._first_us)
        return len(self._times) * 1_000_000 / span

    def see(self, frame: Image, time_us: int) -> Sample | None:
        """Take a frame in; a sample about once a second."""
        self._size = (frame.shape[1], frame.shape[0])
        self._first_us = time_us if self._first_us is None or time_us < self._first_us else self._first_us
        self._times.append(time_us)
        if self._sampled_us is not None and 0 <= time_us - self._sampled_us < 1_000_000:
            return None
        self._sampled_us = time_us
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        change = None if self._last is None else float(cv2.absdiff(small, self._last).mean())
        self._last = small
        sharp = self._sharp(grey.astype(np.uint8, copy=False))
        edges = _edges(small)
        contrast = float(small.std())
        if self._reference is None:
            self._learn(edges, sharp, time_us, contrast)
        shift, match = self._compare(edges)
        return Sample(
            time_us=time_us,
            brightness=float(small.mean()),
            contrast=contrast,
            glare=float((small >= WHITE).mean()),
            sharpness=sharp / self._sharpness if self._reference is not None and self._sharpness > 0 else None,
            change=change,
            shift=shift,
            match=match,
            fps=self.fps(time_us),
        )

    def sharpness(self, frame: Image) -> float:
        """Variance of the Laplacian, for the health report."""
        return self._sharp(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False))

    @staticmethod
    def _sharp(grey: NDArray[np.uint8]) -> float:
        height = max(1, round(grey.shape[0] * SHARP_WIDTH / grey.shape[1]))
        part = cv2.resize(grey, (SHARP_WIDTH, height), interpolation=cv2.INTER_AREA)
        return float(cv2.Laplacian(part, cv2.CV_32F).var())

    def _learn(self, edges: Edges, sharp: float, time_us: int, contrast: float) -> None:
        """Average good pictures into the reference; traffic is gone from it."""
        if contrast < 8:
            return
        self._learning.append((edges, sharp))
        self._learning_since = time_us if self._learning_since is None else self._learning_since
        if time_us - self._learning_since < self._span_us or len(self._learning) < 5:
            return
        self._reference = np.median(np.stack([item for item, _ in self._learning]), axis=0).astype(np.float32)
        self._sharpness = float(np.median([item for _, item in self._learning]))
        self._learning = []
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(self._file, edges=self._reference.astype(np.float16), sharpness=self._sharpness)

    def _compare(self, edges: Edges) -> tuple[float | None, float | None]:
        """Displacement (% of the width) and correlation with the reference view."""
        if self._reference is None:
            return None, None
        one, other = edges - edges.mean(), self._reference - self._reference.mean()
        norm = float(np.sqrt((one * one).sum() * (other * other).sum()))
        match = float((one * other).sum()) / norm if norm > 0 else 0.0
        (dx, dy), response = cv2.phaseCorrelate(other, one, self._window)
        if response < RESPONSE:
            return None, match
        return float(np.hypot(dx, dy)) * 100 / WIDTH, match


def _edges(small: NDArray[np.uint8]) -> Edges:
    x = cv2.Sobel(small, cv2.CV_32F, 1, 0)
    y = cv2.Sobel(small, cv2.CV_32F, 0, 1)
    # Of the root, strong edges of single vehicles do not outweigh the many of the street.
    return np.sqrt(cv2.magnitude(x, y)).astype(np.float32)
