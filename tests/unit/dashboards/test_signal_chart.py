"""What the charts of a phase draw: gaps are gaps, and a figure without observation is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.console.signal_chart import Summary, gaps, options, summary
from dashboards.console.signal_page import figures
from dashboards.console.words import Language
from storage.readers import CycleRow
from tests.unit.dashboards.rows import NOW

ZONE = ZoneInfo("Asia/Makassar")
SECOND = timedelta(seconds=1)


def cycle(ago_s: float, length_s: float = 90, **values: Any) -> CycleRow:
    """A cycle that began `ago_s` before NOW."""
    start = NOW - ago_s * SECOND
    usual: dict[str, Any] = {
        "phase": 2,
        "start": start,
        "green": start + 50 * SECOND,
        "yellow": start + 85 * SECOND,
        "end": start + length_s * SECOND,
        "split_s": length_s - 50,
        "programmed_s": 42.0,
        "termination": "gap_out",
        "split_failure": False,
        "green_occupancy": 0.4,
        "red_occupancy": 0.1,
        "arrivals": 3,
        "arrivals_on_green": 2,
        "quality": "good",
        "revision": 0,
        "points": (10.0, 50.0, 84.9),
    }
    return CycleRow(**(usual | values))


def series(cycles: list[CycleRow], name: str) -> list[Any]:
    found = options(cycles, NOW, NOW, ZONE, Language.ENGLISH)["series"]
    return [item for s in found if s["name"] == name for item in s["data"]]


def test_a_span_without_cycles_is_a_gap_and_the_running_cycle_is_none() -> None:
    cycles = [cycle(600), cycle(300), cycle(150)]

    assert [
        (NOW - 700 * SECOND, NOW - 600 * SECOND),
        (NOW - 510 * SECOND, NOW - 300 * SECOND),
        (NOW - 210 * SECOND, NOW - 150 * SECOND),
    ] == gaps(cycles, NOW - 700 * SECOND, NOW)
    # Longer than any cycle without another one: nothing was seen any more.
    assert (NOW - 210 * SECOND, NOW) == gaps(cycles[:2], NOW - 600 * SECOND, NOW)[-1]


def test_areas_follow_the_lamps_and_points_know_what_they_met() -> None:
    assert [[0.0, 50.0], [50.0, 85.0], [85.0, 90.0]] == [
        series([cycle(200)], name)[0]["value"][2:] for name in ("Red", "Green", "Yellow")
    ]
    assert [50.0, 84.9] == [second for _, second in series([cycle(200)], "Arrival on green")]
    assert [10.0] == [second for _, second in series([cycle(200)], "Arrival on red/yellow")]


def test_a_cycle_whose_green_was_not_seen_is_drawn_without_one() -> None:
    unseen = cycle(200, green=None, split_s=None, quality="partial")

    assert [] == series([unseen], "Green")
    assert [0.0, 85.0] == series([unseen], "Red")[0]["value"][2:]
    assert "itemStyle" in series([unseen], "Red")[0]
    assert [] == series([unseen], "Gap-out")


def test_what_was_not_observed_is_a_dash_and_not_zero() -> None:
    blind = cycle(200, arrivals=None, arrivals_on_green=None, split_failure=None, termination=None)

    assert Summary(1, 1, None, None, 0, 0, {"unsaid_end": 1}) == summary([blind])
    assert ("–", "–") == tuple(figures(summary([blind]), Language.ENGLISH)[key] for key in ("on_green", "failures"))
    assert ("67 %", "1/2") == tuple(
        figures(summary([cycle(400, split_failure=True), cycle(200)]), Language.ENGLISH)[key] for key in ("on_green", "failures")
    )
