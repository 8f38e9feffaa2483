"""The dashboards' SQL, from files.

A statement may use the fragments of `fragments.sql` as `{{name}}`, and words of the board's language in the same way. The fragment
`bins` is made here: the same columns from the roll-up level that the time range asks for, in one statement whose other branches
PostgreSQL drops while planning, because their condition is a constant once Grafana has put the range in.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from dashboards.console.words import Language
from dashboards.grafana.words import SPOKEN, say
from storage.queries import read_queries

FOLDER: Final = Path(__file__).parent / "sql"
_HOLE = re.compile(r"\{\{(\w+)\}\}")
RANGE: Final = "($__timeTo()::timestamptz - $__timeFrom()::timestamptz)"


class Level(NamedTuple):
    """A roll-up level.

    Attributes:
        view: In `analytics`.
        step: Length of a bin.
        most: Longest range that it serves; the next level serves longer ones.
    """

    view: str
    step: str
    most: str


# Up to about 1,500 points a series: more than a screen is wide helps nobody.
LEVELS: Final = (
    Level("lane_1min", "1 minute", "1 day 1 hour"),
    Level("lane_15min", "15 minutes", "15 days"),
    Level("lane_1h", "1 hour", "62 days"),
    Level("lane_1d", "1 day", "100 years"),
)
# All lanes of a site at once say nothing more by the minute after a while; they are added up by their own begin, without a grid.
SITE_LEVELS: Final = (Level("lane_1min", "1 minute", "2 hours"), *LEVELS[1:])


@cache
def _statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.sql")):
        for name, body in read_queries(path).items():
            if name in found:
                raise ValueError(f"{path.name}: the statement {name} stands in another file too")
            found[name] = body
    return found


def statement(name: str, language: Language, **words: str) -> str:
    """A statement with its fragments and words in it; macros and variables are left to Grafana.

    Args:
        name: As in the files.
        language: Of the words.
        words: Further ones, such as `zone`; the program's own, never a user's.

    Raises:
        KeyError: No such statement, or it uses a fragment that is not there.
    """
    return _filled(_statements()[name], language, words, ())


def _filled(text: str, language: Language, words: dict[str, str], within: tuple[str, ...]) -> str:
    def fill(match: re.Match[str]) -> str:
        hole = match[1]
        if hole in words:
            return words[hole]
        if hole in within:
            raise ValueError(f"the fragment {hole} uses itself")
        if hole in SPOKEN:
            return say(SPOKEN[hole], language)
        if hole == "range":
            return RANGE
        if hole == "step":
            return _step()
        if hole.startswith("bins_"):
            return _filled(_bins(hole.removeprefix("bins_")), language, words, (*within, hole))
        return _filled(_statements()[f"fragment_{hole}"], language, words, (*within, hole))

    return _HOLE.sub(fill, text)


def _conditions(levels: tuple[Level, ...]) -> list[tuple[Level, str]]:
    shortest = "0"
    found: list[tuple[Level, str]] = []
    for level in levels:
        low = f"{RANGE} > interval '{shortest}' AND " if shortest != "0" else ""
        found.append((level, f"{low}{RANGE} <= interval '{level.most}'"))
        shortest = level.most
    return found


def _step() -> str:
    cases = " ".join(f"WHEN {RANGE} <= interval '{level.most}' THEN interval '{level.step}'" for level in LEVELS)
    return f"(CASE {cases} END)"


def _bins(scope: str) -> str:
    """Bins of the lanes in a scope (`fragment_scope_…`), from the level that fits the range."""
    shared = (
        "b.lane_id, b.device, b.junction, b.approach, b.lane, b.start, b.volume, b.flow, b.occupancy, b.speed,"
        " b.sm, b.mp, b.ks, b.bb, b.tb, b.ktb, b.completeness"
    )
    single = (
        "1::bigint AS minutes, (b.quality = 'good')::int::bigint AS good, (b.quality = 'partial')::int::bigint AS partial,"
        " (b.quality LIKE 'suspect%')::int::bigint AS suspect, (b.quality LIKE 'imputed%')::int::bigint AS imputed,"
        " (b.quality LIKE 'missing%')::int::bigint AS missing, b.revision"
    )
    several = "b.minutes, b.good, b.partial, b.suspect, b.imputed, b.missing, b.revision"
    parts = []
    for level, fits in _conditions(SITE_LEVELS if scope == "site" else LEVELS):
        final = " AND b.final" if level.view == "lane_1min" else ""
        counts = single if level.view == "lane_1min" else several
        parts.append(
            f"SELECT {shared}, {counts}, interval '{level.step}' AS step FROM analytics.{level.view} b"  # noqa: S608 - our names
            f" WHERE $__timeFilter(b.start) AND {fits}{final} AND {{{{scope_{scope}}}}}"
        )
    return "\n    UNION ALL ".join(parts)
