"""The series that readings are stored in: which record goes into which table, and what makes two rows the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from ingest.readings import CameraHealth, LaneReading, Record, SensorReading, SignalEvent, SignMessage

Row = tuple[Any, ...]


class Series(Struct, frozen=True):
    """One table of raw rows.

    Attributes:
        table: Its name in schema subak.
        key: The primary key of a record, in the order that the statement `keys_{table}` returns it.
        row: The record as a row of the stage table.
        time_us: The record's own time, which decides the partition.
    """

    table: str
    key: Callable[[Any], tuple[int | str, ...]]
    row: Callable[[Any], Row]
    time_us: Callable[[Any], int]


def _sign_row(message: SignMessage) -> Row:
    return tuple(list(value) if isinstance(value, tuple) else value for value in astuple(message))


SERIES: dict[type[Record], Series] = {
    LaneReading: Series("lane_reading", lambda r: (r.lane, r.start_us, r.seq), astuple, lambda r: r.start_us),
    SignalEvent: Series("signal_event", lambda r: (r.device, r.time_us, r.seq, r.ordinal), astuple, lambda r: r.time_us),
    SensorReading: Series("sensor_reading", lambda r: (r.device, r.time_us, r.seq, r.metric), astuple, lambda r: r.time_us),
    CameraHealth: Series("camera_health", lambda r: (r.device, r.time_us, r.seq), astuple, lambda r: r.time_us),
    SignMessage: Series("sign_message", lambda r: (r.device, r.time_us, r.seq, r.step), _sign_row, lambda r: r.time_us),
}
"""Presence is not here: it is stored as changes, which its processor finds."""
