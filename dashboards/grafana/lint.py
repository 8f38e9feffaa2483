"""Own rules for the committed boards: what Grafana would accept and an operator would not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dashboards.grafana.queries import panels
from dashboards.grafana.query import PLUGIN, SOURCE_UID

# Types of panel that exist in Grafana 11 to 13 without a plugin of others.
KINDS: Final = frozenset(
    {
        "alertlist",
        "timeseries",
        "stat",
        "table",
        "state-timeline",
        "status-history",
        "heatmap",
        "geomap",
        "bargauge",
        "canvas",
        "xychart",
        "barchart",
    }
)
BUILTIN: Final = frozenset({"__from", "__to", "__interval", "__interval_ms", "__url_time_range", "__data", "__value", "__field"})
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?:[.:][^}]*)?\}|\$(\w+)")
_BARE: Final = re.compile(r"\$\{(\w+)\}|\$\{(\w+):(?!sqlstring)[^}]*\}")
_RELATION: Final = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]{2,})\.([a-z0-9_]+)", re.IGNORECASE)
_FRESH: Final = re.compile(r" · \$\{fresh_\w+\}$")
_LINK: Final = re.compile(r"^/d/([a-z0-9-]+)(?:[/?]|$)")
COLUMNS: Final = 24


def lint(boards: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Every problem of the boards, each with file, panel and what to do.

    Args:
        boards: Name for people and JSON of each.
    """
    uids = [board["uid"] for _, board in boards]
    found = [
        f"uid {uid} stands twice: Grafana would show one of the two" for uid in sorted({u for u in uids if uids.count(u) > 1})
    ]
    for name, board in boards:
        found += [f"{name}: {problem}" for problem in _board(board, uids)]
    return found


def _board(board: Mapping[str, Any], uids: Sequence[str]) -> Iterator[str]:
    for key in ("uid", "title", "description", "timezone", "refresh"):
        if not board.get(key):
            yield f"{key} is missing"
    if board.get("editable") is not False:
        yield "editable must be false: what is changed in Grafana is lost with the next push"
    if board.get("graphTooltip") != 1:
        yield "graphTooltip must be 1, a shared crosshair"
    if board.get("id") is not None:
        yield "id must not be set: it belongs to one Grafana"
    variables = {variable["name"] for variable in board["templating"]["list"]}
    found = list(panels(board))
    ids = [panel["id"] for panel in found]
    for number in sorted({n for n in ids if ids.count(n) > 1}):
        yield f"panel id {number} stands twice"
    yield from _overlaps(found)
    for variable in board["templating"]["list"]:
        yield from _source(f"variable {variable['name']}", variable.get("datasource"))
        yield from _sql(f"variable {variable['name']}", variable["query"], variables)
    for annotation in board["annotations"]["list"]:
        yield from _source(f"annotation {annotation['name']}", annotation.get("datasource"))
        yield from _sql(f"annotation {annotation['name']}", annotation["target"]["rawSql"], variables)
    for panel in found:
        yield from (f"panel {panel['id']} ({panel.get('title', '')}): {problem}" for problem in _panel(panel, variables, uids))
    for link in board.get("links", []):
        yield from _address(link.get("url") or "", variables, uids)


def _overlaps(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    cells: dict[tuple[int, int], int] = {}
    for panel in found:
        place = panel["gridPos"]
        if place["x"] + place["w"] > COLUMNS:
            yield f"panel {panel['id']} is wider than the board"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = cells.setdefault((x, y), panel["id"])
                if other != panel["id"]:
                    yield f"panels {other} and {panel['id']} overlap at column {x}, row {y}"
                    return


def _panel(panel: Mapping[str, Any], variables: set[str], uids: Sequence[str]) -> Iterator[str]:
    yield from _looks(panel, variables)
    yield from _source("panel", panel.get("datasource"))
    targets = panel.get("targets", [])
    letters = [target["refId"] for target in targets]
    if bool(letters) is (panel["type"] == "alertlist"):
        yield "has no query" if not letters else "asks a query, but Grafana fills it by itself"
    if len(set(letters)) != len(letters):
        yield "two queries share a letter"
    for target in targets:
        yield from _source(f"query {target['refId']}", target.get("datasource"))
        if (
            not target.get("rawQuery")
            or target.get("editorMode") != "code"
            or target.get("format") not in {"table", "time_series"}
        ):
            yield f"query {target['refId']} is not in code mode with a format"
        yield from _sql(f"query {target['refId']}", target["rawSql"], variables)
    for link in panel["fieldConfig"]["defaults"].get("links", []):
        yield from _address(link["url"], variables, uids)


def _looks(panel: Mapping[str, Any], variables: set[str]) -> Iterator[str]:
    if panel["type"] not in KINDS:
        yield f"type {panel['type']} is none of {', '.join(sorted(KINDS))}"
    if not panel.get("description"):
        yield "has no description"
    if not _FRESH.search(panel.get("title", "")):
        yield "the title must end with ' · ${fresh_…}', the age of its data and the share of good inputs"
    for name in _used(panel.get("title", "")) - variables:
        yield f"the title uses the variable {name}, which the board does not have"
    defaults = panel["fieldConfig"]["defaults"]
    if not defaults.get("unit"):
        yield "has no unit"
    if not defaults.get("noValue"):
        yield "says nothing when it has no data"
    if panel["type"] == "timeseries" and defaults["custom"].get("spanNulls") is not False:
        yield "draws lines over gaps: spanNulls must be false"


def _source(what: str, source: Mapping[str, Any] | None) -> Iterator[str]:
    if source is None or source.get("uid") != SOURCE_UID or source.get("type") != PLUGIN:
        yield f"{what}: the data source must be {{uid: {SOURCE_UID}, type: {PLUGIN}}}, got {source}"


def _used(text: str) -> set[str]:
    return {match[1] or match[2] for match in _VARIABLE.finditer(text)}


def _sql(what: str, sql: str, variables: set[str]) -> Iterator[str]:
    without_macros = re.sub(r"\$__\w+\([^)]*\)", "", sql)
    for name in sorted(_used(without_macros) - variables - BUILTIN):
        yield f"{what}: the variable {name} is not defined"
    for match in _BARE.finditer(without_macros):
        yield f"{what}: {match[0]} must be ${{{match[1] or match[2]}:sqlstring}}, or a value with a quote breaks out"
    if "[[" in sql:
        yield f"{what}: [[…]] is Grafana's old way to write a variable"
    for schema, relation in _RELATION.findall(sql):
        if schema.lower() != "analytics":
            yield f"{what}: reads {schema}.{relation}; only views of analytics are the contract"
    if "{{" in sql:
        yield f"{what}: a fragment was not filled in"


def _address(url: str, variables: set[str], uids: Sequence[str]) -> Iterator[str]:
    if url.startswith("/"):
        match = _LINK.match(url)
        if match is None or match[1] not in uids:
            yield f"the link {url} leads to no board of ours"
    for name in sorted(_used(url) - variables - BUILTIN):
        yield f"the link {url} uses the variable {name}, which the board does not have"
    for name in re.findall(r"var-(\w+)=", url):
        if name not in {"site", "corridor", "junction", "approach", "lane", "phase"}:
            yield f"the link {url} sets the variable {name}, which no board has"
