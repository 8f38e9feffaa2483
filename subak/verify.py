"""`subak verify`: check the invariants on a live system."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import psycopg
from cyclopts import App, Parameter
from rich.console import Console

from config.errors import ConfigError
from config.settings import load_settings
from config.site import load_site
from config.thresholds import bin_tests
from ingest.readings import US
from storage.queries import queries
from storage.verify import SHOWN, verify_bins, verify_ledger
from storage.verify_signals import verify_signals
from subak.meters import SiteMeters

app = App(name="verify", help="Check the invariants on a live system; exit status 1 when one does not hold.")

Hours = Annotated[float, Parameter(help="How far back, in hours; not further than raw rows are kept.")]


def _since(hours: float) -> int:
    return round((datetime.now(UTC) - timedelta(hours=hours)).timestamp() * US)


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError as error:
        raise ConfigError(f"SUBAK_DATABASE_URL: {error}") from error


@app.command
def ledger(*, hours: Hours = 24.0, json: bool = False) -> int:
    """Per source and minute: received = stored + duplicate + rejected, and the tables hold what the ledger says.

    Args:
        hours: How far back.
        json: Print one JSON object.
    """
    settings = load_settings()
    with _connect(settings.database_url.get_secret_value()) as connection:
        report = verify_ledger(connection, _since(hours))
    _tell(
        report.balanced,
        f"{report.received} received = {report.stored} stored + {report.duplicate} duplicate + {report.rejected} rejected"
        f" ({report.late} late; {report.lost} lost upstream, {report.recovered} of them came after all)",
        report.differences,
        {**msgspec.structs.asdict(report), "balanced": report.balanced} if json else None,
    )
    return 0 if report.balanced else 1


@app.command
def bins(*, hours: Hours = 24.0, site: Path | None = None, json: bool = False) -> int:
    """Recompute every bin from its raw readings, and every rollup from its bins: the same bits must come out.

    Args:
        hours: How far back, by the time of the bins.
        site: Path of the site folder.
        json: Print one JSON object.
    """
    settings = load_settings(site=site)
    timezone = load_site(settings.site).general.timezone
    with _connect(settings.database_url.get_secret_value()) as connection:
        report = verify_bins(connection, bin_tests(), timezone, _since(hours))
    _tell(
        report.verified,
        f"{report.bins} bins, {report.observed} of them observed, recomputed from {report.readings} readings",
        report.differences,
        {**msgspec.structs.asdict(report), "verified": report.verified} if json else None,
    )
    return 0 if report.verified else 1


@app.command
def signals(*, hours: Hours = 24.0, site: Path | None = None, json: bool = False) -> int:
    """Measure the signals again from their stored events: the same rows, states and cycles must come out.

    Args:
        hours: How far back, from the state remembered before; 0 from the first event on.
        site: Path of the site folder.
        json: Print one JSON object.
    """
    settings = load_settings(site=site)
    found = load_site(settings.site)
    with _connect(settings.database_url.get_secret_value()) as connection:
        numbers: dict[str, int] = dict(connection.execute(queries("signals")["controllers"], (found.name,)).fetchall())  # type: ignore[arg-type]
        meters = SiteMeters.of(found, numbers)
        report = verify_signals(connection, meters, list(numbers.values()), _since(hours) if hours else 0)
    _tell(
        report.verified,
        f"{report.rows} rows of {report.controllers} controllers, measured again from {report.events} events"
        + (f"; {report.redoing} wait for late events to be measured" if report.redoing else ""),
        report.differences,
        {**msgspec.structs.asdict(report), "verified": report.verified} if json else None,
    )
    return 0 if report.verified else 1


def _tell(holds: bool, summary: str, differences: list[str], result: dict[str, object] | None) -> None:
    if result is not None:
        print(msgspec.json.encode(result).decode())
        return
    console = Console()
    console.print(f"[green]holds[/]: {summary}" if holds else f"[red]does not hold[/]: {summary}", highlight=False)
    for difference in differences[:SHOWN]:
        console.print(f"  {difference}", highlight=False)
    if len(differences) > SHOWN:
        console.print(f"  … and {len(differences) - SHOWN} more")
