"""The committed boards are what the code builds, and our rules find what is wrong with one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from config.settings import DEFAULT_SITE
from config.site import load_site
from dashboards.grafana.boards.shared import RULES
from dashboards.grafana.build import PROVISIONING, files
from dashboards.grafana.check import check_files
from dashboards.grafana.lint import lint
from dashboards.grafana.queries import boards
from processors import agreement
from processors.watchdog import Rule

BOARDS = [(f"{path.parent.name}/{path.name}", board) for path, board in boards(PROVISIONING)]
WALL = dict(BOARDS)["en/wall.json"]


def test_committed_files_are_what_the_code_builds() -> None:
    for path, text in files(load_site(DEFAULT_SITE)):
        assert text == (PROVISIONING / path).read_text(encoding="utf-8"), f"{path}: run subak dashboards build"


def test_nine_boards_in_two_languages_without_a_problem() -> None:
    assert 18 == len(BOARDS)
    assert [] == list(check_files(PROVISIONING))


def test_both_languages_ask_the_same() -> None:
    def shape(board: dict[str, Any]) -> list[tuple[str, object, int]]:
        return [(panel["type"], panel["gridPos"], len(panel["targets"])) for panel in board["panels"]]

    found = dict(BOARDS)
    for name in {name.partition("/")[2] for name in found}:
        assert shape(found[f"en/{name}"]) == shape(found[f"id/{name}"])
        assert found[f"en/{name}"]["title"] != found[f"id/{name}"]["title"] or "VMS" in found[f"id/{name}"]["title"]


def _panel(board: dict[str, Any]) -> dict[str, Any]:
    panel: dict[str, Any] = board["panels"][0]
    return panel


def _sql(text: str) -> Callable[[dict[str, Any]], None]:
    def change(board: dict[str, Any]) -> None:
        _panel(board)["targets"][0]["rawSql"] = text

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b.pop("description"), "description is missing"),
        (lambda b: b.update(editable=True), "editable must be false"),
        (lambda b: b.update(graphTooltip=0), "shared crosshair"),
        (lambda b: b.update(id=7), "belongs to one Grafana"),
        (lambda b: b["panels"][1].update(id=_panel(b)["id"]), "stands twice"),
        (lambda b: b["panels"][1].update(gridPos=dict(_panel(b)["gridPos"])), "overlap"),
        (lambda b: _panel(b)["gridPos"].update(x=20), "wider than the board"),
        (lambda b: _panel(b).update(description=""), "no description"),
        (lambda b: _panel(b).update(title="Speed"), "age of its data"),
        (lambda b: _panel(b)["fieldConfig"]["defaults"].pop("unit"), "no unit"),
        (lambda b: _panel(b)["fieldConfig"]["defaults"].pop("noValue"), "no data"),
        (lambda b: _panel(b).update(type="piechart"), "is none of"),
        (lambda b: _panel(b)["datasource"].update(uid="P123"), "data source must be"),
        (lambda b: _panel(b)["targets"].clear(), "has no query"),
        (lambda b: _panel(b).update(type="alertlist"), "asks a query, but Grafana fills it by itself"),
        (lambda b: _panel(b)["targets"].append(dict(_panel(b)["targets"][0])), "share a letter"),
        (_sql("SELECT 1 FROM subak.site"), "only views of analytics"),
        (_sql("SELECT 1 WHERE '${junktion:sqlstring}' = ''"), "junktion is not defined"),
        (_sql("SELECT 1 WHERE '${site}' = ''"), "breaks out"),
        (_sql("SELECT 1 WHERE '${site:raw}' = ''"), "breaks out"),
        (lambda b: _panel(b)["fieldConfig"]["defaults"]["links"][0].update(url="/d/elsewhere"), "no board of ours"),
    ],
)
def test_a_rule_finds_what_breaks_it(change: Callable[[dict[str, Any]], object], said: str) -> None:
    board = copy.deepcopy(WALL)
    change(board)

    found = lint([("wall", board), *((name, other) for name, other in BOARDS if other["uid"] != board["uid"])])

    assert found
    assert said in "\n".join(found)


def test_two_boards_of_one_uid() -> None:
    assert "stands twice" in "\n".join(lint([("one", WALL), ("two", WALL)]))


def test_the_roads_are_geojson_of_the_sites_links() -> None:
    site = load_site(DEFAULT_SITE)
    roads = json.loads((PROVISIONING / f"maps/{site.name}.geojson").read_text(encoding="utf-8"))

    assert [link.id for link in site.links] == [feature["id"] for feature in roads["features"]]
    # GeoJSON writes longitude first (RFC 7946, 3.1.1).
    assert site.places[site.links[0].start][::-1] == tuple(roads["features"][0]["geometry"]["coordinates"][0])


def test_every_rule_of_the_database_has_words() -> None:
    assert {rule.value for rule in Rule} | {agreement.RULE} == RULES.keys()
