"""Snapshots for people with the right: a socket in the worker's own folder, which no other machine and no other user reaches.

Every request is written down, whether it was granted or not, before a picture leaves.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from config.errors import ConfigError
from ingest.camera.asking import SOCKET, Answer, Wish
from ingest.camera.supervisor import Camera, DecoderError

log = structlog.get_logger(__name__)

AUDIT = "snapshots.jsonl"
LONGEST = 1 << 16  # bytes of a request
KEYS_FILE = "SUBAK_CAMERA_KEYS_FILE"
"""Environment: a file with one `name sha256-of-key` a line, for each person who may see pictures."""

WATCHING_S = 60.0

Keys = Mapping[str, str]


class Entry(msgspec.Struct, frozen=True):
    """A line of the audit."""

    time: str
    by: str
    camera: str
    what: str
    granted: bool
    reason: str


def read_keys(path: str | None) -> dict[str, str]:
    """Names and hashes of keys; none without a file, so that everybody is refused.

    Raises:
        ConfigError: The file cannot be read, or a line of it is no name and hash.
    """
    if not path:
        return {}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{KEYS_FILE}: {path}: {error.strerror}") from None
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, digest = line.strip().partition(" ")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ConfigError(f"{KEYS_FILE}: {path}, line {number}: must be a name and the SHA-256 of a key, in hexadecimal")
        keys[name] = digest
    return keys


class Door:
    """Where pictures can be asked for."""

    def __init__(self, state: Path, keys: Keys, cameras: Mapping[str, Camera]) -> None:
        self._state = state
        self._keys = keys
        self._cameras = cameras
        self._watching: dict[tuple[str, str], float] = {}

    async def serve(self) -> None:
        """Answer until cancelled."""
        self._state.mkdir(parents=True, exist_ok=True)
        path = self._state / SOCKET
        path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._answer, path, limit=LONGEST)
        except OSError as error:
            raise ConfigError(f"{path}: {error}; choose a shorter --state folder") from None
        finally:
            os.umask(mask)
        try:
            async with server:
                await server.serve_forever()
        finally:
            path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), 5.0)
            wish = msgspec.json.decode(line, type=Wish)
            answer = await self._granted(wish)
            writer.write(msgspec.json.encode(answer) + b"\n")
            with suppress(ConnectionError):
                await writer.drain()
        except (msgspec.DecodeError, TimeoutError, ValueError) as error:
            log.warning("camera.door", error=str(error))
        finally:
            writer.close()

    async def _granted(self, wish: Wish) -> Answer:
        what = "tracks" if wish.tracks else "snapshot"
        expected = self._keys.get(wish.by, "")
        given = hashlib.sha256(wish.key.encode()).hexdigest()
        if not expected or not hmac.compare_digest(expected, given):
            self._note(wish, what, granted=False, reason="no right")
            return Answer(refused=f"{wish.by} has no right to see pictures; see {KEYS_FILE}")
        camera = self._cameras.get(wish.camera)
        if camera is None:
            self._note(wish, what, granted=False, reason="no such camera")
            return Answer(refused=f"{wish.camera}: no such camera here; there are {', '.join(self._cameras)}")
        # Somebody who watches asks every second: a line a minute says it as well.
        since = self._watching.get((wish.by, wish.camera), -WATCHING_S)
        if not wish.tracks or time.monotonic() - since >= WATCHING_S:
            self._note(wish, what, granted=True, reason="")
            if wish.tracks:
                self._watching[wish.by, wish.camera] = time.monotonic()
        try:
            shown = await camera.snapshot()
        except DecoderError as error:
            return Answer(refused=str(error))
        return Answer(base64.b64encode(shown.jpeg).decode(), boxes=shown.boxes if wish.tracks else ())

    def _note(self, wish: Wish, what: str, *, granted: bool, reason: str) -> None:
        entry = Entry(datetime.now(UTC).isoformat(timespec="milliseconds"), wish.by, wish.camera, what, granted, reason)
        with (self._state / AUDIT).open("ab") as audit:
            audit.write(msgspec.json.encode(entry) + b"\n")
        log.info("camera.picture_asked", by=wish.by, camera=wish.camera, what=what, granted=granted, reason=reason)
