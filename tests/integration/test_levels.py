"""The three database levels are what they are called, and a test can treat their servers badly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.support.databases import Database

LEVEL_VERSION = {"plain": "PostgreSQL 18.", "apache": "PostgreSQL 17.", "community": "PostgreSQL 17."}
RESTARTABLE = pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)
TIMESCALE = pytest.mark.parametrize("database", ["apache", "community"], indirect=True)

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


def test_each_level_answers_with_its_version(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT version()").fetchone()

    assert row is not None
    assert row[0].startswith(LEVEL_VERSION[database.level])


def test_a_database_is_fresh_and_empty(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchone()

    assert row == (0,)


@pytest.mark.parametrize(("database", "license_name"), [("apache", "apache"), ("community", "timescale")], indirect=["database"])
def test_timescaledb_reports_the_level_as_its_license(database: Database, license_name: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
        row = connection.execute("SHOW timescaledb.license").fetchone()

    assert row == (license_name,)


@TIMESCALE
def test_a_hypertable_cuts_time_into_chunks(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
        connection.execute("CREATE TABLE reading (time timestamptz NOT NULL, volume integer)")
        connection.execute("SELECT create_hypertable('reading', by_range('time', INTERVAL '1 day'))")
        connection.execute("INSERT INTO reading SELECT %s + n * INTERVAL '1 hour', 1 FROM generate_series(0, 71) n", [START])
        row = connection.execute("SELECT count(*) FROM show_chunks('reading')").fetchone()

    assert row == (3,)


def test_apache_has_no_continuous_aggregate(apache_database: Database) -> None:
    with psycopg.connect(apache_database.url, autocommit=True) as connection:
        make_hourly(connection)

        with pytest.raises(psycopg.errors.FeatureNotSupported):
            connection.execute(HOURLY)


def test_community_refreshes_a_continuous_aggregate(community_database: Database) -> None:
    with psycopg.connect(community_database.url, autocommit=True) as connection:
        make_hourly(connection)
        connection.execute(HOURLY)
        connection.execute("CALL refresh_continuous_aggregate('hourly', NULL, NULL)")
        rows = connection.execute("SELECT hour, volume FROM hourly ORDER BY hour").fetchall()

    assert rows == [(START, 60), (START + timedelta(hours=1), 60)]


HOURLY = """
CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
SELECT time_bucket('1 hour', time) AS hour, sum(volume) AS volume FROM reading GROUP BY 1
WITH NO DATA
"""


def make_hourly(connection: psycopg.Connection) -> None:
    """Two hours of readings, one vehicle a minute."""
    connection.execute("CREATE EXTENSION timescaledb")
    connection.execute("CREATE TABLE reading (time timestamptz NOT NULL, volume integer)")
    connection.execute("SELECT create_hypertable('reading', by_range('time', INTERVAL '1 day'))")
    connection.execute("INSERT INTO reading SELECT %s + n * INTERVAL '1 minute', 1 FROM generate_series(0, 119) n", [START])


def test_every_level_takes_a_binary_copy_staged_in_a_transaction(database: Database) -> None:
    rows = [(number, f"lane {number}") for number in range(10_000)]
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE lane (id integer PRIMARY KEY, name text)")
        connection.execute("INSERT INTO lane VALUES (7, 'was here before')")
        connection.execute("CREATE TEMPORARY TABLE staged (LIKE lane) ON COMMIT DROP")
        with connection.cursor() as cursor, cursor.copy("COPY staged FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            for row in rows:
                copy.write_row(row)
        inserted = connection.execute("INSERT INTO lane SELECT * FROM staged ON CONFLICT DO NOTHING").rowcount
        connection.commit()
        count = connection.execute("SELECT count(*) FROM lane").fetchone()

    assert (inserted, count) == (9_999, (10_000,))


def test_an_error_in_a_copy_leaves_the_connection_usable(database: Database) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE lane (id integer)")
        with (
            pytest.raises(psycopg.errors.InvalidTextRepresentation),
            connection.cursor() as cursor,
            cursor.copy("COPY lane FROM STDIN") as copy,
        ):
            copy.write(b"no number\n")

        assert connection.execute("SELECT count(*) FROM lane").fetchone() == (0,)


def test_a_large_value_and_a_second_connection_in_turn(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE frame (jpeg bytea)")
        connection.execute("INSERT INTO frame VALUES (%s)", [b"\xff" * 3_000_000])

    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT length(jpeg) FROM frame").fetchone() == (3_000_000,)


def test_what_an_abrupt_end_left_open_is_rolled_back(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE lane (id integer)")
    connection = psycopg.connect(database.url)
    connection.execute("INSERT INTO lane VALUES (1)")
    connection.close()

    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) FROM lane").fetchone() == (0,)


@RESTARTABLE
def test_a_committed_row_survives_the_killing_of_the_server(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE lane (id integer)")
        connection.execute("INSERT INTO lane VALUES (1)")
        connection.commit()
        connection.execute("INSERT INTO lane VALUES (2)")
        before = database.server.pid
        database.kill_server()
        with pytest.raises(psycopg.OperationalError):
            connection.commit()

    database.start_server()

    assert database.server.pid != before
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT id FROM lane").fetchall() == [(1,)]


@RESTARTABLE
def test_a_server_left_dead_by_a_test(database: Database) -> None:
    database.kill_server()


@RESTARTABLE
def test_runs_again_for_the_next(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@RESTARTABLE
def test_roles_end_with_their_database(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE lane (id integer)")
        # Fails at the second level or the second run if the first one's role were still there.
        connection.execute("CREATE ROLE subak_test_reader")
        connection.execute("GRANT SELECT ON lane TO subak_test_reader")


def test_community_says_why_it_can_not_be_killed(community_database: Database) -> None:
    with pytest.raises(NotImplementedError, match="levels plain and apache"):
        community_database.kill_server()
