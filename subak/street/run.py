"""The run of a street: simulate a second, let the devices speak, send, wait for the clock."""

from __future__ import annotations

import asyncio
import heapq
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import cv2

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
from subak.street.trouble import TroubledWay, Troubles
from subak.street.truth import QUEUES_EVERY, Truth

FLUSH_EVERY = 20.0
"""Real seconds between two writes of the truth."""

REPORT_EVERY = 30.0
"""Real seconds between two lines of progress."""


LATE_PATIENCE = 1.0
"""Seconds for which a street that is late waits for its connections, in case one has just lost its line."""


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
        camera_fps: Pictures a second by camera, one where none is said; with more than one a camera counts nothing itself.
        troubles: What was asked for.
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
    camera_fps: Mapping[str, int] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=Troubles)
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class _Live:
    traffic: Traffic
    field: Field


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
        self._way = TroubledWay(site, self._way, options.troubles.devices)
        self._defects = options.troubles.defects(self._defects)
        self._incidents = (*options.incidents, *options.troubles.incidents(site, begin))
        self._truth = (
            Truth(site, options.truth, begin, self._incidents, self._defects, options.troubles) if options.truth else None
        )
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
        self._live: _Live | None = None
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
        # The pictures are small: more threads would only take cores from the others on this machine.
        cv2.setNumThreads(1)
        with Traffic(self._site, self._assumptions, options.seed, options.clock.begin, self._incidents) as traffic:
            field = Field(
                self._site,
                self._assumptions,
                traffic,
                seed=options.seed,
                frames=options.frames,
                defects=self._defects,
                camera_fps=options.camera_fps,
                troubles=options.troubles,
            )
            self._live = live = _Live(traffic, field)
            tasks = [asyncio.create_task(connection.run()) for connection in self._connections.values()]
            try:
                await self._warm_up(traffic)
                await self._go(live)
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
        if self._stop.is_set() or await self._unless_stopped([item.connected for item in self._connections.values()], 5.0):
            return
        if not self._stop.is_set():
            self._say(f"no broker at {self._options.address!r} yet; trying on")
            await self._unless_stopped([item.connected for item in self._connections.values()])

    async def _unless_stopped(self, events: Iterable[asyncio.Event], patience: float | None = None) -> bool:
        """Wait until all `events` are set; False when the street is stopped, or `patience` (s) ends, before that."""
        waiting = [asyncio.ensure_future(event.wait()) for event in events if not event.is_set()]
        if not waiting:
            return True
        everything = asyncio.ensure_future(asyncio.wait(waiting))
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            both: list[asyncio.Future[Any]] = [everything, stop]
            await asyncio.wait(both, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            return everything.done()
        finally:
            for task in (stop, everything, *waiting):
                task.cancel()

    async def _go(self, live: _Live) -> None:
        traffic = live.traffic
        self._clock = self._clock.started()
        flushed = reported = time.monotonic()
        while not self._stop.is_set() and (self._end is None or traffic.now < self._end):
            await self._keep_pace(traffic.now + 1)
            if self._stop.is_set():
                break
            self._second(live, traffic.step())
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
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), wait)
        # Connections get their turn even when the simulation lags behind the clock.
        await asyncio.sleep(0)
        # Not for a device that is down: only the simulation brings it back.
        wanted = [item for item in self._connections.values() if item.is_wanted]
        if self._clock.speed == 0:
            await self._unless_stopped(item.room for item in wanted)
        elif wait <= 0:
            # Late: rather later than buffers that fill while the line is there, since they get no turn to be sent.
            await self._unless_stopped([item.room for item in wanted if item.connected.is_set()], LATE_PATIENCE)

    def _second(self, live: _Live, second: Second) -> None:
        now = second.start + 1
        self._power(second.start)
        if self._truth is not None:
            self._truth.second(second)
            if second.start % QUEUES_EVERY == 0:
                self._truth.queues(live.traffic.queues())
        self._take(live.field.second(second), now)
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
        waiting = [asyncio.ensure_future(item.idle.wait()) for item in self._connections.values() if item.connected.is_set()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=patience.messages)
            for task in late:
                task.cancel()
        for connection in self._connections.values():
            connection.end()
        _, staying = await asyncio.wait(tasks, timeout=patience.goodbyes)
        for line in staying:
            line.cancel()
        if staying:
            await asyncio.wait(staying, timeout=0.2)

    def _confirmed(self, delivery: Delivery) -> None:
        if self._truth is not None:
            self._truth.confirmed(delivery)

    def _dropped(self, delivery: Delivery) -> None:
        self._lost += 1
        if self._truth is not None:
            self._truth.dropped(delivery)

    def _commanded(self, sign: str, payload: bytes, retained: bool) -> None:
        if self._live is None:
            return
        now = self._live.traffic.now
        self._take(self._live.field.command(sign, payload, retained=retained), now)
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
