"""`subak run --collectors N`: one process holds the subscription, N others do all the work on its messages.

A device always goes to the same worker, so that each worker's bins, sequences, presences and watermarks are its own, and as exact
as those of a single process. Here nothing is decoded: a topic says whose message it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import structlog
from msgspec import Struct

from ingest.collector import Collector
from ingest.door import Admission, Disposition, Door
from ingest.mqtt.receiver import Delivery
from ingest.registry import Registry
from subak import frames
from subak.observer import Observer
from subak.report import Report

log = structlog.get_logger(__name__)

SHARES_MOST = 32
DELAY_S = 0.005  # between two rounds: short, since a worker has a delay of its own, but not a frame a message
PATIENCE_S = 0.5  # nothing received for so long is silence
TICK_S = 0.25  # between two ticks at least
READY_S = 120.0  # a large site takes long to read
FINISH_S = 3.5  # workers have to finish: a little longer than they give themselves
GONE_S = 0.5

# Of the parent's tasks: receiving, handing out, and one that listens to each worker.
_HANDING_OUT = 1
_LISTENING = 2

_UNDECIDED = Admission(0, None, None, None, [], [], Disposition.ADMITTED)


class WorkerEndedError(Exception):
    """A worker ended while it was needed; what it had not committed is not acknowledged and comes again."""


def share_of(device: int | None, shares: int) -> int:
    """Which worker a device belongs to.

    Args:
        device: Number of a native device. None for everything else: topics that several devices share, senders that speak for
            several, feeds that remember earlier messages, topics of nobody. All of that stays together.
        shares: Workers there are.
    """
    return 0 if device is None else device % shares


def devices_of(share: int, shares: int, registry: Registry, dialect: str) -> set[int]:
    """Numbers of the devices of one worker; those that do not speak `dialect`, the native one, count as None in `share_of`."""
    return {e.number for e in registry if share == share_of(e.number if e.dialect == dialect else None, shares)}


def undecided(_topic: str, _payload: bytes, _received_us: int) -> Admission:
    """In place of the door's answer, which the worker gets from its own door."""
    return _UNDECIDED


class Receipts:
    """Messages in order of receipt, each with one worker: which may be acknowledged when a worker has committed some.

    Each worker commits its own in the order it got them.
    """

    def __init__(self, shares: int) -> None:
        """Nothing is handed out yet."""
        self._order: deque[tuple[int, Delivery]] = deque()
        self._held = [0] * shares
        self._committed = [0] * shares

    def __len__(self) -> int:
        """Messages handed out and not acknowledged."""
        return len(self._order)

    def hand(self, share: int, delivery: Delivery) -> None:
        """The next message received goes to this worker."""
        self._order.append((share, delivery))
        self._held[share] += 1

    def commit(self, share: int, count: int) -> list[Delivery]:
        """A worker has committed its next `count` messages.

        Returns:
            What may be acknowledged now: messages that are committed as is every earlier one, in order of receipt.

        Raises:
            ValueError: It has not got so many.
        """
        if not 0 <= count <= self._held[share]:
            raise ValueError(f"worker {share} committed {count} messages and had {self._held[share]}")
        self._held[share] -= count
        committed, order = self._committed, self._order
        committed[share] += count
        safe: list[Delivery] = []
        while order and committed[order[0][0]]:
            of, delivery = order.popleft()
            committed[of] -= 1
            safe.append(delivery)
        return safe


