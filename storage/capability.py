"""What the database at hand can do, found by one probe."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import psycopg

from storage.queries import queries

_SQL = queries("schema")


class Level(StrEnum):
    """Capability level; views, names and results are the same on all three."""

    PLAIN = "plain"
    """PostgreSQL: native partitions, our own rollups."""
    APACHE = "apache"
    """TimescaleDB, Apache edition: hypertables, our own rollups."""
    COMMUNITY = "community"
    """TimescaleDB, Community edition: continuous aggregates, columnstore, policies."""


def probe(connection: psycopg.Connection[Any]) -> Level:
    """The level of the database behind `connection`: is TimescaleDB in it, and under which licence? Changes nothing."""
    if connection.execute(_SQL["installed"]).fetchone() is None:
        return Level.PLAIN
    licence = connection.execute(_SQL["licence"]).fetchone()
    return Level.COMMUNITY if licence is not None and licence[0] == "timescale" else Level.APACHE


def offers_timescaledb(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has TimescaleDB ready and this database has not taken it yet."""
    row = connection.execute(_SQL["offered"]).fetchone()
    return row is not None and bool(row[0])
