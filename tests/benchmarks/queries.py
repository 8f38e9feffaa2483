"""How long Grafana's queries take on many one-minute bins: `make bench-queries ROWS=3000000 ARGS="--level apache"`.

The bins are made by the database itself, a day at a time, with the rollups that the pipeline would have made of them; then every
query of the committed boards and alert rules is run at the default range of its board and over a year, as Grafana sends it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import psycopg

from config.settings import DEFAULT_SITE
from config.site import load_site
from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.check import check_queries
from dashboards.grafana.macros import Window
from dashboards.grafana.queries import Purpose, boards, of_board
from dashboards.grafana.run import Outcome, choose, connect, run_queries
from storage.maintain import maintain
from storage.migrate import migrate
from storage.site import save_site
from tests.support.databases import ApacheServer, PlainServer, Server, fresh_database

DEFAULT_GOAL_MS, YEAR_GOAL_MS = 50.0, 300.0
YEAR = timedelta(days=365)

# A plausible day: two peaks, a quiet night, and now and then a minute that is not good.
BINS: LiteralString = """
INSERT INTO subak.lane_1min
SELECT
    l.lane_id, t.start, 6, 60000, v.volume, v.volume * 90 * 60000, 60000, v.volume * (450 - v.volume * 8), v.volume,
    v.volume - v.volume / 4, v.volume / 4, 0, 0, 0, 0,
    CASE WHEN hashint4(l.lane_id * 1440 + t.minute) %% 97 = 0 THEN 'partial' ELSE 'good' END, true, 0, t.start + INTERVAL '70 seconds'
