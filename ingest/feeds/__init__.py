"""What a feed is: one dialect that devices speak, decoded into the records everything else knows.

One folder a dialect: `decoder.py`, a README for technicians, `sample.yaml` (the site configuration it needs) and
`cases/` (messages and what must become of them, run by a test).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from config.errors import ConfigError
from config.site import Kind
from ingest.readings import DeadLetter, Record
from ingest.registry import MetricEntry
from ingest.topics import Stream


class Message(Struct, frozen=True, gc=False):
    """One MQTT message as it reached the door."""

    topic: str
    payload: bytes
    received_us: int


class Route(Struct, frozen=True):
    """What the topic says: which device's which stream, and what that device may report.

    Attributes:
        source: Device number.
        lanes: Lane numbers by the device's lane codes.
        metrics: Metrics its kind may report, by name.
        channels: Lane numbers by the controller's detector numbers.
        period_ms: Milliseconds between the device's reports, as the site folder says.
        address: How the device is called in its dialect.
        part: What else the feed wants to remember of the topic, such as one detector of a controller.
        peers: Where one topic carries several devices: their routes by what the payload calls them.
        memory: What the feed has to know of earlier messages, in an object that the door keeps; most feeds need none.
    """

    source: int
    kind: Kind
    device: str
    stream: Stream
    lanes: Mapping[str, int]
    metrics: Mapping[str, MetricEntry]
    channels: Mapping[int, int] = {}
    period_ms: int | None = None
    address: Mapping[str, str] = {}
    part: str = ""
    peers: Mapping[str, Route] = {}
    memory: Any = None


class Context(Struct, frozen=True):
    """What holds for every message of the door.

    Attributes:
        future_tolerance_us: Data that ends later than its receipt by more is flagged `future`.
        occupancy_faults: Occupancy values that are fault codes, and their names.
    """

    future_tolerance_us: int
    occupancy_faults: Mapping[int, str]


class Decoded(Struct, frozen=True):
    """What became of one message.

    Attributes:
        records: Facts, in the order of the message.
        dead: What could not become facts; one that is not partial means that there are no records.
        seq: The message's sequence number, where it has one that could be read (also of a rejected message).
        time_us: The message's own time, where it has one.
        numbers: All sequence numbers of a message that carries several.
        route: Whose message it was, where the topic is shared by several devices; None says the topic's.
        also: What the same message means for further devices; each has its `route`.
    """

    records: list[Record]
    dead: list[DeadLetter]
    seq: int | None = None
    time_us: int | None = None
    numbers: tuple[int, ...] = ()
    route: Route | None = None
    also: tuple[Decoded, ...] = ()


class Feed(ABC):
    """Decodes the messages of one dialect. No I/O, and no state of its own: two doors never meet in a feed.

    Attributes:
        redacts: Payloads may hold what must not be stored, so that dead letters keep what `redact` leaves.
    """

    redacts: bool = False

    @abstractmethod
    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """The topics of the devices that speak this dialect.

        Args:
            site: Name of the site.
            devices: One route a device, whose stream stands for nothing.

        Returns:
            Routes by topic. A last level `+` stands for every device of the sender that has no topic of its own.

        Raises:
            ConfigError: Two devices have the same address.
        """

    @abstractmethod
    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters; at least one of the two. Does not raise on bad input."""

    def filters(self, routes: Mapping[str, Route]) -> list[str]:
        """Topic filters to subscribe to for these routes: exactly their topics, so that nothing else is even received."""
        return sorted(routes)

    def territory(self, routes: Mapping[str, Route]) -> list[str]:
        """Topic filters under which whatever comes is of this dialect, known or not."""
        return self.filters(routes)

    def redact(self, payload: bytes) -> bytes:
        """What of a payload may be kept in a dead letter. Does not raise."""
        return payload


def claim(routes: dict[str, Route], topic: str, route: Route) -> None:
    """Give a topic to a device.

    Raises:
        ConfigError: It belongs to another one already.
    """
    owner = routes.setdefault(topic, route)
    if owner is not route:
        raise ConfigError(f"devices {owner.device} and {route.device} have the same address: both would own topic {topic}")
