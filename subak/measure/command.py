"""`subak measure signals`: signal performance of event files, for engineers; no database."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

if TYPE_CHECKING:
    import pyarrow as pa

from config.errors import ConfigError
from config.thresholds.signals import SignalParameters, signal_parameters
from processors.signals import Configuration, Events, History, Meter
from processors.signals.events import DAY_US, US
from processors.signals.measures import MEASURES

app = App(name="measure", help="Measures of files, without a database.")

UNITS_US = {"s": US, "min": 60 * US, "h": 3600 * US}
NOT_CONFIGURED = History((Configuration(0, ()),))
TABLES = ("all", "cycles", "timeline")


@app.command
def signals(
    *,
    events: Path,
    config: Path | None = None,
    measure: str = "all",
    bin: str = "15min",
    out: Path,
    timezone: str = "UTC",
    jobs: int = 0,
) -> int:
    """Compute signal measures from hi-res controller events.

    Args:
        events: Parquet or CSV with columns for time, device, code and parameter.
        config: Parquet or CSV of detectors: device, phase, parameter, function; optional distance, speed, latency, movement,
            trap, trap_distance, valid_from. Without it there are only the measures that need no detectors.
        measure: One of docs/measures; `cycles` and `timeline` have columns of their own, `all` is every other one.
        bin: Length of a bin: 15min, 5min, 1h.
        out: Parquet or CSV, by its end.
        timezone: IANA zone of times that say none, and of hours of the day.
        jobs: Processes; 0 takes as many as there are cores.
    """
    try:
        from subak.measure import files, tables
    except ImportError as error:
        raise ConfigError(f"{error}; install the extra: pip install 'subak[signals]'") from error
    if measure not in MEASURES and measure not in TABLES:
        raise ConfigError(f"--measure {measure}: no such measure; there are {', '.join(sorted({*MEASURES, *TABLES}))}")
    bin_us = _length(bin)
    log = files.read_log(events, timezone)
    detectors = files.read_detectors(config, timezone) if config else {}
    if log.left_out:
        print(f"subak: {events}: {log.left_out} rows lack time, device, code or parameter and were left out", file=sys.stderr)
    nameless = [name for name in log.devices if config and name not in detectors]
    if nameless:
        print(
            f"subak: {config}: no detectors of {', '.join(nameless[:10])}: measures that need them are missing", file=sys.stderr
        )
    parameters = signal_parameters()
    work = ((name, seen, detectors.get(name, NOT_CONFIGURED)) for name, seen in log)
    rows = 0
    with tables.Writer(out, tables.schema(measure)) as writer:
        for table in _each(work, parameters, measure, bin_us, jobs or os.cpu_count() or 1):
            writer.write(table)
            rows += table.num_rows
    print(f"{rows} rows of {len(log.devices)} controllers from {len(log.time_us)} events: {out}")
    return 0


def _length(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*(s|min|h)", text)
    length = int(match[1]) * UNITS_US[match[2]] if match else 0
    if not length or DAY_US % length or length < 60 * US:
        raise ConfigError(f"--bin {text}: give a length that divides a day and is a minute or more, such as 15min, 5min or 1h")
    return length


def measured(name: str, events: Events, history: History, parameters: SignalParameters, measure: str, bin_us: int) -> pa.Table:
    """All rows of one controller, as an Arrow table; runs in a process of its own."""
    from subak.measure import tables

    begin = int(events.time_us.min()) // bin_us * bin_us
    end = (int(events.time_us.max()) // bin_us + 1) * bin_us
    meter = Meter(history, parameters, begin, bin_us)
    rows = meter.feed(events, end)
    rows += meter.finish()
    return tables.table(name, rows, measure)


def _each(
    work: Iterator[tuple[str, Events, History]], parameters: SignalParameters, measure: str, bin_us: int, jobs: int
) -> Iterator[pa.Table]:
    """Tables in the order of the controllers, with no more in memory than the processes need."""
    if jobs == 1:
        for name, events, history in work:
            yield measured(name, events, history, parameters, measure, bin_us)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting: list[Future[pa.Table]] = []
        for name, events, history in work:
            waiting.append(pool.submit(measured, name, events, history, parameters, measure, bin_us))
            if len(waiting) > 2 * jobs:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


@app.command
def pages(*, folder: Path = Path("docs/measures")) -> int:
    """Write one page of documentation a measure, from what its module says.

    Args:
        folder: Where to.
    """
    from subak.measure.pages import write

    print(f"{write(folder)} pages changed in {folder}")
    return 0
