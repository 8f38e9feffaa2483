"""The one transaction: readings, bins, events, dead letters and ledger of a batch, all or nothing.

Rows go straight into their table by binary COPY. COPY cannot skip what is known already; where a key repeats, the rows are
staged instead and merged with `ON CONFLICT DO NOTHING`, and so are the next batches, since repetition comes in bouts.
"""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, LiteralString

import psycopg
from msgspec import Struct
from msgspec.structs import astuple
from psycopg.copy import AsyncLibpqWriter

from ingest.readings import US, DeadLetter, LaneReading, PresenceChange
from processors.bins import BIN_US, LaneBin
from processors.intake import Heard
from processors.ledger import Ledger
from processors.sequence import SequenceState, Stream
from processors.signal_progress import Progress
from storage.capability import Level
from storage.errors import StaleWriterError
from storage.queries import queries
from storage.runs import Run, hold
from storage.series import SERIES, Row, Series
from storage.signals import Quantity, SignalRows

DAY_US = 86_400 * US
QUARTER_US = 900 * US
LONGEST_US = 3600 * US  # of a reading
STAGED_AFTER_A_REPEAT = 20  # batches
AHEAD_BYTES = (
    16 << 20
)  # of a COPY: given away at once, so that the database never waits while the door decides about the next batch
_SQL = queries("writer")
_SIGNALS = queries("signals")
_STAGES = (*(series.table for series in SERIES.values()), "lane_1min")
_ROLLUPS: dict[Level, tuple[LiteralString, ...]] = {
    Level.PLAIN: (_SQL["rollup_lane_15min"], _SQL["rollup_lane_1h"], _SQL["rollup_lane_1d"]),
    Level.APACHE: (_SQL["rollup_lane_15min"], _SQL["rollup_lane_1h"], _SQL["rollup_lane_1d"]),
    Level.COMMUNITY: (_SQL["mark_late_days"],),
}

_FIRST = operator.itemgetter(0)

Key = tuple[int | str, ...]


class Remembered(Struct, frozen=True):
    """What a pipeline must know again when it starts; bins are rebuilt from raw rows instead.

    Attributes:
        closed_until_us: Up to where bins are final, by device.
        sequences: Where the sequences stand.
        presences: What devices last said of themselves.
        signals: How far controllers are measured.
    """

    closed_until_us: dict[int, int]
    sequences: dict[Stream, SequenceState]
    presences: dict[int, str]
    signals: dict[int, Progress]


