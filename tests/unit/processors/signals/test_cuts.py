"""Live = resumed = one-shot: rows and state do not depend on how events were cut, ordered or doubled."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.signals import Events, History, Meter
from tests.support.signals import devices, noise, noisy, parameters, span, wheel

Whole = tuple[Events, History, Counter[str], bytes]


@cache
def _of_wheel() -> Whole:
    ((events, history),) = devices(*wheel()).values()
    return _whole(events.canonical(), history)


@cache
def _of_noise(seed: int) -> Whole:
    return _whole(noise(seed, 400, 1.5).canonical(), noisy())


def _whole(events: Events, history: History) -> Whole:
    begin, end = span(events)
    meter = Meter(history, parameters(), begin)
    rows = Counter(map(repr, meter.feed(events, end)))
    return events, history, rows, meter.state()


def _check(whole: Whole, cuts: list[float], seed: int) -> None:
    events, history, expected, state = whole
    begin, end = span(events)
    chance = np.random.default_rng(seed)
    meter = Meter(history, parameters(), begin)
    actual: Counter[str] = Counter()
    for cut in sorted({begin + int(share * (end - begin)) for share in cuts} | {end}):
        part = events.between(meter.until_us, cut)
        shuffled = np.append(np.arange(len(part)), chance.integers(0, max(len(part), 1), min(len(part), 3)))
        chance.shuffle(shuffled)
        rows = Events(part.time_us[shuffled], part.code[shuffled], part.parameter[shuffled])
        actual += Counter(map(repr, meter.feed(rows, cut)))
        if chance.random() < 0.3:
            meter = Meter.restore(history, parameters(), meter.state())
    assert not expected - actual
    assert not actual - expected
    assert state == meter.state()


CUTS = st.lists(st.floats(0, 1), min_size=0, max_size=60)


@settings(max_examples=15, deadline=None)
@given(CUTS, st.integers(0, 2**32))
def test_real_events_in_any_cut_give_the_rows_of_one_go(cuts: list[float], seed: int) -> None:
    _check(_of_wheel(), cuts, seed)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9), CUTS, st.integers(0, 2**32))
def test_events_without_sense_in_any_cut_give_the_rows_of_one_go(noise_seed: int, cuts: list[float], seed: int) -> None:
    _check(_of_noise(noise_seed), cuts, seed)


def test_every_row_is_given_once() -> None:
    for whole in (_of_wheel(), _of_noise(0)):
        assert set(whole[2].values()) == {1}
