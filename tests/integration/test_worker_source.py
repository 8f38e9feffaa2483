"""A worker's source over a real pair of sockets: what the parent sends comes out, and what is committed is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest.collector import Arrival
from subak import frames
from subak.fanout import undecided
from subak.worker import ParentSource

PATIENCE_S = 0.05


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[ParentSource, asyncio.StreamReader, asyncio.StreamWriter, asyncio.Task[None]]]:
    """A source that receives, and the parent's end of it."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    source = ParentSource(*await asyncio.open_connection(sock=theirs), admit=undecided, many=1, lateness_us=0, clock_us=lambda: 0)
    receiving = asyncio.create_task(source.receive())
    assert (0, False) == await frames.committed(reader)
    yield source, reader, writer, receiving
    receiving.cancel()
    writer.close()
    source._writer.close()


async def test_messages_come_out_in_order_and_commits_are_told() -> None:
    async with connected() as (source, reader, writer, _):
        writer.write(frames.framed([("a", b"1", 10), ("b", b"\xff", 11)]))
        writer.write(frames.framed([("a", b"2", 12)]))
        taken: list[Arrival] = []
        while len(taken) < 3:
            taken += await source.batch(10, 0.0, PATIENCE_S)
        source.acknowledge([delivery for delivery, _ in taken])

        assert [("a", b"1", 10), ("b", b"\xff", 11), ("a", b"2", 12)] == [(d.topic, d.payload, d.received_us) for d, _ in taken]
        assert (3, True) == await frames.committed(reader)


async def test_no_messages_are_silence_only_when_the_parent_says_that_all_is_fresh() -> None:
    """Another worker may be reading a backlog that holds this worker's messages further back."""
    async with connected() as (source, _, writer, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10 * PATIENCE_S):
                await source.batch(10, 0.0, PATIENCE_S)

        writer.write(frames.framed([]))
        assert [] == await source.batch(10, 0.0, PATIENCE_S)


async def test_it_has_finished_when_all_is_committed_that_came_before_it_was_told_to() -> None:
    async with connected() as (source, _, writer, _):
        writer.write(frames.framed([("a", b"1", 10)]))
        writer.write(frames.framed(None))
        await source.finishing.wait()
        assert not source.finished.is_set()
        source.acknowledge([delivery for delivery, _ in await source.batch(10, 0.0, PATIENCE_S)])
        assert source.finished.is_set()


async def test_it_ends_when_its_parent_is_gone() -> None:
    async with connected() as (_, _, writer, receiving):
        writer.close()
        with pytest.raises(EOFError):
            await receiving
