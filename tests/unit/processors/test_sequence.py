"""Sequence gaps are lost upstream, late arrivals are recovered, reboots are neither."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processors.sequence import SequenceState, follow


def run(pairs: list[tuple[int, int]]) -> tuple[SequenceState | None, int, int]:
    state: SequenceState | None = None
    lost = recovered = 0
    for seq, time_us in pairs:
        step = follow(state, seq, time_us)
        state, lost, recovered = step.state, lost + step.lost, recovered + step.recovered
    return state, lost, recovered


def test_no_gap_is_nothing_lost() -> None:
    assert (SequenceState(4, 4), 0, 0) == run([(n, n) for n in range(5)])


def test_a_gap_is_lost_until_it_is_filled() -> None:
    assert (SequenceState(5, 5, ((2, 4),)), 3, 0) == run([(0, 0), (1, 1), (5, 5)])
    assert (SequenceState(5, 5, ((2, 2), (4, 4))), 3, 1) == run([(0, 0), (1, 1), (5, 5), (3, 3)])


def test_a_reboot_begins_a_new_numbering() -> None:
    assert (SequenceState(1, 11), 0, 0) == run([(99, 9), (0, 10), (1, 11)])


def test_a_straggler_from_before_a_reboot_is_no_gap() -> None:
    assert (SequenceState(1, 11), 0, 0) == run([(98, 8), (0, 10), (99, 9), (1, 11)])


def test_a_wild_number_is_a_new_numbering_not_a_million_losses() -> None:
    assert (SequenceState(2**50, 2), 0, 0) == run([(0, 0), (1, 1), (2**50, 2)])


@given(st.integers(2, 60), st.data())
def test_what_is_lost_and_not_recovered_never_came(count: int, data: st.DataObject) -> None:
    """Any messages may be missing and neighbours may swap; the first and the last are there."""
    there = [0, *data.draw(st.lists(st.integers(1, count - 1), unique=True).map(sorted)), count]
    order = list(there)
    for index in range(1, len(order) - 2, 2):
        if data.draw(st.booleans()):
            order[index], order[index + 1] = order[index + 1], order[index]

    _, lost, recovered = run([(seq, seq) for seq in order])

    assert count + 1 - len(there) == lost - recovered
