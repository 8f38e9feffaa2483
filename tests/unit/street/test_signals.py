"""Signal programs from phase numbers."""

from __future__ import annotations

import pytest

from config.site import Approach, Junction, Lane
from subak.street.assumptions import SignalAssumption, load_assumptions
from subak.street.signals import Aspect, program
from tests.unit.street.rehearsal import the_site

TIMES = SignalAssumption(cycle=90, yellow=3, all_red=2, shortest_green=10)


def junction(*arms: tuple[int, int]) -> Junction:
    """A junction with one approach for each phase and number of lanes."""
    approaches = tuple(
        Approach(id=f"A{phase}", link=f"to-{phase}", phase=phase, lanes=tuple(Lane(id=f"A{phase}-{i}") for i in range(lanes)))
        for phase, lanes in arms
    )
    return Junction(id="test", name="Test", position=(-8.7, 115.2), approaches=approaches)


# Each case: phases and lanes, and the greens in their order.
CASES = [
    ("four arms, equal", ((2, 2), (6, 2), (4, 2), (8, 2)), [({2, 6}, 40), ({4, 8}, 40)]),
    ("wide main road", ((2, 3), (6, 3), (4, 1), (8, 1)), [({2, 6}, 60), ({4, 8}, 20)]),
    ("three arms", ((2, 2), (6, 2), (4, 1)), [({2, 6}, 53), ({4}, 27)]),
    ("turn phases beside them", ((1, 1), (2, 1), (4, 1)), [({1}, 25), ({2}, 25), ({4}, 25)]),
    ("a side road keeps its shortest green", ((2, 6), (4, 1), (3, 1)), [({2}, 56), ({3}, 10), ({4}, 10)]),
]


@pytest.mark.parametrize(("arms", "greens"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_greens(arms: tuple[tuple[int, int], ...], greens: list[tuple[set[int], int]]) -> None:
    intervals = program(junction(*arms), TIMES)
    assert [(set(i.phases), i.seconds) for i in intervals if i.aspect is Aspect.GREEN] == greens


def test_every_green_is_followed_by_yellow_and_all_red() -> None:
    for place in the_site().junctions:
        intervals = program(place, load_assumptions().signals)
        assert [i.aspect for i in intervals] == [Aspect.GREEN, Aspect.YELLOW, Aspect.RED_CLEARANCE] * (len(intervals) // 3)
        assert [i.seconds for i in intervals if i.aspect is not Aspect.GREEN] == [3, 2] * (len(intervals) // 3)
        assert sum(i.seconds for i in intervals) == load_assumptions().signals.cycle
