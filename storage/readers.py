"""What the operators' console reads: the documented views of `analytics` alone, in bounded ranges.

The connection takes the role `subak_reader` where it may, and is read-only in any case, so that a console which was given
the pipeline's URL still cannot write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import psycopg
from msgspec import Struct

from storage.queries import queries

_SQL = queries("console")

ROLE = "subak_reader"
CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_MS = 3_000


class LaneRow(Struct, frozen=True):
    """A lane as seen by one detector of a controller or one virtual lane of a camera; fields as in `analytics.lanes`."""

    lane_id: int
    kind: str
    device: str
    detector: str
    junction: str
    approach: str
    link: str
    lane: str
    from_kerb: int


class DeviceRow(Struct, frozen=True):
    """A device; fields as in `analytics.devices`."""

    device: str
    kind: str
    title: str
    junction: str | None
    period_s: float | None
    presence: str | None
    presence_since: datetime | None
    last_received_at: datetime | None
    last_event_at: datetime | None


class MinuteRow(Struct, frozen=True):
    """One lane over one minute; fields as in `analytics.lane_1min` (veh, km/h, %)."""

    lane_id: int
    start: datetime
    volume: int | None
    speed: float | None
    occupancy: float | None
    sm: int | None
    mp: int | None
    ks: int | None
    bb: int | None
    tb: int | None
    ktb: int | None
    completeness: float
    quality: str
    final: bool
    revision: int


class LedgerRow(Struct, frozen=True):
    """Messages of one source since a minute.

    Attributes:
        device: Name; empty for topics of no known device.
        received: Messages; stored + duplicate + rejected.
        stored: Became facts.
        duplicate: Were known already.
        rejected: Became dead letters.
        late: Of the stored, those whose bin was final.
        lost: Lost upstream, as the sequence numbers show, less what was recovered.
        unkept: Dead letters beyond the device's budget: counted, not kept.
        minutes: Rows of the ledger.
        unbalanced: Rows of them that do not balance.
    """

    device: str
    received: int
    stored: int
    duplicate: int
    rejected: int
    late: int
    lost: int
    unkept: int
    minutes: int
    unbalanced: int


class ReasonRow(Struct, frozen=True):
    """Dead letters of one reason, and when the last one came."""

    reason: str
    letters: int
    last_at: datetime


class CycleRow(Struct, frozen=True):
    """A cycle of a phase; fields as in `analytics.signal_cycles`.

    Attributes:
        points: Seconds in the cycle of its arrivals.
    """

    phase: int
    start: datetime
    green: datetime | None
    yellow: datetime | None
    end: datetime
    split_s: float | None
    programmed_s: float | None
    termination: str | None
    split_failure: bool | None
    green_occupancy: float | None
    red_occupancy: float | None
    arrivals: int | None
    arrivals_on_green: int | None
    quality: str
    revision: int
    points: Sequence[float]


class AspectRow(Struct, frozen=True):
    """What a phase shows, and since when: code 1 green, 8 yellow, 9 red."""

    phase: int
    code: int
    since: datetime


class ControllerRows(Struct, frozen=True):
    """The signals of one controller over the last minutes.

    Attributes:
        done_until: Up to where it is measured; None when it never was.
        redoing: Late events wait to be measured.
        cycles: By phase and in order of time.
        aspects: By phase.
    """

    done_until: datetime | None
    redoing: bool
    cycles: tuple[CycleRow, ...]
    aspects: tuple[AspectRow, ...]


class Reader:
    """A read-only connection to one site's views."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], site: str) -> None:
        """Read `site` over an open connection."""
        self._connection = connection
        self._site = site

    @classmethod
    async def connect(cls, url: str, site: str) -> Self:
        """Connect, read-only, as `subak_reader` where the account may.

        Raises:
            psycopg.OperationalError: The database cannot be reached.
        """
        connection = await psycopg.AsyncConnection.connect(
            url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="subak-console"
        )
        try:
            await connection.execute(_SQL["be_careful"], [str(STATEMENT_TIMEOUT_MS)])
            await connection.execute(_SQL["be_the_reader"], [ROLE])
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, site)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    def snapshot(self) -> Any:  # noqa: ANN401 - psycopg's own context manager
        """Within it, all reads see the same moment of the database."""
        return self._connection.transaction()

    async def _rows(self, name: str, **values: object) -> list[tuple[Any, ...]]:
        cursor = await self._connection.execute(_SQL[name], {"site": self._site, **values})
        return await cursor.fetchall()

    async def lanes(self) -> tuple[LaneRow, ...]:
        """What is counted."""
        return tuple(LaneRow(*row) for row in await self._rows("lanes"))

    async def devices(self) -> tuple[DeviceRow, ...]:
        """Every active device."""
        return tuple(DeviceRow(*row) for row in await self._rows("devices"))

    async def minutes(self, lanes: Sequence[int], since: datetime, until: datetime) -> tuple[MinuteRow, ...]:
        """The bins of `lanes` that start in [since, until), by lane and time."""
        return tuple(MinuteRow(*row) for row in await self._rows("minutes", lanes=list(lanes), since=since, until=until))

    async def ledger(self, since: datetime) -> tuple[LedgerRow, ...]:
        """The ledger by source, of the minutes of arrival from `since` on."""
        return tuple(LedgerRow(*row) for row in await self._rows("ledger", since=since))

    async def dead_letters(self, since: datetime) -> tuple[ReasonRow, ...]:
        """Dead letters by reason, the most frequent first."""
        return tuple(ReasonRow(*row) for row in await self._rows("dead_letters", since=since))

    async def controller(self, device: str, since: datetime, aspects_since: datetime, until: datetime) -> ControllerRows:
        """The signals of a controller: cycles that begin at or after `since`, and what its phases show."""
        progress = await self._rows("signal_progress", device=device)
        done_until, redoing = progress[0] if progress else (None, False)
        cycles = await self._rows("signal_cycles", device=device, since=since)
        aspects = await self._rows("signal_aspects", device=device, since=aspects_since, until=until)
        return ControllerRows(
            done_until,
            redoing,
            tuple(CycleRow(*row) for row in cycles),
            tuple(AspectRow(*row) for row in aspects),
        )
