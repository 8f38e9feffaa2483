"""A gap is a gap: missing is not zero, and what is not over looks so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.console.chart import PALE, figures, latest_final, options, timeline, tip
from dashboards.console.words import Language
from storage.readers import MinuteRow
from tests.unit.dashboards.rows import MINUTE, NEWEST, NOW, gap, minute

WITA = ZoneInfo("Asia/Makassar")
ENGLISH = Language.ENGLISH


def series(rows: Sequence[MinuteRow], name: str) -> list[Any]:
    """What the chart draws at 11:55 to 12:00."""
    (found,) = [s for s in options(rows, NOW, WITA, ENGLISH)["series"] if s["name"] == name]
    labels = options(rows, NOW, WITA, ENGLISH)["xAxis"][0]["data"]
    data: list[Any] = found["data"]
    return data[labels.index("11:55") :]


class TestTimeline:
    def test_every_minute_stands_there(self) -> None:
        line = timeline([minute(0)], NOW)

        # 11:00 to 11:58; 11:59 and 12:00 are not over and have no bin.
        assert 59 == len(line)
        assert (NEWEST, NEWEST - 58 * MINUTE) == (line[-1].start, line[0].start)

    def test_what_is_not_over_is_not_missing(self) -> None:
        line = timeline([minute(0), minute(-1, final=False)], NOW)

        assert [False, False, True] == [m.is_gap for m in (line[-1], line[-2], line[-3])]
        assert line[-1].is_provisional

    def test_a_stop_long_ago_is_a_gap_up_to_now(self) -> None:
        line = timeline([minute(30)], NOW)

        assert 30 == sum(m.is_gap for m in line if m.start > NEWEST - 30 * MINUTE)
        assert NEWEST == line[-1].start


class TestOptions:
    ROWS = (minute(3, volume=0, speed=None, sm=0, mp=0), minute(2), gap(1), minute(0), minute(-1, final=False, sm=3, mp=2))

    def test_only_gaps_are_hatched(self) -> None:
        # 11:55 was empty and 11:57 a gap: only one of them is missing.
        assert ["-", "-", True, "-", "-"] == [
            value if value == "-" else value["value"] == 1 for value in series(self.ROWS, "Missing")
        ]

    def test_zero_is_no_gap_and_no_bar(self) -> None:
        bars = series(self.ROWS, "Motorcycle")

        assert ["-", 8, "-", 8, 3] == [value if value == "-" else value["value"] for value in bars]

    def test_what_is_not_final_is_pale(self) -> None:
        bars = series(self.ROWS, "Motorcycle")

        assert {"opacity": PALE} == bars[-1]["itemStyle"]
        assert "itemStyle" not in bars[-2]

    def test_lines_break_at_gaps_and_stop_before_what_is_not_final(self) -> None:
        assert ["-", 30.0, "-", 30.0, "-"] == series(self.ROWS, "Speed")

    def test_quality_of_every_minute(self) -> None:
        strip = series(self.ROWS, "Quality")

        assert [0.3, 0.3, 1.0, 0.3, 0.3] == [value["value"] for value in strip]
        assert "decal" in strip[2]["itemStyle"]

    def test_vehicles_without_a_class_are_drawn(self) -> None:
        rows = [minute(0, volume=9, sm=None, mp=None, ks=None, bb=None, tb=None, ktb=None)]

        assert 9 == series(rows, "Unclassified")[3]["value"]


class TestTip:
    def test_names_the_quality(self) -> None:
        (found,) = [m for m in timeline([minute(0, quality="partial", completeness=0.8, revision=2)], NOW) if m.start == NEWEST]

        text = tip(found, WITA, ENGLISH)

        assert "11:58" in text
        assert "partial · complete 80 % · revision 2" in text

    def test_a_gap_has_no_number(self) -> None:
        (found,) = [m for m in timeline([gap(0)], NOW) if m.start == NEWEST]

        assert "<b>11:58</b><br>Quality: missing: no counts · complete 0 %<br>no valid observation" == tip(found, WITA, ENGLISH)


class TestFigures:
    def test_are_of_the_newest_final_minute(self) -> None:
        rows = [minute(1), minute(0, volume=7, speed=31.25), minute(-1, final=False, volume=99)]

        told = figures(rows, WITA, Language.INDONESIAN)

        assert ("7", "7") == told["volume"]
        assert ("31,2", "31.25") == told["speed"]
        assert ("11:58", NEWEST.isoformat()) == told["start"]

    def test_none_is_a_dash(self) -> None:
        assert "–" == figures([gap(0)], WITA, ENGLISH)["volume"][0]
        assert latest_final([minute(0, final=False)]) is None
