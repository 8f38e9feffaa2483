"""Every query of the boards as Grafana would send it, on each database level filled through the pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg
import pytest

from config.site import Site
from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.check import check_queries
from dashboards.grafana.macros import Window
from dashboards.grafana.queries import Purpose, boards, of_board
from dashboards.grafana.run import Outcome, choose, connect, run_queries
from dashboards.preview.app import load
from storage.migrate import migrate
from storage.site import save_site
from subak.embedded.ports import LOOPBACK, free_port
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


def numbers(url: str) -> set[tuple[str, str, Any]]:
    """Every number that a panel of the boards shows, with its board and column."""
    now = datetime.now(UTC)
    return {
        (path.stem, name, value)
        for path, board in english()
        for panel in load(url, board, {}, now).panels
        for answer in panel.answers
        for row in answer.rows
        for (name, _), value in zip(answer.columns, row, strict=True)
        if isinstance(value, int | float | Decimal)
    }


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

    def test_a_database_that_was_just_made(self, plain_database: Database) -> None:
        with psycopg.connect(plain_database.url) as connection:
            migrate(connection, SITE.general.timezone)

        assert [] == told(check_queries(plain_database.url, PROVISIONING, datetime.now(UTC)))
        # Of nothing there is no number, but that no alert is open.
        assert {("wall", "critical", 0), ("wall", "warning", 0)} == numbers(plain_database.url)

    def test_a_site_without_cameras_signs_and_sensors(self, plain_database: Database) -> None:
        bare = {"cameras": (), "signs": (), "network_links": (), "access_points": (), "applications": (), "corridors": ()}
        with psycopg.connect(plain_database.url) as connection:
            migrate(connection, SITE.general.timezone)
            save_site(connection, Site.model_validate({**SITE.model_dump(), **bare}))

        outcomes = check_queries(plain_database.url, PROVISIONING, datetime.now(UTC))

        assert [] == told(outcomes)
        fields = [o.query.where for o in outcomes if o.rows and o.query.purpose is Purpose.PANEL]
        assert [] == [
            where for where in fields if where.partition("/")[2].startswith(("cameras ", "signs ", "city ", "corridor "))
        ]

    def test_a_data_source_that_is_dead(self) -> None:
        url = f"postgresql://postgres@{LOOPBACK}:{free_port()}/subak"
        for _, board in boards(PROVISIONING):
            shown = load(url, board, {}, datetime.now(UTC))
            assert "refused" in shown.error
            assert {(), "–"} == {part for panel in shown.panels for part in (panel.answers, panel.error)}
        with pytest.raises(psycopg.OperationalError, match="refused"):
            check_queries(url, PROVISIONING, datetime.now(UTC))

    def test_nobody_can_write_through_it(self, plain_database: Database) -> None:
        Bench(plain_database.url)
        with connect(plain_database.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM subak.site")
