"""What a batch of messages does to the database: raw rows, bins, ledger, sequences and state of the devices.

Holds what the processors know between two transactions. All of it is either as the database knows it, or absent and read again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

from msgspec import Struct

from config.thresholds import BinTests
from ingest.door import Admission
from ingest.mqtt.receiver import Delivery
from ingest.readings import US, DeadLetter, LaneReading, PresenceChange, Record, SignalEvent
from processors.bins import BIN_US, Binner, Key
from processors.intake import Heard, Intake, Presences, take_in
from processors.reach import Reaches
from processors.sampling import DeadLetterBudget
from processors.signal_progress import Progress
from processors.watermark import Watermarks
from storage.series import SERIES, Series
from storage.writer import Key as RowKey
from storage.writer import Remembered, Transaction
from subak.measuring import Measuring

HOLD_US = 180 * US  # a minute untouched for longer is dropped from memory
SWEEP_US = 5 * US  # between two looks at what to drop
TELL_US = US  # the state of devices is for people: no need to write it with every batch
CLOSE_MOST = 2_000  # device-minutes closed in one transaction


class Effect(Struct):
    """What to remember once the transaction is durable."""

    intake: Intake
    presences: list[tuple[int, PresenceChange]]
    kept: dict[tuple[int, str, int], int]
    letters: list[DeadLetter]
    untold: dict[int, Heard]
    signals: dict[int, Progress]


class Effects:
    """The processors of one site, between the door and the transaction."""

    def __init__(
        self,
        *,
        lanes: Mapping[int, Sequence[int]],
        tests: BinTests,
        measuring: Measuring,
        dead_letters_per_minute: int,
        lateness_us: int,
        idle_us: int,
        clock_us: Callable[[], int],
        hears: bool = True,
    ) -> None:
        """Know nothing yet.

        Args:
            lanes: Lane numbers by device, for the devices whose minutes are closed here.
            tests: That make a bin suspect.
            measuring: Of signal controllers.
            dead_letters_per_minute: Kept of one device and reason.
            lateness_us: A bin is closed this long after its end.
            idle_us: A feed silent for longer follows the wall clock.
            clock_us: The wall clock, µs.
            hears: A message shows that its device is alive; False for what is imported.
        """
        self._hears = hears
        self._lanes = lanes
        self._tests = tests
        self._measuring = measuring
        self._lateness_us = lateness_us
        self._idle_us = idle_us
        self._clock_us = clock_us
        self._budget = DeadLetterBudget(dead_letters_per_minute)
        self._touched: set[Key] = set()
        self._untold: dict[int, Heard] = {}
        self._told_us = 0
        self._swept_us = 0
        self.recall(Remembered({}, {}, {}, {}))

    def recall(self, known: Remembered) -> None:
        """Know what the database knows, and nothing else; bins are read when they are touched."""
        self._binner = Binner(self._lanes, self._tests)
        self._reaches = Reaches()
        self._watermarks = Watermarks(self._lateness_us, self._idle_us)
        for device in self._lanes:
            self._watermarks.open(device, known.closed_until_us.get(device), self._clock_us())
        self._sequences = dict(known.sequences)
        self._presences = Presences(known.presences)
        self._measuring.recall(known.signals)

    def lags_s(self) -> list[float]:
        """How far behind the clock the final minutes of every feed are, seconds; may be asked from another thread."""
        now_us = self._clock_us()
        return [(now_us - self._watermarks.closed_until(device)) / US for device in self._lanes]

    async def write(self, transaction: Transaction, deliveries: Sequence[Delivery], admissions: Sequence[Admission]) -> Effect:
        """The whole effect of a batch, inside its transaction."""
        new, readings, signal_events, presences = await self._store(transaction, admissions)
        for admission, is_new in zip(admissions, new, strict=True):
            if is_new:
                self._hear(admission)
        intake = take_in(admissions, [d.received_us for d in deliveries], new, self._sequences, self._watermarks.closed_until)
        await self._bin(transaction, readings)
        signals = await self._measuring.write(transaction, signal_events)
        letters = [letter for admission in admissions for letter in admission.dead]
        kept, counts = self._budget.choose(letters, intake.ledger)
        await transaction.dead_letters(kept)
        await transaction.sequences(intake.sequences)
        untold = await self._tell(transaction, intake.heard if self._hears else {})
        await transaction.ledger(intake.ledger)
        return Effect(intake, presences, counts, letters, untold, signals)

    def remember(self, effect: Effect) -> None:
        """The transaction is durable."""
        self._sequences.update(effect.intake.sequences)
        self._presences.remember(effect.presences)
        self._budget.remember(effect.kept)
        self._untold = effect.untold
        self._measuring.remember(effect.signals)

    def ended(self, *, committed: bool) -> None:
        """A transaction is over; after one that failed, what it touched is read again."""
        if not committed:
            self._binner.forget(self._touched)
        self._touched.clear()
        self._measuring.ended(committed=committed)

    def due(self, *, live: bool) -> list[Key]:
        """Device-minutes that the watermarks have passed, no more than one transaction should close."""
        return self._watermarks.due(self._clock_us(), CLOSE_MOST, live=live)

    async def write_final(self, transaction: Transaction, due: Sequence[Key]) -> None:
        """Make minutes final, inside a transaction."""
        self._touched.update(due)
        now_us = self._clock_us()
        absent = [key for key in due if not self._binner.holds(key)]
        for key in absent:
            if self._reaches.is_beyond(key):
                self._binner.load(key, (), now_us)
        await self._load(transaction, [key for key in absent if not self._reaches.is_beyond(key)], now_us)
        await transaction.bins([lane_bin for key in due for lane_bin in self._binner.bins(key, final=True)])
        until: dict[int, int] = {}
        for device, minute in due:
            until[device] = max(until.get(device, 0), minute + BIN_US)
        await transaction.feeds(until)

    def remember_final(self, due: Sequence[Key]) -> None:
        """The transaction that made them final is durable."""
        for device, minute in due:
            self._watermarks.close(device, minute)

    def sweep(self) -> None:
        """Drop minutes that nothing has touched for long, now and then."""
        now_us = self._clock_us()
        if now_us - self._swept_us >= SWEEP_US:
            self._swept_us = now_us
            self._binner.evict(now_us - HOLD_US)

    async def _store(
        self, transaction: Transaction, admissions: Sequence[Admission]
    ) -> tuple[list[bool], list[LaneReading], list[SignalEvent], list[tuple[int, PresenceChange]]]:
        """Store the raw records.

        Returns:
            Whether each message was new, that is any record of it; the lane readings that were, row by row, since a
            message may repeat some lanes of another; the signal events that were; the presences that changed.
        """
        new = [False] * len(admissions)
        owners: dict[type, list[int]] = {kind: [] for kind in SERIES}
        records: dict[type, list[Record]] = {kind: [] for kind in SERIES}
        said: list[tuple[int, PresenceChange]] = []
        readings: list[LaneReading] = []
        signal_events: list[SignalEvent] = []
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
            elif kind is SignalEvent:
                signal_events = cast("list[SignalEvent]", taken)
        changes = self._presences.changes(said)
        await transaction.presence([change for _, change in changes])
        for index, _ in changes:
            new[index] = True
        return new, readings, signal_events, changes

    def _hear(self, admission: Admission) -> None:
        start_us = -1
        for record in admission.records:
            # All lanes of a message have one period, unless it is a batch.
            if type(record) is not LaneReading or record.start_us == start_us:
                continue
            start_us = record.start_us
            if record.future:
                self._watermarks.begin(admission.source, start_us)
            else:
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
            elif self._reaches.is_beyond(key):
                binner.load(key, group, now_us)
            else:
                absent.append(key)
        await self._load(transaction, absent, now_us)
        await self._reach(transaction, touched)
        await transaction.bins(
            [lane_bin for key in touched for lane_bin in binner.bins(key, final=key[1] < self._watermarks.closed_until(key[0]))]
        )

    async def _load(self, transaction: Transaction, keys: Sequence[Key], now_us: int) -> None:
        if keys:
            for key, stored in (await transaction.touching(self._lanes, keys)).items():
                self._binner.load(key, stored, now_us)

    async def _reach(self, transaction: Transaction, keys: Collection[Key]) -> None:
        """Know how far the readings of these device-minutes' devices reach, theirs too."""
        latest: dict[int, int] = {}
        for device, minute_us in keys:
            latest[device] = max(minute_us, latest.get(device, 0))
        unknown = {device: minute_us for device, minute_us in latest.items() if not self._reaches.knows(device)}
        if unknown:
            for device, until_us in (await transaction.reaching(self._lanes, unknown)).items():
                self._reaches.extend(device, until_us)
        for device, minute_us in latest.items():
            self._reaches.extend(device, minute_us + BIN_US)


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
