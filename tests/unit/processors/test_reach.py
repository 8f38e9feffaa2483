"""A minute that is said to be empty is empty, whatever came before it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from config.thresholds import bin_tests
from ingest.readings import LaneReading
from processors.bins import BIN_US, Binner, Key
from processors.reach import Reaches
from tests.unit.processors.readings import LANES, NOON_US, readings


@given(st.lists(st.lists(readings(), max_size=8), max_size=8), st.data())
def test_no_stored_reading_touches_what_is_beyond(batches: list[list[LaneReading]], data: st.DataObject) -> None:
    """In any batches, with restarts that ask the raw rows again, and with transactions that fail."""
    binner = Binner(LANES, bin_tests())
    reaches = Reaches()
    stored: set[Key] = set()
    for batch in batches:
        touched = {key for reading in batch for key in binner.keys(reading)}
        assert not any(reaches.is_beyond(key) for key in stored)
        failed = data.draw(st.booleans())
        if not failed:
            stored |= touched
        for device, minute_us in touched:
            if not reaches.knows(device):
                # As storage answers: what it has of the device, this batch too.
                reaches.extend(device, max((minute for of, minute in stored if of == device), default=0) + BIN_US)
            reaches.extend(device, minute_us + BIN_US)
        if data.draw(st.integers(0, 4)) == 0:
            reaches = Reaches()


def test_nothing_is_beyond_of_a_device_that_was_not_asked_for() -> None:
    assert not Reaches().is_beyond((1, NOON_US))


def test_a_reading_that_ends_within_a_minute_touches_it_whole() -> None:
    reaches = Reaches()
    reaches.extend(1, NOON_US + 1)
    assert (False, True) == (reaches.is_beyond((1, NOON_US)), reaches.is_beyond((1, NOON_US + BIN_US)))
