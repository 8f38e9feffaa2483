"""`subak rules`: check, backtest, explain."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import psycopg
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from config.errors import ConfigError
from config.settings import load_settings
from config.site import Site, load_site
from dashboards.rules.backtest import Backtest, as_json, named
from dashboards.rules.catalogue import Rule, rules_of
from dashboards.rules.evaluate import RuleQueryError, ask, backtest, condition_of
from dashboards.rules.provisioning import VALUE, alerting_files, notes

AsJson = Annotated[bool, Parameter(name="--json", negative="")]

app = App(name="rules", help="Alert rules: whether they answer, what they would have said, and why they say it.")


@app.command
def check(*, site: Path | None = None, database_url: str | None = None, as_json_: AsJson = False) -> None:
    """Read the site's thresholds, messages, calendar and contacts, and ask every rule once.

    Parameters
    ----------
    site
        Site folder; SUBAK_SITE otherwise.
    database_url
        Database, as a reader; SUBAK_DATABASE_URL otherwise.
    as_json_
        One JSON array instead of a table.
    """
    place, url = _opened(site, database_url)
    files = alerting_files(place)
    now = datetime.now(place.zone)
    rows: list[dict[str, object]] = []
    with _connected(url) as connection:
        for rule in rules_of(place):
            begun = datetime.now(place.zone)
            try:
                answer, problem = ask(connection, rule, now), ""
            except RuleQueryError as error:
                answer, problem = {}, str(error)
            rows.append(
                {
                    "rule": rule.name,
                    "audience": rule.definition.audience,
                    "series": len(answer),
                    "with_value": sum(1 for value in answer.values() if value is not None),
                    "beyond": sum(
                        1 for value in answer.values() if value is not None and condition_of(rule).holds(value, loaded=False)
                    ),
                    "ms": round((datetime.now(place.zone) - begun).total_seconds() * 1000, 1),
                    "problem": problem,
                }
            )
    if as_json_:
        print(json.dumps(rows))
    else:
        _print(f"{len(rows)} rules, {len(files)} provisioning files", rows)
    if any(row["problem"] for row in rows):
        raise SystemExit(1)


@app.command(name="backtest")
def backtest_(
    *rules: str,
    from_: Annotated[datetime, Parameter(name="--from")],
    to: datetime | None = None,
    site: Path | None = None,
    database_url: str | None = None,
    as_json_: AsJson = False,
    picture: Path | None = None,
) -> None:
    """Say when rules would have fired over a time, how long, and how often for less than two minutes.

    Parameters
    ----------
    rules
        Names of rules; all when none is given.
    from_
        Begin, RFC 3339; without an offset it is the site's time.
    to
        End; now when left out.
    site
        Site folder; SUBAK_SITE otherwise.
    database_url
        Database, as a reader; SUBAK_DATABASE_URL otherwise.
    as_json_
        One JSON array instead of tables.
    picture
        File to draw the alerts into: PNG, SVG or PDF by its ending.
    """
    place, url = _opened(site, database_url)
    start, end = _local(from_, place), _local(to, place) if to else datetime.now(place.zone)
    if end <= start:
        raise ConfigError(f"--to: {end.isoformat()} is not after --from, {start.isoformat()}")
    chosen = _chosen(place, rules)
    if picture is not None:
        _may_draw(picture)
    results: list[Backtest] = []
    with _connected(url) as connection, Progress(console=Console(stderr=True), disable=as_json_, transient=True) as progress:
        for rule in chosen:
            task = progress.add_task(rule.name, total=(end - start).total_seconds())

            def tell(at: datetime, task: object = task) -> None:
                progress.update(task, completed=(at - start).total_seconds())  # type: ignore[arg-type]

            results.append(backtest(connection, rule, start, end, tell))
    if as_json_:
        print(json.dumps(as_json(results)))
    else:
        _tables(results, place.zone)
    if picture is not None:
        from dashboards.rules.picture import draw

        draw(results, picture, place.zone)


@app.command
def explain(
    rule: str, *, at: datetime | None = None, site: Path | None = None, database_url: str | None = None, sql: bool = False
) -> None:
    """Say what a rule asks, with which thresholds and from where, and what it answers at a time.

    Parameters
    ----------
    rule
        Its name.
    at
        The time, RFC 3339; now when left out.
    site
        Site folder; SUBAK_SITE otherwise.
    database_url
        Database, as a reader; SUBAK_DATABASE_URL otherwise.
    sql
        Print its query as well, as Grafana gets it.
    """
    place, url = _opened(site, database_url)
    found = _chosen(place, (rule,))[0]
    limits, definition = found.thresholds, found.definition
    print(f"{found.name}: {definition.title.en} / {definition.title.id}")
    print(
        f"told to: {definition.audience}, {definition.severity}; asked every {definition.every} s, looks back {definition.range} s"
    )
    for name, limit in (
        (f"fires {limits.fires}", limits.fire),
        ("clears on the other side of", limits.clear),
        ("must hold", limits.hold),
        ("must be over", limits.keep),
        *limits.values.items(),
    ):
        print(f"{name}: {limit.value:g} {limit.unit} ({limit.source}, {limit.date})")
    texts = notes(found, place.general.console_url)
    for key in ("summary_en", "summary_id", "todo_en", "todo_id"):
        print(f"{key}: {texts[key].replace(VALUE, '…')}")
    if sql:
        print(found.sql)
    moment = _local(at, place) if at else datetime.now(place.zone)
    condition = condition_of(found)
    with _connected(url) as connection:
        answer = ask(connection, found, moment)
    rows: list[dict[str, object]] = [
        {
            "series": named(labels),
            "value": "no valid input" if value is None else f"{value:.2f} {definition.unit}",
            "says": "stays"
            if value is None
            else "fires"
            if condition.holds(value, loaded=False)
            else "between"
            if condition.holds(value, loaded=True)
            else "clear",
            "signs": dict(labels).get("signs", ""),
            "message": dict(labels).get("message", ""),
        }
        for labels, value in sorted(answer.items(), key=lambda item: (item[1] is None, item[1] or 0.0))
    ]
    _print(f"at {moment.isoformat(timespec='seconds')}", rows)


def _opened(site: Path | None, database_url: str | None) -> tuple[Site, str]:
    settings = load_settings(site=site, database_url=database_url)
    return load_site(settings.site), settings.database_url.get_secret_value()


def _connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(url, autocommit=True, prepare_threshold=None)
    except psycopg.OperationalError as error:
        raise ConfigError(f"SUBAK_DATABASE_URL: the database does not answer: {error}") from None


def _local(moment: datetime, site: Site) -> datetime:
    return moment.replace(tzinfo=site.zone) if moment.tzinfo is None else moment.astimezone(site.zone)


def _chosen(site: Site, names: Sequence[str]) -> list[Rule]:
    rules = {rule.name: rule for rule in rules_of(site)}
    unknown = [name for name in names if name not in rules]
    if unknown:
        raise ConfigError(f"{', '.join(unknown)}: no such rule, or switched off at this site; there are {', '.join(rules)}")
    return [rules[name] for name in names] if names else list(rules.values())


def _may_draw(picture: Path) -> None:
    if picture.suffix not in {".png", ".svg", ".pdf"}:
        raise ConfigError(f"--picture: {picture} must end in .png, .svg or .pdf")
    if find_spec("matplotlib") is None:
        raise ConfigError("--picture needs matplotlib; install it with: pip install 'subak[picture]'")


def _tables(results: list[Backtest], zone: ZoneInfo) -> None:
    _print(
        "",
        [
            {
                "rule": result.rule,
                "series": result.series,
                "fired": len(result.episodes),
                "under 2 min": result.short,
                "still firing": sum(1 for episode in result.episodes if episode.cleared_at is None),
                "longest": _short(result.longest),
                "in all": _short(result.total),
                "without valid input": f"{100 * result.without_value / result.answers:.0f} %" if result.answers else "-",
            }
            for result in results
        ],
    )
    rows: list[dict[str, object]] = [
        {
            "rule": result.rule,
            "series": named(episode.labels),
            "fired": f"{episode.fired_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "cleared": f"{episode.cleared_at.astimezone(zone):%H:%M:%S}" if episode.cleared_at else "-",
            "lasted": _short(result.length(episode)),
            "extreme": "-" if episode.extreme is None else f"{episode.extreme:.1f}",
        }
        for result in results
        for episode in result.episodes
    ]
    if rows:
        _print("", rows)


def _short(length: timedelta) -> str:
    return str(timedelta(seconds=round(length.total_seconds())))


def _print(title: str, rows: Sequence[dict[str, object]]) -> None:
    table = Table(title=title or None, title_justify="left")
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    # Into a file or pipe, lines are not broken for a screen that is not there.
    Console(width=None if sys.stdout.isatty() else 160).print(table)
