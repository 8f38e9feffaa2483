"""The preview in a real browser: each board draws what the database holds, and says so when it cannot."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from dashboards.console.words import Language
from dashboards.grafana.build import BOARDS, PROVISIONING
from dashboards.grafana.macros import Window
from dashboards.grafana.queries import boards
from dashboards.grafana.run import Answer, connect
from dashboards.preview.alerts import rules_for, standing
from dashboards.preview.app import load
from dashboards.preview.charts import time_series
from subak.embedded.ports import LOOPBACK, free_port
from tests.conftest import Chromium
from tests.support.consoles import Browser, browsing
from tests.support.databases import PlainServer, fresh_database
from tests.support.filling import ALERT, fill
from tests.support.pipelines import SITE, Bench
from tests.support.waiting import until

WALL = len(next(board for path, board in boards(PROVISIONING) if path.stem == "wall")["panels"])


class Preview(NamedTuple):
    """The real program, its database and a browser."""

    url: str
    database_url: str
    browser: Browser


def serves(process: subprocess.Popen[bytes], url: str) -> bool:
    assert process.poll() is None, "the preview ended"
    try:
        urllib.request.urlopen(f"{url}/id/wall", timeout=5).close()  # noqa: S310 - http, on loopback
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


@pytest.fixture(scope="module")
def preview(plain_server: PlainServer, chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    folder: Path = tmp_path_factory.mktemp("preview")
    with fresh_database(plain_server) as database, (folder / "preview.log").open("wb") as output:
        asyncio.run(_filled(database.url))
        port = free_port()
        url = f"http://{LOOPBACK}:{port}"
        process = subprocess.Popen(
            [sys.executable, "-m", "subak.cli", "dashboards", "preview", "--port", str(port)],
            env={**os.environ, "SUBAK_DATABASE_URL": database.url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            until(lambda: serves(process, url), 30, what="the preview")
            with browsing(chromium.browser, chromium.driver, folder / "profile") as browser:
                yield Preview(url, database.url, browser)
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(20)
        finally:
            process.kill()
            process.wait()


async def _filled(url: str) -> None:
    bench = Bench(url)
    await fill(bench)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ALERT, [SITE.controllers[2].id])


def opened(preview: Preview, address: str, panels: int) -> Browser:
    preview.browser.open(f"{preview.url}/{address}")
    preview.browser.wait(
        lambda: panels == preview.browser.run("return document.querySelectorAll('.panel').length"), f"the panels of {address}"
    )
    return preview.browser


@pytest.mark.parametrize("name", [board.name for board in BOARDS])
def test_each_board_draws_all_its_panels(preview: Preview, name: str) -> None:
    board = next(board for path, board in boards(PROVISIONING) if path.parent.name == "en" and path.stem == name)
    browser = opened(preview, f"en/{name}", len(board["panels"]))

    assert [] == browser.run("return [...document.querySelectorAll('.error')].map((e) => e.innerText)")
    assert [] == browser.errors()
    assert {LOOPBACK} >= browser.hosts()
    titles = browser.run("return [...document.querySelectorAll('.panel h2')].map((e) => e.innerText)")
    # Each says how old its data is; none is left with a variable that was not filled in.
    assert [] == [title for title in titles if "age" not in title and "no data" not in title]
    assert "$" not in "".join(titles)


def test_numbers_are_the_databases(preview: Preview) -> None:
    browser = opened(preview, "en/wall", WALL)
    with psycopg.connect(preview.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM analytics.devices WHERE active").fetchone()
        assert row is not None
        assert browser.run(
            "return [...document.querySelectorAll('.tile')].some((t) => t.innerText.includes(arguments[0]))", str(row[0])
        )
        approaches = connection.execute("SELECT count(*) FROM analytics.approaches").fetchone()
        assert approaches is not None
    assert approaches[0] == browser.run("return document.querySelectorAll('[data-testid=panel-1] circle').length")
    assert "Device silent" in browser.run("return document.body.innerText")


def test_another_junction_is_chosen_by_address(preview: Preview) -> None:
    panels = len(next(board for path, board in boards(PROVISIONING) if path.stem == "junction")["panels"])
    browser = opened(preview, "id/junction?var-junction=canggu", panels)

    assert "canggu" == browser.run("return document.querySelector('[data-testid=var-junction]').value")
    assert [] == browser.run("return [...document.querySelectorAll('.error')].map((e) => e.innerText)")


def test_a_name_with_markup_is_text(preview: Preview) -> None:
    panels = len(next(board for path, board in boards(PROVISIONING) if path.stem == "junction")["panels"])
    browser = opened(preview, "en/junction?var-junction=%3Cscript%3Ewindow.bad%3D1%3C%2Fscript%3E%27", panels)

    assert browser.run("return window.bad === undefined")
    assert "No data in this range" in browser.run("return document.body.innerText")
    assert [] == browser.run("return [...document.querySelectorAll('.error')].map((e) => e.innerText)")


def test_a_click_on_an_approach_leads_to_its_junction(preview: Preview) -> None:
    browser = opened(preview, "en/wall", WALL)
    address = browser.run("return document.querySelector('[data-testid=panel-1] a').getAttribute('href')")

    panels = len(next(board for path, board in boards(PROVISIONING) if path.stem == "junction")["panels"])
    browser = opened(preview, address.removeprefix("/"), panels)

    assert address.startswith("/en/junction?var-site=badung&var-junction=")
    assert address.partition("var-junction=")[2] == browser.run(
        "return document.querySelector('[data-testid=var-junction]').value"
    )


def test_one_approach_or_all_is_chosen(preview: Preview) -> None:
    panels = len(next(board for path, board in boards(PROVISIONING) if path.stem == "junction")["panels"])
    chosen = "return document.querySelector('[data-testid=var-approach]').selectedOptions[0].innerText"
    browser = opened(preview, "en/junction?var-junction=canggu", panels)
    assert "All" == browser.run(chosen)
    one = browser.run("return document.querySelector('[data-testid=var-approach]').options[1].value")

    assert one in opened(preview, f"en/junction?var-junction=canggu&var-approach={one}", panels).run(chosen)


def test_rules_beyond_their_threshold_are_told_in_the_boards_language(preview: Preview) -> None:
    rules = rules_for("vms", PROVISIONING)
    for rule in rules:
        rule["data"][2]["model"]["conditions"][0]["evaluator"] = {"type": "gt", "params": [-1.0]}
    with connect(preview.database_url) as connection:
        end = datetime.now(UTC)
        everything = standing(connection, rules, Window(end, end), Language.INDONESIAN)
        for rule in rules:
            rule["data"][2]["model"]["conditions"][0]["evaluator"] = {"type": "gt", "params": [1e9]}
        nothing = standing(connection, rules, Window(end, end), Language.ENGLISH)

    assert {"Antrean di kaki simpang", "Kendaraan berhenti"} <= {rule for rule, *_ in everything.rows}
    assert all(where and value is not None for _, where, value in everything.rows)
    assert [("None", "", None)] == nothing.rows


def test_what_happened_is_marked_on_time_axes(preview: Preview) -> None:
    board = next(board for path, board in boards(PROVISIONING) if path.parent.name == "en" and path.stem == "quality")
    shown = load(preview.database_url, board, {}, datetime.now(UTC))
    told = list(shown.marks)
    chart = time_series(board["panels"][0], [Answer((("time", "timestamptz"), ("volume", "int4")), [(shown.window.end, 1)], 0.0)],
        shown.window, UTC, told)  # fmt: skip

    assert any("watchdog:comm_loss" in mark.text for mark in told)
    first = chart["series"][0]
    assert [mark.text for mark in told if mark.onset >= shown.window.start] == [
        line["name"] for line in first["markLine"]["data"]
    ]
    assert first["markArea"]["data"]
    assert all(begin["xAxis"] <= end["xAxis"] for begin, end in first["markArea"]["data"])
