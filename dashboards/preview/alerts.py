"""What Grafana's list of alerts would show, as far as it can be told without Grafana's memory: rules beyond their threshold now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from ruamel.yaml import YAML

from dashboards.console.words import Language
from dashboards.grafana.macros import Window
from dashboards.grafana.run import Answer, ask

_TOLD: Final = ("junction", "approach", "phase", "device")  # labels that say where
_NONE: Final = {Language.INDONESIAN: "Tidak ada", Language.ENGLISH: "None"}
_COLUMNS: Final = {
    Language.INDONESIAN: ("Melampaui ambang", "Di mana", "Nilai"),
    Language.ENGLISH: ("Beyond its threshold", "Where", "Value"),
}


def rules_for(audience: str, folder: Path) -> list[dict[str, Any]]:
    """The committed alert rules for an audience, as Grafana's provisioning reads them.

    Args:
        audience: `vms`, `technician` or `pipeline`.
        folder: Of provisioning.
    """
    groups = YAML(typ="safe").load((folder / "alerting" / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if rule["labels"]["audience"] == audience]


def standing(
    connection: psycopg.Connection[tuple[Any, ...]], rules: list[dict[str, Any]], window: Window, language: Language
) -> Answer:
    """Rules and series whose value is beyond the threshold; how long it has been so is not asked.

    Args:
        connection: As a reader.
        rules: Of `rules_for`.
        window: Of the board; its end is the moment asked for.
        language: Of the rules' titles.

    Returns:
        A row for each; one that says "none" when there are none.

    Raises:
        psycopg.Error: A rule's query fails.
    """
    names = _COLUMNS[language]
    none: tuple[str, str, float | None] = (_NONE[language], "", None)
    found = [
        row
        for rule in sorted(rules, key=lambda rule: rule["labels"]["severity"])
        for row in _beyond(connection, rule, window.end, language)
    ]
    return Answer(tuple(zip(names, ("text", "text", "float8"), strict=True)), found or [none], 0.0)


def _beyond(
    connection: psycopg.Connection[tuple[Any, ...]], rule: Mapping[str, Any], at: datetime, language: Language
) -> Iterator[tuple[str, str, float]]:
    query, _, threshold = rule["data"]
    window = Window(at - timedelta(seconds=query["relativeTimeRange"]["from"]), at)
    evaluator = threshold["model"]["conditions"][0]["evaluator"]
    limit = float(evaluator["params"][0])
    title = rule["title"].split(" · ")[0 if language is Language.INDONESIAN else 1]
    answer = ask(connection, query["model"]["rawSql"], {}, window)
    number = next(name for name, kind in answer.columns if kind in {"float8", "float4", "int4", "int8", "numeric"})
    for row in answer.rows:
        named = answer.named(row)
        if named[number] is None:
            continue
        value = float(named[number])
        if value > limit if evaluator["type"] == "gt" else value < limit:
            yield title, " ".join(str(named[label]) for label in _TOLD if named.get(label)), value
