"""No two collectors of one name work with different numbers of processes at the same time.

Which process a device belongs to depends on how many there are. Were there two numbers, two processes would hold the same minutes in
memory, and neither would notice. Of one number there may be several: they take turns (`storage.writer`).
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from msgspec import Struct, structs

from storage.errors import StorageError
from storage.queries import queries

_SQL = queries("runs")
LEAVE_S = 5.0  # a run that was just ended may still be leaving
LOOK_AGAIN_S = 0.1


class OtherRunError(StorageError):
    """Another collector of this name works with another number of processes."""


class Run(Struct, frozen=True):
    """A collector at work.

    Attributes:
        name: SUBAK_CLIENT_ID.
        processes: As `--collectors`.
    """

    name: str
    processes: int


async def hold(connection: psycopg.AsyncConnection[Any], run: Run) -> None:
    """Be seen as this run for as long as the connection lasts.

    Raises:
        OtherRunError: There is another.
    """
    await connection.execute(_SQL["hold_run"], structs.asdict(run))
    # Seen first, then looked: of two that come at once, at least one sees the other.
    _refuse(run, [row[0] for row in await (await connection.execute(_SQL["other_runs"], structs.asdict(run))).fetchall()])


def wait_for_others_to_leave(connection: psycopg.Connection[Any], run: Run) -> None:
    """Before anything is begun: is the way free?

    Raises:
        OtherRunError: There is another, and it stays.
    """
    deadline = time.monotonic() + LEAVE_S
    while others := [row[0] for row in connection.execute(_SQL["other_runs"], structs.asdict(run)).fetchall()]:
        if time.monotonic() > deadline:
            _refuse(run, others)
        time.sleep(LOOK_AGAIN_S)


def _refuse(run: Run, others: list[int]) -> None:
    if others:
        raise OtherRunError(
            f"a collector {run.name!r} is at work in this database with --collectors {others[0]}, and this one has {run.processes}:"
            " two processes would keep the bins of one device. Stop that one first (systemctl stop subak, or its terminal),"
            f" start this one with --collectors {others[0]}, or give it another SUBAK_CLIENT_ID and database"
        )
