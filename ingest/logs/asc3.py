"""Econolite ASC/3 logs, `.dat` and `.datZ`.

A few text lines (version, file, intersection, addresses, begin, phases in use), each with the date before it; then records of four
bytes: code, parameter, tenths of a second since the begin as a big-endian number. `.datZ` is the same, compressed by zlib.
"""

from __future__ import annotations

import re
import zlib
from pathlib import PurePath
from zoneinfo import ZoneInfo

import numpy as np

from ingest.logs import Log, LogError, Part
from ingest.logs.localtime import clock_us, localize

FORM = "Econolite ASC/3"
MARK = b"Controller Data Log Beginning:"
LARGEST = 256 << 20  # bytes of an unpacked file: a month of a busy controller
_HEADER = 4096  # bytes that the text may take
_LAST = re.compile(rb"^[^\n]*Phases in use:[^\n]*\n", re.MULTILINE)
_FIELD = re.compile(rb"^[^,\n]*,([A-Za-z #]+):,([^\n]*?)\r?$", re.MULTILINE)
_BEGIN = re.compile(r"(\d+)/(\d+)/(\d{4}),(\d+):(\d+):(\d+(?:\.\d+)?)$")
_RECORD = np.dtype([("code", "u1"), ("parameter", "u1"), ("tenths", ">u2")])
_WRAP = 1 << 16


def is_packed(content: bytes) -> bool:
    """Whether it looks like zlib's or gzip's."""
    return content[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")


def unpack(name: str, content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The unpacked content, and what is wrong with the packing; what was unpacked before a fault is kept.

    Raises:
        LogError: Nothing can be unpacked, or it is larger than any log.
    """
    unpacker = zlib.decompressobj(wbits=47)
    found = bytearray()
    damage: tuple[str, ...] = ()
    # In pieces, so that what lies before a fault is not lost with it.
    for start in range(0, len(content), 4096):
        try:
            found += unpacker.decompress(content[start : start + 4096], LARGEST + 1 - len(found))
        except zlib.error as error:
            damage = (f"{name}: the compressed data is damaged after {len(found):,} bytes of the log: {error}; the rest is lost",)
            break
        if len(found) > LARGEST:
            raise LogError(f"{name} unpacks to more than {LARGEST >> 20} MiB, which no controller log does")
        if unpacker.eof:
            break
    if not damage and not unpacker.eof:
        damage = (f"{name} is cut off: the compressed data has no end; the {len(found):,} bytes before that are kept",)
    if not found:
        raise LogError(damage[0] if damage else f"{name} holds nothing")
    return bytes(found), damage


def decode(name: str, content: bytes, zone: ZoneInfo) -> Log:
    """Read an unpacked log.

    Raises:
        LogError: The text at its beginning is missing or has no begin.
    """
    head = _LAST.search(content, 0, _HEADER)
    if head is None:
        raise LogError(
            f"{name}: the text at the beginning of an {FORM} log is missing or cut off (no line `Phases in use:` in the first {_HEADER} bytes)"
        )
    fields = {
        key.decode().strip(): value.decode("ascii", "replace").strip() for key, value in _FIELD.findall(content[: head.end()])
    }
    begin = _BEGIN.match(fields.get("Controller Data Log Beginning", ""))
    if begin is None:
        raise LogError(
            f"{name}: `{MARK.decode()}` is followed by {fields.get('Controller Data Log Beginning', '')!r}, not by a date and time"
        )
    month, day, year, hour, minute = (int(group) for group in begin.groups()[:5])
    try:
        begin_us, unreal = localize(np.array([clock_us(year, month, day, hour, minute, float(begin[6]))]), zone)
    except ValueError as error:
        raise LogError(f"{name}: it begins at {begin[0]}, which is no date and time: {error}") from None
    if unreal[0]:
        raise LogError(
            f"{name}: it begins at {begin[0]}, a time that does not exist in {zone.key}; give --timezone of the controller"
        )
    body = content[head.end() :]
    left = len(body) % _RECORD.itemsize
    problems = [f"{name}: the last {left} bytes are no whole record: the file is cut off"] if left else []
    records = np.frombuffer(body[: len(body) - left], _RECORD)
    tenths = records["tenths"].astype(np.int64)
    # The counter begins again after 109 minutes; a little disorder is none of that.
    tenths += _WRAP * np.cumsum(np.diff(tenths, prepend=tenths[:1]) < -_WRAP // 2)
    part = Part(begin_us[0] + tenths * 100_000, records["code"].astype(np.int64), records["parameter"].astype(np.int64))
    called = [fields.get("Intersection #", ""), fields.get("IP Address", ""), *PurePath(name).stem.split("_")]
    return Log(FORM, tuple(dict.fromkeys(text for text in called if text)), {"": part}, tuple(problems))
