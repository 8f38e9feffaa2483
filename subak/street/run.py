"""The run of a street: simulate a second, let the devices speak, send, wait for the clock."""

from __future__ import annotations

import asyncio
import heapq
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from config.site import Kind, Site
from ingest.mqtt.address import Address
from subak.street.assumptions import Assumptions, load_assumptions
from subak.street.clock import Clock
from subak.street.connection import Connection
from subak.street.defects import Defects
from subak.street.faults import Delivery, FaultyWay, Sent, Way, load_rates, plan_defects
from subak.street.field import Field
from subak.street.incident import Incident
from subak.street.message import Message
from subak.street.traffic import Second, Traffic
from subak.street.truth import QUEUES_EVERY, Truth

FLUSH_EVERY = 20.0
"""Real seconds between two writes of the truth."""

REPORT_EVERY = 30.0
"""Real seconds between two lines of progress."""

ROOM = 8
"""Unconfirmed messages a device may have before a run at full speed waits for it."""

@dataclass(frozen=True, slots=True)
class Patience:
    """How long the end of a run waits for the broker, in seconds.

    Attributes:
        messages: For what is still to be sent.
        goodbyes: For `shutdown` of every device.
    """

    messages: float
    goodbyes: float


STOPPED = Patience(0.6, 1.0)
"""Someone asked the street to stop and waits for it."""

DONE = Patience(30.0, 10.0)
"""The duration is over."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told.

    Attributes:
        address: Broker.
        seed: Of everything random.
        clock: When it begins and how fast time goes.
        duration: Simulated seconds from its begin; None runs until it is stopped.
        faults: Whether things go wrong.
        truth: Folder for what really happened.
        frames: Whether cameras send pictures.
        incidents: Blocked lanes.
        quiet: No progress on stderr.
    """

    address: Address
    seed: int
    clock: Clock
    duration: int | None = None
    faults: bool = False
    truth: Path | None = None
    frames: bool = True
    incidents: tuple[Incident, ...] = ()
    quiet: bool = False


