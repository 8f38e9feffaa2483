"""Alerts in the database: the tracker's memory, read and written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from processors.alerts import Alert, Audience, Changes, Key, Severity
from storage.errors import StorageError
from storage.queries import queries

_SQL = queries("alerts")

Connection = psycopg.Connection[Any]
Look = Callable[[list[Alert], dict[Key, int]], Changes]
"""Known alerts and last announcements to what changes."""


def track_alerts(connection: Connection, site: str, scope: str, look: Look, *, since_us: int, announced_since_us: int) -> Changes:
    """Let a tracker look, and keep what it says, in one transaction; trackers of one scope take turns.

    Args:
        connection: As a member of `subak_writer`.
        site: Name of the site.
        scope: What stands before the colon of the rules, `watchdog`: its alerts alone are read and touched.
        look: Of the tracker (`processors.alerts.track`).
        since_us: Alerts that are over are known again when they began at or after.
        announced_since_us: Announcements before do not matter any more.

    Returns:
        What `look` said.

    Raises:
        StorageError: The database does not know the site.
    """
    with connection.transaction():
        connection.execute(_SQL["take_turn"], {"site": site, "scope": scope})
        row = connection.execute(_SQL["site_number"], (site,)).fetchone()
        if row is None:
            raise StorageError(f"the database has no site {site!r}: run `subak migrate` with this site folder")
        known = _known(connection, row[0], scope, since_us)
        changes = look(known, _announced(connection, row[0], scope, announced_since_us))
        _save(connection, row[0], changes)
    return changes


def open_rows(connection: Connection, site: str, scope: str) -> list[tuple[Any, ...]]:
    """Open alerts of a scope: rule, device, element, severity, onset, value, threshold, detail, suppressed; the worst first."""
    return connection.execute(_SQL["open_rows"], {"site": site, "scope": scope}).fetchall()


def _known(connection: Connection, site_id: int, scope: str, since_us: int) -> list[Alert]:
    rows = connection.execute(_SQL["known"], {"site_id": site_id, "scope": scope, "since_us": since_us})
    return [
        Alert(number, rule, device, element, Audience(audience), Severity(severity), *rest)
        for number, rule, device, element, audience, severity, *rest in rows
    ]


def _announced(connection: Connection, site_id: int, scope: str, since_us: int) -> dict[Key, int]:
    rows = connection.execute(_SQL["announced"], {"site_id": site_id, "scope": scope, "since_us": since_us})
    return {(rule, device, element): last for rule, device, element, last in rows}


def _save(connection: Connection, site_id: int, changes: Changes) -> None:
    _many(
        connection,
        "update",
        (
            (
                a.end_us, a.clear_since_us, a.severity.value, a.value, a.threshold, a.detail, a.announced_us, a.suppressed,
                a.number,
            )
            for a in changes.changed
        ),
    )  # fmt: skip
    # After the ends, so that a fault which ended and began again finds its place free.
    _many(
        connection,
        "open",
        (
            (
                site_id, a.rule, a.device, a.element, a.audience.value, a.severity.value, a.onset_us, a.end_us,
                a.clear_since_us, a.value, a.threshold, a.detail, a.announced_us, a.suppressed,
            )
            for a in changes.begun
        ),
    )  # fmt: skip


def _many(connection: Connection, name: str, rows: Iterable[tuple[object, ...]]) -> None:
    found = list(rows)
    if found:
        with connection.cursor() as cursor:
            cursor.executemany(_SQL[name], found)
