"""`subak dashboards`: build, check, sync and preview what Grafana shows."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from config.errors import ConfigError
from config.secrets import secrets_from_files
from config.settings import DEFAULT_SITE, load_settings
from config.site import load_site
from dashboards.console.words import Language
from dashboards.grafana.build import FOLDERS, PROVISIONING, files
from dashboards.grafana.check import Report, check_files, check_queries
from dashboards.grafana.queries import boards
from dashboards.grafana.sync import Grafana, State, compare, pulled
from dashboards.grafana.sync import push as send

app = App(
    name="dashboards", help="Build Grafana's dashboards, check them without a Grafana, sync them with one, or preview them."
)

PREVIEW_PORT = 8090
SHOWN = 8  # differences of one board that `diff` prints

Folder = Annotated[Path, Parameter(help="Folder of provisioning.")]


@app.command
def build(*, check: bool = False, folder: Folder = PROVISIONING, site: Path = DEFAULT_SITE) -> int:
    """Write the dashboards' JSON and the map of roads.

    Args:
        check: Write nothing; end with status 1 when a file is not what it would be.
        folder: Where to.
        site: Whose time zone and roads they have.
    """
    made = {folder / path: text for path, text in files(load_site(site))}
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    left = sorted({*(folder / "dashboards").glob("*/*.json"), *(folder / "maps").glob("*.geojson")} - set(made))
    if check:
        for path in stale:
            print(f"{path} is not what dashboards/grafana says; run: subak dashboards build", file=sys.stderr)
        for path in left:
            print(f"{path} belongs to no board; run: subak dashboards build", file=sys.stderr)
        return int(bool(stale or left))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
        print(f"wrote {path}")
    for path in left:
        path.unlink()
        print(f"removed {path}")
    if not stale and not left:
        print("everything is as it should be")
    return 0


@app.command
def check(*, database: bool = True, repeat: int = 5, folder: Folder = PROVISIONING, json: bool = False) -> int:
    """Check the files, and run every query the way Grafana would; exit status 1 when one is wrong.

    Reads SUBAK_DATABASE_URL; a member of subak_reader suffices.

    Args:
        database: Run the queries too.
        repeat: How often each, for its time.
        folder: What to check.
        json: Print one JSON object.
    """
    report = Report(tuple(check_files(folder)), ())
    if database:
        try:
            outcomes = check_queries(load_settings().database_url.get_secret_value(), folder, datetime.now(UTC), repeat=repeat)
        except psycopg.OperationalError as error:
            raise ConfigError(f"SUBAK_DATABASE_URL: {error}") from error
        report = Report(report.problems, tuple(outcomes))
    if json:
        print(jsonlib.dumps(report.as_json(), ensure_ascii=False))
    else:
        _tell(report)
    return int(report.is_bad)


def _tell(report: Report) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for problem in report.problems:
        console.print(f"[red]✘[/] {problem}")
    if report.outcomes:
        table = Table("query", "rows", "p95 ms", "")
        for outcome in report.outcomes:
            table.add_row(outcome.query.where, str(outcome.rows), f"{outcome.p95_ms:.1f}", "; ".join(outcome.faults))
        console.print(table)
    empty = sum(1 for outcome in report.outcomes if not outcome.rows)
    console.print(
        f"{len(report.problems)} problems of files; {len(report.outcomes)} queries run,"
        f" {sum(1 for o in report.outcomes if o.faults)} wrong, {empty} without rows"
    )


Url = Annotated[str | None, Parameter(help="Of Grafana; by default SUBAK_GRAFANA_URL.")]


def _grafana(url: str | None) -> Grafana:
    """The Grafana that the environment names.

    Raises:
        ConfigError: URL or token is missing.
    """
    secrets = secrets_from_files(["grafana_token"], os.environ)
    token = secrets.get("grafana_token") or os.environ.get("SUBAK_GRAFANA_TOKEN", "")
    url = url or os.environ.get("SUBAK_GRAFANA_URL", "")
    if not url:
        raise ConfigError("SUBAK_GRAFANA_URL: is not set; give --url, such as http://127.0.0.1:3000")
    if not token:
        raise ConfigError("SUBAK_GRAFANA_TOKEN: is not set; make a token for a service account with the role Editor in Grafana")
    return Grafana(url, token)


def _ours(folder: Path) -> tuple[dict[str, str], list[tuple[str, dict[str, Any]]]]:
    titles = dict(FOLDERS.values())
    found = [(FOLDERS[Language(path.parent.name)][0], board) for path, board in boards(folder)]
    if not found:
        raise ConfigError(f"{folder}/dashboards holds no board; run: subak dashboards build")
    return titles, found


@app.command
def push(*, url: Url = None, folder: Folder = PROVISIONING) -> int:
    """Bring a Grafana up to the committed boards; only what differs is sent.

    Reads SUBAK_GRAFANA_TOKEN (or …_FILE), and SUBAK_GRAFANA_DATABASE_URL when the data source is not there yet.

    Args:
        url: Of Grafana.
        folder: What to push.
    """
    grafana = _grafana(url)
    secrets = secrets_from_files(["grafana_database_url"], os.environ)
    database = secrets.get("grafana_database_url") or os.environ.get("SUBAK_GRAFANA_DATABASE_URL")
    changed = 0
    try:
        for item in send(grafana, *_ours(folder), database):
            if item.state is not State.SAME:
                changed += 1
                print(f"{'made' if item.state is State.NEW else 'changed'} {item.kind} {item.uid}", flush=True)
    finally:
        grafana.close()
    print(f"{changed} changed" if changed else "everything is as it should be")
    return 0


@app.command
def diff(*, url: Url = None, folder: Folder = PROVISIONING) -> int:
    """Tell how a Grafana differs from the committed boards; exit status 1 when it does.

    Args:
        url: Of Grafana.
        folder: What to compare with.
    """
    grafana = _grafana(url)
    differs = False
    try:
        for item in compare(grafana, *_ours(folder)):
            if item.state is not State.SAME:
                differs = True
                print(f"{item.state} {item.kind} {item.uid}")
                for change in item.changes[:SHOWN]:
                    print(f"    {change}")
                if len(item.changes) > SHOWN:
                    print(f"    … and {len(item.changes) - SHOWN} more")
    finally:
        grafana.close()
    if not differs:
        print("everything is as it should be")
    return int(differs)


@app.command
def pull(*, into: Path, url: Url = None, folder: Folder = PROVISIONING) -> int:
    """Write a Grafana's boards of our uids into a folder, to see what somebody changed there; ours stay as they are.

    Args:
        into: Where to, one file a board, sorted like ours.
        url: Of Grafana.
        folder: Whose uids are asked for.
    """
    grafana = _grafana(url)
    try:
        for _, board in _ours(folder)[1]:
            there = pulled(grafana, board["uid"])
            if there is None:
                print(f"{board['uid']} is not there", file=sys.stderr)
                continue
            into.mkdir(parents=True, exist_ok=True)
            path = into / f"{board['uid']}.json"
            path.write_text(jsonlib.dumps(there, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"wrote {path}")
    finally:
        grafana.close()
    return 0


@app.command
def preview(*, port: int = PREVIEW_PORT, folder: Folder = PROVISIONING) -> None:
    """Show the committed boards with live data on 127.0.0.1, where there is no Grafana.

    Reads SUBAK_DATABASE_URL; a member of subak_reader suffices.

    Args:
        port: Where to serve.
        folder: What to show.
    """
    from dashboards.preview.app import serve

    serve(load_settings().database_url.get_secret_value(), folder, port)
