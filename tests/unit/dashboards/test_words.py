"""Both languages say everything."""

from __future__ import annotations

import re

import pytest

from config.site import Kind
from dashboards.console import words
from dashboards.console.devices import Attention
from dashboards.console.ledger import Balance
from dashboards.console.map import LinkLook
from dashboards.console.words import Language, advice, language_of, quality_words, word
from ingest.reasons import Reason

BOTH = list(Language)


@pytest.mark.parametrize("language", BOTH)
def test_every_code_has_a_word(language: Language) -> None:
    for codes in (Kind, Attention, Balance, LinkLook):
        assert all(word(code.value, language) for code in codes)


def test_marks_are_the_same_in_both_languages() -> None:
    for key, texts in words.WORDS.items():
        first, second = (set(re.findall(r"{\w+}", text)) for text in texts)
        assert first == second, key


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_advice_in_both_languages(reason: Reason) -> None:
    texts = {advice(reason.value, language) for language in BOTH}

    assert 2 == len(texts), f"{reason}: its Indonesian advice belongs into dashboards/console/words.py"
    assert all(texts)


def test_a_reason_of_a_newer_program_has_no_advice() -> None:
    assert "" == advice("struck_by_lightning", Language.ENGLISH)


@pytest.mark.parametrize(
    ("quality", "indonesian", "english"),
    [
        ("good", "baik", "good"),
        ("suspect(locked_on)", "diragukan: macet menyala", "suspect: stuck on"),
        ("missing(detector:open_loop)", "hilang: loop putus", "missing: open loop"),
        # A fault that only the device knows stands as it says it.
        ("missing(detector:coil_wet)", "hilang: coil wet", "missing: coil wet"),
        (None, "hilang (tidak ada menit)", "missing (no minute)"),
    ],
)
def test_quality_in_words(quality: str | None, indonesian: str, english: str) -> None:
    assert [indonesian, english] == [quality_words(quality, language) for language in BOTH]


@pytest.mark.parametrize(("value", "expected"), [("en", "en"), ("EN", "en"), ("", "id"), (None, "id"), ("fr", "id")])
def test_language_of_an_address(value: str | None, expected: str) -> None:
    assert expected == language_of(value)
