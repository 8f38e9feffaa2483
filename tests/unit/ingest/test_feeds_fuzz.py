"""A short part of `make fuzz`: whatever is done to a message of any dialect, the door gives a sound answer."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import corpus
from tests.fuzz.mutate import mutated
from tests.fuzz.sound import faults
from tests.unit.ingest.samples import DIALECTS, sample_door

MESSAGES = {dialect: corpus(dialect) for dialect in DIALECTS}
DOORS = {dialect: sample_door(dialect)[0] for dialect in DIALECTS}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_case_is_sound(dialect: str) -> None:
    for topic, payload, received_us, *_ in MESSAGES[dialect]:
        assert faults(DOORS[dialect].admit(topic, payload, received_us), payload) == []


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_damaged_messages(dialect: str, seed: int) -> None:
    topic, payload, received_us, *_ = mutated(Random(seed), MESSAGES[dialect])
    assert faults(DOORS[dialect].admit(topic, payload, received_us), payload) == []


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=200, deadline=None)
@given(case=st.integers(0, 1000), payload=st.binary(max_size=300))
def test_any_bytes(dialect: str, case: int, payload: bytes) -> None:
    messages = MESSAGES[dialect]
    topic, _, received_us, *_ = messages[case % len(messages)]
    assert faults(DOORS[dialect].admit(topic, payload, received_us), payload) == []


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=100, deadline=None)
@given(case=st.integers(0, 1000), received_us=st.integers(-(2**62), 2**62))
def test_any_clock(dialect: str, case: int, received_us: int) -> None:
    messages = MESSAGES[dialect]
    sent = messages[case % len(messages)]
    assert faults(DOORS[dialect].admit(sent.topic, sent.payload, received_us), sent.payload) == []
