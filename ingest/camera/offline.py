"""Counting in a video file, by a process of its own: whatever the file does to its decoder, the caller gets an answer."""

from __future__ import annotations

import selectors
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import msgspec

from ingest.camera.child import Answer, Done, Failed, Job, Progress
from ingest.camera.video import VideoError
from ingest.camera.view import View

PATIENCE = 30.0
"""Seconds without a sign of life after which a decoder hangs; loading and the first frames of a large file included."""


def count(
    file: Path,
    view: View,
    model: Path | None = None,
    *,
    progress: Callable[[int], None] | None = None,
    patience: float = PATIENCE,
) -> Done:
    """Count in `file` with the background model, or with the model of that path.

    Raises:
        VideoError: The file is missing or cannot be read, its decoder died or hung, or the model cannot be used.
    """
    if not file.is_file():
        raise VideoError(f"{file}: there is no such file")
    if file.stat().st_size == 0:
        raise VideoError(f"{file}: the file is empty")
    job = Job(str(file.resolve()), view, str(model.resolve()) if model else None)
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest.camera.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        answer = _listen(process, msgspec.json.encode(job), file, progress, patience)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    if isinstance(answer, Failed):
        raise VideoError(answer.reason if model and str(model) in answer.reason else f"{file}: {answer.reason}")
    return answer


def _listen(
    process: subprocess.Popen[bytes], job: bytes, file: Path, progress: Callable[[int], None] | None, patience: float
) -> Done | Failed:
    if process.stdin is None or process.stdout is None:
        raise VideoError(f"{file}: the decoder was started without pipes")
    try:
        process.stdin.write(job)
        process.stdin.close()
    except BrokenPipeError:
        raise VideoError(f"{file}: the decoder did not start ({_end(process)})") from None
    decoder: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
    heard = monotonic()
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, heard + patience - monotonic())):
                raise VideoError(f"{file}: the decoder said nothing for {patience:.0f} s and was stopped")
            chunk = process.stdout.read1(65_536)  # type: ignore[attr-defined]
            if not chunk:
                raise VideoError(f"{file}: the decoder died on it ({_end(process)}); the file is damaged or hostile")
            heard = monotonic()
            *lines, buffer = (buffer + chunk).split(b"\n")
            for line in lines:
                answer = decoder.decode(line)
                if not isinstance(answer, Progress):
                    return answer
                if progress:
                    progress(answer.frames)


def _end(process: subprocess.Popen[bytes]) -> str:
    code = process.wait(5)
    if code < 0:
        return signal.Signals(-code).name
    return f"exit status {code}"