class _Worker(Struct):
    """A worker as the parent sees it."""

    share: int
    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Fanout:
    """The parent: receives, hands out, acknowledges."""

    def __init__(
        self,
        *,
        collector: Collector,
        door: Door,
        shares: int,
        site: Path,
        receive_maximum: int,
        observer: Observer,
        told: Callable[[int, Report], None],
    ) -> None:
        """Wire the parts; nothing is started yet.

        Args:
            collector: Not running; its `admit` is `undecided`.
            door: To tell whose a topic is.
            shares: Workers.
            site: Path of the site folder.
            receive_maximum: The broker's window. No more messages than this are with the workers, acknowledged or not: the bound
                of memory, since nothing else waits anywhere.
            observer: Is told of acknowledgements and turns.
            told: Gets what each worker tells of its pipeline.
        """
        self._collector = collector
        self._door = door
        self._shares = shares
        self._site = site
        self._most = receive_maximum
        self._observer = observer
        self._told = told
        self._workers: list[_Worker] = []
        self._receipts = Receipts(shares)
        self._room = asyncio.Event()
        self._finishing = False
        self._ticked = 0.0

    async def run(self) -> None:
        """Work until cancelled, then let the workers finish what they have, and acknowledge it.

        Raises:
            WorkerEndedError: A worker ended by itself.
        """
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._start()
            tasks = [
                asyncio.create_task(work)
                for work in (self._collector.run(), self._hand_out(), *(self._listen(worker) for worker in self._workers))
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self._finish(tasks)

    async def _start(self) -> None:
        """Start the workers and wait until all are ready: only then is the broker asked for messages."""
        for share in range(self._shares):
            ours, theirs = socket.socketpair()
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "subak.worker",
                    str(theirs.fileno()),
                    str(share),
                    str(self._shares),
                    str(self._site),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                )
            reader, writer = await asyncio.open_connection(sock=ours)
            self._workers.append(_Worker(share, process, reader, writer))
        await asyncio.gather(*map(self._ready, self._workers))
        log.info("workers.ready", pids=[worker.process.pid for worker in self._workers])

    async def _ready(self, worker: _Worker) -> None:
        try:
            async with asyncio.timeout(READY_S):
                await frames.committed(worker.reader)
        except TimeoutError:
            raise WorkerEndedError(f"worker {worker.share} was not ready in {READY_S:.0f} s") from None
        except EOFError:
            await self._ended(worker)

    async def _ended(self, worker: _Worker) -> NoReturn:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GONE_S):
                await worker.process.wait()
        raise WorkerEndedError(
            f"worker {worker.share} (process {worker.process.pid}) ended with status {worker.process.returncode};"
            " what it had not committed will be delivered again after a restart"
        )

    async def _hand_out(self) -> None:
        """Give every message to the worker of its device."""
        while True:
            while len(self._receipts) >= self._most:
                self._room.clear()
                await self._room.wait()
            arrivals = await self._collector.batch(self._most - len(self._receipts), DELAY_S, PATIENCE_S)
            if not arrivals:
                if not self._receipts:
                    self._tick()
                    self._observer.turned()
                continue
            parts: list[list[frames.Message]] = [[] for _ in self._workers]
            for delivery, _ in arrivals:
                share = share_of(self._door.native_device(delivery.topic), self._shares)
                self._receipts.hand(share, delivery)
                parts[share].append((delivery.topic, delivery.payload, delivery.received_us))
            for worker, part in zip(self._workers, parts, strict=True):
                for begin in range(0, len(part), frames.MESSAGES_MOST):
                    worker.writer.write(frames.framed(part[begin : begin + frames.MESSAGES_MOST]))

    def _tick(self) -> None:
        """Tell all workers that what comes is fresh. While a backlog is read, a worker without messages must not take it for silence."""
        now = asyncio.get_running_loop().time()
        if now - self._ticked >= TICK_S:
            self._ticked = now
            tick = frames.framed([])
            for worker in self._workers:
                worker.writer.write(tick)

    async def _listen(self, worker: _Worker) -> None:
        """Acknowledge what workers commit, until this one ends."""
        while True:
            try:
                said = await frames.committed(worker.reader)
            except EOFError:
                if self._finishing:
                    return
                await self._ended(worker)
            if isinstance(said, Report):
                self._told(worker.share, said)
                continue
            count, fresh = said
            safe = self._receipts.commit(worker.share, count)
            if safe:
                self._collector.acknowledge(safe)
                self._observer.acknowledged(safe)
                self._observer.turned()
                self._room.set()
            if fresh and not self._finishing:
                self._tick()

    async def _finish(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Receive no more, let the workers finish, acknowledge, and leave no process behind."""
        self._finishing = True
        for task in tasks[_HANDING_OUT:_LISTENING]:
            task.cancel()
        for worker in self._workers:
            worker.writer.write(frames.framed(None))
        if listening := tasks[_LISTENING:]:
            await asyncio.wait(listening, timeout=FINISH_S)
        # Only now: what the workers have just committed is acknowledged on the connection that it came on.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in self._workers:
            worker.writer.close()
        await asyncio.gather(*(self._gone(worker.process) for worker in self._workers))

    @staticmethod
    async def _gone(process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GONE_S):
                await process.wait()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
