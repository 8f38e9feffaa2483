"""Once and only once: a piece of work is done in one transaction, tried again until the database has it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

import psycopg
import stamina
import structlog

from storage.errors import StaleWriterError
from storage.writer import Remembered, Transaction, Writer
from subak.observer import Observer

log = structlog.get_logger(__name__)

RETRY_FIRST_S = 0.1
RETRY_MOST_S = 5.0

Result = TypeVar("Result")


class Memory(Protocol):
    """What is held in memory beside the database, and must not be ahead of it."""

    def recall(self, known: Remembered) -> None:
        """Know what the database knows, and nothing else."""
        ...

    def ended(self, *, committed: bool) -> None:
        """A transaction is over."""
        ...


class Durable:
    """The connection of one writer, and the number of its last batch."""

    def __init__(
        self, *, name: str, connect: Callable[[], Awaitable[Writer]], memory: Memory, most_s: float, observer: Observer
    ) -> None:
        """Nothing is connected yet.

        Args:
            name: Of the writer in the database.
            connect: Makes a writer.
            memory: Is told what the database knows, and how each transaction ended.
            most_s: A connection that is half open never answers: give up after this long.
            observer: Is told of transactions and failures.
        """
        self._name = name
        self._connect = connect
        self._memory = memory
        self._most_s = most_s
        self._observer = observer
        self._writer: Writer | None = None
        self._batch: int | None = None
        self._process = uuid.uuid4().hex

    async def close(self) -> None:
        """Let go of the database."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None

    async def do(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Do `work` in one transaction, again and again until it is committed, and once only."""
        results: list[Result] = []
        async for attempt in _until_the_database_is_back():
            with attempt:
                writer, batch = await self._ready()
                if results and await writer.last_batch(self._name) == (batch, self._process):
                    # The commit had succeeded; only its answer was lost.
                    self._batch = batch
                    break
                started = time.perf_counter()
                try:
                    async with (
                        asyncio.timeout(self._most_s),
                        writer.transaction(self._name, batch, self._process) as transaction,
                    ):
                        results.append(await work(transaction))
                except BaseException as error:
                    await self._failed(writer, error)
                    raise
                self._memory.ended(committed=True)
                self._batch = batch
                self._observer.transacted(time.perf_counter() - started)
        return results[-1]

    async def _ready(self) -> tuple[Writer, int]:
        """A connected writer and the number of the next batch."""
        if self._writer is None:
            try:
                self._writer = await self._connect()
            except psycopg.OperationalError as error:
                self._observer.failed(error)
                raise
        if self._batch is None:
            self._batch, _ = await self._writer.last_batch(self._name)
            self._memory.recall(await self._writer.remembered())
        return self._writer, self._batch + 1

    async def _failed(self, writer: Writer, error: BaseException) -> None:
        """What the processors hold may be ahead of the database now, or behind it; they read it again."""
        self._observer.failed(error)
        self._memory.ended(committed=False)
        if isinstance(error, StaleWriterError):
            log.warning("writer.stale", name=self._name, advice="another process runs under this SUBAK_CLIENT_ID: stop one")
            self._batch = None
        self._writer = None
        await writer.close()


def _until_the_database_is_back() -> AsyncIterator[stamina.Attempt]:
    return stamina.retry_context(
        on=(psycopg.OperationalError, psycopg.InterfaceError, StaleWriterError, TimeoutError),
        attempts=None,
        timeout=None,
        wait_initial=RETRY_FIRST_S,
        wait_max=RETRY_MOST_S,
        wait_jitter=RETRY_FIRST_S,
    ).__aiter__()
