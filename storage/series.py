"""The series that readings are stored in: which record goes into which table, and what makes two rows the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from ingest.readings import (
    CameraCondition,
    CameraEvent,
    CameraHealth,
    LaneReading,
    Record,
    SensorReading,
    SignalEvent,
    SignMessage,
    TurningCount,
)

Row = tuple[Any, ...]


class Series(Struct, frozen=True):
    """One table of raw rows.

    Attributes:
        table: Its name in schema subak.
        key: The primary key of a record, in the order that the statement `keys_{table}` returns it.
        row: The record as a row of the stage table.
        straight: The record as a row of the table itself, for the series that carry the load: its times count from
            2000-01-01, which is how PostgreSQL sends and takes them in binary.
        time_us: The record's own time, which decides the partition.
    """

    table: str
    key: Callable[[Any], tuple[int | str, ...]]
    row: Callable[[Any], Row]
    time_us: Callable[[Any], int]
    straight: Callable[[Any], Row] | None = None


_POSTGRES_EPOCH_US = 946_684_800_000_000


def _lane_row(r: LaneReading) -> Row:
    start, received = r.start_us - _POSTGRES_EPOCH_US, r.received_us - _POSTGRES_EPOCH_US
    return (
        r.lane, start, r.seq, r.period_ms, r.volume, r.occupancy, r.speed, r.sm, r.mp, r.ks, r.bb, r.tb, r.ktb, r.fault, r.future, received,
    )  # fmt: skip


def _event_row(e: SignalEvent) -> Row:
    time, received = e.time_us - _POSTGRES_EPOCH_US, e.received_us - _POSTGRES_EPOCH_US
    return (e.device, time, e.seq, e.ordinal, e.code, e.parameter, e.future, received)


def _row_with_arrays(record: CameraHealth | SignMessage) -> Row:
    return tuple(list(value) if isinstance(value, tuple) else value for value in astuple(record))


SERIES: dict[type[Record], Series] = {
    LaneReading: Series("lane_reading", lambda r: (r.lane, r.start_us, r.seq), astuple, lambda r: r.start_us, _lane_row),
    SignalEvent: Series(
        "signal_event", lambda r: (r.device, r.time_us, r.seq, r.ordinal), astuple, lambda r: r.time_us, _event_row
    ),
    SensorReading: Series("sensor_reading", lambda r: (r.device, r.time_us, r.seq, r.metric), astuple, lambda r: r.time_us),
    CameraHealth: Series("camera_health", lambda r: (r.device, r.time_us, r.seq), _row_with_arrays, lambda r: r.time_us),
    CameraCondition: Series("camera_condition", lambda r: (r.device, r.time_us, r.condition), astuple, lambda r: r.received_us),
    CameraEvent: Series(
        "camera_event",
        lambda r: (r.device, r.time_us, r.kind, r.zone, r.end_us is not None),
        astuple,
        lambda r: r.received_us,
    ),
    TurningCount: Series(
        "turning_count",
        lambda r: (r.device, r.time_us, r.seq, r.entry, r.exit),
        astuple,
        lambda r: r.received_us,
    ),
    SignMessage: Series("sign_message", lambda r: (r.device, r.time_us, r.seq, r.step), _row_with_arrays, lambda r: r.time_us),
}
"""Presence is not here: it is stored as changes, which its processor finds."""
