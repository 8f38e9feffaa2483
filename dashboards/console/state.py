"""What the database held a moment ago: one query set a second for all open pages, and who is told of it.

A database that is away does not end anything: the last snapshot stays, with since when it is the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

import psycopg
import stamina
import structlog
from msgspec import Struct

from config.thresholds import ConsoleThresholds
from storage.readers import ControllerRows, DeviceRow, LaneRow, LedgerRow, MinuteRow, Reader, ReasonRow

log = structlog.get_logger(__name__)

POLL_S = 1.0
REFRESH_MOST_S = 4.0  # a server that hangs is as away as one that refuses
RETRY_FIRST_S = 0.25
RETRY_MOST_S = 2.0

MINUTE = timedelta(minutes=1)
SHORT_MINUTES = 15
LONG_MINUTES = 60
HISTORY_MINUTES = 60
SIGNAL_MINUTES = 30
SIGNAL_READ_MINUTES = 45  # a whole tick and a long cycle before
ASPECT_MINUTES = 5  # a phase that showed nothing new for longer is not said to show anything


class Snapshot(Struct, frozen=True):
    """One moment of the database.

    Attributes:
        taken_at: When it was read.
        devices: Every active device.
        lanes: What is counted, by number.
        minutes: The bins of the last minutes, by lane number and in order of time.
        ledger_short: By source over the last 15 minutes.
        ledger_long: By source over the last 60 minutes.
        letters: Dead letters of the last 60 minutes by reason.
        histories: The last hour of the lanes that a page shows.
        signals: The last half hour of the controllers that a page shows, by name.
        query_ms: What reading it took.
    """

    taken_at: datetime
    devices: tuple[DeviceRow, ...]
    lanes: dict[int, LaneRow]
    minutes: dict[int, tuple[MinuteRow, ...]]
    ledger_short: tuple[LedgerRow, ...]
    ledger_long: tuple[LedgerRow, ...]
    letters: tuple[ReasonRow, ...]
    histories: dict[int, tuple[MinuteRow, ...]]
    signals: dict[str, ControllerRows]
    query_ms: float

    @property
    def newest_at(self) -> datetime | None:
        """When the newest committed message arrived."""
        return max((d.last_received_at for d in self.devices if d.last_received_at is not None), default=None)


def minute_of(moment: datetime) -> datetime:
    """The begin of its minute."""
    return moment.replace(second=0, microsecond=0)


def by_lane(rows: Iterable[MinuteRow]) -> dict[int, tuple[MinuteRow, ...]]:
    """Bins by lane number, their order kept."""
    found: defaultdict[int, list[MinuteRow]] = defaultdict(list)
    for row in rows:
        found[row.lane_id].append(row)
    return {lane: tuple(bins) for lane, bins in found.items()}


def look_back(thresholds: ConsoleThresholds) -> timedelta:
    """How far back the map and the device table need bins."""
    oldest_s = max(thresholds.link_stale.value + 60 * thresholds.link_window.value, thresholds.minute_late.value)
    return timedelta(seconds=oldest_s) + 2 * MINUTE


async def take(
    reader: Reader, now: datetime, back: timedelta, watched: Iterable[int], controllers: Iterable[str] = ()
) -> Snapshot:
    """Read one moment of the database.

    Args:
        reader: Of the site.
        now: The console's clock.
        back: How far back the bins of all lanes are wanted.
        watched: Lanes of which the last hour is wanted.
        controllers: Controllers of which the signals are wanted.

    Raises:
        psycopg.Error: It cannot be read.
    """
    began = time.perf_counter()
    minute = minute_of(now)
    async with reader.snapshot():
        devices = await reader.devices()
        lanes = {lane.lane_id: lane for lane in await reader.lanes()}
        until = minute + MINUTE
        minutes = await reader.minutes(list(lanes), minute_of(now - back), until)
        short = await reader.ledger(until - SHORT_MINUTES * MINUTE)
        long = await reader.ledger(until - LONG_MINUTES * MINUTE)
        letters = await reader.dead_letters(until - LONG_MINUTES * MINUTE)
        shown = [lane for lane in watched if lane in lanes]
        histories = by_lane(await reader.minutes(shown, minute - HISTORY_MINUTES * MINUTE, until)) if shown else {}
        signals = {
            name: await reader.controller(name, now - SIGNAL_READ_MINUTES * MINUTE, now - ASPECT_MINUTES * MINUTE, until)
            for name in controllers
        }
    return Snapshot(
        taken_at=now,
        devices=devices,
        lanes=lanes,
        minutes=by_lane(minutes),
        ledger_short=short,
        ledger_long=long,
        letters=letters,
        histories={lane: histories.get(lane, ()) for lane in shown},
        signals=signals,
        query_ms=1000 * (time.perf_counter() - began),
    )


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Watch:
    """Keeps the snapshot fresh and tells the pages.

    Attributes:
        thresholds: What is old and slow.
        snapshot: The last one; None before the first.
        failing_since: Since when the database has been away; None while it answers.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Reader]],
        thresholds: ConsoleThresholds,
        *,
        clock: Callable[[], datetime] = utc_now,
        poll_s: float = POLL_S,
    ) -> None:
        """Watch the database behind `connect`; nothing is connected yet."""
        self.thresholds = thresholds
        self.clock = clock
        self.snapshot: Snapshot | None = None
        self.failing_since: datetime | None = None
        self._connect = connect
        self._poll_s = poll_s
        self._back = look_back(thresholds)
        self._reader: Reader | None = None
        self._pages: dict[object, Callable[[], None]] = {}
        self._shown: dict[object, int] = {}
        self._controllers: dict[object, str] = {}
        self._wanted = asyncio.Event()
        self._told_at = 0.0

    def join(self, page: object, tell: Callable[[], None]) -> None:
        """Call `tell` after every change, and once a second at least."""
        self._pages[page] = tell

    def leave(self, page: object) -> None:
        """The page is closed."""
        self._pages.pop(page, None)
        self._shown.pop(page, None)
        self._controllers.pop(page, None)

    def show(self, page: object, lane: int) -> None:
        """The page shows this lane's last hour from now on; it is read at once."""
        self._shown[page] = lane
        self._wanted.set()

    def show_signals(self, page: object, controller: str) -> None:
        """The page shows this controller's signals from now on; they are read at once."""
        self._controllers[page] = controller
        self._wanted.set()

    async def run(self) -> None:
        """Refresh and tell until cancelled."""
        beat = asyncio.create_task(self._beat())
        try:
            while True:
                await self._refresh()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), self._poll_s)
                self._wanted.clear()
        finally:
            beat.cancel()
            await self._drop()

    async def _refresh(self) -> None:
        """Take a snapshot, however often the database has to be asked."""
        snapshot = self.snapshot
        async for attempt in stamina.retry_context(
            on=(psycopg.Error, OSError, TimeoutError),
            attempts=None,
            timeout=None,
            wait_initial=RETRY_FIRST_S,
            wait_max=RETRY_MOST_S,
            wait_jitter=RETRY_FIRST_S,
        ):
            with attempt:
                try:
                    async with asyncio.timeout(REFRESH_MOST_S):
                        if self._reader is None:
                            self._reader = await self._connect()
                        snapshot = await take(
                            self._reader, self.clock(), self._back, set(self._shown.values()), set(self._controllers.values())
                        )
                except (psycopg.Error, OSError, TimeoutError) as error:
                    await self._drop()
                    self._fail(error)
                    raise
        if self.failing_since is not None:
            log.info("database.back", away_s=round((self.clock() - self.failing_since).total_seconds(), 1))
            self.failing_since = None
        self.snapshot = snapshot
        self._tell()

    def _fail(self, error: BaseException) -> None:
        if self.failing_since is None:
            # The figures on the page are as of the last snapshot: that is since when they are old.
            self.failing_since = self.snapshot.taken_at if self.snapshot is not None else self.clock()
            log.warning("database.away", error=f"{type(error).__name__}: {error}".strip())
            self._tell()

    async def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            with contextlib.suppress(psycopg.Error, OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await reader.close()

    async def _beat(self) -> None:
        """A page that hears nothing for seconds says that it is cut off; so it hears something, database or not."""
        while True:
            await asyncio.sleep(self._poll_s / 2)
            if time.monotonic() - self._told_at >= self._poll_s:
                self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        for page, tell in list(self._pages.items()):
            try:
                tell()
            except Exception:
                # One page that cannot be drawn must not blind the others.
                log.exception("page.failed")
                self.leave(page)
