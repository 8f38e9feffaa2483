"""Every query of the boards as Grafana would send it, on each database level filled through the pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest

from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.check import check_queries
from dashboards.grafana.macros import Window
from dashboards.grafana.queries import Purpose, boards, of_board
from dashboards.grafana.run import Outcome, choose, connect, run_queries
from tests.support.databases import Database
from tests.support.filling import ALERT, CYCLES, EVENT, fill
from tests.support.parts import LEVELS
from tests.support.pipelines import SITE, Bench

# What a filled database rightly has no rows for in 25 minutes: finished hours and days.
MAY_BE_EMPTY = (
    "Line counts",
    "Hitungan garis",
    "Flow by weekday and hour",
    "Arus menurut hari dan jam",
    "Vehicles a day",
    "Kendaraan per hari",
)
# What a variable may be given by an address.
HOSTILE = ("O'Brien", "'; DROP TABLE subak.site; --", "$__timeFilter(; DROP TABLE subak.site; --)", "${site}", "\\', 1) --", "")


class Filled(NamedTuple):
    """A database with 25 minutes of everything, and the time then."""

    url: str
    level: str
    now: datetime


@pytest.fixture
async def filled(database: Database) -> AsyncIterator[Filled]:
    bench = Bench(database.url)
    now = await fill(bench)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(ALERT, [SITE.controllers[2].id])
        connection.execute(EVENT, [SITE.cameras[0].id])
        connection.execute(CYCLES, [SITE.controllers[0].id])
    yield Filled(database.url, database.level, now)
    await bench.close()


def english() -> list[tuple[Any, dict[str, Any]]]:
    return [(path, board) for path, board in boards(PROVISIONING) if path.parent.name == "en"]


def told(outcomes: list[Outcome]) -> list[str]:
    return [f"{outcome.query.where}: {'; '.join(outcome.faults)}" for outcome in outcomes if outcome.faults]


class TestFilled:
    @pytest.mark.parametrize("database", LEVELS, indirect=True)
    def test_every_query_runs_and_shows_something(self, filled: Filled) -> None:
        outcomes = check_queries(
            filled.url,
            PROVISIONING,
            filled.now,
            chosen={"junction": SITE.controllers[0].junction},
            timescaledb=filled.level != "plain",
        )

        assert [] == told(outcomes)
        assert len(outcomes) > 200
        empty = [o.query.where for o in outcomes if not o.rows and o.query.purpose is Purpose.PANEL]
        assert [] == [where for where in empty if not any(name in where for name in MAY_BE_EMPTY)]

    @pytest.mark.parametrize("database", ["plain"], indirect=True)
    def test_any_range_and_any_value(self, filled: Filled) -> None:
        with connect(filled.url) as connection:
            for length in (timedelta(0), timedelta(hours=30), timedelta(days=30), timedelta(days=3653)):
                window = Window(filled.now - length, filled.now)
                for path, board in english():
                    values, _ = choose(connection, board, window)
                    assert [] == told(run_queries(connection, of_board(path, board), values, window)), length
            window = Window(filled.now - timedelta(hours=1), filled.now)
            for value in HOSTILE:
                for path, board in english():
                    names = [v["name"] for v in board["templating"]["list"] if not v["name"].startswith("fresh")]
                    outcomes = run_queries(connection, of_board(path, board), dict.fromkeys(names, value), window)
                    # The value is data: nothing is found by it. A macro in it ends the statement with a syntax error at worst.
                    assert [] == [line for line in told(outcomes) if "syntax error" not in line], value
                    rows = {outcome.rows for outcome in outcomes if outcome.query.panel in {"state-timeline", "bargauge"}}
                    assert rows <= {0}, value
        with psycopg.connect(filled.url) as connection:
            assert (1,) == connection.execute("SELECT count(*) FROM subak.site").fetchone()


class TestEmpty:
    @pytest.mark.parametrize("database", ["plain"], indirect=True)
    async def test_a_database_that_knows_no_site(self, database: Database) -> None:
        bench = Bench(database.url)
        await bench.close()
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("UPDATE subak.device SET active = false")

        assert [] == told(check_queries(database.url, PROVISIONING, datetime.now(UTC)))

    def test_nobody_can_write_through_it(self, plain_database: Database) -> None:
        Bench(plain_database.url)
        with connect(plain_database.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM subak.site")