class Writer:
    """A connection that writes batches; one transaction at a time."""

    def __init__(
        self, connection: psycopg.AsyncConnection[Any], level: Level, timezone: str, units: Mapping[tuple[str, str], str]
    ) -> None:
        """Use `connect` instead, which also prepares the session."""
        self._connection = connection
        self._level = level
        self._timezone = timezone
        self._types: dict[str, list[int]] = {}
        self._days: set[int] = set()
        self._repeats = 0
        self._units = units
        self._quantities: dict[Quantity, int] = {}

    @classmethod
    async def connect(
        cls,
        url: str,
        level: Level,
        timezone: str,
        units: Mapping[tuple[str, str], str] = MappingProxyType({}),
        run: Run | None = None,
    ) -> Writer:
        """Connect and make the session's stage tables.

        Args:
            url: libpq URL.
            level: What `storage.capability.probe` found.
            timezone: IANA zone of the site's days.
            units: Of signal measures by measure and name.
            run: That this writer is a part of; None when it is of none that could be in the way of another.

        Raises:
            psycopg.OperationalError: The database cannot be reached.
            OtherRunError: Another run is at work.
        """
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        writer = cls(connection, level, timezone, units)
        try:
            if run is not None:
                await hold(connection, run)
            await writer._prepare()
        except BaseException:
            await connection.close()
            raise
        return writer

    async def _prepare(self) -> None:
        for table in _STAGES:
            await self._connection.execute(_SQL[f"stage_{table}"])
            cursor = await self._connection.execute(_SQL["column_types"], (f"pg_temp.stage_{table}",))
            self._types[table] = [row[0] for row in await cursor.fetchall()]

    async def close(self) -> None:
        """Close the connection; a transaction under way is rolled back."""
        await self._connection.close()

    async def last_batch(self, writer: str) -> tuple[int, str]:
        """Number of the last batch that `writer` committed, 0 when there is none, and the process that did."""
        cursor = await self._connection.execute(_SQL["last_batch"], (writer,))
        row = await cursor.fetchone()
        return (int(row[0]), str(row[1])) if row else (0, "")

    async def remembered(self) -> Remembered:
        """What the database remembers of the devices."""
        feeds = await self._connection.execute(_SQL["feeds"])
        closed_until_us = dict(await feeds.fetchall())
        sequences = await self._connection.execute(_SQL["sequences"])
        states = {
            (device, stream): SequenceState(last, time_us, tuple((gap.lower, gap.upper - 1) for gap in missing))
            for device, stream, last, time_us, missing in await sequences.fetchall()
        }
        presences = await self._connection.execute(_SQL["presences"])
        progress = await self._connection.execute(_SIGNALS["progress"])
        signals = {device: Progress(*times_us) for device, *times_us in await progress.fetchall()}
        return Remembered(closed_until_us, states, dict(await presences.fetchall()), signals)

    @asynccontextmanager
    async def transaction(self, writer: str, batch: int, process: str) -> AsyncIterator[Transaction]:
        """The transaction of batch number `batch` of `writer`, run by `process`; commits at the end of the block.

        Its first statement locks the writer's row, so that two processes of one name take turns.

        Raises:
            StaleWriterError: The last batch of `writer` is not the one before: what we remember may be out of date.
        """
        try:
            async with self._connection.transaction():
                await self._take_turn(writer, batch, process)
                self._repeats = max(0, self._repeats - 1)
                yield Transaction(self)
        except BaseException:
            # Partitions made in it are gone with it, and so are numbers of measures.
            self._days.clear()
            self._quantities.clear()
            raise

    async def _take_turn(self, writer: str, batch: int, process: str) -> None:
        cursor = await self._connection.execute(_SQL["save_batch"], (writer, batch, process))
        if cursor.rowcount != 1:
            raise StaleWriterError

    async def _copy(self, target: str, table: str, rows: Sequence[Row]) -> None:
        statement = f"COPY {target} FROM STDIN (FORMAT BINARY)"
        async with (
            self._connection.cursor() as cursor,
            cursor.copy(statement, writer=AsyncLibpqWriter(cursor, flush_threshold=AHEAD_BYTES)) as copy,
        ):
            copy.set_types(self._types[table])
            for row in rows:
                await copy.write_row(row)

    async def _ensure_days(self, times_us: Iterable[int]) -> None:
        for day in sorted({time_us // DAY_US for time_us in times_us} - self._days):
            await self._connection.execute(_SQL["ensure_day"], (datetime.fromtimestamp(day * 86_400, UTC).date(),))
            self._days.add(day)


class _RepeatsError(Exception):
    """Some of the staged rows are known already: back to the savepoint.

    Not `psycopg.Rollback`, which comes through as itself when the connection is lost on the way back, and is no database error.
    """


class Transaction:
    """What may be done inside one batch."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._connection = writer._connection  # noqa: SLF001 - two halves of one thing

    async def store(self, series: Series, records: Sequence[Any]) -> set[Key] | None:
        """Store raw records that are not known yet.

        Returns:
            The keys of those that were new, or None when all were.
        """
        writer = self._writer
        await writer._ensure_days(map(series.time_us, records))  # noqa: SLF001
        if series.straight is not None and writer._repeats == 0:  # noqa: SLF001
            if await self._copy_straight(series.table, sorted(map(series.straight, records), key=_FIRST)):
                return None
            # Redelivery and repetition come in bouts.
            writer._repeats = STAGED_AFTER_A_REPEAT  # noqa: SLF001
        await writer._copy(f"stage_{series.table}", series.table, [series.row(record) for record in records])  # noqa: SLF001
        insert = _SQL[f"insert_{series.table}"]
        # Nearly always all are new; only when they are not is it worth asking which.
        try:
            async with self._connection.transaction():
                await self._insert_all(insert, len(records))
        except _RepeatsError:
            cursor = await self._connection.execute(f"{insert} {_SQL[f'keys_{series.table}']}")
            return set(await cursor.fetchall())
        return None

    async def _insert_all(self, insert: LiteralString, count: int) -> None:
        cursor = await self._connection.execute(insert)
        if cursor.rowcount != count:
            raise _RepeatsError

    async def _copy_straight(self, table: str, rows: Sequence[Row]) -> bool:
        """COPY into the table itself, a third of the work of staging; False, and nothing done, when a key is known already."""
        try:
            async with self._connection.transaction():
                await self._writer._copy(f"subak.{table}", table, rows)  # noqa: SLF001
        except psycopg.errors.UniqueViolation:
            return False
        return True

    async def touching(
        self, lanes: Mapping[int, Sequence[int]], keys: Collection[tuple[int, int]]
    ) -> dict[tuple[int, int], list[LaneReading]]:
        """All stored readings that touch some device-minutes.

        Args:
            lanes: Lane numbers by device.
            keys: Devices and begins of minutes, µs.
        """
        pairs = [(lane, minute) for device, minute in keys for lane in lanes[device]]
        found: dict[tuple[int, int], list[LaneReading]] = {key: [] for key in keys}
        device_of = {lane: device for device, _ in keys for lane in lanes[device]}
        cursor = await self._connection.execute(
            _SQL["touching"],
            {
                "lanes": [lane for lane, _ in pairs],
                "minutes": [minute for _, minute in pairs],
                "since": min(minute for _, minute in keys) - LONGEST_US,
                "until": max(minute for _, minute in keys) + BIN_US,
            },
        )
        async for row in cursor:
            found[device_of[row[1]], row[0]].append(LaneReading(*row[1:]))
        return found

    async def reaching(self, lanes: Mapping[int, Sequence[int]], minutes_us: Mapping[int, int]) -> dict[int, int]:
        """How far the stored readings of some devices reach, as far as it is beyond a minute of each.

        Args:
            lanes: Lane numbers by device.
            minutes_us: The minutes' begins, by device.

        Returns:
            By device: the latest begin of a reading, or end of one that touches several minutes, µs.
        """
        pairs = [(lane, minute) for device, minute in minutes_us.items() for lane in lanes[device]]
        device_of = {lane: device for device in minutes_us for lane in lanes[device]}
        cursor = await self._connection.execute(
            _SQL["reaching"],
            {
                "lanes": [lane for lane, _ in pairs],
                "minutes": [minute for _, minute in pairs],
                "since": min(minutes_us.values()) - LONGEST_US,
            },
        )
        found: dict[int, int] = {}
        async for lane, until_us in cursor:
            device = device_of[lane]
            found[device] = max(until_us + 1, found.get(device, 0))
        return found

    async def bins(self, bins: Sequence[LaneBin]) -> None:
        """Store bins that changed, and the rollups that hold the final ones."""
        writer = self._writer
        await writer._ensure_days(lane_bin.start_us for lane_bin in bins)  # noqa: SLF001
        await writer._copy("stage_lane_1min", "lane_1min", sorted(map(astuple, bins), key=_FIRST))  # noqa: SLF001
        await self._connection.execute(_SQL["upsert_lane_1min"])
        final = [lane_bin.start_us for lane_bin in bins if lane_bin.final]
        if final:
            values = {**quarters(min(final), max(final)), "timezone": writer._timezone}  # noqa: SLF001
            for statement in _ROLLUPS[writer._level]:  # noqa: SLF001
                await self._connection.execute(statement, values)

    @property
    def signals(self) -> SignalRows:
        """What may be done with signal measures."""
        return SignalRows(self._connection, self._writer._quantities, self._writer._units)  # noqa: SLF001

    async def presence(self, changes: Sequence[PresenceChange]) -> None:
        """Store changes of presence."""
        await self._many("insert_presence", [(c.device, c.received_us, c.state) for c in changes])

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> int:
        """Keep dead letters; returns how many rows there are now of them."""
        return await self._many(
            "insert_dead_letter",
            [(d.received_us, d.source, d.topic, d.payload, d.size, d.reason, d.detail, d.partial) for d in letters],
        )

    async def ledger(self, ledger: Ledger) -> None:
        """Add the batch's counts."""
        await self._all_at_once(
            "add_ledger",
            [
                (
                    source,
                    minute,
                    e.received,
                    e.stored,
                    e.duplicate,
                    e.rejected,
                    e.late,
                    e.lost,
                    e.recovered,
                    e.unkept,
                    e.unkept_partial,
                )
                for (source, minute), e in sorted(ledger.entries.items())
            ],
        )

    async def pace(self, writer: str, minutes: Sequence[Row], lag_s: float | None) -> None:
        """Tell how the pipeline kept up.

        Args:
            writer: Whose minutes.
            minutes: As in `subak.pipeline_minute`: begin (µs), batches, messages, delays and transactions (ms).
            lag_s: How far its final minutes are behind the clock now.
        """
        lag_ms = None if lag_s is None else round(lag_s * 1000)
        await self._all_at_once("add_pipeline_minute", [(writer, *minute, lag_ms) for minute in minutes])

    async def sequences(self, states: Mapping[Stream, SequenceState]) -> None:
        """Remember where the sequences stand."""
        await self._all_at_once(
            "save_sequence",
            [(device, stream, s.last, s.time_us, _ranges(s.missing)) for (device, stream), s in sorted(states.items())],
        )

    async def feeds(self, closed_until_us: Mapping[int, int]) -> None:
        """Remember up to where bins are final."""
        await self._all_at_once("save_feed", sorted(closed_until_us.items()))

    async def devices(self, heard: Mapping[int, Heard]) -> None:
        """Remember when devices were heard and what they said of themselves."""
        await self._all_at_once(
            "save_device_state",
            [(device, h.received_us, h.event_us, h.presence, h.presence_us) for device, h in sorted(heard.items())],
        )

    async def _all_at_once(self, name: str, rows: Sequence[Row]) -> None:
        """One statement over all rows, given as one array a column."""
        if rows:
            await self._connection.execute(_SQL[name], [list(column) for column in zip(*rows, strict=True)])

    async def _many(self, name: str, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        async with self._connection.cursor() as cursor:
            await cursor.executemany(_SQL[name], rows)
            return cursor.rowcount


def quarters(first_us: int, last_us: int) -> dict[str, int]:
    """From the begin of the quarter of an hour that holds a moment to the end of that which holds a later one, as `since` and `until`."""
    return {"since": first_us - first_us % QUARTER_US, "until": last_us - last_us % QUARTER_US + QUARTER_US}


def _ranges(gaps: Iterable[tuple[int, int]]) -> str:
    """Gaps as the text of an array of ranges; an array of arrays could not hold rows of different length."""
    return "{" + ",".join(f'"[{first},{last}]"' for first, last in gaps) + "}"
