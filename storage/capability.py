"""What the database at hand can do, found by one probe."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import psycopg


class Level(StrEnum):
    """Capability level; views, names and results are the same on all three."""

    PLAIN = "plain"
    """PostgreSQL: native partitions, our own rollups."""
    APACHE = "apache"
    """TimescaleDB, Apache edition: hypertables, our own rollups."""
    COMMUNITY = "community"
    """TimescaleDB, Community edition: continuous aggregates, columnstore, policies."""


def probe(connection: psycopg.Connection[Any]) -> Level:
    """The level of the server behind `connection`: is TimescaleDB there, and under which licence?"""
    available = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'").fetchone()
    if available is None:
        return Level.PLAIN
    licence = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    if licence is None or licence[0] is None:
        # Installed but not preloaded: the extension could not be created.
        return Level.PLAIN
    return Level.COMMUNITY if licence[0] == "timescale" else Level.APACHE
