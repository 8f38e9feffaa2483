"""What the signal measures cost: `make bench-signals`. CPU time, so that a busy machine tells the same; judges nothing."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from processors.signals import Events, History, Meter
from processors.signals.events import DAY_US, US
from tests.acceptance.signals_table import files
from tests.support.atspm import theirs
from tests.support.signals import devices, parameters, span

JUNCTIONS = 200
JUNCTION_EVENTS = 100_000
GOAL_PASS_S = 1.0
GOAL_DAY_S = 60.0
GOAL_DAY_MB = 2000.0
GOAL_LIVE = 0.01


def one_pass(known: dict[int, tuple[Events, History]]) -> float:
    """CPU seconds for all measures of all events."""
    begin = time.process_time()
    for events, history in known.values():
        first, last = span(events)
        Meter(history, parameters(), first).feed(events, last)
    return time.process_time() - begin


def live(known: dict[int, tuple[Events, History]], step_s: int, *, preview: bool, saved: bool) -> float:
    """CPU seconds a second of one controller that is fed every `step_s`."""
    used, fed = 0.0, 0.0
    for events, history in known.values():
        first, last = span(events)
        ordered = events.canonical()
        meter = Meter(history, parameters(), first)
        cuts = range(first + step_s * US, last, step_s * US)
        parts = [ordered.between(cut - step_s * US, cut) for cut in cuts]
        begin = time.process_time()
        for cut, part in zip(cuts, parts, strict=True):
            if saved:
                meter = Meter.restore(history, parameters(), meter.state())
            meter.feed(part, cut)
            if preview:
                meter.preview()
        used += time.process_time() - begin
        fed += (last - first) / US
    return used / fed


def tile(known: dict[int, tuple[Events, History]], events: Path, config: Path) -> int:
    """A day of 200 junctions, 20 million events, made of what there is."""
    device, tables, detectors = 0, [], []
    names = list(known)
    while device < JUNCTIONS:
        seen, history = known[names[device % len(names)]]
        first, last = span(seen)
        # Stretched in time until the day has as many events as an average junction: all 96 bins have some.
        step = DAY_US * len(seen) // JUNCTION_EVENTS
        begins = np.arange(0, DAY_US, step)[:, None]
        stretched = ((seen.time_us - first) * (step / (last - first)) / (US // 10)).astype(np.int64) * (US // 10)
        time_us = (stretched[None, :] + begins).ravel()
        inside = time_us < DAY_US
        rows = len(begins)
        columns = {
            "time": pa.array(time_us[inside] + 1_699_920_000 * US, type=pa.timestamp("us", "UTC")),
            "device": pa.array(np.full(int(inside.sum()), device)),
            "code": pa.array(np.tile(seen.code, rows)[inside].astype(np.int32)),
            "parameter": pa.array(np.tile(seen.parameter, rows)[inside].astype(np.int32)),
        }
        tables.append(pa.table(columns))
        for one in history.configurations[0].detectors:
            detectors.append({"device": device, "phase": one.phase, "parameter": one.number, "function": one.function.value})
        device += 1
    rows = sum(table.num_rows for table in tables)
    with pq.ParquetWriter(events, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)
    pq.write_table(pa.Table.from_pylist(detectors), config)
    return rows


def day(known: dict[int, tuple[Events, History]]) -> tuple[int, float, float, float]:
    """Events, wall and CPU seconds, and MB at most, of the offline command on a day of 200 junctions."""
    with tempfile.TemporaryDirectory() as folder:
        events, config, out = (Path(folder) / name for name in ("events.parquet", "config.parquet", "out.parquet"))
        rows = tile(known, events, config)
        command = [sys.executable, "-m", "subak.cli", "measure", "signals", "--events", str(events), "--config", str(config)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        process = subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.DEVNULL)
        most = 0.0
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            time.sleep(0.2)
        took = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode:
            raise ChildProcessError(f"{' '.join(command)} ended with {process.returncode}")
        return rows, took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most


def _memory(pid: int) -> float:
    """MB of a process and its children, shared pages counted once."""
    total = 0.0
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and (int(folder.name) == pid or _parent(folder) == pid):
                text = (folder / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
        except (OSError, StopIteration):
            continue
    return total


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])


def main() -> None:
    """Print the figures, and one JSON line last."""
    found: dict[str, float] = {}
    known: dict[int, tuple[Events, History]] = {}
    for name, paths in files().items():
        known = devices(*paths)
        count = sum(len(events) for events, _ in known.values())
        ours = min(one_pass(known) for _ in range(3))
        print(
            f"{name}: {count} events to all measures: {ours:.2f} s CPU (goal {GOAL_PASS_S} s); atspm {theirs(*paths)[1]:.2f} s wall"
        )
        found = {"pass_s": ours, "events": count}
    first = dict(list(known.items())[:1])
    for step, preview, saved in ((10, False, False), (60, False, False), (60, False, True), (60, True, False)):
        what = f"every {step} s{', state restored and saved' * saved}{', with preview' * preview}"
        cost = live(first, step, preview=preview, saved=saved)
        print(f"live, fed {what}: 100 junctions {cost * 100:.2%} of a core (goal {GOAL_LIVE:.0%})", flush=True)
        found[f"live_100_{step}s{'_preview' * preview}{'_saved' * saved}"] = cost * 100
    rows, wall, cpu, most = day(known)
    print(
        f"a day of {JUNCTIONS} junctions, {rows} events: {wall:.1f} s wall (goal {GOAL_DAY_S:.0f}), {cpu:.1f} s CPU, {most:.0f} MB (goal {GOAL_DAY_MB:.0f})"
    )
    found |= {"day_events": rows, "day_wall_s": wall, "day_cpu_s": cpu, "day_mb": most}
    print(json.dumps({key: round(value, 4) for key, value in found.items()}))


if __name__ == "__main__":
    main()
