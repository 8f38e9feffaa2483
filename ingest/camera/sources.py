"""Where frames come from, inside a decoder: a file, or the supervisor's pipe; streams of the network are in `network`.

The time of a frame is the stream's. A file begins when the site folder says (`file:PATH?start=2026-11-24T08:00:00+08:00`) or
when it was written.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from ingest.camera.detect import Image
from ingest.camera.jpeg import PictureError, header
from ingest.camera.video import VideoError
from ingest.camera.video import frames as file_frames
from ingest.fixedpoint import microseconds

FRAME, SNAPSHOT = b"F", b"S"
"""What the supervisor sends: a frame (time, length, JPEG), or the wish for a snapshot."""

Timed = tuple[int, Image]


class SourceError(Exception):
    """No frames can be had; the message says why, for a technician."""


def file_of(source: str) -> tuple[Path, int]:
    """Path and begin (µs) of a `file:` source.

    Raises:
        SourceError: There is no such file, it is empty, or its start is no time.
    """
    path_text, _, query = source.removeprefix("file:").partition("?start=")
    path = Path(path_text)
    if not path.is_file():
        raise SourceError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: the file is empty")
    if not query:
        return path, round(path.stat().st_mtime * 1_000_000)
    try:
        start = datetime.fromisoformat(query)
    except ValueError:
        raise SourceError(f"{source}: start= must be a time such as 2026-11-24T08:00:00+08:00") from None
    if start.tzinfo is None:
        raise SourceError(f"{source}: start= must have an offset, as in 2026-11-24T08:00:00+08:00")
    return path, microseconds(start)


def from_file(source: str) -> Iterator[Timed]:
    """Frames of a file, as fast as they can be had."""
    path, begin_us = file_of(source)
    try:
        for time_us, frame in file_frames(path):
            yield begin_us + time_us, frame
    except VideoError as error:
        raise SourceError(f"{path}: {error}") from error


class Pipe:
    """What the supervisor sends, without waiting for more than there is.

    Attributes:
        refused: Why the last frame that could not be used could not; for who reads it to clear.
    """

    def __init__(self, stream: BinaryIO, snapshot: Callable[[], None]) -> None:
        self._number = stream.fileno()
        self._snapshot = snapshot
        self._buffer = b""
        self._open = True
        self.refused: str | None = None

    def frames(self, idle: Callable[[], None]) -> Iterator[Timed]:
        """Frames of the `frame` topic; `idle` is called when none came for a second. Ends with the pipe."""
        while self._open:
            taken = self._message()
            if taken is None:
                if not self._fill(1.0):
                    idle()
                continue
            time_us, payload = taken
            try:
                told = header(payload)
            except PictureError as error:
                self.refused = str(error)
                continue
            frame = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
            if frame is None:
                self.refused = "the frame's JPEG cannot be decoded"
                continue
            yield (time_us if told.time_us is None else told.time_us), frame.astype(np.uint8, copy=False)

    def look(self) -> bool:
        """Take what has come meanwhile; False when the supervisor is gone."""
        if self._fill(0.0):
            while self._message() is not None:
                pass
        return self._open

    def _fill(self, patience: float) -> bool:
        ready, _, _ = select.select([self._number], [], [], patience)
        if not ready:
            return False
        chunk = os.read(self._number, 1 << 20)
        self._open = bool(chunk)
        self._buffer += chunk
        return True

    def _message(self) -> tuple[int, bytes] | None:
        """The next frame that is here whole; wishes for snapshots before it are granted."""
        while self._buffer.startswith(SNAPSHOT):
            self._buffer = self._buffer[1:]
            self._snapshot()
        if len(self._buffer) < 13:
            return None
        length = int.from_bytes(self._buffer[9:13], "big")
        if len(self._buffer) < 13 + length:
            return None
        time_us = int.from_bytes(self._buffer[1:9], "big")
        payload, self._buffer = self._buffer[13 : 13 + length], self._buffer[13 + length :]
        return time_us, payload


def packed(time_us: int, payload: bytes) -> bytes:
    """A frame as `Pipe` takes it."""
    return FRAME + time_us.to_bytes(8, "big") + len(payload).to_bytes(4, "big") + payload
