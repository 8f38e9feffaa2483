"""Controller logs, written as controllers write them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

Event = tuple[datetime, int, int]
"""Local time, code and parameter."""

BEGIN = datetime(2026, 11, 24, 11, 15)  # noqa: DTZ001 - of a controller's clock


def events(count: int, begin: datetime = BEGIN, every_s: float = 0.7) -> list[Event]:
    """A busy controller; two events of each pair have the same time."""
    return [(begin + timedelta(seconds=round(index // 2 * every_s, 1)), 81 + index % 2, 1 + index % 11) for index in range(count)]


def asc3(found: Sequence[Event], begin: datetime = BEGIN, called: str = "10.0.0.7") -> bytes:
    """Econolite ASC/3."""
    stamp = f"{begin.month}-{begin.day}-{begin.year} {begin:%H:%M:%S}.0"
    lines = (
        "Version #:,3",
        f"ECON_{called}_{begin:%Y_%m_%d_%H%M}.dat",
        f"Intersection #:,{called}",
        f"IP Address:,{called}",
        "MAC Address:,00:04:81:02:80:5c",
        f"Controller Data Log Beginning:,{begin.month}/{begin.day}/{begin.year},{begin:%H:%M:%S}.0",
        "Phases in use:,1,2,3,4,5,6,7,8",
    )
    head = "".join(f"{stamp},{line}\n" for line in lines).encode()
    body = b"".join(
        bytes((code, parameter)) + (round((time - begin) / timedelta(milliseconds=100)) % 65_536).to_bytes(2, "big")
        for time, code, parameter in found
    )
    return head + body


def packed(log: bytes) -> bytes:
    """A `.datZ`."""
    return zlib.compress(log)


def maxtime(found: Sequence[Event], called: str = "10.0.0.7") -> bytes:
    """MaxTime XML; it writes no leading zeros."""
    tags = "\n".join(
        f'<Event ID="{number}" TimeStamp="{time.month}-{time.day}-{time.year} {time.hour}:{time.minute}:{time.second}.{time.microsecond // 100_000}"'
        f' EventTypeID="{code}" Parameter="{parameter}"/>'
        for number, (time, code, parameter) in enumerate(found, 19_435_806)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><EventResponses><EventResponse><Description>'
        f"<IntersectionNumber>1015</IntersectionNumber><IP>{called}</IP></Description>{tags}\n</EventResponse></EventResponses>"
    ).encode()


def csv(found: Sequence[Event], device: str | None = "atc-legian", offset: str = "") -> bytes:
    """A table with a header."""
    own = "" if device is None else f",{device}"
    head = "TimeStamp,EventId,Parameter" + ("" if device is None else ",DeviceId")
    return "\n".join(
        [head, *(f"{time.isoformat()}{offset},{code},{parameter}{own}" for time, code, parameter in found), ""]
    ).encode()
