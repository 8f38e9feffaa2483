"""Dead letters as a technician handles them: find, look into, mark as sent again, throw away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from msgspec import Struct
from msgspec.structs import asdict

from storage.queries import queries

_SQL = queries("deadletters")

Connection = psycopg.Connection[tuple[Any, ...]]


class Letter(Struct, frozen=True):
    """One dead letter without its payload.

    Attributes:
        number: By which it is called.
        received_at: When the message came.
        device: Whose it was; `(unknown)` when the topic is nobody's.
        topic: As received.
        reason: Why it could not become facts, as in `ingest.reasons`.
        detail: What exactly.
        size: Bytes of the whole payload.
        kept: Bytes of it that are kept.
        partial: The rest of the message became facts.
        redriven: How often it was sent again.
        redriven_at: When last.
    """

    number: int
    received_at: datetime
    device: str
    topic: str
    reason: str
    detail: str
    size: int
    kept: int
    partial: bool
    redriven: int
    redriven_at: datetime | None

    @property
    def is_whole(self) -> bool:
        """The payload is kept as it was: neither cut nor with anything taken out."""
        return self.kept == self.size


class Choice(Struct, frozen=True):
    """Which dead letters; what is None does not matter.

    Attributes:
        numbers: These alone.
        reason: Of this reason.
        device: Of this device.
        since: Received at or after.
        until: Received before.
    """

    numbers: list[int] | None = None
    reason: str | None = None
    device: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def find(connection: Connection, choice: Choice, most: int | None = None) -> list[Letter]:
    """Dead letters, the newest first.

    Args:
        connection: As a reader.
        choice: Which.
        most: That many at most.
    """
    rows = connection.execute(_SQL["find"], {**asdict(choice), "most": most})
    return [Letter(*row) for row in rows]


def payload(connection: Connection, number: int) -> bytes:
    """What is kept of one; empty when there is none of that number (any more)."""
    row = connection.execute(_SQL["payload"], (number,)).fetchone()
    return b"" if row is None else bytes(row[0])


def mark(connection: Connection, number: int) -> None:
    """It was sent again just now.

    Args:
        connection: As a member of `subak_writer`.
        number: Its number.
    """
    connection.execute(_SQL["mark"], (number,))


def purge(connection: Connection, numbers: list[int]) -> int:
    """Throw away, and have the ledger count them as not kept; returns how many there were.

    Args:
        connection: As a member of `subak_writer`.
        numbers: Theirs.
    """
    return _purge(connection, numbers=numbers)


def expire(connection: Connection, days: int) -> int:
    """`purge` those that were received longer ago; returns how many there were.

    Args:
        connection: As a member of `subak_writer`.
        days: Age that is kept.
    """
    return _purge(connection, days=days)


def _purge(connection: Connection, *, numbers: list[int] | None = None, days: int | None = None) -> int:
    row = connection.execute(_SQL["purge"], {"numbers": numbers, "days": days}).fetchone()
    return 0 if row is None else int(row[0])
