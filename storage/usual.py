"""What a lane usually does in a quarter of an hour of a weekday: made once a day from its bins of 15 minutes."""

from __future__ import annotations

from typing import Any

import psycopg

from config.thresholds import UsualThresholds
from storage.queries import queries

_SQL = queries("usual")


def make_usual(connection: psycopg.Connection[Any], thresholds: UsualThresholds) -> bool:
    """Make it if nobody has today (by the site's calendar); safe to repeat and beside the pipeline.

    Args:
        connection: As a member of `subak_writer`, autocommit on.
        thresholds: How many weeks count, and what a bin must be like.

    Returns:
        Whether it was made by this call.
    """
    with connection.transaction():
        claimed = connection.execute(_SQL["claim"]).fetchone()
        if claimed is None:
            return False
        values = {
            "made_on": claimed[0],
            "weeks": int(thresholds.weeks.value),
            "good_minutes": int(thresholds.good_minutes.value),
        }
        connection.execute(_SQL["forget"], values)
        connection.execute(_SQL["clear"])
        connection.execute(_SQL["make"], values)
    return True
