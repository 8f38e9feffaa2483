"""How long Grafana's queries take on many one-minute bins: `make bench-queries ROWS=100000000 ARGS="--level plain --keep"`.

The bins are made by the database itself (see `tests.benchmarks.bins`). Then every query of the committed boards and alert rules is run
as Grafana sends it, at the default range of its board and over a year: once cold, then some times more, which are what counts.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from msgspec import structs

from config.settings import DEFAULT_SITE, load_settings
from config.site import Site, load_site
from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.check import check_queries
from dashboards.grafana.macros import Window
from dashboards.grafana.queries import Purpose, boards, of_board
from dashboards.grafana.run import Outcome, choose, connect, run_queries
from storage.capability import Level
from storage.maintain import maintain
from storage.migrate import migrate
from subak.embedded.database import DATABASE
from tests.benchmarks.bins import LOADING, go_on, make
from tests.benchmarks.reasons import reason
from tests.benchmarks.timings import EXPLAINED, Timing, report, table
from tests.support.community import CommunityServer
from tests.support.databases import ApacheServer, PlainServer, Server
from tests.support.parts import cache_folder

YEAR: Final = timedelta(days=365)
DEFAULT_GOAL_MS, YEAR_GOAL_MS = 50.0, 300.0
SERVING: Final = {
    # What timescaledb-tune, and so the image of config/deploy, makes of a machine with 8 GB.
    "shared_buffers": "2GB",
    "effective_cache_size": "6GB",
    "work_mem": "16MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum": "off",
}
FOLDER: Final = "bench-queries"
COMMUNITY_ROWS: Final = 250_000


def server(level: str, settings: dict[str, str]) -> tuple[Server, Path]:
    """A server of one level on the folder that is kept, not started, and the folder."""
    if level == "apache":
        apache = ApacheServer(FOLDER, **settings)
        return apache, apache.folder
    folder = cache_folder() / FOLDER
    return PlainServer(folder / "postgres", **settings), folder


def make_kept(level: str, site: Site, rows: int) -> None:
    """Make the bins, unless those of a run before are there; one that was cut off is gone on with."""
    loading, folder = server(level, LOADING)
    done = folder / "made"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    loading.start()
    try:
        with psycopg.connect(loading.url_of("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        began = time.perf_counter()
        capability, bins = make(loading.url_of(DATABASE), site, rows, datetime.now(UTC))
        print(f"{level}: {bins:,} bins made in {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        with psycopg.connect(loading.url_of(DATABASE), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE, FREEZE)")
            connection.execute("CHECKPOINT")
            maintain(connection, capability, load_settings().retention_days)
        print(f"{level}: vacuumed, and the usual of all lanes made, in {time.perf_counter() - began:.0f} s", flush=True)
    finally:
        loading.stop()
    done.write_text(f"{bins}\n")


def over_a_year(url: str, now: datetime, repeat: int, *, timescaledb: bool) -> list[Outcome]:
    """Every query of the boards over a year; alert rules have a range of their own."""
    found: list[Outcome] = []
    window = Window(now - YEAR, now)
    with connect(url) as connection:
        for path, board in boards(PROVISIONING):
            if path.parent.name == "en":
                values, _ = choose(connection, board, window, timescaledb=timescaledb)
                queries = [query for query in of_board(path, board) if query.purpose is not Purpose.VARIABLE]
                found += run_queries(connection, queries, values, window, timescaledb=timescaledb, repeat=repeat)
    return found


def ask(level: str, site: Site, repeat: int) -> list[Timing]:
    """Start the server on the folder that is kept, bring its bins up to now, and ask."""
    serving, folder = server(level, SERVING)
    bins = int((folder / "made").read_text())
    serving.start()
    try:
        url = serving.url_of(DATABASE)
        capability = Level(level)
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection, site.general.timezone)
        later = go_on(url, site, capability, datetime.now(UTC))
        with psycopg.connect(url, autocommit=True) as connection:
            maintain(connection, capability, load_settings().retention_days)
        return timings(url, level, bins + later, repeat)
    finally:
        serving.stop()


def community(site: Site, rows: int, repeat: int) -> list[Timing]:
    """The same in WebAssembly, in memory and on one connection: as many bins as fit there, and nothing besides."""
    with tempfile.TemporaryDirectory(prefix="subak-bench-") as name:
        served = CommunityServer(Path(name))
        served.start()
        try:
            url = served.url_of(DATABASE)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION timescaledb")
            _, bins = make(url, site, min(rows, COMMUNITY_ROWS), datetime.now(UTC), others=False)
            with psycopg.connect(url, autocommit=True) as connection:
                for rollup in ("lane_15min", "lane_1h", "lane_1d"):
                    connection.execute(f"CALL refresh_continuous_aggregate('subak.{rollup}', NULL, now() - INTERVAL '1 hour')")
            return timings(url, "community", bins, repeat)
        finally:
            served.stop()


def timings(url: str, level: str, bins: int, repeat: int) -> list[Timing]:
    """Ask everything at its default range and over a year."""
    now = datetime.now(UTC)
    timescaledb = level != "plain"
    usual = [
        outcome
        for outcome in check_queries(url, PROVISIONING, now, repeat=repeat + 1, timescaledb=timescaledb)
        if "id/" not in outcome.query.where
    ]
    year = over_a_year(url, now, repeat + 1, timescaledb=timescaledb)
    found = []
    for title, goal_ms, outcomes, past in (("default range", DEFAULT_GOAL_MS, usual, None), ("a year", YEAR_GOAL_MS, year, YEAR)):
        timing = Timing(level, bins, title, goal_ms, outcomes)
        reasons = {
            outcome.query.where: reason(url, outcome.query, now, past, timescaledb=timescaledb)
            for outcome in timing.slowest[:EXPLAINED]
            if not outcome.faults
        }
        found.append(structs.replace(timing, reasons=reasons))
    return found


def main() -> None:
    """Make, ask, print; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000, help="one-minute bins to make")
    parser.add_argument(
        "--level",
        choices=["plain", "apache", "community"],
        action="append",
        help="of the database; plain and apache in turn when left out",
    )
    parser.add_argument("--repeat", type=int, default=20, help="warm runs of each query, after a cold one")
    parser.add_argument(
        "--keep", action="store_true", help="leave the bins for the next run, or ask those that a run before has left"
    )
    parser.add_argument("--page", type=Path, help="write the tables into this page, docs/performance.md")
    arguments = parser.parse_args()
    site = load_site(DEFAULT_SITE)
    found_all: list[Timing] = []
    for level in arguments.level or ["plain", "apache"]:
        if level == "community":
            found = community(site, arguments.rows, arguments.repeat)
        else:
            make_kept(level, site, arguments.rows)
            found = ask(level, site, arguments.repeat)
        for timing in found:
            report(timing)
        found_all += found
        if not arguments.keep and level != "community":
            shutil.rmtree(server(level, SERVING)[1], ignore_errors=True)
    if arguments.page is not None:
        table(arguments.page, found_all)
    print(json.dumps([timing.as_json() for timing in found_all]))


if __name__ == "__main__":
    main()
