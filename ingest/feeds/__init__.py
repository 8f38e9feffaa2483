"""What a feed is: one dialect that devices speak, decoded into the records everything else knows.

One folder a dialect: `decoder.py`, a README for technicians, `sample.yaml` (the site configuration it needs) and
`cases/` (messages and what must become of them, run by a test).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

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
    """

    source: int
    kind: Kind
    device: str
    stream: Stream
    lanes: Mapping[str, int]
    metrics: Mapping[str, MetricEntry]


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
    """

    records: list[Record]
    dead: list[DeadLetter]
    seq: int | None = None
    time_us: int | None = None


class Feed(Protocol):
    """Decodes the messages of one dialect. Pure: no I/O, no state between messages."""

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters; at least one of the two. Does not raise on bad input."""
        ...
