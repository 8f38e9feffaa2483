"""Partitions of level plain, made by the pipeline and by maintenance at the same time."""

from __future__ import annotations

import threading

import psycopg

from storage.maintain import maintain
from storage.migrate import migrate
from tests.support.databases import Database
from tests.support.pipelines import TIMEZONE
from tests.support.waiting import until

DAY = "2026-12-24"
PARTS = "SELECT count(*) FROM pg_class WHERE relname LIKE '%_20261224' AND relkind = 'r'"


def test_of_two_that_want_the_same_day_the_second_waits_and_finds_it(plain_database: Database) -> None:
    """Bug: the second broke on a name that was taken, and the pipeline rejected a good message for it."""
    url = plain_database.url
    failures: list[psycopg.Error] = []

    def second() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            try:
                connection.execute("SELECT subak.ensure_day(%s)", [DAY])
            except psycopg.Error as error:
                failures.append(error)

    with psycopg.connect(url, autocommit=True) as looking:
        level = migrate(looking, TIMEZONE)
        with psycopg.connect(url) as first:
            first.execute("SELECT subak.ensure_day(%s)", [DAY])
            thread = threading.Thread(target=second)
            thread.start()
            until(
                lambda: looking.execute(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'subak.lane_reading'::regclass"
                ).fetchone(),
                what="the second, waiting",
            )
            first.commit()
        thread.join(20)
        assert ([], (5,)) == (failures, looking.execute(PARTS).fetchone())
        assert {} == maintain(looking, level, {})


def test_a_day_that_is_made_in_a_transaction_which_fails_is_made_by_the_next(plain_database: Database) -> None:
    with psycopg.connect(plain_database.url, autocommit=True) as connection:
        migrate(connection, TIMEZONE)
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT subak.ensure_day(%s)", [DAY])
        connection.execute("SELECT subak.ensure_day(%s)", [DAY])
        assert (5,) == connection.execute(PARTS).fetchone()
