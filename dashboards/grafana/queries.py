"""Every query that Grafana would send: of panels, variables, annotations and alert rules, from the committed files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML

from dashboards.grafana.macros import All, Value, Window


class Purpose(StrEnum):
    """What a query is for."""

    PANEL = "panel"
    VARIABLE = "variable"
    ANNOTATION = "annotation"
    RULE = "rule"


class Query(Struct, frozen=True):
    """One query of a file.

    Attributes:
        purpose: What for.
        where: File, panel and letter, for people.
        sql: As written: macros and variables not expanded.
        shape: `table` or `time_series`.
        past: Length of its default range.
        panel: Type of the panel; empty for others.
        name: Of the variable, annotation or panel.
    """

    purpose: Purpose
    where: str
    sql: str
    shape: str
    past: timedelta
    panel: str = ""
    name: str = ""


def boards(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The committed boards below a provisioning folder."""
    for path in sorted((folder / "dashboards").glob("*/*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def window_of(board: Mapping[str, Any], now: datetime | None = None) -> Window:
    """The default range of a board.

    Raises:
        ValueError: It is not one such as `now-6h` to `now`.
    """
    past, _, unit = (board["time"]["from"][4:-1], "", board["time"]["from"][-1])
    if not board["time"]["from"].startswith("now-") or board["time"]["to"] != "now" or not past.isdigit():
        raise ValueError(f"{board['uid']}: the range {board['time']} is not from now-N to now")
    length = timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[unit]: int(past)})
    end = now or datetime.now(UTC)
    return Window(end - length, end)


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a board, those inside collapsed rows too."""
    for panel in board.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def of_board(path: Path, board: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of a board: variables first, in their order."""
    where = f"{path.parent.name}/{path.stem}"
    window = window_of(board)
    past = window.end - window.start
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(Purpose.VARIABLE, f"{where} ${variable['name']}", variable["query"], "table", past, name=variable["name"])
    for annotation in board["annotations"]["list"]:
        if "target" in annotation and "rawSql" in annotation["target"]:
            yield Query(
                Purpose.ANNOTATION,
                f"{where} @{annotation['name']}",
                annotation["target"]["rawSql"],
                "table",
                past,
                name=annotation["name"],
            )
    for panel in panels(board):
        for target in panel.get("targets", []):
            name = f"{where} {panel['title'].partition(' · ')[0]} {target['refId']}"
            yield Query(Purpose.PANEL, name, target["rawSql"], target["format"], past, panel["type"], panel["title"])


def of_rules(folder: Path) -> Iterator[Query]:
    """The queries of alert rules in `alerting/*.yaml`."""
    yaml = YAML(typ="safe")
    for path in sorted((folder / "alerting").glob("*.y*ml")):
        for group in (yaml.load(path.read_text(encoding="utf-8")) or {}).get("groups") or []:
            for rule in group["rules"]:
                for item in rule["data"]:
                    if "rawSql" in item["model"]:
                        past = timedelta(seconds=item["relativeTimeRange"]["from"] - item["relativeTimeRange"].get("to", 0))
                        where = f"{path.name} {rule['uid']} {item['refId']}"
                        yield Query(Purpose.RULE, where, item["model"]["rawSql"], item["model"]["format"], past, name=rule["uid"])


def default_value(variable: Mapping[str, Any], options: list[str]) -> Value:
    """What a variable stands at when a board is opened for the first time."""
    if variable.get("includeAll"):
        return All(variable.get("allValue") or ",".join(options))
    return options[0] if options else ""