class Street:
    """One run."""

    def __init__(self, site: Site, options: Options) -> None:
        self._site = site
        self._options = options
        self._clock = options.clock
        self._assumptions: Assumptions = load_assumptions()
        begin = options.clock.begin
        self._end = None if options.duration is None else begin + options.duration
        self._defects: dict[str, Defects] = {}
        self._way = Way(site)
        if options.faults:
            rates = load_rates()
            self._way = FaultyWay(site, rates, options.seed)
            self._defects = plan_defects(site, rates, options.seed, begin, options.duration)
        self._truth = Truth(site, options.truth, begin, options.incidents) if options.truth else None
        self._stop = asyncio.Event()
        self._due: list[tuple[int, int, Delivery]] = []
        self._order = count()
        self._connections = {
            device.id: Connection(
                site.name,
                device,
                options.address,
                confirmed=self._confirmed,
                dropped=self._dropped,
                commanded=self._commanded if device.kind is Kind.VMS else None,
            )
            for device in site.devices
        }
        self._traffic: Traffic | None = None
        self._field: Field | None = None
        self._lost = 0

    def stop(self) -> None:
        """End the run; may be called from a signal handler."""
        self._stop.set()

    async def run(self) -> None:
        """Run to the end of the duration, or until `stop`.

        Raises:
            ConfigError: The site cannot be simulated.
        """
        options = self._options
        with Traffic(self._site, self._assumptions, options.seed, options.clock.begin, options.incidents) as traffic:
            self._traffic = traffic
            self._field = Field(
                self._site,
                self._assumptions,
                traffic,
                seed=options.seed,
                frames=options.frames,
                defects=self._defects,
            )
            tasks = [asyncio.create_task(connection.run()) for connection in self._connections.values()]
            try:
                await self._warm_up(traffic)
                await self._go(traffic)
            finally:
                await self._leave(tasks)
                if self._truth is not None:
                    self._truth.close()

    async def _warm_up(self, traffic: Traffic) -> None:
        begun = time.monotonic()
        for _ in traffic.warm_up():
            await asyncio.sleep(0)
            if self._stop.is_set():
                return
        self._say(
            f"{len(self._connections)} devices of {self._site.name} to {self._options.address!r}; "
            f"streets filled in {time.monotonic() - begun:.1f} s"
        )
        for connection in self._connections.values():
            if not await self._wait_for(connection.connected):
                return

    async def _wait_for(self, event: asyncio.Event) -> bool:
        """Wait for a device to be connected; False when the street is stopped before."""
        waiting = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._stop.wait())]
        done, _ = await asyncio.wait(waiting, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            self._say(f"no broker at {self._options.address!r} yet; trying on")
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return not self._stop.is_set()

    async def _go(self, traffic: Traffic) -> None:
        self._clock = self._clock.started()
        flushed = reported = time.monotonic()
        while not self._stop.is_set() and (self._end is None or traffic.now < self._end):
            await self._keep_pace(traffic.now + 1)
            if self._stop.is_set():
                break
            self._second(traffic.step())
            now = time.monotonic()
            if now - flushed >= FLUSH_EVERY:
                flushed = now
                if self._truth is not None:
                    await asyncio.to_thread(self._truth.flush)
            if now - reported >= REPORT_EVERY:
                reported = now
                self._report(traffic)
        self._last_messages(traffic.now)
        self._report(traffic)

    async def _keep_pace(self, second: int) -> None:
        """Wait until the second that ends at `second` may be simulated."""
        wait = self._clock.wait(second)
        if wait > 0:
            try:
                await asyncio.wait_for(self._stop.wait(), wait)
            except TimeoutError:
                return
        await asyncio.sleep(0)
        if self._clock.speed == 0:
            while not self._stop.is_set() and any(item.pending > ROOM for item in self._connections.values()):
                await asyncio.sleep(0.002)

    def _second(self, second: Second) -> None:
        assert self._field is not None
        assert self._traffic is not None
        now = second.start + 1
        self._power(second.start)
        if self._truth is not None:
            self._truth.second(second)
            if second.start % QUEUES_EVERY == 0:
                self._truth.queues(self._traffic.queues())
        self._take(self._field.second(second), now)
        for delivery in self._way.rubbish(now):
            self._post(delivery)
        while self._due and self._due[0][0] <= now:
            self._post(heapq.heappop(self._due)[2])

    def _power(self, second: int) -> None:
        for name, defects in self._defects.items():
            for window in defects.down:
                if second == window.begin:
                    self._connections[name].down()
                elif second == window.end:
                    self._connections[name].up()

    def _take(self, messages: Iterable[Message], now: int) -> None:
        for message in messages:
            for sent in self._way.send(message, now):
                self._note(sent)

    def _note(self, sent: Sent) -> None:
        if self._truth is not None:
            self._truth.sent(sent)
        for delivery in sent.deliveries:
            heapq.heappush(self._due, (delivery.at, next(self._order), delivery))

    def _post(self, delivery: Delivery) -> None:
        self._connections[delivery.device].send(delivery)

    def _last_messages(self, now: int) -> None:
        """An orderly end holds nothing back."""
        for sent in self._way.end(now):
            self._note(sent)
        while self._due:
            self._post(heapq.heappop(self._due)[2])

    async def _leave(self, tasks: list[asyncio.Task[None]]) -> None:
        """Send what waits, say `shutdown`, and leave even when the broker does not answer."""
        patience = STOPPED if self._stop.is_set() else DONE
        end = time.monotonic() + patience.messages
        while time.monotonic() < end and any(
            item.pending for item in self._connections.values() if item.connected.is_set()
        ):
            await asyncio.sleep(0.005)
        for connection in self._connections.values():
            connection.end()
        _, late = await asyncio.wait(tasks, timeout=patience.goodbyes)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=0.2)

    def _confirmed(self, delivery: Delivery) -> None:
        if self._truth is not None:
            self._truth.confirmed(delivery)

    def _dropped(self, delivery: Delivery) -> None:
        self._lost += 1
        if self._truth is not None:
            self._truth.dropped(delivery)

    def _commanded(self, sign: str, payload: bytes, retained: bool) -> None:
        if self._field is None or self._traffic is None:
            return
        now = self._traffic.now
        self._take(self._field.command(sign, payload, retained=retained), now)
        while self._due and self._due[0][0] <= now:
            self._post(heapq.heappop(self._due)[2])

    def _report(self, traffic: Traffic) -> None:
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(traffic.now))
        sent = sum(item.sent for item in self._connections.values())
        pending = sum(item.pending for item in self._connections.values())
        lost = f", {self._lost} lost by full buffers" if self._lost else ""
        self._say(f"{clock} UTC: {traffic.vehicles()} vehicles, {sent} messages sent, {pending} waiting{lost}")

    def _say(self, text: str) -> None:
        if not self._options.quiet:
            print(f"street: {text}", file=sys.stderr, flush=True)
