"""Event logs as controllers keep them in files: one module a format, pure, from bytes to events.

A file gives what it can: what is wrong in it is told with its place, and the rest is kept. Only a file that is none of the known
formats, or whose beginning is missing, is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from config.errors import ConfigError

CODE_MOST = 65_535
"""Highest event code, as in the contract of `events`."""

PARAMETER_MOST = 2**31 - 1
"""Largest parameter, up or down: logs hold -1 for "unknown" and counts above those of MQTT."""

_SHOWN = 20  # problems told of one file


class LogError(ConfigError):
    """The file cannot be read as a controller log at all."""


class Part(Struct, frozen=True):
    """Events of one device, in the order of the file.

    Attributes:
        time_us: Microseconds since 1970-01-01 UTC.
        code: Indiana code; unknown ones are kept.
        parameter: Phase, detector or value.
    """

    time_us: NDArray[np.int64]
    code: NDArray[np.int64]
    parameter: NDArray[np.int64]

    def __len__(self) -> int:
        """How many events."""
        return len(self.time_us)


class Log(Struct, frozen=True):
    """What a file holds.

    Attributes:
        form: `Econolite ASC/3`, `MaxTime XML`, `CSV` or `Parquet`.
        called: What the file calls its controller, from the most to the least exact; empty when it has a column for that.
        parts: Events by what the column calls the device; by an empty text when there is no such column.
        problems: What could not be used, each with its place.
    """

    form: str
    called: tuple[str, ...]
    parts: dict[str, Part]
    problems: tuple[str, ...]

    def __len__(self) -> int:
        """How many events."""
        return sum(len(part) for part in self.parts.values())


def part_of(time_us: Sequence[int], code: Sequence[int], parameter: Sequence[int]) -> Part:
    """Lists as a part."""
    return Part(np.array(time_us, np.int64), np.array(code, np.int64), np.array(parameter, np.int64))


def shown(problems: Sequence[str]) -> tuple[str, ...]:
    """The first problems, and how many more there are."""
    more = (f"and {len(problems) - _SHOWN} more",) if len(problems) > _SHOWN else ()
    return (*problems[:_SHOWN], *more)


def decode(name: str, content: bytes, zone: ZoneInfo) -> Log:
    """Read one file, whatever its format; told by its content, not by its name.

    Args:
        name: Of the file, without folders; it may name the controller.
        content: All of it.
        zone: Of times that have none.

    Raises:
        LogError: It is no controller log of a known format.
    """
    from ingest.logs import asc3, maxtime, tables

    if not content:
        raise LogError(f"{name} is empty")
    if content.startswith(tables.PARQUET):
        return tables.decode_parquet(name, content, zone)
    packed = asc3.is_packed(content)
    if packed:
        content, damage = asc3.unpack(name, content)
        log = asc3.decode(name, content, zone)
        return Log(log.form, log.called, log.parts, (*damage, *log.problems))
    if asc3.MARK in content[:2048]:
        return asc3.decode(name, content, zone)
    if maxtime.MARK in content[:2048]:
        return maxtime.decode(name, content, zone)
    return tables.decode_csv(name, content, zone)
