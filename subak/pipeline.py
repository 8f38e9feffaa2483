"""The heartbeat: a batch of messages becomes one transaction, and is acknowledged after it.

Order inside a batch: the door decides about every message; storage tells which are new; the processors make bins,
ledger and sequences of them; all of it commits together; then the broker hears of it. Between batches the watermarks
go on and close minutes.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar, cast

import psycopg
import stamina
import structlog
from msgspec import Struct

from config.thresholds import BinTests
from ingest.collector import Arrival, Source
from ingest.deadletters import dead_letter
from ingest.door import Admission, Disposition
from ingest.mqtt.receiver import Delivery
from ingest.readings import US, DeadLetter, LaneReading, PresenceChange, Record
from ingest.reasons import Reason
from ingest.registry import Registry
from processors.bins import BIN_US, Binner, Key
from processors.intake import Heard, Intake, Presences, take_in
from processors.sampling import DeadLetterBudget
from processors.watermark import Watermarks
from storage.errors import StaleWriterError
from storage.series import SERIES, Series
from storage.writer import Key as RowKey
from storage.writer import Remembered, Transaction, Writer
from subak.observer import Observer, Silent

log = structlog.get_logger(__name__)

PATIENCE_S = 0.5  # between two looks at the watermarks when nothing arrives
HOLD_US = 180 * US  # a minute untouched for longer is dropped from memory
SWEEP_US = 5 * US  # between two looks at what to drop
TELL_US = US  # the state of devices is for people: no need to write it with every batch
CLOSE_MOST = 2_000  # device-minutes closed in one transaction
RETRY_FIRST_S = 0.1
RETRY_MOST_S = 5.0

Result = TypeVar("Result")


class _Effect(Struct):
    """What to remember once the transaction is durable."""

    intake: Intake
    presences: list[tuple[int, PresenceChange]]
    kept: dict[tuple[int, str, int], int]
    letters: list[DeadLetter]
    untold: dict[int, Heard]


class Pipeline:
    """Processors and writer of one site."""

    def __init__(
        self,
        *,
        name: str,
        source: Source,
        redact: Callable[[str, bytes], bytes],
        registry: Registry,
        tests: BinTests,
        connect: Callable[[], Awaitable[Writer]],
        batch_messages: int,
        batch_delay_s: float,
        dead_letters_per_minute: int,
        transaction_most_s: float,
        lateness_s: float,
        idle_s: float,
        clock_us: Callable[[], int],
        observer: Observer | None = None,
        devices: Collection[int] | None = None,
    ) -> None:
        """Wire the parts; nothing is connected yet.

        Args:
            name: Of this writer in the database. Two processes of one name take turns, and each reads again what the other
                has written: right, but slow.
            source: Of messages, running elsewhere.
            redact: The door's: what of a payload may be kept in a dead letter.
            registry: Numbers of the site.
            tests: That make a bin suspect.
            connect: Makes a writer.
            batch_messages: Messages in one transaction at most.
            batch_delay_s: Shortest time between two transactions while messages are few.
            dead_letters_per_minute: Kept of one device and reason.
            transaction_most_s: A connection that is half open never answers: give up after this long.
            lateness_s: A bin is closed this long after its end.
            idle_s: A feed silent for longer follows the wall clock.
            clock_us: The wall clock, µs.
            observer: Is told once a batch what became of it.
            devices: Numbers of the devices whose minutes it closes, those whose messages it gets; None for all.
        """
        self._observer = observer or Silent()
        self._name = name
        self._source = source
        self._redact = redact
        self._connect = connect
        self._batch_messages = batch_messages
        self._batch_delay_s = batch_delay_s
        self._transaction_most_s = transaction_most_s
        self._lateness_us = round(lateness_s * US)
        self._clock_us = clock_us
        self._lanes = {
            entry.number: lanes
            for entry in registry
            if (devices is None or entry.number in devices) and (lanes := registry.lanes_of(entry.number))
        }
        self._idle_us = round(idle_s * US)
        self._tests = tests
        self._recall(Remembered({}, {}, {}))
        self._budget = DeadLetterBudget(dead_letters_per_minute)
        self._writer: Writer | None = None
        self._batch: int | None = None
        self._process = uuid.uuid4().hex
        self._touched: set[Key] = set()
        self._untold: dict[int, Heard] = {}
        self._told_us = 0
        self._swept_us = 0

    def _recall(self, known: Remembered) -> None:
        """Know what the database knows, and nothing else; bins are read when they are touched."""
        self._binner = Binner(self._lanes, self._tests)
        self._watermarks = Watermarks(self._lateness_us, self._idle_us)
        for device in self._lanes:
            self._watermarks.open(device, known.closed_until_us.get(device), self._clock_us())
        self._sequences = dict(known.sequences)
        self._presences = Presences(known.presences)

    async def run(self) -> None:
        """Work until cancelled. What is not committed then is not acknowledged either, and comes again."""
        try:
            while True:
                arrivals = await self._source.batch(self._batch_messages, self._batch_delay_s, PATIENCE_S)
                live = not arrivals
                if arrivals:
                    live = await self.take(arrivals)
                await self.close_due(live=live)
                self._sweep()
                self._observer.turned()
        finally:
            await self.close()

    def _sweep(self) -> None:
        now_us = self._clock_us()
        if now_us - self._swept_us >= SWEEP_US:
            self._swept_us = now_us
            self._binner.evict(now_us - HOLD_US)

    async def close(self) -> None:
        """Let go of the database."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None

    def lags_s(self) -> list[float]:
        """How far behind the clock the final minutes of every feed are, seconds; may be asked from another thread."""
        now_us = self._clock_us()
        return [(now_us - self._watermarks.closed_until(device)) / US for device in self._lanes]

    async def take(self, arrivals: Sequence[Arrival]) -> bool:
        """Make one batch durable and acknowledge it.

        Returns:
            Whether what came is fresh; False while a backlog is read.
        """
        deliveries = [delivery for delivery, _ in arrivals]
        admissions = [admission for _, admission in arrivals]
        if any(admission.also for admission in admissions):
            # One message may speak of several devices; each accounts for it.
            spoken = [(d, a) for d, admission in arrivals for a in (admission, *admission.also)]
            await self._commit([d for d, _ in spoken], [a for _, a in spoken])
        else:
            await self._commit(deliveries, admissions)
        self._source.acknowledge(deliveries)
        self._observer.acknowledged(deliveries)
        newest = max((a.time_us for a in admissions if a.time_us is not None), default=None)
        return newest is None or newest >= self._clock_us() - self._lateness_us - 2 * BIN_US

    async def _commit(self, deliveries: Sequence[Delivery], admissions: list[Admission]) -> None:
        try:
            effect = await self._durable(lambda transaction: self._write(transaction, deliveries, admissions))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(deliveries) > 1:
                # One value that the database refuses must not hold up the street: find its message.
                half = len(deliveries) // 2
                await self._commit(deliveries[:half], admissions[:half])
                await self._commit(deliveries[half:], admissions[half:])
                return
            delivery, admission = deliveries[0], admissions[0]
            log.error("message.refused", topic=delivery.topic, error=str(error))
            if admission.disposition is Disposition.REJECTED:
                raise
            await self._commit(deliveries, [self._refused(delivery, admission, error)])
            return
        self._sequences.update(effect.intake.sequences)
        self._presences.remember(effect.presences)
        self._budget.remember(effect.kept)
        self._untold = effect.untold
        self._observer.committed(effect.intake.ledger, effect.letters)

    def _refused(self, delivery: Delivery, admission: Admission, error: Exception) -> Admission:
        payload = self._redact(delivery.topic, delivery.payload)
        letter = dead_letter(admission.source, delivery.topic, payload, delivery.received_us, Reason.STORAGE_REFUSED, str(error))
        return Admission(
            admission.source,
            admission.stream,
            admission.seq,
            admission.time_us,
            [],
            [letter],
            Disposition.REJECTED,
            admission.numbers,
        )

    async def _write(self, transaction: Transaction, deliveries: Sequence[Delivery], admissions: Sequence[Admission]) -> _Effect:
        """The whole effect of a batch, inside its transaction."""
        new, readings, presences = await self._store(transaction, admissions)
        for admission, is_new in zip(admissions, new, strict=True):
            if is_new:
                self._hear(admission)
        intake = take_in(admissions, [d.received_us for d in deliveries], new, self._sequences, self._watermarks.closed_until)
        await self._bin(transaction, readings)
        letters = [letter for admission in admissions for letter in admission.dead]
        kept, counts = self._budget.choose(letters, intake.ledger)
        await transaction.dead_letters(kept)
        await transaction.sequences(intake.sequences)
        untold = await self._tell(transaction, intake.heard)
        await transaction.ledger(intake.ledger)
        return _Effect(intake, presences, counts, letters, untold)

    async def _store(
        self, transaction: Transaction, admissions: Sequence[Admission]
    ) -> tuple[list[bool], list[LaneReading], list[tuple[int, PresenceChange]]]:
        """Store the raw records.

        Returns:
            Whether each message was new, that is any record of it; the lane readings that were, row by row, since a
            message may repeat some lanes of another; the presences that changed.
        """
        new = [False] * len(admissions)
        owners: dict[type, list[int]] = {kind: [] for kind in SERIES}
        records: dict[type, list[Record]] = {kind: [] for kind in SERIES}
        said: list[tuple[int, PresenceChange]] = []
        readings: list[LaneReading] = []
        for index, admission in enumerate(admissions):
            kinds = set(map(type, admission.records))
            if len(kinds) == 1 and (kind := kinds.pop()) is not PresenceChange:
                records[kind] += admission.records
                owners[kind] += [index] * len(admission.records)
                continue
            for record in admission.records:
                if type(record) is PresenceChange:
                    said.append((index, record))
                else:
                    records[type(record)].append(record)
                    owners[type(record)].append(index)
        for kind, series in SERIES.items():
            if not records[kind]:
                continue
            fresh = await transaction.store(series, records[kind])
            taken = records[kind]
            if fresh is not None:
                owners[kind], taken = _fresh(series, owners[kind], taken, fresh)
            for index in owners[kind]:
                new[index] = True
            if kind is LaneReading:
                readings = cast("list[LaneReading]", taken)
        changes = self._presences.changes(said)
        await transaction.presence([change for _, change in changes])
        for index, _ in changes:
            new[index] = True
        return new, readings, changes

    def _hear(self, admission: Admission) -> None:
        start_us = -1
        for record in admission.records:
            # All lanes of a message have one period, unless it is a batch.
            if type(record) is LaneReading and record.start_us != start_us and not record.future:
                start_us = record.start_us
                self._watermarks.hear(admission.source, start_us, start_us + record.period_ms * 1000, record.received_us)

    async def _tell(self, transaction: Transaction, heard: Mapping[int, Heard]) -> dict[int, Heard]:
        """Write when devices were heard, once a second and whenever a presence changes.

        Returns:
            What was not written yet.
        """
        untold = dict(self._untold)
        for device, latest in heard.items():
            untold[device] = latest.after(untold.get(device))
        now_us = self._clock_us()
        if abs(now_us - self._told_us) < TELL_US and not any(latest.presence for latest in heard.values()):
            return untold
        await transaction.devices(untold)
        self._told_us = now_us
        return {}

    async def _bin(self, transaction: Transaction, readings: Sequence[LaneReading]) -> None:
        """Bring the bins that new readings touch up to date."""
        binner = self._binner
        now_us = self._clock_us()
        touched = binner.touched(readings)
        if not touched:
            return
        self._touched.update(touched)
        absent = []
        for key, group in touched.items():
            if binner.holds(key):
                binner.add(key, group, now_us)
            else:
                absent.append(key)
        await self._load(transaction, absent, now_us)
        await transaction.bins(
            [lane_bin for key in touched for lane_bin in binner.bins(key, final=key[1] < self._watermarks.closed_until(key[0]))]
        )

    async def _load(self, transaction: Transaction, keys: Sequence[Key], now_us: int) -> None:
        if keys:
            for key, stored in (await transaction.touching(self._lanes, keys)).items():
                self._binner.load(key, stored, now_us)

    async def close_due(self, *, live: bool) -> None:
        """Make final what the watermarks have passed."""
        due = self._watermarks.due(self._clock_us(), CLOSE_MOST, live=live)
        if not due:
            return

        async def close(transaction: Transaction) -> dict[int, int]:
            self._touched.update(due)
            await self._load(transaction, [key for key in due if not self._binner.holds(key)], self._clock_us())
            await transaction.bins([lane_bin for key in due for lane_bin in self._binner.bins(key, final=True)])
            until: dict[int, int] = {}
            for device, minute in due:
                until[device] = max(until.get(device, 0), minute + BIN_US)
            await transaction.feeds(until)
            return until

        await self._durable(close)
        for device, minute in due:
            self._watermarks.close(device, minute)

    async def _ready(self) -> tuple[Writer, int]:
        """A connected writer and the number of the next batch."""
        if self._writer is None:
            try:
                self._writer = await self._connect()
            except psycopg.OperationalError as error:
                self._observer.failed(error)
                raise
        if self._batch is None:
            self._batch, _ = await self._writer.last_batch(self._name)
            self._recall(await self._writer.remembered())
        return self._writer, self._batch + 1

    async def _durable(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Do `work` in one transaction, again and again until it is committed, and once only."""
        results: list[Result] = []
        async for attempt in _until_the_database_is_back():
            with attempt:
                writer, batch = await self._ready()
                if results and await writer.last_batch(self._name) == (batch, self._process):
                    # The commit had succeeded; only its answer was lost.
                    self._batch = batch
                    break
                started = time.perf_counter()
                try:
                    async with (
                        asyncio.timeout(self._transaction_most_s),
                        writer.transaction(self._name, batch, self._process) as transaction,
                    ):
                        results.append(await work(transaction))
                except BaseException as error:
                    await self._failed(writer, error)
                    raise
                finally:
                    self._touched.clear()
                self._batch = batch
                self._observer.transacted(time.perf_counter() - started)
        return results[-1]

    async def _failed(self, writer: Writer, error: BaseException) -> None:
        """What the processors hold may be ahead of the database now, or behind it; they read it again."""
        self._observer.failed(error)
        self._binner.forget(self._touched)
        if isinstance(error, StaleWriterError):
            log.warning("writer.stale", name=self._name, advice="another process runs under this SUBAK_CLIENT_ID: stop one")
            self._batch = None
        self._writer = None
        await writer.close()


def _until_the_database_is_back() -> AsyncIterator[stamina.Attempt]:
    return stamina.retry_context(
        on=(psycopg.OperationalError, psycopg.InterfaceError, StaleWriterError, TimeoutError),
        attempts=None,
        timeout=None,
        wait_initial=RETRY_FIRST_S,
        wait_max=RETRY_MOST_S,
        wait_jitter=RETRY_FIRST_S,
    ).__aiter__()


def _fresh(series: Series, owners: Sequence[int], records: Sequence[Record], keys: set[RowKey]) -> tuple[list[int], list[Record]]:
    """Those of `records` whose keys storage took, with their owners; of two alike in one batch the first is the new one."""
    their_owners: list[int] = []
    taken: list[Record] = []
    for index, record in zip(owners, records, strict=True):
        key = series.key(record)
        if key in keys:
            keys.discard(key)
            their_owners.append(index)
            taken.append(record)
    return their_owners, taken
