"""The process that decodes one video file and counts in it: a job as JSON on standard input, answers as JSON lines."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import msgspec

from ingest.camera.view import Crossing, View


class Job(msgspec.Struct, frozen=True):
    """What to do.

    Attributes:
        file: Video file.
        view: Geometry.
        model: ONNX model; None: the background model.
        prime_s: Seconds of the file from which the empty road is learned first.
    """

    file: str
    view: View
    model: str | None = None
    prime_s: float = 120.0


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Still at work."""

    frames: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The file is read.

    Attributes:
        frames: How many it has.
        detector: Which detector looked.
        crossings: Every vehicle over a line.
        size: Width and height of the frames.
        duration_s: Seconds from the first frame to the last.
        blinded: Frames that could not be used.
        cpu_s: Processor seconds spent.
        primed: Whether the empty road was known from the first frame on.
    """

    frames: int
    detector: str
    crossings: tuple[Crossing, ...]
    size: tuple[int, int]
    duration_s: float
    blinded: int
    cpu_s: float
    primed: bool


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It could not be done, and why."""

    reason: str


Answer = Progress | Done | Failed

EVERY = 25
"""Frames between two signs of life."""


def main() -> None:
    """Do the job on standard input."""
    # What decoders print goes nowhere near the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)

    def say(answer: Answer) -> None:
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()

    with contextlib.suppress(BrokenPipeError):
        try:
            say(_count(job, say))
        except _failures() as error:
            say(Failed(str(error)))


def _failures() -> tuple[type[Exception], ...]:
    from cv2 import error

    from ingest.camera.detect import ModelError
    from ingest.camera.geometry import GeometryError
    from ingest.camera.video import VideoError

    return VideoError, ModelError, GeometryError, error, MemoryError


def _count(job: Job, say: Callable[[Answer], None]) -> Done:
    from config.thresholds.camera import seeing_thresholds
    from ingest.camera.detect.background import Background
    from ingest.camera.detect.choose import detector
    from ingest.camera.seer import Seer
    from ingest.camera.video import empty_road, frames

    thresholds = seeing_thresholds()
    path = Path(job.file)
    eye = detector(Path(job.model) if job.model else None, thresholds)
    seer = Seer(job.view, eye, thresholds)
    primed = not isinstance(eye, Background)
    if isinstance(eye, Background) and job.prime_s > 0:
        road = empty_road(path, job.prime_s)
        if road is not None:
            eye.prime(seer.cut(road))
            primed = True
    crossings: list[Crossing] = []
    count = blinded = first = last = 0
    size = (0, 0)
    for time_us, frame in frames(path):
        seen = seer.see(frame, time_us)
        crossings += seen.crossings
        blinded += seen.blinded
        first = time_us if count == 0 else first
        last = time_us
        size = (frame.shape[1], frame.shape[0])
        count += 1
        if count % EVERY == 0:
            say(Progress(count))
    crossings += seer.finish().crossings
    return Done(
        frames=count,
        detector=eye.name,
        crossings=tuple(sorted(crossings, key=lambda item: item.frame)),
        size=size,
        duration_s=(last - first) / 1_000_000,
        blinded=blinded,
        cpu_s=round(process_time(), 3),
        primed=primed,
    )


if __name__ == "__main__":
    main()
