"""One worker of `subak run --collectors N`: door, processors and transaction for the devices that are its share.

It lives as long as the socket to its parent: when that closes, however the parent ended, it leaves. Signals are its parent's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from config.dialects import NATIVE
from config.errors import ConfigError
from config.settings import Settings, load_settings
from ingest.collector import Arrival, cut, wall_clock_us
from ingest.door import Admission
from ingest.mqtt.receiver import Delivery
from ingest.readings import US
from processors.bins import BIN_US
from storage.runs import OtherRunError
from subak import frames, logs
from subak.fanout import devices_of
from subak.report import Report, Reporter
from subak.run import Opened, open_site, pipeline_of, spare_the_garbage_collector

FINISH_S = 2.5  # to commit what is here, when told to finish
LEAVE_S = 0.75  # to roll back, before the process is ended from inside


class ParentSource:
    """Where a worker's pipeline gets messages from: the parent process.

    What is here is bounded by the parent, which hands out no more than the broker's window.

    Attributes:
        finishing: Set when the parent says to finish.
        finished: Set when everything is committed that came before the parent said to finish.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        admit: Callable[[str, bytes, int], Admission],
        many: int,
        lateness_us: int,
        clock_us: Callable[[], int],
    ) -> None:
        """Make it.

        Args:
            reader: From the parent.
            writer: To the parent.
            admit: The door's.
            many: So many messages are not made to wait for more.
            lateness_us: As the pipeline's.
            clock_us: The wall clock, µs.
        """
        self._reader = reader
        self._writer = writer
        self._admit = admit
        self._many = many
        self._lateness_us = lateness_us
        self._clock_us = clock_us
        self._waiting: list[Arrival] = []
        self._arrived = asyncio.Event()
        self._handed = 0
        self._newest_us: int | None = None
        self._next_batch = 0.0
        self._is_fresh = False
        self.finishing = asyncio.Event()
        self.finished = asyncio.Event()

    async def receive(self) -> None:
        """Take what the parent sends, until it says to finish; then waits for its end.

        Raises:
            EOFError: The parent is gone.
        """
        self._writer.write(frames.framed((0, False)))
        while True:
            messages = await frames.messages(self._reader)
            if messages is None:
                self.finishing.set()
                self._look_whether_finished()
                continue
            if messages:
                self._waiting += [
                    (Delivery(0, None, topic, payload, False, received_us), self._admit(topic, payload, received_us))
                    for topic, payload, received_us in messages
                ]
                self._arrived.set()
            else:
                self._is_fresh = True
            # A frame that is here already does not wait: others would never get a turn.
            await asyncio.sleep(0)

    async def batch(self, most: int, delay_s: float, patience_s: float) -> list[Arrival]:
        """As `ingest.collector.Collector.batch`, but no messages are silence only when the parent says that all is fresh."""
        while not self._waiting:
            self._arrived.clear()
            self._is_fresh = False
            try:
                async with asyncio.timeout(patience_s):
                    await self._arrived.wait()
            except TimeoutError:
                if self._is_fresh:
                    return []
        loop = asyncio.get_running_loop()
        early = self._next_batch - loop.time()
        if early > 0 and len(self._waiting) < min(most, self._many) and not self.finishing.is_set():
            await asyncio.sleep(early)
        self._next_batch = loop.time() + delay_s
        taken, self._waiting = cut(self._waiting, most)
        self._handed += len(taken)
        self._newest_us = max((a.time_us for _, a in taken if a.time_us is not None), default=None)
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the parent that these are committed."""
        self._handed -= len(deliveries)
        newest_us = self._newest_us
        fresh = newest_us is None or newest_us >= self._clock_us() - self._lateness_us - 2 * BIN_US
        self._writer.write(frames.framed((len(deliveries), fresh)))
        self._look_whether_finished()

    def report(self, report: Report) -> None:
        """Tell the parent what the pipeline has done."""
        self._writer.write(frames.framed(report))

    def _look_whether_finished(self) -> None:
        if self.finishing.is_set() and not self._waiting and not self._handed:
            self.finished.set()


async def work(parent: socket.socket, share: int, shares: int, settings: Settings, opened: Opened) -> None:
    """Work on one share of the site until the parent says to finish, or is gone."""
    reader, writer = await asyncio.open_connection(sock=parent)
    source = ParentSource(
        reader,
        writer,
        admit=opened.door.admit,
        many=max(1, settings.receive_maximum // (2 * shares)),
        lateness_us=round(settings.lateness_s * US),
        clock_us=wall_clock_us,
    )
    reporter = Reporter(source.report)
    pipeline = pipeline_of(
        settings,
        opened,
        source,
        name=f"{settings.client_id}/{share}",
        processes=shares,
        observer=reporter,
        devices=devices_of(share, shares, opened.registry, NATIVE),
    )
    reporter.watch(pipeline.lags_s)
    receiving = asyncio.create_task(source.receive())
    running = asyncio.create_task(pipeline.run())
    finished = asyncio.create_task(_finish(source))
    await asyncio.wait({receiving, running, finished}, return_when=asyncio.FIRST_COMPLETED)
    for task in (receiving, running, finished):
        task.cancel()
    _, stuck = await asyncio.wait({receiving, running, finished}, timeout=LEAVE_S)
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(LEAVE_S):
            await writer.drain()
    if running.done() and not running.cancelled() and (error := running.exception()) is not None:
        raise error
    writer.close()
    if stuck:
        # The event loop would wait for a database that does not answer.
        os._exit(1)


async def _finish(source: ParentSource) -> None:
    """Until all is committed that is here when the parent says to finish, or it takes too long."""
    await source.finishing.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FINISH_S):
            await source.finished.wait()


def main(arguments: Sequence[str]) -> None:
    """Run one worker.

    Args:
        arguments: Number of the inherited socket, of this worker and of all workers; path of the site folder.
    """
    # The terminal and the service manager tell all processes to end; the parent says when.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    parent = socket.socket(fileno=int(arguments[0]))
    share, shares = int(arguments[1]), int(arguments[2])
    settings = load_settings(site=Path(arguments[3]))
    logs.configure()
    try:
        opened = open_site(settings)
    except ConfigError as error:
        raise SystemExit(f"subak: {error}") from None
    spare_the_garbage_collector()
    try:
        asyncio.run(work(parent, share, shares, settings, opened))
    except OtherRunError as error:
        raise SystemExit(f"subak: {error}") from None


if __name__ == "__main__":
    main(sys.argv[1:])
