"""A growing Parquet file that is whole at every moment."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Row = tuple[object, ...]


class Table:
    """Rows kept in memory, and on disk as of the last `write`.

    A Parquet file cannot be added to, so `write` makes it anew beside the old one and then replaces that: a process that
    is killed leaves the file of the last write, never half a file.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._rows: list[Row] = []
        self._written = schema.empty_table()
        self._dirty = True

    def add(self, row: Row) -> None:
        """Add one row, its values in the order of the schema."""
        self._rows.append(row)
        self._dirty = True

    def write(self) -> None:
        """Bring the file up to date."""
        if not self._dirty:
            return
        # First, since rows may be added while another thread writes.
        self._dirty = False
        rows, self._rows = self._rows, []
        if rows:
            columns = [
                pa.array(values, type=column.type) for values, column in zip(zip(*rows, strict=True), self._schema, strict=True)
            ]
            self._written = pa.concat_tables([self._written, pa.table(columns, schema=self._schema)])
        beside = self._path.with_suffix(".part")
        pq.write_table(self._written, beside, compression="zstd")
        beside.replace(self._path)
