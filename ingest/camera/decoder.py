"""The process of one camera: frames in, reports out. Whatever a stream does to it, nothing else is touched.

Standard input: one `Task` as a JSON line, then what `sources.Pipe` takes. Standard output: one report a line. What the video
libraries print goes to standard error.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import cv2
import msgspec

from config.thresholds.camera import seeing_thresholds
from config.thresholds.camera_health import camera_health
from ingest.camera.condition import Watcher
from ingest.camera.detect import Image, ModelError
from ingest.camera.detect.choose import detector
from ingest.camera.geometry import GeometryError
from ingest.camera.look import Look
from ingest.camera.periods import Periods
from ingest.camera.reports import Beat, Changed, Ended, Failed, Happened, Report, Resized, Shown, Task
from ingest.camera.seer import Seer
from ingest.camera.sources import Pipe, SourceError, from_file
from ingest.contract import Sight

MOST_MEMORY = 3 << 30
"""Bytes of address space: a hostile stream must not take the machine's memory."""

BEAT_S = 1.0
JPEG_QUALITY = 85

Say = Callable[[Report], None]


def main() -> None:
    """Work until the stream, or the supervisor, ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    task = msgspec.json.decode(_line(), type=Task)
    encoder = msgspec.json.Encoder()

    def say(report: Report) -> None:
        answers.write(encoder.encode(report) + b"\n")
        answers.flush()

    try:
        say(Ended(_Eye(task, say).watch()))
    except BrokenPipeError:
        os._exit(0)  # The supervisor is gone: there is nobody to tell.
    except (SourceError, ModelError, GeometryError) as error:
        say(Failed(str(error)))
    except MemoryError:
        say(Failed("the stream wants more memory than a camera may have"))
    except cv2.error as error:
        say(Failed(f"the video library gave up: {error.err}"))


def _line() -> bytes:
    """The first line of standard input, and not a byte more."""
    taken = bytearray()
    while (byte := os.read(0, 1)) not in (b"\n", b""):
        taken += byte
    return bytes(taken)


class _Eye:
    """One camera's pictures, looked at in their order."""

    def __init__(self, task: Task, say: Say) -> None:
        cv2.setNumThreads(1)
        file = camera_health()
        health = file.health
        seeing = seeing_thresholds()
        self._task = task
        self._say = say
        self._seer = Seer(task.view, detector(Path(task.model) if task.model else None, seeing), seeing)
        self._look = Look(health, Path(task.reference) if task.reference else None)
        self._watcher = Watcher(health, task.fps)
        self._worth = file.worth
        self._periods = Periods(task.lanes, task.period_s)
        self._pipe = Pipe(sys.stdin.buffer, self._show)
        self._frame: Image | None = None
        self._frames = 0
        self._beat_at = monotonic()
        self._last_us: int | None = None
        self._brightness: float | None = None
        self._sharpness: float | None = None

    def watch(self) -> int:
        """Take frames until there are no more; returns how many there were."""
        total = 0
        size: tuple[int, int] | None = None
        frames = self._source()
        self._beat()
        for time_us, frame in frames:
            if self._last_us is not None and time_us <= self._last_us:
                continue  # doubled or out of order on its way
            total += 1
            self._frames += 1
            self._frame = frame
            self._last_us = time_us
            now = (frame.shape[1], frame.shape[0])
            if size is not None and size != now:
                self._say(Resized(*now))
            size = now
            self._step(time_us)
            if monotonic() - self._beat_at >= BEAT_S:
                self._beat()
        if self._last_us is not None:
            for counted in self._periods.finish(self._last_us):
                self._say(counted)
        return total

    def _source(self) -> Iterator[tuple[int, Image]]:
        source = self._task.source
        if source == "frame":
            return self._pipe.frames(self._beat)
        return self._attended(from_file(source) if source.startswith("file:") else self._network(source))

    def _network(self, source: str) -> Iterator[tuple[int, Image]]:
        # Only here: a second FFmpeg costs memory that the other sources need not pay for.
        from ingest.camera.network import from_network

        return from_network(source, self._task.login)

    def _attended(self, frames: Iterator[tuple[int, Image]]) -> Iterator[tuple[int, Image]]:
        """The frames, as long as the supervisor is there."""
        for item in frames:
            if not self._pipe.look():
                return
            yield item

    def _step(self, time_us: int) -> None:
        frame = self._frame
        if frame is None:
            return
        sample = self._look.see(frame, time_us)
        if sample is not None:
            self._brightness = sample.brightness
            self._sharpness = self._look.sharpness(frame)
            changed = self._watcher.step(sample)
            if changed is not None:
                self._say(Changed(changed.sight, changed.since_us, changed.detail))
        seen = self._seer.see(frame, time_us, blind=self._is_blind)
        if seen.happenings:
            self._beat()  # what goes on, before the news of it
        for event in seen.happenings:
            self._say(Happened(event.kind, event.zone, event.onset_us, event.end_us))
        if seen.ready:
            state = self._watcher.state
            for counted in self._periods.take(seen, Sight.OK if state is None else state.sight):
                self._say(counted)

    @property
    def _is_blind(self) -> bool:
        state = self._watcher.state
        return state is not None and self._worth[state.sight] == "missing"

    def _beat(self) -> None:
        self._beat_at = monotonic()
        frames, self._frames = self._frames, 0
        fps = None if self._last_us is None else self._look.fps(self._last_us)
        ready = self._seer.detector.ready
        ongoing = (
            tuple(Happened(event.kind, event.zone, event.onset_us) for event in self._seer.ongoing)
            if ready and not self._is_blind
            else None
        )
        self._say(Beat(frames, self._last_us, fps, self._brightness, self._sharpness, ready, self._pipe.refused, ongoing))
        self._pipe.refused = None

    def _show(self) -> None:
        """Asked for by the supervisor, on behalf of a person with the right."""
        if self._frame is None:
            self._say(Shown(b""))
            return
        jpeg = cv2.imencode(".jpg", self._frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
        self._say(Shown(jpeg, tuple(track.box for track in self._seer.tracks)))


if __name__ == "__main__":
    main()
