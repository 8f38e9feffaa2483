"""`subak dashboards`: build, check, sync and preview what Grafana shows."""

from __future__ import annotations

import json as jsonlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from config.errors import ConfigError
from config.settings import DEFAULT_SITE, load_settings
from config.site import load_site
from dashboards.grafana.build import PROVISIONING, files
from dashboards.grafana.check import Report, check_files, check_queries

app = App(
    name="dashboards", help="Build Grafana's dashboards, check them without a Grafana, sync them with one, or preview them."
)

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
