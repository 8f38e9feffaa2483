"""The street without a broker: all of it but the connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from config.settings import DEFAULT_SITE
from config.site import Site, load_site
from subak.street.assumptions import Assumptions, load_assumptions
from subak.street.faults import Delivery, FaultyWay, Way, load_rates, plan_defects
from subak.street.field import Field
from subak.street.message import Message
from subak.street.signals import Interval
from subak.street.traffic import Second, Traffic
from subak.street.truth import QUEUES_EVERY, Truth

START = "2026-11-24T16:30:00+08:00"
SECONDS = 180
WARM_UP = 150
"""Shorter than a real run's: enough for traffic on every approach, not for queues."""


@dataclass(frozen=True)
class Rehearsal:
    """A run that is over.

    Attributes:
        messages: What the devices made, in order.
        deliveries: What went to the broker, in order.
        seconds: What happened in the simulation.
        programs: Signal programs by junction.
        truth: Folder with the truth.
    """

    messages: Sequence[Message]
    deliveries: Sequence[Delivery]
    seconds: Sequence[Second]
    programs: dict[str, tuple[Interval, ...]]
    truth: Path

    def rows(self, name: str) -> list[dict[str, object]]:
        """Rows of one file of the truth."""
        found: list[dict[str, object]] = pq.read_table(self.truth / f"{name}.parquet").to_pylist()
        return found


def the_site() -> Site:
    """Badung, as it is shipped."""
    return load_site(DEFAULT_SITE)


def quick_assumptions() -> Assumptions:
    """The shipped assumptions with a short warm-up."""
    shipped = load_assumptions()
    return shipped.model_copy(update={"simulation": shipped.simulation.model_copy(update={"warm_up": WARM_UP})})


def rehearse(truth: Path, *, seed: int = 1, seconds: int = SECONDS, faults: bool = False, site: Site | None = None) -> Rehearsal:
    """Run the street for `seconds` from `START`; each delivery counts as confirmed."""
    site, assumptions = site or the_site(), quick_assumptions()
    start = int(datetime.fromisoformat(START).timestamp())
    rates = load_rates()
    way = FaultyWay(site, rates, seed) if faults else Way(site)
    defects = plan_defects(site, rates, seed, start, seconds) if faults else {}
    messages: list[Message] = []
    deliveries: list[Delivery] = []
    passed: list[Second] = []
    book = Truth(site, truth, start, defects=defects)
    with Traffic(site, assumptions, seed, start) as traffic:
        for _ in traffic.warm_up():
            pass
        field = Field(site, assumptions, traffic, seed=seed, frames=False, defects=defects)
        for _ in range(seconds):
            second = traffic.step()
            passed.append(second)
            book.second(second)
            if second.start % QUEUES_EVERY == 0:
                book.queues(traffic.queues())
            made = list(field.second(second))
            messages += made
            sent = [item for message in made for item in way.send(message, second.start + 1)]
            for item in sent:
                book.sent(item)
                deliveries += item.deliveries
            deliveries += way.rubbish(second.start + 1)
        for item in way.end(traffic.now):
            book.sent(item)
            deliveries += item.deliveries
        programs = traffic.programs
    deliveries.sort(key=lambda item: item.at)
    for delivery in deliveries:
        book.confirmed(delivery)
    book.close()
    return Rehearsal(messages, deliveries, passed, programs, truth)
