"""The tape: one zstd stream of frames, each a length (4 bytes, big endian) and a MessagePack array.

The first frame is the header, every other one a message. A tape whose recorder was killed ends in the middle of
nowhere: it is read up to its last flush, and the reader says that the tail is missing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import zstandard
from msgspec import Struct

from config.errors import ConfigError

VERSION = 1
LEVEL = 6  # of compression: fast enough for a busy broker, and telemetry repeats itself
FRAME_MOST = 300_000_000  # bytes; MQTT allows no message above 256 MiB
CHUNK = 1 << 18  # bytes read at once

_Damaged = (msgspec.DecodeError, UnicodeDecodeError)
_LENGTH = struct.Struct(">I")


class Header(Struct, frozen=True, tag="subak-tape", tag_field="format"):
    """What the tape holds.

    Attributes:
        begun_us: When recording began, µs since 1970-01-01 UTC.
        pattern: Topic filter that was recorded.
    """

    version: int
    begun_us: int
    pattern: str


class Frame(Struct, frozen=True, array_like=True, gc=False):
    """One message as the broker delivered it."""

    received_us: int
    topic: str
    qos: int
    retain: bool
    payload: bytes


class Survey(Struct, frozen=True):
    """What a tape holds, found by reading it once.

    Attributes:
        messages: Number of messages.
        first_us: Receipt of the first one; 0 when there is none.
        last_us: Receipt of the last one.
        damage: Why the tape ends early, for a person; empty when it is whole.
    """

    header: Header
    messages: int
    first_us: int
    last_us: int
    damage: str


class TapeError(ConfigError):
    """The file is not a tape, or cannot be written."""


_encoder = msgspec.msgpack.Encoder()
_header = msgspec.msgpack.Decoder(Header)
_frame = msgspec.msgpack.Decoder(Frame)


class TapeWriter:
    """Writes a new tape; what was flushed survives a kill of the process."""

    def __init__(self, path: Path, header: Header) -> None:
        """Begin the tape.

        Raises:
            TapeError: The file exists or cannot be made.
        """
        try:
            self._file = path.open("xb")
        except FileExistsError:
            raise TapeError(f"{path} exists; a tape is never written over: name another file, or remove it") from None
        except OSError as error:
            raise TapeError(f"{path} cannot be written: {error.strerror}") from error
        self._stream = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).stream_writer(self._file, closefd=False)
        self._put(_encoder.encode(header))
        self.flush()

    def write(self, frame: Frame) -> None:
        """Append one message."""
        self._put(_encoder.encode(frame))

    def flush(self) -> None:
        """Hand everything written so far to the operating system, in a form that can be read."""
        self._stream.flush(zstandard.FLUSH_BLOCK)
        self._file.flush()

    def close(self) -> None:
        """End the tape."""
        self._stream.flush(zstandard.FLUSH_FRAME)
        self._file.close()

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the tape, whatever happened."""
        self.close()

    def _put(self, encoded: bytes) -> None:
        self._stream.write(_LENGTH.pack(len(encoded)))
        self._stream.write(encoded)


class TapeReader:
    """Reads a tape from its beginning.

    Attributes:
        header: What the tape holds.
        damage: Why the tape ended early; known only after its last message, empty when it was whole.
    """

    def __init__(self, path: Path) -> None:
        """Open the tape and read its header.

        Raises:
            TapeError: There is no such file, or it is no tape of a known version.
        """
        if not path.is_file():
            raise TapeError(f"{path} is not a file; record one with: subak record {path}")
        self.damage = ""
        self._encoded = self._frames(path)
        first = next(self._encoded, None)
        try:
            self.header = _header.decode(first or b"")
        except _Damaged:
            raise TapeError(f"{path} is not a Subak tape") from None
        if self.header.version != VERSION:
            raise TapeError(f"{path} is a tape of version {self.header.version}; this program reads {VERSION}")

    def __iter__(self) -> Iterator[Frame]:
        """The messages in the order of their receipt, once."""
        for encoded in self._encoded:
            try:
                yield _frame.decode(encoded)
            except _Damaged as error:
                self.damage = f"a message is damaged: {error}"
                return

    def _frames(self, path: Path) -> Iterator[bytes]:
        """Every whole frame; sets `damage` when the stream breaks off."""
        waiting = bytearray()
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        try:
            with path.open("rb") as file:
                while not decompressor.eof and (chunk := file.read(CHUNK)):
                    waiting += decompressor.decompress(chunk)
                    start = 0
                    while len(waiting) - start >= _LENGTH.size:
                        (length,) = _LENGTH.unpack_from(waiting, start)
                        if length > FRAME_MOST:
                            self.damage = f"a message claims {length} bytes"
                            return
                        end = start + _LENGTH.size + length
                        if end > len(waiting):
                            break
                        yield bytes(waiting[start + _LENGTH.size : end])
                        start = end
                    del waiting[:start]
        except zstandard.ZstdError as error:
            self.damage = f"its compressed stream is damaged: {error}"
            return
        if waiting or not decompressor.eof:
            self.damage = "its tail is missing, as after the recorder was killed"


def survey(path: Path) -> Survey:
    """Read the whole tape once.

    Raises:
        TapeError: There is no such file, or it is no tape.
    """
    reader = TapeReader(path)
    messages, first_us, last_us = 0, 0, 0
    for frame in reader:
        if messages == 0:
            first_us = frame.received_us
        messages += 1
        last_us = frame.received_us
    return Survey(reader.header, messages, first_us, last_us, reader.damage)
