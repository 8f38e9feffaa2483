"""Asking the camera worker of this machine for a picture, through the socket in its folder."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec

from config.errors import ConfigError

SOCKET = "door.sock"


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks for.

    Attributes:
        camera: Its name.
        by: Who asks.
        key: What proves it.
        tracks: Also the boxes of what is followed now, for the drawing page.
    """

    camera: str
    by: str
    key: str
    tracks: bool = False


class Answer(msgspec.Struct, frozen=True):
    """A picture as base64 JPEG, or why there is none."""

    jpeg: str = ""
    refused: str = ""
    boxes: tuple[tuple[float, float, float, float], ...] = ()


async def ask(state: Path, wish: Wish, patience_s: float = 15.0) -> Answer:
    """Ask the worker of this machine.

    Raises:
        ConfigError: No worker answers there.
    """
    path = state / SOCKET
    began = time.monotonic()
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=64 << 20)
    except OSError:
        raise ConfigError(f"{path}: no camera worker answers there; is `subak camera run` running with this --state?") from None
    try:
        writer.write(msgspec.json.encode(wish) + b"\n")
        line = await asyncio.wait_for(reader.readline(), patience_s)
    except (TimeoutError, ConnectionError):
        raise ConfigError(f"{path}: the camera worker gave no answer in {time.monotonic() - began:.0f} s") from None
    finally:
        writer.close()
    return msgspec.json.decode(line, type=Answer)
