"""How well cameras and loops agree, as the views have it."""

from __future__ import annotations

from typing import Any

import psycopg

from config.thresholds.agreement import AgreementThresholds
from processors.agreement import Agreement
from storage.queries import queries

_SQL = queries("agreement")


def agreements(connection: psycopg.Connection[Any], site: str, t: AgreementThresholds, now_us: int) -> list[Agreement]:
    """Every lane of a site that a loop and a camera both count."""
    rows = connection.execute(
        _SQL["agreements"],
        {
            "site": site,
            "now_us": now_us,
            "history": t.history.value,
            # The newest whole quarter began up to two quarters ago.
            "window_s": (t.quarters.value + 1) * 900,
            "least": t.history_least.value,
        },
    )
    return [Agreement(*row) for row in rows]
