"""The pages of the measures say what the modules say."""

from __future__ import annotations

from pathlib import Path

from subak.measure.pages import pages

FOLDER = Path(__file__).parents[2] / "docs" / "measures"


def test_the_pages_are_those_that_the_modules_give() -> None:
    assert pages() == {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
