"""One camera as its supervisor sees it: a decoder process that is fed, listened to, killed when it hangs and started again.

What one decoder does touches no other: each has its own process, pipe and task.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import msgspec
import stamina
import structlog

from config.secrets import PREFIX
from config.thresholds.camera_health import HealthThresholds
from ingest.camera.condition import Hour
from ingest.camera.jpeg import PictureError, header
from ingest.camera.reports import Beat, Changed, Counted, Ended, Failed, Happened, Report, Resized, Shown, Task
from ingest.camera.sources import SNAPSHOT, packed
from ingest.contract import Sight

log = structlog.get_logger(__name__)

LONGEST_LINE = 32 << 20  # bytes: a snapshot is one line
SETTLED_S = 60.0
"""A decoder that lived so long begins again with the first wait."""

LEAVES_S = 2.0
"""A decoder that has closed its output has left after so long, or is killed."""

SNAPSHOT_S = 10.0


class DecoderError(Exception):
    """A decoder ended; the message says why, for a technician."""


Heard = Callable[["Camera", Counted | Happened], None]


class Camera:
    """One camera: its decoder and what is known of its stream.

    Attributes:
        task: What its decoder works on.
        sight: What it can see.
        since_us: Since when.
        detail: Why.
        beat: The last sign of life with a frame.
        ongoing: Events that go on, by the decoder's last word; None when it cannot tell.
        reconnects: Times its decoder was started again in the last hour.
        stalls: Times its stream stood still in the last hour.
        refused: Frames that were not taken.
        is_over: Its file is read to the end.
    """

    def __init__(self, task: Task, thresholds: HealthThresholds, heard: Heard, changed: Callable[[Camera], None]) -> None:
        self.task = task
        self._t = thresholds
        self._heard = heard
        self._changed = changed
        self.sight = Sight.OK
        self.since_us = round(time.time() * 1e6)
        self.detail = ""
        self.beat = Beat(0)
        self.ongoing: tuple[Happened, ...] | None = None
        self.reconnects = Hour(time.monotonic)
        self.stalls = Hour(time.monotonic)
        self.refused = 0
        self.is_over = False
        self.pid: int | None = None
        self._seen = (Sight.OK, self.since_us, "")
        self._reason = "no picture has come on its frame topic" if task.source == "frame" else "no frame has come yet"
        self._told = False
        self._heard_at = time.monotonic()
        self._frame_at = time.monotonic()
        self._stalled = False
        self._queue: deque[bytes] = deque(maxlen=max(4, round(2 * task.fps)))
        self._filled = asyncio.Event()
        self._snapshots: list[asyncio.Future[Shown]] = []
        self._wish = False

    @property
    def is_known(self) -> bool:
        """Whether there is anything to say: a frame came, or none came for too long."""
        return bool(self.beat.frames) or self.sight is Sight.LOST

    @property
    def now_us(self) -> int:
        """The time on the camera's own clock (µs), which is its counts' too: its last frame's and what has passed since.

        A file's stands still between frames: it is read faster than it was filmed.
        """
        last_us = self.beat.time_us
        if last_us is None:
            return round(time.time() * 1e6)
        return last_us if self.task.source.startswith("file:") else last_us + round((time.monotonic() - self._frame_at) * 1e6)

    def feed(self, payload: bytes, received_us: int) -> None:
        """A picture of the `frame` topic; too large a one is refused by its head, before anybody decodes it."""
        try:
            time_us = header(payload).time_us
        except PictureError as error:
            self.refused += 1
            self._reason = str(error)
            if self.refused == 1 or self.refused % 100 == 0:
                log.warning("camera.frame_refused", camera=self.task.camera, reason=str(error), frames=self.refused)
            return
        # The oldest waits no longer when the decoder cannot keep up: that shows as few frames a second.
        self._queue.append(packed(received_us if time_us is None else time_us, payload))
        self._filled.set()

    async def snapshot(self) -> Shown:
        """The picture of this moment, for a person with the right.

        Raises:
            DecoderError: There is none.
        """
        waiting: asyncio.Future[Shown] = asyncio.get_running_loop().create_future()
        self._snapshots.append(waiting)
        self._wish = True
        self._filled.set()
        try:
            shown = await asyncio.wait_for(waiting, SNAPSHOT_S)
        except TimeoutError:
            raise DecoderError(f"{self.task.camera}: no picture within {SNAPSHOT_S:.0f} s: {self._reason}") from None
        if not shown.jpeg:
            raise DecoderError(f"{self.task.camera}: it has not seen a picture yet: {self._reason}")
        return shown

    async def run(self) -> None:
        """Keep a decoder at work, again and again, until cancelled or the file has ended."""
        watching = asyncio.create_task(self._watch())
        try:
            while not self.is_over:
                with suppress(_SettledError):
                    await self._persevere()
        finally:
            watching.cancel()

    async def _persevere(self) -> None:
        retries = stamina.retry_context(
            on=DecoderError,
            attempts=None,
            timeout=None,
            wait_initial=self._t.restart_first.value,
            wait_max=self._t.restart_most.value,
            wait_jitter=0.5,
        )
        async for attempt in retries:
            with attempt:
                started = time.monotonic()
                try:
                    await self._once()
                except DecoderError as error:
                    self._begin()
                    self.ongoing = None
                    self.reconnects.add()
                    self._explain(str(error))
                    log.warning("camera.decoder_ended", camera=self.task.camera, reason=str(error))
                    if time.monotonic() - started > SETTLED_S:
                        raise _SettledError from error
                    raise

    async def _once(self) -> None:
        """One life of a decoder.

        Raises:
            DecoderError: It ended otherwise than with the end of a file.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ingest.camera.decoder",
            self.task.camera,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=LONGEST_LINE,
            # A stream that takes a decoder over finds no password of the broker or of another camera there.
            env={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        )
        self.pid = process.pid
        self._heard_at = time.monotonic()
        feeding = asyncio.create_task(self._feed(process))
        patience = 0.0
        try:
            reason = await self._listen(process)
            patience = LEAVES_S
        finally:
            feeding.cancel()
            status = await _left(process, patience)
            self.pid = None
        if reason is not None:
            raise DecoderError(reason)
        if not self.is_over:
            raise DecoderError(f"the decoder died ({_end(status)}): its stream is damaged or hostile, or somebody killed it")

    async def _feed(self, process: Process) -> None:
        pipe = process.stdin
        assert pipe is not None  # noqa: S101 - asked for
        with suppress(ConnectionError):  # its end is told by `_listen`
            pipe.write(msgspec.json.encode(self.task) + b"\n")
            while True:
                await pipe.drain()
                while not self._queue and not self._wish:
                    self._filled.clear()
                    await self._filled.wait()
                if self._wish:
                    self._wish = False
                    pipe.write(SNAPSHOT)
                if self._queue:
                    pipe.write(self._queue.popleft())

    async def _listen(self, process: Process) -> str | None:
        """Take reports until the decoder ends; why it did, as far as it or its silence told."""
        lines = process.stdout
        assert lines is not None  # noqa: S101 - asked for
        decoder: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)
        reason: str | None = None
        while True:
            try:
                line = await asyncio.wait_for(lines.readline(), self._t.hang.value)
            except TimeoutError:
                process.kill()
                return f"the decoder hung: it said nothing for {self._t.hang.value:.0f} s and was killed"
            if not line:
                return reason
            self._heard_at = time.monotonic()
            match decoder.decode(line):
                case Failed(reason=told):
                    reason = told
                case Ended(frames=frames):
                    if self.task.source.startswith("file:") and frames:
                        self.is_over = True
                    else:
                        reason = "the stream ended"
                case report:
                    self._take(report)

    def _begin(self) -> None:
        """The first decoder has spoken: what it took to start, on a busy machine, is no silence of the camera."""
        if not self._told:
            self._told = True
            self._frame_at = time.monotonic()

    def _take(self, report: Report) -> None:
        self._begin()
        match report:
            case Beat():
                self._note_beat(report)
            case Changed(sight=sight, since_us=since_us, detail=detail):
                self._seen = sight, since_us, detail
                if self.sight is not Sight.LOST:
                    self._set(*self._seen)
            case Shown():
                for waiting in self._snapshots:
                    if not waiting.done():
                        waiting.set_result(report)
                self._snapshots.clear()
            case Resized(width=width, height=height):
                log.info("camera.resized", camera=self.task.camera, width=width, height=height)
            case Counted() | Happened():
                self._heard(self, report)

    def _note_beat(self, beat: Beat) -> None:
        self.ongoing = beat.ongoing
        if beat.refused is not None:
            self.refused += 1
            self._explain(beat.refused)
        if not beat.frames:
            return
        now = time.monotonic()
        self.beat = beat
        if self._stalled:
            self._stalled = False
            log.info("camera.blip", camera=self.task.camera, seconds=round(now - self._frame_at, 1))
        self._frame_at = now
        if self.sight is Sight.LOST:
            log.info("camera.restored", camera=self.task.camera)
            sight, since_us, detail = self._seen
            self._set(sight, max(since_us, beat.time_us or since_us), detail)

    async def _watch(self) -> None:
        """Notice stalls and loss; a file that is read to its end is neither."""
        while not self.is_over:
            await asyncio.sleep(0.5)
            silent = time.monotonic() - self._frame_at
            if silent > self._t.stall.value and not self._stalled and self.beat.frames:
                self._stalled = True
                self.stalls.add()
            # A decoder that is still starting has not said what is wrong.
            patience = self._t.lost.value + (0.0 if self._told else self._t.hang.value)
            if silent > patience and self.sight is not Sight.LOST:
                since_us = self.beat.time_us or round((time.time() - silent) * 1e6)
                reason = (
                    self._reason if self.pid is None or not self.beat.frames or self.refused else f"no frame for {silent:.0f} s"
                )
                log.warning("camera.lost", camera=self.task.camera, reason=reason)
                self._set(Sight.LOST, since_us, reason)

    def _explain(self, reason: str) -> None:
        """Why there are no frames; of a camera that is lost already it is told when it is another than before."""
        self._reason = reason
        if self.sight is Sight.LOST and reason != self.detail:
            self._set(Sight.LOST, self.since_us, reason)

    def _set(self, sight: Sight, since_us: int, detail: str) -> None:
        self.sight, self.since_us, self.detail = sight, since_us, detail
        self._changed(self)


class _SettledError(Exception):
    """A decoder that had been well for long has ended: what comes is a new trouble."""


async def _left(process: Process, patience: float) -> int:
    """The exit status of a decoder; it is killed when it has not left by itself in time.

    Never at once when it may be leaving: asking whether it lives takes its status away from who waits for it.
    """
    if patience:
        with suppress(TimeoutError):
            return await asyncio.wait_for(process.wait(), patience)
    with suppress(ProcessLookupError):
        process.kill()
    return await process.wait()


def _end(status: int) -> str:
    if status < 0:
        with suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit status {status}"
