"""Event files and detector configurations as tables; Parquet or CSV, by the end of the name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from config.errors import ConfigFileError
from processors.signals import Configuration, Detector, Events, Function, History

# Names of columns, as several programs write them; compared without case, blanks, hyphens and underscores.
TIME = ("time", "timestamp")
DEVICE = ("device", "deviceid", "signalid", "signal", "locationidentifier", "junction", "name")
CODE = ("code", "eventid", "eventcode")
PARAMETER = ("parameter", "eventparam", "eventparameter", "param")
FUNCTIONS = {
    "advance": Function.ADVANCE,
    "count": Function.ADVANCE,
    "presence": Function.PRESENCE,
    "stopbarcount": Function.COUNT,
    "yellowred": Function.YELLOW_RED,
    "speed": Function.SPEED,
}
MOVEMENTS = ("", "left", "through", "right")


@dataclass(frozen=True, slots=True)
class Log:
    """Events of several devices.

    Attributes:
        devices: Their names.
        first: Where each begins in the columns, and the end of the last.
        time_us: µs since 1970 UTC.
        code: What happened.
        parameter: To what.
        left_out: Rows without time, device, code or parameter.
    """

    devices: tuple[str, ...]
    first: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    code: npt.NDArray[np.int32]
    parameter: npt.NDArray[np.int32]
    left_out: int

    def __iter__(self) -> Iterator[tuple[str, Events]]:
        for name, begin, end in zip(self.devices, self.first[:-1].tolist(), self.first[1:].tolist(), strict=True):
            inside = slice(begin, end)
            yield name, Events(self.time_us[inside], self.code[inside].astype(np.int64), self.parameter[inside].astype(np.int64))


def read_log(path: Path, timezone: str) -> Log:
    """Events of a file with columns for time, device, code and parameter.

    Args:
        path: `.parquet` or `.csv`.
        timezone: IANA zone of times that say none.

    Raises:
        ConfigFileError: The file cannot be read, lacks a column, or tells an hour twice.
    """
    table = _table(path, (TIME, DEVICE, CODE, PARAMETER))
    time_us = _times(path, table.column(0), timezone)
    whole = pc.is_valid(time_us)
    for column in table.columns[1:]:
        whole = pc.and_(whole, pc.is_valid(column))
    left_out = table.num_rows - int(pc.sum(whole).as_py() or 0)
    if left_out:
        table, time_us = table.filter(whole), time_us.filter(whole)
    names = table.column(1).cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(names, pa.ChunkedArray):
        names = names.unify_dictionaries().combine_chunks()
    device = names.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    try:
        code, parameter = (table.column(place).cast(pa.int32()).to_numpy(zero_copy_only=False) for place in (2, 3))
    except pa.ArrowInvalid as error:
        raise ConfigFileError(path, [f"codes and parameters are whole numbers: {error}"]) from error
    times = time_us.to_numpy(zero_copy_only=False)
    del table, time_us
    order = np.argsort(device, kind="stable")
    first = np.searchsorted(device[order], np.arange(len(names.dictionary) + 1))
    return Log(tuple(names.dictionary.to_pylist()), first, times[order], code[order], parameter[order], left_out)


def read_detectors(path: Path, timezone: str) -> dict[str, History]:
    """Detectors by device, from a file with columns device, phase, parameter (the channel) and function.

    Optional columns: `distance` (m), `speed` (km/h), `latency` (s), `movement`, `trap` (channel), `trap_distance` (m), and
    `valid_from` (a time: the rows of one device and time are all of its detectors from then on).

    Raises:
        ConfigFileError: The file cannot be read, lacks a column or has a value that is not allowed.
    """
    table = _table(path, (DEVICE, ("phase",), (*PARAMETER, "channel", "detector", "number"), ("function",)), rest=True)
    rows = table.to_pylist()
    found: dict[str, dict[int, list[Detector]]] = {}
    problems = []
    begins = _begins(path, table, timezone)
    for line, (row, begin) in enumerate(zip(rows, begins, strict=True), 2):
        what = _plain(str(row["3"]))
        movement = str(row.get("movement") or "")
        if what not in FUNCTIONS:
            problems.append(f"row {line}: function {row['3']!r}; allowed: {', '.join(sorted(FUNCTIONS))}")
        elif movement not in MOVEMENTS:
            problems.append(f"row {line}: movement {movement!r}; allowed: left, through, right or nothing")
        else:
            detector = Detector(
                number=int(row["2"]),
                phase=int(row["1"]),
                function=FUNCTIONS[what],
                distance_m=float(row.get("distance") or 0),
                speed_kmh=float(row.get("speed") or 0),
                latency_s=float(row.get("latency") or 0),
                movement=movement,
                trap=int(row["trap"]) if row.get("trap") else None,
                trap_m=float(row.get("trapdistance") or 0),
            )
            found.setdefault(str(row["0"]), {}).setdefault(begin, []).append(detector)
    if problems:
        raise ConfigFileError(path, problems)
    return {name: _history(then, timezone) for name, then in found.items()}


def _history(then: Mapping[int, Sequence[Detector]], timezone: str) -> History:
    return History(tuple(Configuration(begin, tuple(then[begin]), timezone=timezone) for begin in sorted(then)))


def _begins(path: Path, table: pa.Table, timezone: str) -> list[int]:
    if "validfrom" not in table.column_names:
        return [0] * table.num_rows
    return [begin or 0 for begin in _times(path, table.column("validfrom"), timezone).to_pylist()]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in " _-")


def _table(path: Path, wanted: Sequence[Sequence[str]], *, rest: bool = False) -> pa.Table:
    """The wanted columns in this order, named by their place; with `rest` the others too, by their plain name."""
    try:
        if path.suffix == ".parquet":
            names = pq.read_schema(path).names
        elif path.suffix == ".csv":
            with pyarrow.csv.open_csv(path) as reader:
                names = reader.schema.names
        else:
            raise ConfigFileError(path, ["must end in .parquet or .csv"])
        chosen = _choose(path, names, wanted)
        columns = names if rest else chosen
        if path.suffix == ".parquet":
            table = pq.read_table(path, columns=columns)
        else:
            options = pyarrow.csv.ConvertOptions(include_columns=columns)
            table = pyarrow.csv.read_csv(path, convert_options=options)
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigFileError(path, [f"cannot be read: {error}"]) from error
    others = [name for name in columns if name not in chosen]
    titles = [str(place) for place in range(len(chosen))] + [_plain(name) for name in others]
    return table.select([*chosen, *others]).rename_columns(titles)


def _choose(path: Path, names: Sequence[str], wanted: Sequence[Sequence[str]]) -> list[str]:
    by_name = {_plain(name): name for name in reversed(names)}
    chosen, problems = [], []
    for allowed in wanted:
        name = next((by_name[one] for one in allowed if one in by_name), None)
        if name is None:
            problems.append(f"no column {' or '.join(allowed)}; the file has {', '.join(names)}")
        else:
            chosen.append(name)
    if problems:
        raise ConfigFileError(path, problems)
    return chosen


def _times(path: Path, column: pa.ChunkedArray, timezone: str) -> pa.ChunkedArray:
    """Times as µs."""
    try:
        if not pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us"))
        if column.type.tz is None:
            column = pc.assume_timezone(column.cast(pa.timestamp("us"), safe=False), timezone)
        return column.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    except pa.ArrowInvalid as error:
        advice = f"times that say no zone are read as {timezone}; name another with --timezone, or write them in UTC"
        raise ConfigFileError(path, [f"{error}; {advice}"]) from error
