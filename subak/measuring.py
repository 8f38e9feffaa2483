"""Signal measures in the pipeline: what has become final since the last time, in a transaction of its own between the batches.

Nothing is measured out of memory: events are read back from the table, in order, when the watermark has passed them. So a row
is a function of stored events alone, whatever their way in. After a restart or a late event the measuring goes on from what it
remembered at the begin of a segment before, and what it gives out replaces what stands there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from ingest.readings import SignalEvent
from processors.signal_progress import Progress, pieces, segment_of, with_events
from processors.signal_rows import SEGMENT_US, SignalMeter
from processors.signals import Events
from processors.watermark import Watermarks
from storage.signals import Final, Span
from storage.writer import Transaction

LEG_US = 16 * SEGMENT_US  # measured of one controller in one transaction at most
SPAN_MOST_US = 32 * SEGMENT_US  # of all controllers together, unless it is one
DEVICES_MOST = (
    16  # in one transaction: at the end of a quarter of an hour all are due, and messages must not wait for all of them
)
LOOK_US = 1_000_000  # between two looks at the watermarks
ASK_US = 60_000_000  # between two looks for what other processes stored
QUIET_US = 9 * 86_400 * 1_000_000  # longer than anything stays open (7 days)

log = structlog.get_logger(__name__)


class Meters(Protocol):
    """Makes meters of the controllers of a site."""

    def begin(self, device: int, start_us: int) -> SignalMeter:
        """One that knows of nothing before `start_us`."""
        ...

    def resume(self, device: int, state: bytes) -> SignalMeter:
        """One that knows what another remembered."""
        ...


class Leg(Struct, frozen=True):
    """What is measured of one controller in one transaction.

    Attributes:
        device: Its number.
        before: How far it is measured.
        goal_us: How far it may be measured.
    """

    device: int
    before: Progress
    goal_us: int

    @property
    def is_redo(self) -> bool:
        """Whether late events are made up for."""
        return self.before.redo_from_us is not None


class _Begun(Struct):
    """A leg with where it begins; `replaces`: rows of its segments may be there; `is_silent`: it is one piece without events."""

    leg: Leg
    meter: SignalMeter
    span: Span
    replaces: bool
    is_silent: bool = False


class Measuring:
    """Progress of the controllers and, for those that go on where they stopped, their meters."""

    def __init__(
        self,
        meters: Meters,
        *,
        devices: Collection[int],
        step_us: int,
        lateness_us: int,
        idle_us: int,
        keep_us: int,
        clock_us: Callable[[], int],
    ) -> None:
        """Know nothing yet.

        Args:
            meters: Makes meters.
            devices: Controllers that are measured here.
            step_us: Measured in steps of this length of the even clock.
            lateness_us: Events are waited for this long, in event time.
            idle_us: A controller silent for longer follows the wall clock.
            keep_us: Events are kept this long; what would need older ones is not measured again. 0 for ever.
            clock_us: The wall clock, µs.
        """
        self._meters = meters
        self._devices = frozenset(devices)
        self._step_us = step_us
        self._lateness_us = lateness_us
        self._idle_us = idle_us
        self._keep_us = keep_us
        self._clock_us = clock_us
        self._looked_us = self._asked_us = 0
        self.recall({})

    def recall(self, progress: Mapping[int, Progress]) -> None:
        """Know what the database knows, and nothing else."""
        self._progress = {device: known for device, known in progress.items() if device in self._devices}
        self._standing: dict[int, tuple[int, SignalMeter]] = {}
        self._touched: set[int] = set()
        self._watermarks = Watermarks(self._lateness_us, self._idle_us)
        for device in self._devices:
            known = self._progress.get(device)
            self._watermarks.open(device, None if known is None else known.done_us, self._clock_us())

    def ended(self, *, committed: bool) -> None:
        """A transaction is over; after one that failed, meters that it moved are made again."""
        if not committed:
            for device in self._touched:
                self._standing.pop(device, None)
        self._touched.clear()

    def remember(self, progress: Mapping[int, Progress]) -> None:
        """The transaction that wrote this is durable."""
        self._progress.update(progress)

    async def write(self, transaction: Transaction, events: Iterable[SignalEvent]) -> dict[int, Progress]:
        """Hear of new events inside the transaction that stores them; of those that are late it keeps what to do again.

        Returns:
            What to remember once it is durable.
        """
        oldest_us = self._oldest_us()
        times: dict[int, list[int]] = {}
        others: dict[int, list[int]] = {}
        for event in events:
            if event.device not in self._devices:
                others.setdefault(event.device, []).append(event.time_us)
                continue
            known = self._progress.get(event.device)
            if known and event.time_us < min(oldest_us, known.begun_us):
                continue
            times.setdefault(event.device, []).append(event.time_us)
            if not event.future:
                self._watermarks.hear(event.device, event.time_us, event.time_us, event.received_us)
        changed = {}
        for device, moments in times.items():
            before = self._progress.get(device)
            after = with_events(before, moments)
            if after != before:
                changed[device] = after
        if changed:
            await transaction.signals.save_progress(changed)
        if others:
            await transaction.signals.add_late([(device, min(t), max(t)) for device, t in sorted(others.items())])
        return changed

    def ask_others(self) -> bool:
        """Whether it is time to look for events that other processes stored."""
        now_us = self._clock_us()
        if not self._devices or abs(now_us - self._asked_us) < ASK_US:
            return False
        self._asked_us = now_us
        return True

    async def hear_others(self, transaction: Transaction) -> dict[int, Progress]:
        """Take over what other processes stored, inside a transaction.

        Returns:
            What to remember once it is durable.
        """
        changed: dict[int, Progress] = {}
        oldest_us = self._oldest_us()
        for device, first_us, until_us in await transaction.signals.take_late(self._devices):
            before = changed.get(device, self._progress.get(device))
            since_us = first_us if before is None else max(first_us, min(oldest_us, before.begun_us))
            if since_us > until_us:
                continue
            moments = [since_us, until_us] if before is None else [since_us, max(since_us, min(until_us, before.done_us - 1))]
            after = with_events(before, moments)
            if after != before:
                changed[device] = after
        if changed:
            await transaction.signals.save_progress(changed)
        return changed

    def _oldest_us(self) -> int:
        return self._clock_us() - self._keep_us if self._keep_us else 0

    def due(self, *, live: bool) -> list[Leg]:
        """What one transaction should measure now; `live`: what arrives is fresh."""
        now_us = self._clock_us()
        if abs(now_us - self._looked_us) < LOOK_US:
            return []
        self._looked_us = now_us
        legs: list[Leg] = []
        total_us = 0
        for device, known in self._progress.items():
            goal_us = self._watermarks.value(device, now_us, live=live) // self._step_us * self._step_us
            if known.redo_from_us is not None:
                goal_us, since_us = known.done_us, known.redo_from_us
            elif goal_us > known.done_us:
                since_us = known.done_us
            else:
                continue
            legs.append(Leg(device, known, goal_us))
            total_us += min(goal_us - since_us, LEG_US) + (0 if device in self._standing else SEGMENT_US)
            if total_us >= SPAN_MOST_US or len(legs) >= DEVICES_MOST:
                # The rest at once, not a second later.
                self._looked_us = 0
                break
        if any(leg.is_redo or leg.goal_us - leg.before.done_us > LEG_US for leg in legs):
            self._looked_us = 0
        return legs

    async def measure(self, transaction: Transaction, legs: Sequence[Leg]) -> dict[int, Progress]:
        """Measure inside a transaction.

        Returns:
            What to remember once it is durable.
        """
        # After another process of our name has written, what we planned may be out of date.
        legs = [leg for leg in legs if self._progress.get(leg.device) == leg.before]
        if not legs:
            return {}
        self._touched.update(leg.device for leg in legs)
        store = transaction.signals
        begun = await self._begin(transaction, legs)
        events = await store.events([b.span for b in begun])
        finals: list[Final] = []
        states: list[tuple[int, int, bytes]] = []
        progress: dict[int, Progress] = {}
        replaced: list[Span] = []
        for leg in legs:
            if all(b.leg is not leg for b in begun):
                progress[leg.device] = replace(leg.before, redo_from_us=None, redo_until_us=None)
        for b in begun:
            known = await store.states_between(b.span) if b.leg.is_redo else {}
            if not b.leg.is_redo and not len(events[b.span.device]):
                await self._skip_silence(transaction, b)
            stopped_us, is_same = _run(b, events[b.span.device], known, finals, states)
            finals.append(_ahead(b, stopped_us))
            progress[b.span.device] = _after(b.leg, stopped_us, is_same=is_same)
            if progress[b.span.device].done_us == stopped_us and not is_same:
                self._standing[b.span.device] = (stopped_us, b.meter)
            else:
                self._standing.pop(b.span.device, None)
            if b.replaces:
                replaced.append(Span(b.span.device, b.span.since_us, stopped_us))
        await store.save(finals)
        for span in replaced:
            await store.drop_others(span, finals)
        await store.save_states(states)
        await store.save_progress(progress)
        return progress

    async def _skip_silence(self, transaction: Transaction, begun: _Begun) -> None:
        """Nothing comes of a silence that outlasts every open interval: years of it are one piece."""
        leg, since_us = begun.leg, begun.span.since_us
        if leg.goal_us - since_us > QUIET_US:
            last_us = await transaction.signals.last_event(leg.device, leg.goal_us)
            if last_us is None or last_us < since_us - QUIET_US:
                begun.span = Span(leg.device, since_us, segment_of(leg.goal_us))
                begun.is_silent = True

    async def _begin(self, transaction: Transaction, legs: Sequence[Leg]) -> list[_Begun]:
        """Meters where each leg begins: those that stand there, or made from what was remembered before.

        Left out are those whose late events need what is not kept any more.
        """
        begun: list[_Begun] = []
        absent: dict[int, int] = {}
        for leg in legs:
            standing = self._standing.get(leg.device)
            if leg.is_redo or standing is None or standing[0] != leg.before.done_us:
                absent[leg.device] = leg.before.redo_from_us if leg.before.redo_from_us is not None else leg.before.done_us
            else:
                begun.append(_Begun(leg, standing[1], _span(leg, leg.before.done_us), replaces=False))
        if not absent:
            return begun
        states = await transaction.signals.states(absent)
        for leg in legs:
            if leg.device not in absent:
                continue
            since_us, state = states.get(leg.device, (leg.before.begun_us, None))
            if state is None and leg.is_redo and since_us < self._oldest_us() and absent[leg.device] >= since_us + SEGMENT_US:
                log.warning(
                    "signals.too_late", device=leg.device, advice="older than SUBAK_RETENTION_DAYS__SIGNAL_EVENT: not measured"
                )
                continue
            meter = self._meters.begin(leg.device, since_us) if state is None else self._meters.resume(leg.device, state)
            begun.append(_Begun(leg, meter, _span(leg, since_us), replaces=True))
        return begun


def _span(leg: Leg, since_us: int) -> Span:
    return Span(leg.device, since_us, min(leg.goal_us, since_us + LEG_US))


def _run(
    begun: _Begun, events: Events, known: Mapping[int, bytes], finals: list[Final], states: list[tuple[int, int, bytes]]
) -> tuple[int, bool]:
    """Feed a leg's events, piece by piece, to its meter.

    Returns:
        Where it stopped, and whether it did so because from there on everything is as it was.
    """
    device, done_us = begun.span.device, begun.leg.before.done_us
    redo_until_us = begun.leg.before.redo_until_us
    span = begun.span
    for since_us, until_us in (
        [(span.since_us, span.until_us)] if begun.is_silent else pieces(span.since_us, span.until_us, done_us)
    ):
        rows = begun.meter.feed(events.between(since_us, until_us), until_us)
        segment_us = since_us // SEGMENT_US * SEGMENT_US
        finals.append(Final(device, segment_us, since_us < done_us, rows.measures, rows.cycles, rows.intervals))
        if until_us % SEGMENT_US:
            continue
        state = begun.meter.state()
        if redo_until_us is not None and until_us > redo_until_us and known.get(until_us) == state:
            return until_us, True
        states.append((device, until_us, state))
    return begun.span.until_us, False


def _ahead(begun: _Begun, stopped_us: int) -> Final:
    """Cycles that are over though their quarter of an hour is not: nobody should have to wait for them."""
    segment_us = (stopped_us - 1) // SEGMENT_US * SEGMENT_US
    return Final(begun.span.device, segment_us, begun.leg.is_redo, [], begun.meter.ahead(), [])


def _after(leg: Leg, stopped_us: int, *, is_same: bool) -> Progress:
    if not leg.is_redo:
        return replace(leg.before, done_us=stopped_us)
    if is_same or stopped_us >= leg.before.done_us:
        return replace(leg.before, redo_from_us=None, redo_until_us=None)
    return replace(leg.before, redo_from_us=stopped_us)
