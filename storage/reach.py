"""Can the database be reached right now?"""

from __future__ import annotations

import psycopg

CONNECT_S = 2
ANSWER_MS = 2_000


def unreachable(url: str) -> str | None:
    """Why the database behind `url` does not answer within some seconds; None when it does."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_S) as connection:
            connection.execute(f"SET statement_timeout = {ANSWER_MS}")
            connection.execute("SELECT")
    except psycopg.Error as error:
        return " ".join(str(error).split())
    return None
