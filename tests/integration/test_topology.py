"""The site's map and the usual of its lanes, as analysts and Grafana see them, on every level."""

from __future__ import annotations

import psycopg
import pytest

from config.site import Site
from config.thresholds import usual_thresholds
from storage.maintain import maintain
from storage.site import save_site
from storage.usual import make_usual
from tests.support.databases import Database
from tests.support.pipelines import SITE, Bench


@pytest.fixture
def bench(database: Database) -> Bench:
    """A pipeline on each level in turn."""
    if database.level == "community":
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    return Bench(database.url)


def test_the_map_is_what_the_folder_says(bench: Bench) -> None:
    assert [("badung", "Kabupaten Badung", -8.692)] == bench.rows("SELECT site, title, latitude FROM analytics.sites")
    assert [(len(SITE.junctions),)] == bench.rows("SELECT count(*) FROM analytics.junctions")
    assert [("airport-canggu", 2)] == bench.rows(
        "SELECT corridor, c.position FROM analytics.links JOIN analytics.corridors c USING (site, corridor, link) WHERE link = 'bypass-kuta-to-dewa-ruci'"
    )
    assert [([[-8.7335, 115.18], [-8.7224, 115.1842]], True)] == bench.rows(
        "SELECT geometry, length_m BETWEEN 1300 AND 1340 FROM analytics.links WHERE link = 'bypass-kuta-to-dewa-ruci'"
    )
    assert [("vms-sanur", 0)] == bench.rows(
        "SELECT device, hops FROM analytics.upstream_signs WHERE junction = 'dewa-ruci' AND approach = 'E'"
    )
    assert [(15, 3, 2)] == bench.rows("SELECT columns, rows, pages FROM analytics.signs WHERE device = 'vms-canggu'")
    assert [("dewa-ruci", "S", 4, "airport-canggu")] == bench.rows(
        "SELECT junction, approach, phase, corridor FROM analytics.approaches WHERE link = 'bypass-kuta-to-dewa-ruci'"
    )


def test_what_leaves_the_folder_leaves_the_map(bench: Bench) -> None:
    fewer = Site.model_validate({**SITE.model_dump(), "corridors": (), "signs": SITE.signs[1:]})

    with psycopg.connect(bench.url) as connection:
        save_site(connection, fewer)

    assert [(0,)] == bench.rows("SELECT count(*) FROM analytics.corridors")
    assert [(0,)] == bench.rows("SELECT count(*) FROM analytics.upstream_signs WHERE device = %s", SITE.signs[0].id)
    assert [(False,)] == bench.rows("SELECT active FROM analytics.signs WHERE device = %s", SITE.signs[0].id)


def add_quarters(bench: Bench, rows: list[tuple[int, int, float]]) -> None:
    """Weeks ago, good minutes and speed of one quarter of an hour of the first lane, through its minutes."""
    with psycopg.connect(bench.url, autocommit=True) as connection:
        for weeks, good, speed in rows:
            connection.execute("SELECT subak.ensure_day((now() - %(w)s * INTERVAL '7 days')::date)", {"w": weeks})
            connection.execute(
                """
                INSERT INTO subak.lane_1min
                SELECT 1, at, 6, 60000, 4, 45 * 60000, 60000, (%(speed)s * 10 * 4)::bigint, 4, 4, 0, 0, 0, 0, 0,
                       CASE WHEN n < %(good)s THEN 'good' ELSE 'partial' END, true, 0, now()
                FROM generate_series(0, 14) AS n,
                     LATERAL (SELECT date_bin('1 day', now(), '2026-01-05') + INTERVAL '4 hours' - %(w)s * INTERVAL '7 days' + n * INTERVAL '1 minute' AS at) AS a
                """,
                {"w": weeks, "good": good, "speed": speed},
            )
            if bench.level != "community":
                connection.execute(
                    """
                    INSERT INTO subak.lane_15min
                    SELECT 1, date_bin('1 day', now(), '2026-01-05') + INTERVAL '4 hours' - %(w)s * INTERVAL '7 days', 15, %(good)s,
                           15 - %(good)s, 0, 0, 0, 900000, 60, 15 * 45 * 60000, 900000, (%(speed)s * 600)::bigint, 60, 60, 0, 0, 0, 0, 0, 0
                    """,
                    {"w": weeks, "good": good, "speed": speed},
                )


def test_the_usual_is_the_median_of_good_quarters_of_the_last_weeks(bench: Bench) -> None:
    # Seven weeks ago is too long ago, and of three weeks ago too little was good.
    add_quarters(bench, [(1, 15, 40), (2, 12, 50), (3, 11, 90), (4, 15, 30), (7, 15, 90)])
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("DELETE FROM subak.lane_usual_made")
        made = [make_usual(connection, usual_thresholds()) for _ in range(2)]

    assert [True, False] == made
    assert [(3, 60.0, 40.0, 33.0)] == bench.rows(
        "SELECT samples, volume_median, speed_median_kmh, round(speed_p15_kmh::numeric, 1)::float FROM analytics.lane_usual"
    )
    # 04:00 UTC is noon in Bali.
    assert [("12:00:00",)] == bench.rows("SELECT slot::text FROM analytics.lane_usual")


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_maintenance_makes_it_once_a_day(bench: Bench) -> None:
    for _ in range(2):
        with psycopg.connect(bench.url, autocommit=True) as connection:
            maintain(connection, bench.level, {})

    assert [(1,)] == bench.rows("SELECT count(*) FROM subak.lane_usual_made")
