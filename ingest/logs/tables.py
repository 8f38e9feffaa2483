"""Events as a table: CSV or Parquet with columns for time, code and parameter, and mostly one for the device.

Columns are known by name, in any order and case: those of this project, of the package `atspm` and of UDOT's ATSPM.
"""

from __future__ import annotations

import csv
import importlib
import io
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from config.errors import ConfigError
from ingest.fixedpoint import microseconds
from ingest.logs import CODE_MOST, PARAMETER_MOST, Log, LogError, Part, part_of, shown
from ingest.logs.localtime import localize

PARQUET = b"PAR1"
NAMES = {
    "time": ("time", "timestamp", "datetime"),
    "device": ("device", "deviceid", "signalid", "signal", "locationidentifier", "controller"),
    "code": ("code", "eventid", "eventcode", "eventtypeid"),
    "parameter": ("parameter", "eventparam", "param", "detector"),
}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of local times


def decode_csv(name: str, content: bytes, zone: ZoneInfo) -> Log:
    """Read CSV; separated by commas, semicolons or tabs, times in ISO 8601 with an offset or in local time.

    Raises:
        LogError: It is no text, or a column is missing.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LogError(f"{name} is neither a controller log nor text: byte {error.start} is not UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    columns = _columns(name, next(rows, []))
    aware: dict[str, tuple[list[int], list[int], list[int]]] = {}
    local: dict[str, tuple[list[int], list[int], list[int]]] = {}
    problems: list[str] = []
    try:
        for row in rows:
            if not row:
                continue
            try:
                time = datetime.fromisoformat(row[columns["time"]].strip())
                code = _number(row[columns["code"]], 0, CODE_MOST)
                parameter = _number(row[columns["parameter"]], -PARAMETER_MOST, PARAMETER_MOST)
                device = row[columns["device"]].strip() if "device" in columns else ""
            except (IndexError, ValueError) as error:
                why = "too few columns" if isinstance(error, IndexError) else str(error)
                problems.append(f"{name}, line {rows.line_num}: {why}")
                continue
            lists = (local if time.tzinfo is None else aware).setdefault(device, ([], [], []))
            us = round((time - _EPOCH) / timedelta(microseconds=1)) if time.tzinfo is None else microseconds(time)
            for target, value in zip(lists, (us, code, parameter), strict=True):
                target.append(value)
    except csv.Error as error:
        problems.append(f"{name}, line {rows.line_num}: {error}; the rest of the file is lost")
    parts = {device: part_of(*lists) for device, lists in aware.items()}
    for device, lists in local.items():
        part = _localized(name, part_of(*lists), zone, problems)
        parts[device] = _joined(parts[device], part) if device in parts else part
    return Log("CSV", _called(name, columns), parts, shown(problems))


def decode_parquet(name: str, content: bytes, zone: ZoneInfo) -> Log:
    """Read Parquet; times with a zone, or local.

    Raises:
        LogError: It is damaged, or a column is missing or of another type.
        ConfigError: The package that reads it is not installed.
    """
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
        compute = importlib.import_module("pyarrow.compute")
    except ModuleNotFoundError:
        raise ConfigError("Parquet needs a package that is not installed (pyarrow): pip install 'subak[street]'") from None
    try:
        table: Any = parquet.read_table(arrow.BufferReader(content))
    except arrow.ArrowInvalid as error:
        raise LogError(f"{name}: a damaged Parquet file ({error}); nothing of it can be read") from None
    columns = _columns(name, table.column_names)
    time = table.column(columns["time"])
    if not arrow.types.is_timestamp(time.type):
        raise LogError(f"{name}: column {table.column_names[columns['time']]!r} is {time.type}, not a timestamp")
    is_local = time.type.tz is None
    problems: list[str] = []
    try:
        time_us = compute.cast(time, arrow.timestamp("us", tz=time.type.tz), safe=False).cast(arrow.int64())
        numbers = [table.column(columns[key]).cast(arrow.int64()) for key in ("code", "parameter")]
    except arrow.ArrowInvalid as error:
        raise LogError(f"{name}: codes and parameters must be whole numbers: {error}") from None
    arrays = [_filled(column) for column in (time_us, *numbers)]
    present = np.logical_and.reduce([column.is_valid().to_numpy() for column in (time_us, *numbers)])
    _, code, parameter = arrays
    fits = present & (code >= 0) & (code <= CODE_MOST) & (np.abs(parameter) <= PARAMETER_MOST)
    if not np.all(fits):
        problems.append(
            f"{name}: {np.count_nonzero(~fits):,} rows without a time, with a code outside 0 to {CODE_MOST:,}"
            f" or a parameter beyond {PARAMETER_MOST:,}"
        )
    devices = _devices(table.column(columns["device"])) if "device" in columns else np.full(len(fits), "", object)
    parts: dict[str, Part] = {}
    for device in sorted(set(devices[fits].tolist())):
        which = fits & (devices == device)
        part = Part(*(array[which] for array in arrays))
        parts[device] = _localized(name, part, zone, problems) if is_local else part
    return Log("Parquet", _called(name, columns), parts, shown(problems))


def _columns(name: str, header: list[str]) -> dict[str, int]:
    plain = ["".join(character for character in column.lower() if character.isalnum()) for column in header]
    found = {key: plain.index(known) for key, names in NAMES.items() for known in reversed(names) if known in plain}
    missing = [key for key in ("time", "code", "parameter") if key not in found]
    if missing:
        allowed = "; ".join(f"{key} may be called {', '.join(NAMES[key])}" for key in missing)
        raise LogError(
            f"{name} is no controller log: neither Econolite ASC/3 nor MaxTime XML, and as a table its first line has no column for"
            f" {', '.join(missing)} ({allowed})"
        )
    return found


def _called(name: str, columns: dict[str, int]) -> tuple[str, ...]:
    return () if "device" in columns else tuple(PurePath(name).stem.split("_"))


def _number(text: str, least: int, most: int) -> int:
    value = int(text)
    if not least <= value <= most:
        raise ValueError(f"{value} is outside {least} to {most}")
    return value


def _localized(name: str, part: Part, zone: ZoneInfo, problems: list[str]) -> Part:
    time_us, unreal = localize(part.time_us, zone)
    if np.any(unreal):
        problems.append(
            f"{name}: {np.count_nonzero(unreal):,} local times do not exist in {zone.key}; give --timezone of the controller"
        )
    return Part(time_us[~unreal], part.code[~unreal], part.parameter[~unreal])


def _joined(first: Part, second: Part) -> Part:
    return Part(
        np.concatenate([first.time_us, second.time_us]),
        np.concatenate([first.code, second.code]),
        np.concatenate([first.parameter, second.parameter]),
    )


def _filled(column: Any) -> NDArray[np.int64]:  # noqa: ANN401 - an Arrow column
    return np.asarray(column.fill_null(-1).to_numpy(), np.int64)


def _devices(column: Any) -> NDArray[np.object_]:  # noqa: ANN401 - an Arrow column
    return np.array([str(value) for value in column.to_pylist()], object)
