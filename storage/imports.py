"""What an import has added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from storage.queries import queries

_SQL = queries("imports")


def imported(
    connection: psycopg.Connection[Any], devices: Sequence[int], events_us: tuple[int, int], received_us: tuple[int, int]
) -> int:
    """How many imported events were new.

    Args:
        connection: As a member of `subak_writer`.
        devices: Numbers of the controllers.
        events_us: Times of the first and the last event.
        received_us: Times of receipt of the first and the last message of the import.
    """
    row = connection.execute(
        _SQL["imported"],
        {
            "devices": list(devices),
            "first_us": events_us[0],
            "last_us": events_us[1],
            "since_us": received_us[0],
            "until_us": received_us[1],
        },
    ).fetchone()
    return 0 if row is None else int(row[0])
