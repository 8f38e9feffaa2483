"""Signal measures beside those of the package atspm, row by row: `python -m tests.acceptance.signals_table`.

Columns: rows that either side has, rows that are equal (counts exactly, means and ratios within 0.01), and each reason for a
difference with the number of rows. A reason is told by a rule that is checked on the row itself; what no rule explains is
`unexplained`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from config.thresholds.signals import SignalParameters
from processors.signals import BIN_US, Events, History, Meter, Rows
from processors.signals.events import PRESS, US
from tests.support.atspm import KINDS, ONLY_OURS, theirs
from tests.support.shared import SHARED
from tests.support.signals import devices, parameters, span, wheel

Key = tuple[Any, ...]
Values = tuple[float | None, ...]
Table = dict[Key, Values]


@dataclass
class Line:
    """One line of the table."""

    measure: str
    rows: int = 0
    equal: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


def ours(events: Path, configuration: Path) -> tuple[dict[int, Rows], dict[int, Rows], dict[int, tuple[Events, History]], float]:
    """All rows by device, those that wait an hour for what comes later, the input, and the CPU time in seconds.

    Phases with a button are told, as atspm takes them from all of the file. Yellow and red actuations are those of the second run:
    counted over the whole cycle, as in atspm.
    """
    known = devices(events, configuration)
    found = {}
    wide = {}
    begin = time.process_time()
    for device, (seen, history) in known.items():
        buttons = tuple(sorted(set(seen.parameter[(seen.code == PRESS) | (seen.code == 21) | (seen.code == 67)].tolist())))
        told = History((replace(history.configurations[0], pedestrians=buttons),))
        first, last = span(seen)
        found[device] = Meter(told, parameters(), first).feed(seen, last)
    took = time.process_time() - begin
    for device, (seen, history) in known.items():
        first, last = span(seen)
        wide[device] = Meter(history, _wide(), first).feed(seen, last + 4000 * US)
        found[device].measures = [row for row in found[device].measures if row.measure != "yellow_red"]
        found[device].measures += [row for row in wide[device].measures if row.measure == "yellow_red"]
    return found, wide, known, took


def _wide() -> SignalParameters:
    window = parameters().offset_window.model_copy(update={"value": 3600})
    return parameters().model_copy(update={"offset_window": window})


def micro(moment: datetime) -> int:
    """µs of a naive UTC time."""
    return round(moment.replace(tzinfo=UTC).timestamp() * 10) * US // 10


def number(element: str) -> int:
    """The number in `phase:2`."""
    return int(element.rsplit(":", 1)[1]) if element else 0


class Compared:
    """The two sides of one file."""

    def __init__(self, events: Path, configuration: Path) -> None:
        """Both sides measure the file."""
        self.theirs, self.their_s = theirs(events, configuration)
        self.ours, self.wide, self.input, self.our_s = ours(events, configuration)
        self._later = _phase_waits(self.wide)

    def mine(self, measure: str, *names: str) -> Table:
        """Our values by device, bin and number."""
        found: dict[Key, dict[str, float | None]] = {}
        for device, rows in self.ours.items():
            for row in rows.measures:
                if row.measure == measure and row.name in names:
                    found.setdefault((device, row.start_us, number(row.element)), {})[row.name] = row.value
        return {key: tuple(values.get(name) for name in names) for key, values in found.items()}

    def other(self, table: str, key: str | None, *columns: str) -> Table:
        """Their values by device, bin and number."""
        return {
            (row["DeviceId"], micro(row["TimeStamp"]), row[key] if key else 0): tuple(row[column] for column in columns)
            for row in self.theirs[table]
        }

    def lines(self) -> Iterator[Line]:
        """The table."""
        yield _has_data(self)
        yield compare(
            "actuations", without_zeros(self.mine("actuations", "actuations")), self.other("actuations", "Detector", "Total")
        )
        mine = {key: values for key, values in self.mine("arrivals", "arrivals", "share_on_green").items() if values[1]}
        yield compare("arrivals on green", mine, self.other("arrival_on_green", "Phase", "Total_Actuations", "Percent_AOG"))
        green = {
            key: (ratio * BIN_US / US if ratio else None, ratio, platoon)
            for key, (ratio, platoon, share) in self.mine("arrivals", "green_ratio", "platoon_ratio", "share_on_green").items()
            if share and ratio
        }
        other = self.other("platoon_ratio", "Phase", "Green_Seconds", "Green_Ratio", "Platoon_Ratio")
        yield compare("platoon ratio", green, other, self._edge_green)
        names = ("green_time", "green_occupancy", "red_occupancy", "split_failures")
        sound = {key: values for key, values in self.mine("split_failures", *names).items() if values[0] is not None}
        other = self.other("split_failures", "Phase", "Green_Time", "Green_Occupancy", "Red_Occupancy", "Split_Failure")
        yield compare("split failures", sound, other, self._stuck)
        yield compare(
            "splits", self.mine("splits", "services", "split"), self.other("splits", "EventId", "Services", "Average_Split")
        )
        yield _terminations(self)
        yield _yellow_red(self)
        zero = (0.0, 0.0, 0.0)
        mine = {
            key: tuple(value or 0.0 for value in values)
            for key, values in self.mine("pedestrians", "services", "presses", "unique_presses").items()
        }
        other = {
            key: values
            for key, values in self.other("full_ped", "Phase", "PedServices", "PedActuation", "Unique_Actuations").items()
            if any(values)
        }
        yield compare("pedestrian services", {key: values for key, values in mine.items() if values != zero}, other)
        yield compare(
            "pedestrian volume",
            self.mine("pedestrians", "volume"),
            self.other("full_ped", "Phase", "Estimated_Volumes"),
            self._cut_off,
        )
        yield compare(
            "pedestrian delay",
            _told(self.mine("pedestrians", "delay", "delays")),
            self.other("ped_delay", "Phase", "AvgPedDelay", "Samples"),
        )
        yield compare(
            "phase wait",
            _phase_waits(self.ours),
            self.other("phase_wait", "Phase", "AvgPhaseWait", "MaxPhaseWait", "TotalSkips"),
            self._late,
        )
        names = ("pattern", "cycle", "actual_cycle", "actual_offset")
        filled = {key: tuple(value or 0.0 for value in values) for key, values in self.mine("coordination", *names).items()}
        other = self.other("coordination_agg", None, "Pattern", "CycleLength", "ActualCycleLength", "ActualOffset")
        yield compare("coordination", filled, other)
        yield compare(
            "communications",
            self.mine("communications", "mean"),
            self.other("communications", "EventId", "Average"),
            self._negative,
        )
        yield from _timeline(self)

    def _edge_green(self, key: Key, mine: Values | None, other: Values | None) -> str | None:
        """At the begin of the file atspm takes a phase that turns yellow as green since the begin of the bin."""
        begin = span(self.input[key[0]][0])[0]
        if key[1] == begin:
            return "green before the file began is not known"
        seen = self.input[key[0]][0].canonical()
        mine_too = (seen.parameter == key[2]) & np.isin(seen.code, (1, 8))
        code, t = seen.code[mine_too], seen.time_us[mine_too]
        lost = t[1:][(code[1:] == 8) & (code[:-1] == 8)]
        if ((lost >= key[1]) & (lost < key[1] + BIN_US)).any():
            return "begin of green is missing: partial, where atspm takes the whole bin before yellow as green"
        return None

    def _stuck(self, key: Key, mine: Values | None, other: Values | None) -> str | None:
        quality = {
            row.quality
            for row in self.ours[key[0]].measures
            if row.measure == "split_failures" and row.start_us == key[1] and row.element == f"phase:{key[2]}"
        }
        if quality & {"missing(stuck_on)", "missing(fault)"}:
            return "no sound detector: missing, not 0 %"
        if "partial" in quality and mine is not None and other is not None:
            return "cycles with a stuck or faulty detector left out"
        return None

    def _cut_off(self, key: Key, mine: Values | None, other: Values | None) -> str | None:
        last = span(self.input[key[0]][0])[1]
        end = max(span(seen)[1] for seen, _ in self.input.values())
        return (
            "needs the hour after the bin, which the file has not"
            if mine is None and key[1] + 4 * BIN_US > max(last, end) - 60 * US
            else None
        )

    def _negative(self, key: Key, mine: Values | None, other: Values | None) -> str | None:
        seen = self.input[key[0]][0]
        inside = (seen.code == key[2]) & (seen.time_us >= key[1]) & (seen.time_us < key[1] + BIN_US)
        return "atspm drops negative parameters (clock ahead)" if (seen.parameter[inside] < 0).any() else None

    def _late(self, key: Key, mine: Values | None, other: Values | None) -> str | None:
        later = self._later.get(key)
        if later and other and all(_same(a, b) for a, b in zip(later, other, strict=True)):
            return "lost edge known more than 30 s after the bin's end: equal when we wait an hour"
        return None


def _phase_waits(of: dict[int, Rows]) -> Table:
    names = ("wait", "wait_longest", "skips")
    found: dict[Key, dict[str, float | None]] = {}
    for device, rows in of.items():
        for row in rows.measures:
            if row.measure == "phase_wait" and row.name in names:
                found.setdefault((device, row.start_us, number(row.element)), {})[row.name] = row.value
    return {key: tuple(values.get(name) for name in names) for key, values in found.items()}


def _told(table: Table) -> Table:
    return {key: values for key, values in table.items() if values[0] is not None}


def without_zeros(table: Table) -> Table:
    """Rows that are not all zero: atspm gives none for these by default."""
    return {key: values for key, values in table.items() if any(values)}


Reason = Callable[[Key, Values | None, Values | None], str | None]


def compare(measure: str, mine: Mapping[Key, Values], other: Mapping[Key, Values], reason: Reason | None = None) -> Line:
    """One line of the table; counts are equal, other numbers within 0.01."""
    line = Line(measure, rows=len(mine.keys() | other.keys()))
    for key in sorted(mine.keys() | other.keys()):
        one, two = mine.get(key), other.get(key)
        if one is not None and two is not None and all(_same(a, b) for a, b in zip(one, two, strict=True)):
            line.equal += 1
            continue
        why = (reason and reason(key, one, two)) or "unexplained"
        line.differing[why] += 1
        line.examples.append(f"{key}: ours {one}, theirs {two}: {why}")
    return line


def _same(one: float | None, two: float | None) -> bool:
    if one is None or two is None:
        return one is two
    return abs(one - two) <= 0.01


def _has_data(both: Compared) -> Line:
    mine = {key: values for key, values in both.mine("has_data", "has_data").items() if values == (1.0,)}
    return compare("has data", mine, dict.fromkeys(both.other("has_data", None), (1.0,)))


def _terminations(both: Compared) -> Line:
    names = {"GapOut": "gap_out", "MaxOut": "max_out", "ForceOff": "force_off"}
    mine = {(*key, name): values for name in names.values() for key, values in both.mine("terminations", name).items()}
    other: Table = {
        (row["DeviceId"], micro(row["TimeStamp"]), row["Phase"], names[row["PerformanceMeasure"]]): (float(row["Total"]),)
        for row in both.theirs["terminations"]
    }
    return compare("terminations", mine, other)


def _yellow_red(both: Compared) -> Line:
    states = {"green": 1, "yellow": 8, "red": 10}
    mine: Table = {}
    for device, rows in both.ours.items():
        for row in rows.measures:
            if row.measure == "yellow_red" and "@" in row.name:
                colour, offset = row.name.split("@")
                mine[device, row.start_us, number(row.element), states[colour], float(offset)] = (row.value,)
    other: Table = {
        (row["DeviceId"], micro(row["TimeStamp"]), row["Phase"], row["Signal_State"], round(row["Red_Offset"] * 2) / 2): (
            row["Count"],
        )
        for row in both.theirs["yellow_red"]
    }
    return compare("yellow and red actuations", mine, other)


def _timeline(both: Compared) -> Iterable[Line]:
    mine, later = _intervals(both.ours), _intervals(both.wide)
    other: Table = {}
    for row in both.theirs["timeline"]:
        kind = KINDS.get(row["EventClass"], row["EventClass"])
        other[kind, row["DeviceId"], row["EventValue"], micro(row["StartTime"])] = (
            micro(row["EndTime"]) / US,
            float(row["IsValid"]),
        )

    def late(key: Key, one: Values | None, two: Values | None) -> str | None:
        waits = key[0] == "phase_wait" and later.get(key) == two
        return "lost edge known more than 30 s after the bin's end: equal when we wait an hour" if waits else None

    yield compare("timeline", mine, other, late)


def _intervals(of: dict[int, Rows]) -> Table:
    found: Table = {}
    for device, rows in of.items():
        for row in rows.intervals:
            value = None if row.kind.startswith("transition") else number(row.element)
            if row.kind not in ONLY_OURS:
                found[row.kind, device, value, row.onset_us] = (row.end_us / US, float(not row.repaired))
    return found


def table(lines: Iterable[Line]) -> str:
    """The lines as text."""
    text = [f"{'measure':28}{'rows':>7}{'equal':>7}  differing, with reason"]
    for line in lines:
        reasons = "; ".join(f"{count} {why}" for why, count in line.differing.items()) or "-"
        text.append(f"{line.measure:28}{line.rows:>7}{line.equal:>7}  {reasons}")
    return "\n".join(text)


def files() -> dict[str, tuple[Path, Path]]:
    """Events and configuration by name, as far as they are here."""
    found = {"the wheel of atspm": wheel()}
    shared = SHARED / "signals"
    if shared.exists():
        found["../shared/data/signals"] = shared / "hires_events.parquet", shared / "hires_config.parquet"
    return found


def main() -> None:
    """Print the table of each file, and the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=0, help="differing rows to show of each measure")
    wanted = parser.parse_args().examples
    for name, (events, configuration) in files().items():
        both = Compared(events, configuration)
        lines = list(both.lines())
        print(f"{name}: atspm {both.their_s:.2f} s wall, subak {both.our_s:.2f} s CPU")
        print(table(lines))
        for line in lines:
            for example in line.examples[:wanted]:
                print(f"  {line.measure} {example}")
    if len(files()) == 1:
        print("../shared/data/signals: lies beside the project, which this checkout has not", file=sys.stderr)


if __name__ == "__main__":
    main()
