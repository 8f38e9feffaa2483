"""Reading a video file. Only ever in a process of its own: OpenCV can abort on a hostile file (`ingest.camera.offline`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.camera.detect import Image

USUAL_FPS = 25.0
"""Frames a second of a file that does not say."""

MOST_PIXELS = 16_000_000
"""Larger pictures are refused before they are decoded: 4K has 8.3 million."""

SAMPLES = 36
"""Frames from which the empty road is put together."""

ALIKE = 0.16
"""Part of the picture's median level, by which each colour may differ where two samples of a place show the same."""

ALIKE_LIMITS = (5.0, 14.0)
"""Levels; noise sets the lower one."""

AROUND = 21
"""Places across, of which the median is what is around."""

SURE = 0.9
"""Part of the most it can count for, from which the largest group is believed whatever is around it."""

SEEN = 0.15
"""Part of the largest group, from which what is around was seen at a place too."""

COARSE = 3
"""Pixels of a sample in one of those in which groups are told apart."""

LASTING = 0.7
"""What n samples in a row count for, as a power of n."""

SAMPLE_WIDTH = 640
"""Pixels; wider samples are made this wide, to keep them small in memory."""


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
    """What is seen most often at each place in the first `seconds`. None when there are too few frames.

    Vehicles that wait there differ from each other, the road between them does not: so it needs to be seen more often than any one
    of them, and not more often than all of them together, as a median does.
    """
    capture = _open(path)
    fps = capture.get(cv2.CAP_PROP_FPS)
    fps = fps if 0.1 <= fps <= 240 else USUAL_FPS
    total = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    span = round(min(total, seconds * fps)) if total > 0 else round(seconds * fps)
    step = max(1, span // SAMPLES)
    kept: list[Image] = []
    size = (0, 0)
    for index in range(span):
        if not capture.grab():
            break
        if index % step == 0 and len(kept) < SAMPLES:
            good, frame = capture.retrieve()
            if good and (not kept or (frame.shape[1], frame.shape[0]) == size):
                size = frame.shape[1], frame.shape[0]
                if size[0] > SAMPLE_WIDTH:
                    goal = SAMPLE_WIDTH, max(1, round(size[1] * SAMPLE_WIDTH / size[0]))
                    frame = cv2.resize(frame, goal, interpolation=cv2.INTER_AREA)
                kept.append(frame.astype(np.uint8, copy=False))
    capture.release()
    if len(kept) < SAMPLES // 2:
        return None
    road = usual(np.stack(kept))
    if (road.shape[1], road.shape[0]) != size:
        road = cv2.resize(road, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    return road


def usual(samples: NDArray[np.uint8]) -> Image:
    """The road in `samples` (sample in order of time, row, column, colour), whatever stood on it for a while.

    Of each pixel the samples that look alike make groups; the one taken is the largest, where many in a row count less than as many
    apart: the road comes back between vehicles, a vehicle that waited does not.
    """
    rows, columns = samples.shape[1:3]
    goal = max(1, columns // COARSE), max(1, rows // COARSE)
    small = np.stack([cv2.resize(item, goal, interpolation=cv2.INTER_AREA) for item in samples]).astype(np.int16)
    weight = np.diff(np.arange(len(samples) + 1) ** LASTING).astype(np.float32)
    best = np.zeros(small.shape[1:3], np.float32)
    chosen = np.zeros(small.shape[1:3], np.int64)
    # Less light, smaller differences.
    alike = float(np.clip(ALIKE * np.median(small), *ALIKE_LIMITS))
    for number, one in enumerate(small):
        total = _weighed(small, one, weight, alike)
        better = total > best
        best[better] = total[better]
        chosen[better] = number
    level = np.take_along_axis(small, chosen[None, :, :, None], axis=0)[0]
    # A patch that differs from what is around it is a vehicle that waited long, if the road around was seen there at all.
    around = cv2.medianBlur(level.astype(np.uint8), AROUND).astype(np.int16)
    road_like = _weighed(small, around, weight, alike)
    patch = (np.abs(around - level).max(axis=2) > alike) & (best < SURE * len(small) ** LASTING) & (road_like > SEEN * best)
    level[patch] = around[patch]
    added = np.zeros(samples.shape[1:], np.float32)
    count = np.zeros((rows, columns), np.float32)
    for sample, one in zip(samples, small, strict=True):
        member = (np.abs(one - level).max(axis=2) <= alike).astype(np.float32)
        share = cv2.resize(member, (columns, rows), interpolation=cv2.INTER_NEAREST)
        added += sample * share[:, :, None]
        count += share
    road: Image = (added / np.maximum(1, count)[:, :, None]).astype(np.uint8)
    return road


def _weighed(small: NDArray[np.int16], one: NDArray[np.int16], weight: NDArray[np.float32], alike: float) -> NDArray[np.float32]:
    """How much the samples that look like `one` count for, at each place."""
    total = np.zeros(one.shape[:2], np.float32)
    run = np.zeros(one.shape[:2], np.int64)
    for other in small:
        same = np.abs(one - other).max(axis=2) <= alike
        total += weight[run] * same
        run = (run + 1) * same
    return total


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
