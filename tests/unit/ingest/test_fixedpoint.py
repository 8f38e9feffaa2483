"""Fixed point and time are exact: the same as rational arithmetic on what was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.fixedpoint import fixed, microseconds


@given(st.floats(0, 1e9), st.integers(0, 4))
@example(0.125, 2)
@example(12.345, 2)
@example(0.0005, 3)
def test_fixed_is_rational_arithmetic_half_even(value: float, digits: int) -> None:
    assert fixed(value, digits) == round(Fraction(value) * 10**digits)


@given(st.integers(0, 10**9), st.integers(0, 9), st.integers(1, 3))
def test_decimal_text_near_a_tie(whole: int, last: int, digits: int) -> None:
    value = float(f"{whole}.{'4' * (digits - 1)}{last}5")
    assert fixed(value, digits) == round(Fraction(value) * 10**digits)


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (12.34, 2, 1234),
        (0.29, 2, 29),  # 0.29 * 100 is 28.999999999999996
        (33.25, 1, 332),  # a tie goes to the even neighbour
        (33.35, 1, 334),  # no tie: the double lies above 33.35
        (100, 2, 10_000),
        (10, 3, 10_000),
        (0.0, 2, 0),
    ],
)
def test_fixed(value: float, digits: int, expected: int) -> None:
    assert fixed(value, digits) == expected


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=zones))
@example(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
@example(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-14))))
def test_microseconds_are_exact(time: datetime) -> None:
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    assert microseconds(time) == since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds
