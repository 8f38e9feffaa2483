"""The heartbeat: a batch of messages becomes one transaction, and is acknowledged after it.

Order inside a batch: the door decides about every message; storage tells which are new; the processors make bins,
ledger and sequences of them; all of it commits together; then the broker hears of it. Between batches the watermarks
go on and close minutes.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Sequence

import psycopg
import structlog
from msgspec.structs import astuple

from config.site import Kind
from config.thresholds import BinTests
from ingest.collector import Arrival, Source
from ingest.deadletters import dead_letter
from ingest.door import Admission, Disposition
from ingest.mqtt.receiver import Delivery
from ingest.readings import US
from ingest.reasons import Reason
from ingest.registry import Registry
from processors.bins import BIN_US, Key
from storage.writer import DAY_US, Transaction, Writer
from subak.durable import Durable
from subak.effects import Effect, Effects
from subak.measuring import Measuring, Meters
from subak.observer import Observer, Silent
from subak.pace import Pace, PaceMinute

log = structlog.get_logger(__name__)

PATIENCE_S = 0.5  # between two looks at the watermarks when nothing arrives


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
        meters: Meters,
        connect: Callable[[], Awaitable[Writer]],
        batch_messages: int,
        batch_delay_s: float,
        dead_letters_per_minute: int,
        transaction_most_s: float,
        lateness_s: float,
        idle_s: float,
        signal_step_s: float,
        signals_kept_days: int,
        clock_us: Callable[[], int],
        observer: Observer | None = None,
        devices: Collection[int] | None = None,
        hears: bool = True,
    ) -> None:
        """Wire the parts; nothing is connected yet.

        Args:
            name: Of this writer in the database. Two processes of one name take turns, and each reads again what the other
                has written: right, but slow.
            source: Of messages, running elsewhere.
            redact: The door's: what of a payload may be kept in a dead letter.
            registry: Numbers of the site.
            tests: That make a bin suspect.
            meters: That measure the signal controllers.
            connect: Makes a writer.
            batch_messages: Messages in one transaction at most.
            batch_delay_s: Shortest time between two transactions while messages are few.
            dead_letters_per_minute: Kept of one device and reason.
            transaction_most_s: A connection that is half open never answers: give up after this long.
            lateness_s: A bin is closed this long after its end.
            idle_s: A feed silent for longer follows the wall clock.
            signal_step_s: Signals are measured in steps of this length of the even clock.
            signals_kept_days: Signal events are kept this long, days; 0 for ever.
            clock_us: The wall clock, µs.
            observer: Is told once a batch what became of it.
            devices: Numbers of the devices whose minutes it closes, those whose messages it gets; None for all.
            hears: A message shows that its device is alive; False for what is imported.
        """
        self._name = name
        self._pace = Pace(clock_us)
        self._observer = observer or Silent()
        self._source = source
        self._redact = redact
        self._batch_messages = batch_messages
        self._batch_delay_s = batch_delay_s
        self._lateness_us = round(lateness_s * US)
        self._clock_us = clock_us
        lanes = {
            entry.number: lanes
            for entry in registry
            if (devices is None or entry.number in devices) and (lanes := registry.lanes_of(entry.number))
        }
        controllers = [entry.number for entry in registry if entry.kind is Kind.ATC]
        self._measuring = Measuring(
            meters,
            devices=[number for number in controllers if devices is None or number in devices],
            step_us=round(signal_step_s * US),
            lateness_us=self._lateness_us,
            idle_us=round(idle_s * US),
            keep_us=signals_kept_days * DAY_US,
            clock_us=clock_us,
        )
        self._effects = Effects(
            lanes=lanes,
            tests=tests,
            measuring=self._measuring,
            dead_letters_per_minute=dead_letters_per_minute,
            lateness_us=self._lateness_us,
            idle_us=round(idle_s * US),
            clock_us=clock_us,
            hears=hears,
        )
        self._durable = Durable(
            name=name, connect=connect, memory=self._effects, most_s=transaction_most_s, observer=self._observer
        )

    async def run(self) -> None:
        """Work until cancelled. What is not committed then is not acknowledged either, and comes again."""
        try:
            while True:
                arrivals = await self._source.batch(self._batch_messages, self._batch_delay_s, PATIENCE_S)
                live = not arrivals
                if arrivals:
                    live = await self.take(arrivals)
                await self.close_due(live=live)
                self._effects.sweep()
                self._observer.turned()
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of the database."""
        await self._durable.close()

    def lags_s(self) -> list[float]:
        """How far behind the clock the final minutes of every feed are, seconds; may be asked from another thread."""
        return self._effects.lags_s()

    async def take(self, arrivals: Sequence[Arrival]) -> bool:
        """Make one batch durable and acknowledge it.

        Returns:
            Whether what came is fresh; False while a backlog is read.
        """
        began = time.perf_counter()
        deliveries = [delivery for delivery, _ in arrivals]
        admissions = [admission for _, admission in arrivals]
        if any(admission.also for admission in admissions):
            # One message may speak of several devices; each accounts for it.
            spoken = [(d, a) for d, admission in arrivals for a in (admission, *admission.also)]
            await self._commit([d for d, _ in spoken], [a for _, a in spoken])
        else:
            await self._commit(deliveries, admissions)
        transaction_s = time.perf_counter() - began
        self._source.acknowledge(deliveries)
        self._pace.acknowledged(deliveries, transaction_s)
        self._observer.acknowledged(deliveries)
        newest = max((a.time_us for a in admissions if a.time_us is not None), default=None)
        return newest is None or newest >= self._clock_us() - self._lateness_us - 2 * BIN_US

    async def _commit(self, deliveries: Sequence[Delivery], admissions: list[Admission]) -> None:
        over = self._pace.over()
        try:
            effect = await self._durable.do(lambda transaction: self._write(transaction, deliveries, admissions, over))
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
        self._effects.remember(effect)
        self._pace.told(over)
        self._observer.committed(effect.intake.ledger, effect.letters)

    async def _write(
        self,
        transaction: Transaction,
        deliveries: Sequence[Delivery],
        admissions: Sequence[Admission],
        over: Sequence[PaceMinute],
    ) -> Effect:
        await self._tell_pace(transaction, over)
        return await self._effects.write(transaction, deliveries, admissions)

    async def _tell_pace(self, transaction: Transaction, over: Sequence[PaceMinute]) -> None:
        if over:
            await transaction.pace(self._name, [astuple(minute) for minute in over], max(self.lags_s(), default=None))

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

    async def close_due(self, *, live: bool) -> None:
        """Make final what the watermarks have passed."""
        due = self._effects.due(live=live)
        if due:
            over = self._pace.over()
            await self._durable.do(lambda transaction: self._close(transaction, due, over))
            self._effects.remember_final(due)
            self._pace.told(over)
        if self._measuring.ask_others():
            self._measuring.remember(await self._durable.do(self._measuring.hear_others))
        if legs := self._measuring.due(live=live):
            self._measuring.remember(await self._durable.do(lambda transaction: self._measuring.measure(transaction, legs)))

    async def _close(self, transaction: Transaction, due: Sequence[Key], over: Sequence[PaceMinute]) -> None:
        await self._tell_pace(transaction, over)
        await self._effects.write_final(transaction, due)
