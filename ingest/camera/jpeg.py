"""What a JPEG says of itself before it is decoded: its size, and when it was taken (ITU-T T.81, annex B)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from ingest.fixedpoint import microseconds

START = b"\xff\xd8\xff"
MOST_PIXELS = 16_000_000
"""Larger pictures are refused before they are decoded: 4K has 8.3 million, and a hundred would take 300 MB."""

TIME = b"time="
"""A comment segment `time=2026-11-24T08:00:00.2+08:00` says when the picture was taken."""

_SIZES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})  # SOF markers
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_COMMENT, _SCAN, _END = 0xFE, 0xDA, 0xD9


class PictureError(ValueError):
    """A picture cannot be used; the message says why."""


class Header(Struct, frozen=True):
    """Head of a JPEG.

    Attributes:
        width: Pixels.
        height: Pixels.
        time_us: When it was taken; None when it does not say.
    """

    width: int
    height: int
    time_us: int | None


def header(payload: bytes) -> Header:
    """Read the segments before the picture itself; nothing is decoded.

    Raises:
        PictureError: It is no JPEG, is cut off, or is larger than `MOST_PIXELS`.
    """
    if not payload.startswith(START):
        raise PictureError("the frame is not a JPEG (it does not begin with FF D8 FF)")
    size: tuple[int, int] | None = None
    time_us: int | None = None
    for marker, body in _segments(payload):
        if marker in _SIZES and len(body) >= 5:
            size = _usable(int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
        elif marker == _COMMENT and body.startswith(TIME):
            time_us = _time(body[len(TIME) :])
    if size is None:
        raise PictureError("the JPEG does not say its size")
    return Header(*size, time_us)


def _usable(width: int, height: int) -> tuple[int, int]:
    if not width or not height:
        raise PictureError("the JPEG does not say its size")
    if width * height > MOST_PIXELS:
        raise PictureError(
            f"the picture of {width} x {height} is {width * height / 1e6:.0f} megapixels, above {MOST_PIXELS / 1e6:.0f}:"
            " set a smaller size in the camera"
        )
    return width, height


def _segments(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of the segments before the picture itself."""
    at = 2
    while at + 4 <= len(payload):
        if payload[at] != 0xFF:
            raise PictureError(f"the JPEG is damaged at byte {at}")
        marker = payload[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _BARE:
            at += 2
            continue
        if marker in (_SCAN, _END):
            return
        length = int.from_bytes(payload[at + 2 : at + 4], "big")
        body = payload[at + 4 : at + 2 + length]
        if length < 2 or len(body) != length - 2:
            raise PictureError("the JPEG is cut off in its head")
        yield marker, body
        at += 2 + length


def stamped(payload: bytes, time: datetime) -> bytes:
    """The JPEG with its time in a comment segment."""
    comment = TIME + time.isoformat().encode()
    return payload[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + payload[2:]


def _time(text: bytes) -> int | None:
    try:
        time = datetime.fromisoformat(text.decode())
    except ValueError:
        return None
    return None if time.tzinfo is None else microseconds(time)
