"""Every signal measure, row by row, as the package atspm has it; every other row has a reason that is checked."""

from __future__ import annotations

from tests.acceptance.signals_table import Compared, files
from tests.support.shared import shared_data
from tests.support.signals import wheel

EXPLAINED = {
    "green before the file began is not known",
    "begin of green is missing: partial, where atspm takes the whole bin before yellow as green",
    "needs the hour after the bin, which the file has not",
    "lost edge known more than 30 s after the bin's end: equal when we wait an hour",
    "atspm drops negative parameters (clock ahead)",
}


def _check(both: Compared, most: dict[str, int]) -> None:
    lines = {line.measure: line for line in both.lines()}
    assert len(lines) == 15
    for line in lines.values():
        assert line.rows > 0
        assert set(line.differing) <= EXPLAINED, line.examples
        assert line.rows - line.equal == most.get(line.measure, 0), line.examples


def test_on_the_events_of_its_wheel() -> None:
    _check(Compared(*wheel()), {"platoon ratio": 1, "pedestrian volume": 3})


def test_on_three_junctions_of_oregon() -> None:
    shared_data("signals", "hires_events.parquet")
    most = {"platoon ratio": 9, "pedestrian volume": 30, "phase wait": 5, "communications": 2, "timeline": 5}
    _check(Compared(*files()["../shared/data/signals"]), most)
