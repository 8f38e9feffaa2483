"""What goes wrong with `--faults`: inside controllers, on the way to the broker, and as plain rubbish.

Nothing here touches the simulation, so the truth stays what it is; each altered message carries the names of its faults.
Drawn from the seed, so that a run with faults can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

from pydantic import Field

from config.files import Strict, load
from config.site import Controller, Site
from ingest.topics import Stream, topic
from subak.street.damage import DAMAGES, Damage
from subak.street.defects import Defects, LoopDefect, Window
from subak.street.message import Message

FILE = Path(__file__).parent / "faults.yaml"

Share = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(gt=0)]

ON_THE_WAY = frozenset({Stream.DETECTORS, Stream.EVENTS, Stream.HEALTH, Stream.METRICS})
"""Streams whose messages may come late, twice or in another order."""


class Late(Strict):
    """Messages held back by `shortest` to `longest` seconds."""

    share: Share
    shortest: Whole
    longest: Whole


class Double(Strict):
    """Messages sent again up to `longest` seconds later."""

    share: Share
    longest: Whole


class Disordered(Strict):
    """Messages that come after the next one of their stream."""

    share: Share


class Recurring(Strict):
    """Something that begins at `first`, `lasts` so long and begins again `every` so many seconds."""

    first: Whole
    every: Whole
    lasts: Whole


class Rates(Strict):
    """The file `faults.yaml`."""

    late: Late
    double: Double
    disordered: Disordered
    garbled_every: Whole
    silent: Recurring
    reboot: Recurring
    door: Recurring
    clock_ahead: Whole


@dataclass(frozen=True, slots=True)
class Delivery:
    """One publish.

    Attributes:
        at: Unix second of the simulation at which it is due.
        device: Whose connection it goes over.
        topic: Where to.
        payload: Bytes.
        qos: MQTT quality of service.
        message: What it delivers; None for rubbish.
        damage: What is wrong with rubbish.
    """

    at: int
    device: str
    topic: str
    payload: bytes
    qos: int
    message: Message | None = None
    damage: Damage | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What becomes of one message: its faults by name, and its deliveries (none when it is withheld)."""

    message: Message
    faults: tuple[str, ...]
    deliveries: tuple[Delivery, ...]


class Way:
    """The way from the devices to the broker when nothing goes wrong."""

    def __init__(self, site: Site) -> None:
        self._site = site.name

    def send(self, message: Message, now: int) -> list[Sent]:
        """What becomes of `message`, and of those that waited for it."""
        deliveries = () if message.withheld else (self._delivery(message, now),)
        return [Sent(message, message.faults, deliveries)]

    def rubbish(self, now: int) -> list[Delivery]:
        """Extra messages that no device meant to send."""
        del now
        return []

    def end(self, now: int) -> list[Sent]:
        """What still waits when the street ends."""
        del now
        return []

    def _delivery(self, message: Message, at: int) -> Delivery:
        name = topic(self._site, message.kind, message.device, message.stream)
        return Delivery(at, message.device, name, message.payload, message.qos, message)


class FaultyWay(Way):
    """The way with everything that goes wrong on it."""

    def __init__(self, site: Site, rates: Rates, seed: int) -> None:
        super().__init__(site)
        self._rates = rates
        self._random = Random(f"faults {seed}")
        self._waiting: dict[tuple[str, Stream], Message] = {}
        self._last: dict[Damage, Message] = {}
        self._turn = 0

    def send(self, message: Message, now: int) -> list[Sent]:
        """What becomes of `message`; at most one fault of the way, on top of those of its device."""
        if message.withheld or message.stream not in ON_THE_WAY:
            return super().send(message, now)
        overtaken = self._waiting.pop((message.device, message.stream), None)
        tail: list[Sent] = []
        if overtaken is not None:
            tail = [Sent(overtaken, (*overtaken.faults, "disordered"), (self._delivery(overtaken, now),))]
        self._remember(message)
        draw = self._random.random()
        rates = self._rates
        if draw < rates.late.share:
            at = now + self._random.randint(rates.late.shortest, rates.late.longest)
            return [Sent(message, (*message.faults, "late"), (self._delivery(message, at),)), *tail]
        draw -= rates.late.share
        if draw < rates.double.share:
            again = now + self._random.randint(0, rates.double.longest)
            pair = (self._delivery(message, now), self._delivery(message, again))
            return [Sent(message, (*message.faults, "double"), pair), *tail]
        draw -= rates.double.share
        if draw < rates.disordered.share and overtaken is None:
            self._waiting[message.device, message.stream] = message
            return tail
        return [*super().send(message, now), *tail]

    def rubbish(self, now: int) -> list[Delivery]:
        """A damaged copy of a good message every few seconds; each kind of damage in turn."""
        if now % self._rates.garbled_every:
            return []
        for _ in DAMAGES:
            damage = DAMAGES[self._turn % len(DAMAGES)]
            self._turn += 1
            message = self._last.get(damage)
            if message is not None:
                good = self._delivery(message, now)
                name, payload = damage.apply(good.topic, good.payload)
                return [Delivery(now, message.device, name, payload, 1, damage=damage)]
        return []

    def end(self, now: int) -> list[Sent]:
        """Messages that waited for one to overtake them."""
        waiting, self._waiting = self._waiting, {}
        return [Sent(item, item.faults, (self._delivery(item, now),)) for item in waiting.values()]

    def _remember(self, message: Message) -> None:
        for damage in DAMAGES:
            if message.stream in damage.streams and self._random.random() < 0.5:
                self._last[damage] = message


def load_rates(path: Path = FILE) -> Rates:
    """Read and check the rates.

    Raises:
        ConfigFileError: The file is missing or does not fit.
    """
    return load(path, Rates)


def plan_defects(site: Site, rates: Rates, seed: int, start: int, duration: int | None) -> dict[str, Defects]:
    """Which controllers have which defects in a run from `start` (Unix time); without an end, for a day."""
    random = Random(f"defects {seed}")
    # Controllers that report often first, so that their defects show within a minute.
    order = sorted(site.controllers, key=lambda item: (item.period > 10, random.random()))
    stuck, open_loop, silent, reboot, ahead = (order[index % len(order)] for index in range(5))
    until = start + (duration or 86_400)
    found: dict[str, Defects] = {}
    found[stuck.id] = Defects(loops={_some_loop(stuck, random): LoopDefect.STUCK_ON})
    _add(found, open_loop.id, Defects(loops={_some_loop(open_loop, random): LoopDefect.OPEN_LOOP}))
    _add(found, silent.id, Defects(silent=_windows(rates.silent, start, until)))
    # Somebody opens the cabinet and pulls the plug.
    _add(found, reboot.id, Defects(down=_windows(rates.reboot, start, until), door=_windows(rates.door, start, until)))
    _add(found, ahead.id, Defects(clock_ahead=rates.clock_ahead))
    return found


def _add(found: dict[str, Defects], controller: str, more: Defects) -> None:
    has = found.get(controller, Defects())
    found[controller] = Defects(
        loops={**has.loops, **more.loops},
        clock_ahead=max(has.clock_ahead, more.clock_ahead),
        silent=has.silent + more.silent,
        down=has.down + more.down,
        door=has.door + more.door,
    )


def _some_loop(controller: Controller, random: Random) -> str:
    return random.choice(controller.lanes).id


def _windows(rate: Recurring, start: int, until: int) -> tuple[Window, ...]:
    begins = range(start + rate.first, until, rate.every)
    return tuple(Window(begin, begin + rate.lasts) for begin in begins)
