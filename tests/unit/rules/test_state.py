"""What Grafana would say, evaluation by evaluation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.rules.backtest import Backtest
from dashboards.rules.evaluate import ticks
from dashboards.rules.state import MISSING_EVALUATIONS, Condition, Machine, State

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
STEP = timedelta(seconds=30)
ONE = (("device", "a"),)
GONE = "gone"  # the series is not in the answer


def condition(hold_s: int = 0, keep_s: int = 0, *, below: bool = False) -> Condition:
    fire, clear = (20.0, 50.0) if below else (50.0, 20.0)
    return Condition("below" if below else "above", fire, clear, timedelta(seconds=hold_s), timedelta(seconds=keep_s))


def states(machine: Machine, values: list[float | str | None]) -> str:
    """A letter an evaluation: n, p, a, r."""
    found = ""
    for number, value in enumerate(values):
        machine.evaluate(START + number * STEP, {} if isinstance(value, str) else {ONE: value})
        found += machine.state(ONE).value[0]
    return found


CASES = [
    # A value at the threshold does not fire; one beyond does.
    (condition(), [0, 50, 51], "nna"),
    # Between the two thresholds it stays what it was, on the way up and on the way down.
    (condition(), [30, 60, 30, 20, 19, 30], "naaann"),
    # It must hold: the evaluation at which the time is full is the first that tells.
    (condition(60), [60, 60, 60, 60], "ppaa"),
    # What is pending is measured by the clear threshold already.
    (condition(60), [60, 30, 30], "ppa"),
    (condition(60), [60, 10, 60, 60], "pnpp"),
    # It must be over: until then it is recovering, and what fires again is no new alert.
    (condition(0, 60), [60, 10, 10, 10], "arrn"),
    (condition(0, 60), [60, 10, 60, 10], "arar"),
    # While recovering the fire threshold counts: between the two it goes on recovering.
    (condition(0, 60), [60, 10, 30, 30], "arrn"),
    # Without data nothing changes; only a pending one goes on waiting.
    (condition(), [60, None, None, 60], "aaaa"),
    (condition(), [None, None], "nn"),
    (condition(60), [60, None, None], "ppa"),
    # After that Grafana no longer knows that it fired: between the thresholds it clears.
    (condition(), [60, None, 30], "aan"),
    # A series that vanishes is resolved only after many answers.
    (condition(), [60, *[GONE] * (MISSING_EVALUATIONS - 1)], "a" * MISSING_EVALUATIONS),
    (condition(), [60, *[GONE] * MISSING_EVALUATIONS], "a" * MISSING_EVALUATIONS + "n"),
    # The other way round.
    (condition(below=True), [60, 30, 19, 30, 50, 51], "nnaaan"),
]


@pytest.mark.parametrize(("limits", "values", "expected"), CASES)
def test_states(limits: Condition, values: list[float | str | None], expected: str) -> None:
    assert expected == states(Machine(limits), values)


def test_an_alert_knows_its_times_and_its_extreme() -> None:
    machine = Machine(condition(60, 30))
    states(machine, [60, 70, 90, 80, 10, 10])

    (episode,) = machine.episodes
    assert (START, START + 2 * STEP, START + 5 * STEP, 90.0) == (
        episode.pending_at,
        episode.fired_at,
        episode.cleared_at,
        episode.extreme,
    )
    assert [] == machine.alerting


def test_short_alerts_are_counted_apart_and_one_that_lasts_is_none() -> None:
    machine = Machine(condition())
    states(machine, [60, 10, 60, 60, 60, 60, 60, 10, 60])
    result = Backtest("queue", START, START + 9 * STEP, 9, tuple(machine.episodes), 1, 0, 9)

    assert (3, 1) == (len(result.episodes), result.short)
    assert [30, 150, 30] == [result.length(episode).total_seconds() for episode in result.episodes]
    assert timedelta(seconds=210) == result.total


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=40), st.sampled_from([0, 60]), st.sampled_from([0, 60]))
def test_alerts_of_a_series_never_overlap_and_end_in_order(values: list[float | None], hold: int, keep: int) -> None:
    machine = Machine(condition(hold, keep))
    states(machine, list(values))

    times = [moment for e in machine.episodes for moment in (e.pending_at, e.fired_at, e.cleared_at) if moment is not None]
    assert sorted(times) == times
    assert all(episode.cleared_at is not None for episode in machine.episodes[:-1])
    assert (machine.state(ONE) in {State.ALERTING, State.RECOVERING}) == bool(machine.alerting)


@given(st.lists(st.floats(0, 100), max_size=40))
def test_a_value_that_stays_between_the_thresholds_never_changes_anything(values: list[float]) -> None:
    machine = Machine(condition())
    before = states(machine, [60.0])
    between = [20 + 0.3 * value for value in values]

    for number, value in enumerate(between, 1):
        machine.evaluate(START + number * STEP, {ONE: value})
    assert ("a", State.ALERTING) == (before, machine.state(ONE))


def test_a_rule_is_evaluated_at_even_multiples_as_grafana_ticks() -> None:
    assert [START + timedelta(seconds=s) for s in (60, 120)] == list(
        ticks(START + timedelta(seconds=1), START + timedelta(seconds=179), 60)
    )
