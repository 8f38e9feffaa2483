"""The alert rules of a site: queries with their thresholds filled in, and their texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from msgspec import Struct

from config.errors import ConfigFileError
from config.files import Strict, load
from config.messages import Message, approved_messages, fitting
from config.multi import pages_of
from config.rules import RuleThresholds, rule_thresholds
from config.site import Site
from config.thresholds import topology_thresholds
from config.topology import UpstreamSign, upstream_signs

FOLDER = Path(__file__).parent
_MARK = re.compile(r"\{\{(\w+)\}\}")
NAMED_SIGNS = 3  # the nearest ones; more are no help to somebody in a hurry

Audience = Literal["vms", "technician", "pipeline"]
Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")


class Both(Strict):
    """A text in both languages."""

    id: str
    en: str

    def of(self, language: Language) -> str:
        """The text in one of them."""
        return self.id if language == "id" else self.en


class Definition(Strict):
    """One entry of `catalogue.yaml`; see there."""

    audience: Audience
    severity: Literal["info", "warning", "critical"]
    every: int
    range: int
    unit: str
    board: str
    title: Both
    summary: Both
    todo: Both
    query: str = ""
    event: str = ""


class _Catalogue(Strict):
    rules: dict[str, Definition]


class Rule(Struct, frozen=True):
    """A rule of a site.

    Attributes:
        name: Its name.
        definition: Who is told what.
        thresholds: When.
        sql: The query with Grafana's macros: a column `time`, text columns that name the series, a number `value`.
    """

    name: str
    definition: Definition
    thresholds: RuleThresholds
    sql: str

    @property
    def uid(self) -> str:
        """Its fixed id in Grafana."""
        return f"subak-{self.name}"


def rules_of(site: Site) -> list[Rule]:
    """The alert rules of a site, without those it has switched off.

    Raises:
        ConfigFileError: Thresholds, messages or catalogue do not fit.
    """
    definitions = load(FOLDER / "catalogue.yaml", _Catalogue).rules
    thresholds = rule_thresholds(site.path)
    messages = approved_messages(site)
    unknown = sorted({rule for message in messages for rule in message.rules if rule not in definitions})
    if unknown:
        raise ConfigFileError(site.path / "messages.yaml", [f"rules: {name!r} is no alert rule" for name in unknown])
    return [
        Rule(name, definition, thresholds[name], query_of(name, definition, thresholds[name], site, messages))
        for name, definition in definitions.items()
        if thresholds[name].off is None
    ]


def query_of(name: str, definition: Definition, thresholds: RuleThresholds, site: Site, messages: tuple[Message, ...]) -> str:
    """The query of a rule with everything filled in but Grafana's macros."""
    text = (FOLDER / "sql" / f"{definition.query or name}.sql").read_text(encoding="utf-8")
    values = {key: f"{value.value:g}" for key, value in thresholds.values.items()}
    values |= {"site": _literal(site.name), "event": _literal(definition.event)}
    if "{{advice}}" in text:
        values["advice"] = _rows([[place[0], place[1], *answer] for place, answer in _advice(name, site, messages).items()])
    if "{{camera_advice}}" in text:
        answers = _advice(name, site, messages)
        rows = [[c.id, c.approach, *answers[c.junction, c.approach]] for c in site.cameras]
        # A site without cameras: no device has this name.
        values["camera_advice"] = _rows(rows or [["", "", "", "", ""]])
    return _MARK.sub(lambda mark: values[mark[1]], text)


def _advice(rule: str, site: Site, messages: tuple[Message, ...]) -> dict[tuple[str, str], list[str]]:
    """For every approach: the nearest upstream signs, the message that fits, and its text."""
    before: dict[tuple[str, str], list[UpstreamSign]] = {}
    for found in upstream_signs(site, topology_thresholds().sign_reach.value):
        before.setdefault((found.junction, found.approach), []).append(found)
    advice: dict[tuple[str, str], list[str]] = {}
    for junction in site.junctions:
        for approach in junction.approaches:
            signs = before.get((junction.id, approach.id), [])[:NAMED_SIGNS]
            message = fitting(messages, rule, junction.id, approach.id) if signs else None
            advice[junction.id, approach.id] = [
                ", ".join(f"{sign.sign} ({sign.distance_m / 1000:.1f} km)" for sign in signs) or "-",
                message.id if message else "-",
                " | ".join(" / ".join(page) for page in pages_of(message.multi)) if message else "-",
            ]
    return advice


def _rows(rows: list[list[str]]) -> str:
    return ",\n        ".join(f"({', '.join(_literal(value) for value in row)})" for row in rows)


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
