"""Rows of the measures as Arrow tables, and files of them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from config.errors import ConfigFileError
from processors.signals import UNITS, Cycle, Interval, Measure, Rows

TIME = pa.timestamp("us", "UTC")
MEASURES = pa.schema(
    [
        ("device", pa.string()),
        ("start", TIME),
        ("period_s", pa.int32()),
        ("measure", pa.string()),
        ("element", pa.string()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("quality", pa.string()),
    ]
)
CYCLES = pa.schema(
    [
        ("device", pa.string()),
        ("phase", pa.int32()),
        ("start", TIME),
        ("green", TIME),
        ("yellow", TIME),
        ("end", TIME),
        ("programmed_s", pa.float64()),
        ("termination", pa.string()),
        ("green_occupancy", pa.float64()),
        ("red_occupancy", pa.float64()),
        ("split_failure", pa.bool_()),
        ("arrivals", pa.int32()),
        ("arrivals_on_green", pa.int32()),
        ("delay_s", pa.float64()),
        ("quality", pa.string()),
    ]
)
TIMELINE = pa.schema(
    [
        ("device", pa.string()),
        ("kind", pa.string()),
        ("element", pa.string()),
        ("onset", TIME),
        ("end", TIME),
        ("repaired", pa.bool_()),
    ]
)


def schema(measure: str) -> pa.Schema:
    """Columns of a measure's file."""
    return {"cycles": CYCLES, "timeline": TIMELINE}.get(measure, MEASURES)


def table(device: str, rows: Rows, measure: str) -> pa.Table:
    """The rows of one controller that belong to a measure, in order of time."""
    if measure == "cycles":
        return _cycles(device, sorted(rows.cycles, key=lambda row: (row.start_us, row.phase)))
    if measure == "timeline":
        return _timeline(device, sorted(rows.intervals, key=lambda row: (row.onset_us, row.kind, row.element)))
    chosen = [row for row in rows.measures if measure in ("all", row.measure)]
    return _measures(device, sorted(chosen, key=lambda row: (row.start_us, row.measure, row.element, row.name)))


def _measures(device: str, rows: list[Measure]) -> pa.Table:
    columns = (
        [device] * len(rows),
        [row.start_us for row in rows],
        [row.period_s for row in rows],
        [row.measure for row in rows],
        [row.element for row in rows],
        [row.name for row in rows],
        [row.value for row in rows],
        [UNITS[row.measure, row.name] for row in rows],
        [row.quality for row in rows],
    )
    return _of(columns, MEASURES)


def _cycles(device: str, rows: list[Cycle]) -> pa.Table:
    names = CYCLES.names[1:]
    fields = {"start": "start_us", "green": "green_us", "yellow": "yellow_us", "end": "end_us"}
    columns = ([device] * len(rows), *([getattr(row, fields.get(name, name)) for row in rows] for name in names))
    return _of(columns, CYCLES)


def _timeline(device: str, rows: list[Interval]) -> pa.Table:
    columns = (
        [device] * len(rows),
        [row.kind for row in rows],
        [row.element for row in rows],
        [row.onset_us for row in rows],
        [row.end_us for row in rows],
        [row.repaired for row in rows],
    )
    return _of(columns, TIMELINE)


def _of(columns: tuple[list[object], ...] | tuple[object, ...], schema: pa.Schema) -> pa.Table:
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


class Writer:
    """A file that grows by tables."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Open `path`, which ends in .parquet or .csv.

        Raises:
            ConfigFileError: It ends in something else or cannot be written.
        """
        try:
            if path.suffix == ".parquet":
                self._writer = pq.ParquetWriter(path, schema)
            elif path.suffix == ".csv":
                self._writer = pyarrow.csv.CSVWriter(path, schema)
            else:
                raise ConfigFileError(path, ["must end in .parquet or .csv"])
        except OSError as error:
            raise ConfigFileError(path, [f"cannot be written: {error}"]) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Add a table."""
        self._writer.write_table(table)