FROM generate_series(0, 1439) AS m (minute)
CROSS JOIN LATERAL (SELECT %(day)s::date::timestamptz + m.minute * INTERVAL '1 minute', m.minute) AS t (start, minute)
CROSS JOIN subak.lane l
CROSS JOIN LATERAL (
    SELECT (2 + 8 * exp(-power((m.minute - 30) / 90.0, 2)) + 9 * exp(-power((m.minute - 570) / 100.0, 2)) + l.lane_id %% 5)::int
) AS v (volume)
WHERE t.start < %(end)s
ORDER BY l.lane_id, t.start
"""
ROLLUPS: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
    ("lane_15min", "lane_1min", "date_bin('15 minutes', start, '2026-01-01 00:00+00')"),
    ("lane_1h", "lane_15min", "date_trunc('hour', start)"),
    ("lane_1d", "lane_1h", "date_trunc('day', start, 'Asia/Makassar')"),
)
SUMS: LiteralString = (
    "sum(covered_ms), sum(volume), sum(occupancy_sum), sum(occupancy_ms), sum(speed_sum), sum(speed_volume),"
    " sum(sm), sum(mp), sum(ks), sum(bb), sum(tb), sum(ktb), sum(revision)"
)
FROM_MINUTES: LiteralString = (
    "count(*), count(*) FILTER (WHERE quality = 'good'), count(*) FILTER (WHERE quality = 'partial'), 0, 0, 0"
)
FROM_ROLLUPS: LiteralString = "sum(minutes), sum(good), sum(partial), sum(suspect), sum(imputed), sum(missing)"


def fill(connection: psycopg.Connection[tuple[object, ...]], rows: int, end: datetime) -> int:
    """Bins of whole days up to `end`, and their rollups; returns how many bins there are."""
    counted = connection.execute("SELECT count(*) FROM subak.lane").fetchone()
    assert counted is not None
    days = max(1, round(rows / (int(str(counted[0])) * 1440)))
    for back in range(days, -1, -1):
        day = (end - timedelta(days=back)).date()
        connection.execute("SELECT subak.ensure_day(%s)", [day])
        connection.execute(BINS, {"day": day, "end": end})
    for target, source, bucket in ROLLUPS:
        counts = FROM_MINUTES if source == "lane_1min" else FROM_ROLLUPS
        connection.execute(
            f"INSERT INTO subak.{target} SELECT lane_id, {bucket}, {counts}, {SUMS} FROM subak.{source} GROUP BY 1, 2"
        )
    connection.execute(
        "INSERT INTO subak.device_state SELECT device_id, %(end)s, %(end)s, 'online', %(end)s FROM subak.device WHERE device_id > 0",
        {"end": end},
    )
    connection.execute(
        """
        INSERT INTO subak.ledger
        SELECT device_id, minute, 6, 6, 0, 0, 0, 0, 0, 0, 0
        FROM subak.device, generate_series(%(end)s::timestamptz - INTERVAL '7 days', %(end)s, INTERVAL '1 minute') AS minute
        WHERE device_id > 0
        """,
        {"end": end.replace(second=0, microsecond=0)},
    )
    found = connection.execute("SELECT count(*) FROM subak.lane_1min").fetchone()
    assert found is not None
    return int(str(found[0]))


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


@contextlib.contextmanager
def server_of(level: str) -> Iterator[Server]:
    """A server of one level, for as long as it is asked."""
    if level == "apache":
        apache = ApacheServer()
        try:
            apache.start()
            yield apache
        finally:
            apache.remove()
        return
    with tempfile.TemporaryDirectory(prefix="subak-bench-", ignore_cleanup_errors=True) as name:
        plain = PlainServer(Path(name) / "postgres")
        plain.start()
        try:
            yield plain
        finally:
            plain.stop()


def report(level: str, bins: int, outcomes: list[Outcome], goal_ms: float, title: str) -> dict[str, object]:
    """Print the slowest and say how many keep to the goal."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.p95_ms, reverse=True)
    within = sum(1 for outcome in outcomes if outcome.p95_ms <= goal_ms)
    print(f"\n{level}, {bins:,} bins, {title}: {within} of {len(outcomes)} within {goal_ms:.0f} ms (p95 of each)")
    print(f"{'p95 ms':>9} {'ratio':>6} {'rows':>7}  query")
    for outcome in ordered[:15]:
        print(f"{outcome.p95_ms:9.1f} {outcome.p95_ms / goal_ms:6.2f} {outcome.rows:7}  {outcome.query.where}")
    wrong = [outcome for outcome in outcomes if outcome.faults]
    for outcome in wrong:
        print(f"  fault: {outcome.query.where}: {'; '.join(outcome.faults)}"[:300])
    return {
        "level": level,
        "bins": bins,
        "range": title,
        "queries": len(outcomes),
        "within": within,
        "slowest_ms": round(ordered[0].p95_ms, 1) if ordered else None,
        "faults": len(wrong),
    }


def main() -> None:
    """Fill, ask, print; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--level", choices=["plain", "apache"], action="append")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    site = load_site(DEFAULT_SITE)
    end = datetime.now(UTC)
    results: list[dict[str, object]] = []
    for level in arguments.level or ["plain", "apache"]:
        with server_of(level) as server, fresh_database(server) as database:
            with psycopg.connect(database.url, autocommit=True) as connection:
                capability = migrate(connection, site.general.timezone)
                save_site(connection, site)
                began = time.perf_counter()
                bins = fill(connection, arguments.rows, end)
                print(f"{level}: {bins:,} bins made in {time.perf_counter() - began:.0f} s")
                began = time.perf_counter()
                maintain(connection, capability, {})
                print(f"{level}: maintenance with the usual of all lanes in {time.perf_counter() - began:.1f} s")
                connection.execute("VACUUM ANALYZE")
            timescaledb = level != "plain"
            usual = [
                outcome
                for outcome in check_queries(database.url, PROVISIONING, end, repeat=arguments.repeat, timescaledb=timescaledb)
                if "id/" not in outcome.query.where
            ]
            results.append(report(level, bins, usual, DEFAULT_GOAL_MS, "default range"))
            year = over_a_year(database.url, end, arguments.repeat, timescaledb=timescaledb)
            results.append(report(level, bins, year, YEAR_GOAL_MS, "a year"))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
