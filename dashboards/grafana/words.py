"""Both languages of the dashboards: every text is a pair, and a board is built once a language."""

from __future__ import annotations

from typing import Final

from dashboards.console.words import Language

Text = tuple[str, str]
"""Indonesian, English."""

# What queries say: `{{age}}` in SQL.
SPOKEN: Final[dict[str, Text]] = {
    "age": ("umur", "age"),
    "good": ("baik", "good"),
    "none": ("tanpa data", "no data"),
    "older": ("> 2 jam", "> 2 h"),
    "second": ("dtk", "s"),
    "minute": ("mnt", "min"),
    "hour": ("jam", "h"),
    "day": ("hari", "d"),
    "never": ("belum pernah", "never"),
    "late": ("terlambat", "late"),
    "all": ("semua", "all"),
    "blank": ("(padam)", "(blank)"),
    "added": ("ditambahkan", "added"),
    "changed": ("diubah", "changed"),
    "removed": ("dihapus", "removed"),
    "others": ("lainnya", "more"),
}


def say(text: Text, language: Language) -> str:
    """One of the two."""
    return text[0 if language is Language.INDONESIAN else 1]
