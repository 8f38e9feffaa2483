"""Reading a video file. Only ever in a process of its own: OpenCV can abort on a hostile file (`ingest.camera.offline`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ingest.camera.detect import Image

USUAL_FPS = 25.0
"""Frames a second of a file that does not say."""

MOST_PIXELS = 16_000_000
"""Larger pictures are refused before they are decoded: 4K has 8.3 million."""

SAMPLES = 25
"""Frames whose median is the empty road."""


class VideoError(Exception):
    """A file cannot be read as video."""


def frames(path: Path) -> Iterator[tuple[int, Image]]:
    """Microseconds from the begin, and picture, of each frame.

    Raises:
        VideoError: It is not a video that OpenCV can read, or has no frame.
    """
    capture = _open(path)
    fps = capture.get(cv2.CAP_PROP_FPS)
    fps = fps if 0.1 <= fps <= 240 else USUAL_FPS
    index = 0
    last = -1
    while True:
        good, frame = capture.read()
        if not good:
            break
        # The stream's own time; some containers have none, and tell 0 for every frame.
        told = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        time = told if told > last and abs(told - index * 1_000_000 / fps) < 3_600_000_000 else round(index * 1_000_000 / fps)
        last = max(time, last + 1)
        yield last, frame.astype(np.uint8, copy=False)
        index += 1
    capture.release()
    if index == 0:
        raise VideoError("it holds no frame that can be decoded")


def empty_road(path: Path, seconds: float) -> Image | None:
    """The median of frames spread over the first `seconds`: what stands still. None when there are too few."""
    capture = _open(path)
    fps = capture.get(cv2.CAP_PROP_FPS)
    fps = fps if 0.1 <= fps <= 240 else USUAL_FPS
    total = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    span = round(min(total, seconds * fps)) if total > 0 else round(seconds * fps)
    step = max(1, span // SAMPLES)
    kept: list[Image] = []
    for index in range(span):
        if not capture.grab():
            break
        if index % step == 0:
            good, frame = capture.retrieve()
            if good and (not kept or frame.shape == kept[0].shape):
                kept.append(frame.astype(np.uint8, copy=False))
    capture.release()
    if len(kept) < SAMPLES // 2:
        return None
    road: Image = np.median(np.stack(kept), axis=0).astype(np.uint8)
    return road


def _open(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise VideoError("OpenCV cannot open it as video")
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if width * height > MOST_PIXELS:
        raise VideoError(
            f"its pictures are {width:.0f} x {height:.0f}; at most {MOST_PIXELS / 1e6:.0f} million pixels are decoded"
        )
    return capture
