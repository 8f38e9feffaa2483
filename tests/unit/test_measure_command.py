"""`subak measure signals`: event files in, rows out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from config.errors import ConfigError
from processors.signals import BIN_US
from subak.measure.command import signals
from subak.measure.files import read_detectors, read_log
from tests.support.signals import devices, measured, wheel


def _write_csv(table: pa.Table, path: Path) -> Path:
    pyarrow.csv.write_csv(table, path)
    return path


def _read(path: Path) -> pa.Table:
    return pyarrow.csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)


@pytest.mark.parametrize("end", [".csv", ".parquet"])
def test_files_of_both_kinds_give_the_rows_of_the_meter(tmp_path: Path, end: str) -> None:
    events, config = wheel()
    if end == ".csv":
        events, config = (_write_csv(pq.read_table(path), tmp_path / f"{path.stem}.csv") for path in (events, config))
    assert 0 == signals(events=events, config=config, measure="split_failures", out=tmp_path / f"out{end}", jobs=1)
    actual = sorted(
        zip(*(_read(tmp_path / f"out{end}").column(name).to_pylist() for name in ("element", "name", "value")), strict=True)
    )
    ((seen, history),) = devices(*wheel()).values()
    rows = [row for row in measured(seen, history).measures if row.measure == "split_failures"]
    assert sorted((row.element, row.name, row.value) for row in rows) == actual


def test_processes_give_the_rows_of_one(tmp_path: Path) -> None:
    events, config = wheel()
    twice = pq.read_table(events)
    other = twice.set_column(1, "DeviceId", pc.add(twice["DeviceId"], 1))
    pq.write_table(pa.concat_tables([twice, other]), tmp_path / "two.parquet")
    for jobs in (1, 2):
        signals(events=tmp_path / "two.parquet", config=config, measure="timeline", out=tmp_path / f"{jobs}.parquet", jobs=jobs)
    one, two = (_read(tmp_path / f"{jobs}.parquet") for jobs in (1, 2))
    assert one.equals(two)
    assert 2 * 5173 == one.num_rows


def test_times_of_another_zone_are_the_same_moments(tmp_path: Path) -> None:
    table = pa.table({"time": ["2026-11-24T08:00:00.1"], "device": ["a"], "code": [1], "parameter": [2]})
    local = read_log(_write_csv(table, tmp_path / "local.csv"), "Asia/Makassar")
    utc = read_log(_write_csv(table.set_column(0, "time", [["2026-11-24T00:00:00.1"]]), tmp_path / "utc.csv"), "UTC")
    assert utc.time_us.tolist() == local.time_us.tolist()


def _hour_told_twice(folder: Path) -> None:
    table = pa.table({"time": ["2026-10-25T02:30:00"], "device": ["a"], "code": [1], "parameter": [2]})
    read_log(_write_csv(table, folder / "e.csv"), "Europe/Berlin")


def _no_column(folder: Path) -> None:
    read_log(_write_csv(pa.table({"time": ["2026-10-25T02:30:00"], "device": ["a"], "code": [1]}), folder / "e.csv"), "UTC")


def _no_file(folder: Path) -> None:
    read_log(folder / "none.parquet", "UTC")


def _not_parquet(folder: Path) -> None:
    (folder / "e.parquet").write_bytes(b"time,device\n")
    read_log(folder / "e.parquet", "UTC")


def _no_number(folder: Path) -> None:
    table = pa.table({"time": ["2026-10-25T02:30:00"], "device": ["a"], "code": ["green"], "parameter": [2]})
    read_log(_write_csv(table, folder / "e.csv"), "UTC")


def _no_function(folder: Path) -> None:
    table = pa.table({"device": ["a"], "phase": [2], "parameter": [1], "function": ["radar"]})
    read_detectors(_write_csv(table, folder / "c.csv"), "UTC")


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (_hour_told_twice, "--timezone"),
        (_no_column, "no column parameter or eventparam"),
        (_no_file, "cannot be read"),
        (_not_parquet, "cannot be read"),
        (_no_number, "whole numbers"),
        (_no_function, "function 'radar'; allowed: advance"),
    ],
)
def test_a_bad_file_is_told_with_what_to_do(tmp_path: Path, case: Callable[[Path], None], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        case(tmp_path)


@pytest.mark.parametrize(("option", "value"), [("measure", "delays"), ("bin", "7min"), ("bin", "fast")])
def test_a_bad_option_is_told_with_what_is_allowed(tmp_path: Path, option: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"--{option} {value}"):
        signals(events=wheel()[0], out=tmp_path / "o.csv", **{option: value})  # type: ignore[arg-type]


def test_rows_with_holes_are_left_out_and_the_rest_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pa.table({"time": ["2026-11-24T08:00:00", None, "2026-11-24T08:00:01"], "device": ["a", "a", "b"], "code": [1, 1, 1]})
    table = table.append_column("parameter", [[2, 2, 2]])
    signals(events=_write_csv(table, tmp_path / "e.csv"), measure="has_data", out=tmp_path / "o.csv", jobs=1)
    assert "1 rows lack" in capsys.readouterr().err
    assert {"a", "b"} == set(_read(tmp_path / "o.csv").column("device").to_pylist())


def test_detectors_are_versioned(tmp_path: Path) -> None:
    table = pa.table(
        {
            "device": ["a", "a"],
            "phase": [2, 4],
            "parameter": [1, 1],
            "function": ["Advance", "stop bar count"],
            "valid_from": ["2026-01-01T00:00:00", "2026-02-01T00:00:00"],
            "distance": [120.0, None],
        }
    )
    history = read_detectors(_write_csv(table, tmp_path / "c.csv"), "UTC")["a"]
    first, second = history.configurations
    assert (2, 120.0, 4) == (first.detectors[0].phase, first.detectors[0].distance_m, second.detectors[0].phase)
    assert second == history.at(second.valid_from_us)
    assert second.valid_from_us == history.next_change(first.valid_from_us, BIN_US)
