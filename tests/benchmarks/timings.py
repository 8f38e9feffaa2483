"""What the timing of many queries comes to: for people, for the page of figures, for programs."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from dashboards.grafana.run import Outcome

SHOWN: Final = 15
EXPLAINED: Final = 5
MARKS: Final = ("<!-- queries: begin -->", "<!-- queries: end -->")


class Timing(Struct, frozen=True):
    """The queries of one level at one range.

    Attributes:
        level: Of the database.
        bins: One-minute bins in it.
        range: Of time.
        goal_ms: That the 95th percentile of each should keep to (ms).
        outcomes: The first run of each was the cold one.
        reasons: Of the slowest, by where they are asked.
    """

    level: str
    bins: int
    range: str
    goal_ms: float
    outcomes: list[Outcome]
    reasons: dict[str, str] = {}

    @property
    def within(self) -> int:
        """How many keep to the goal."""
        return sum(1 for outcome in self.outcomes if p95(outcome) <= self.goal_ms)

    @property
    def slowest(self) -> list[Outcome]:
        """All, the slowest first."""
        return sorted(self.outcomes, key=p95, reverse=True)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "level": self.level,
            "bins": self.bins,
            "range": self.range,
            "queries": len(self.outcomes),
            "within": self.within,
            "slowest_ms": round(p95(self.slowest[0]), 1) if self.outcomes else None,
            "faults": sum(1 for outcome in self.outcomes if outcome.faults),
        }


def quantile(outcome: Outcome, share: float) -> float:
    """Of the warm runs (ms); of the cold one where there is no other."""
    warm = sorted(outcome.seconds[1:] or outcome.seconds)
    return 1000 * warm[min(len(warm) - 1, round(share * (len(warm) - 1)))] if warm else float("inf")


def p95(outcome: Outcome) -> float:
    """95th percentile of the warm runs (ms)."""
    return quantile(outcome, 0.95)


def report(timing: Timing) -> None:
    """Print how many keep to the goal, the slowest, and what is wrong."""
    print(
        f"\n{timing.level}, {timing.bins:,} bins, {timing.range}: {timing.within} of {len(timing.outcomes)} within {timing.goal_ms:.0f} ms (p95)"
    )
    print(f"{'p50 ms':>9} {'p95 ms':>9} {'cold ms':>9} {'rows':>7}  query")
    for outcome in timing.slowest[:SHOWN]:
        cold = 1000 * outcome.seconds[0] if outcome.seconds else float("nan")
        print(f"{quantile(outcome, 0.5):9.1f} {p95(outcome):9.1f} {cold:9.1f} {outcome.rows:7}  {outcome.query.where}")
        if outcome.query.where in timing.reasons:
            print(f"{'':38}{timing.reasons[outcome.query.where]}")
    for outcome in timing.outcomes:
        if outcome.faults:
            print(f"  fault: {outcome.query.where}: {'; '.join(outcome.faults)}"[:300])


def table(page: Path, timings: list[Timing]) -> None:
    """Write the tables between the marks of a page; what stands there of other levels stays."""
    text = page.read_text(encoding="utf-8")
    begin, end = MARKS
    _, _, rest = text.partition(begin)
    kept, _, _ = rest.partition(end)
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", kept, re.MULTILINE | re.DOTALL))
    for level in {timing.level for timing in timings}:
        sections[level] = _section([timing for timing in timings if timing.level == level])
    body = "".join(f"### {level}\n{sections[level]}" for level in ("plain", "apache", "community") if level in sections)
    before = text.partition(begin)[0] if begin in text else text.rstrip("\n") + "\n\n"
    page.write_text(f"{before}{begin}\n{body}{end}{text.partition(end)[2] or chr(10)}", encoding="utf-8")


def _section(timings: list[Timing]) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True).stdout.strip()
    lines = [
        f"\n{timings[0].bins:,} bins; {datetime.now(UTC):%Y-%m-%d}, commit {commit}, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n",
        "| range | p95 goal | within it | slowest | p50 / p95 ms | why |",
        "|---|---|---|---|---|---|",
    ]
    for timing in timings:
        for number, outcome in enumerate(timing.slowest[:EXPLAINED]):
            where = outcome.query.where
            first = (
                (timing.range, f"{timing.goal_ms:.0f} ms", f"{timing.within} of {len(timing.outcomes)}")
                if number == 0
                else ("", "", "")
            )
            told = (
                where.removeprefix("en/"),
                f"{quantile(outcome, 0.5):.0f} / {p95(outcome):.0f}",
                timing.reasons.get(where, ""),
            )
            lines.append(f"| {' | '.join((*first, *told))} |")
    return "\n".join(lines) + "\n\n"
