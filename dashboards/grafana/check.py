"""`subak dashboards check`: the committed files against the SDK's types, our rules, and a database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from msgspec import Struct

from dashboards.grafana.lint import lint
from dashboards.grafana.macros import All, MacroError, Value, Window
from dashboards.grafana.queries import Purpose, boards, of_board, of_rules, window_of
from dashboards.grafana.run import Outcome, choose, connect, run_queries


class Report(Struct, frozen=True):
    """What a check found.

    Attributes:
        problems: Of files.
        outcomes: Of queries that were run.
    """

    problems: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def is_bad(self) -> bool:
        """Whether anything is wrong; an answer without rows is not."""
        return bool(self.problems) or any(outcome.faults for outcome in self.outcomes)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "problems": list(self.problems),
            "queries": [
                {"where": o.query.where, "rows": o.rows, "p95_ms": round(o.p95_ms, 2), "faults": list(o.faults)}
                for o in self.outcomes
            ],
        }


def check_files(folder: Path) -> Iterator[str]:
    """Problems of the boards below a provisioning folder."""
    found = [(f"{path.parent.name}/{path.name}", board) for path, board in boards(folder)]
    if not found:
        yield f"{folder}/dashboards holds no board; run: subak dashboards build"
    for name, board in found:
        yield from (f"{name}: {problem}" for problem in foreign(board))
    yield from lint(found)


def foreign(board: dict[str, Any]) -> list[str]:
    """Keys and values that the SDK's models of a dashboard do not have: what a round trip through them loses or changes."""
    try:
        back = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"is not a dashboard of the SDK's: {type(error).__name__} {error}"]
    return list(_differences(board, back, ""))


# The SDK keeps these as they are, or knows them for its own queries only.
_OPAQUE = ("targets", "target", "options", "custom", "properties", "schemaVersion")


def _differences(one: Any, other: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - JSON is a tree of anything
    if isinstance(one, dict) and isinstance(other, dict):
        for key, value in one.items():
            if key in _OPAQUE:
                continue
            if key not in other:
                yield f"{where}.{key} is unknown to the SDK's model"
            else:
                yield from _differences(value, other[key], f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, f"{where}[{index}]")
    elif one != other:
        yield f"{where} is {one!r}, which the SDK's model reads as {other!r}"


def check_queries(
    url: str,
    folder: Path,
    now: datetime,
    *,
    chosen: Mapping[str, Value] | None = None,
    repeat: int = 1,
    timescaledb: bool = False,
) -> list[Outcome]:
    """Run every query of the files at its default range.

    Args:
        url: libpq URL.
        folder: Of provisioning.
        now: End of the ranges.
        chosen: Values of variables; the rest stands at its default.
        repeat: How often each is run.
        timescaledb: What the data source says.

    Raises:
        psycopg.OperationalError: The database cannot be reached.
    """
    found: list[Outcome] = []
    with connect(url) as connection:
        for path, board in boards(folder):
            window = window_of(board, now)
            queries = list(of_board(path, board))
            try:
                values, _ = choose(connection, board, window, chosen, timescaledb=timescaledb)
            except (MacroError, psycopg.errors.Error):
                # Each variable is run below once more and tells what is wrong with it.
                values = {v["name"]: All(v["allValue"]) if v.get("includeAll") else "" for v in board["templating"]["list"]}
            found += run_queries(connection, queries, values, window, timescaledb=timescaledb, repeat=repeat)
        for query in of_rules(folder):
            if query.purpose is Purpose.RULE:
                found += run_queries(
                    connection, [query], {}, Window(now - query.past, now), timescaledb=timescaledb, repeat=repeat
                )
    return found
