"""Balanced means every source in every minute."""

from __future__ import annotations

import pytest

from dashboards.console.ledger import Balance, grouped, totals
from dashboards.console.words import Language
from storage.readers import LedgerRow
from tests.unit.dashboards.rows import ledger


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([ledger(received=10, stored=7, duplicate=2, rejected=1)], Balance.BALANCED),
        ([ledger(received=10, stored=7, duplicate=2, rejected=0, unbalanced=1)], Balance.UNBALANCED),
        # One source has one too many, the other one too few: the sums agree, the ledger does not.
        ([ledger(received=10, stored=11, unbalanced=1), ledger(received=10, stored=9, unbalanced=1)], Balance.UNBALANCED),
        # Nothing arrived: that is not a balanced ledger.
        ([], Balance.EMPTY),
    ],
)
def test_balance(rows: list[LedgerRow], expected: Balance) -> None:
    assert expected == totals(rows).balance


def test_a_recovery_of_one_source_does_not_hide_the_loss_of_another() -> None:
    assert 3 == totals([ledger(lost=3), ledger(device="other", lost=-3)]).lost


@pytest.mark.parametrize(("language", "expected"), [(Language.INDONESIAN, "1.234.567"), (Language.ENGLISH, "1,234,567")])
def test_groups(language: Language, expected: str) -> None:
    assert expected == grouped(1_234_567, language)
