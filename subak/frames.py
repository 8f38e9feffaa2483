"""What the processes of one collector say to each other: MessagePack with a length before it, over a pair of sockets.

To a worker: a list of messages; an empty list when what comes is fresh, so that silence means something; nil to finish.
From a worker: how many more messages, in the order it got them, are committed, and whether the newest of them was fresh.
Between these, what its pipeline tells of itself (`subak.report`).
The first word of a worker, with a count of 0, says that it is ready.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

import msgspec

from subak.report import Report

Message = tuple[str, bytes, int]
"""Topic, payload, and when it was received, µs."""

Committed = tuple[int, bool]
"""How many messages, and whether the newest was fresh."""

MESSAGES_MOST = 500  # of one frame: a worker takes a turn at other things after each

_LENGTH = struct.Struct("!I")
_encoder = msgspec.msgpack.Encoder()
_messages: msgspec.msgpack.Decoder[list[Message] | None] = msgspec.msgpack.Decoder(list[Message] | None)
_committed: msgspec.msgpack.Decoder[Committed | Report] = msgspec.msgpack.Decoder(Committed | Report)


def framed(words: Sequence[Message] | Committed | Report | None) -> bytes:
    """One frame."""
    body = _encoder.encode(words)
    return _LENGTH.pack(len(body)) + body


async def messages(reader: asyncio.StreamReader) -> list[Message] | None:
    """The next frame from the parent; None to finish.

    Raises:
        EOFError: The parent is gone.
    """
    return _messages.decode(await _body(reader))


async def committed(reader: asyncio.StreamReader) -> Committed | Report:
    """The next frame from a worker.

    Raises:
        EOFError: The worker is gone.
    """
    return _committed.decode(await _body(reader))


async def _body(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readexactly(_LENGTH.unpack(await reader.readexactly(_LENGTH.size))[0])
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError from error
