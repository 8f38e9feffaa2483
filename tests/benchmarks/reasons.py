"""Why a query takes what it takes, as PostgreSQL accounts for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.macros import Value, Window, expand, interpolate
from dashboards.grafana.queries import Purpose, Query, boards, window_of
from dashboards.grafana.run import choose, connect


def reason(url: str, query: Query, now: datetime, past: timedelta | None, *, timescaledb: bool) -> str:
    """Planning and running apart, pages and rows read.

    Args:
        url: libpq URL.
        query: Which.
        now: End of its range.
        past: Length of the range; None for its default.
        timescaledb: As in `expand`.
    """
    with connect(url) as connection:
        window = Window(now - (past or query.past), now)
        values: dict[str, Value] = {}
        if query.purpose is not Purpose.RULE:
            name = query.where.partition(" ")[0]
            board = next(board for path, board in boards(PROVISIONING) if f"{path.parent.name}/{path.stem}" == name)
            window = window_of(board, now) if past is None else window
            values, _ = choose(connection, board, window, timescaledb=timescaledb)
        text = expand(interpolate(query.sql, values, window), window, timescaledb=timescaledb)
        row = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {text}".encode()).fetchone()
    assert row is not None
    (explained,) = row[0]
    top = explained["Plan"]
    pages = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    rows = sum(round(node["Actual Rows"] * node["Actual Loops"]) for node in _nodes(top) if "Relation Name" in node)
    return f"planning {explained['Planning Time']:.0f} + running {explained['Execution Time']:.0f} ms; {pages:,} pages, {rows:,} rows read"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)
