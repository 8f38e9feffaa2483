"""What a device of the street wants to say, before anything happens to it on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from config.site import Kind
from ingest.topics import Stream

ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Message:
    """One message as its device made it.

    Attributes:
        device: Who says it.
        kind: What the device is.
        stream: Last level of the topic.
        seq: Its number in the stream; None for frames, which carry none.
        start: Time in the message: of its period, its first event or its observation.
        true_start: The same by the simulation's clock; differs when the device's clock is wrong.
        payload: Bytes on the wire.
        faults: Names of the faults that changed it (`stuck_on:E1`) or withheld it.
        withheld: The device never sends it.
        qos: MQTT quality of service.
    """

    device: str
    kind: Kind
    stream: Stream
    seq: int | None
    start: datetime
    true_start: datetime
    payload: bytes
    faults: tuple[str, ...] = ()
    withheld: bool = False
    qos: int = 1


@dataclass(slots=True)
class Numbers:
    """The sequence numbers of one device, by stream; all start again at 0 when it reboots."""

    _next: dict[Stream, int] = field(default_factory=dict)

    def take(self, stream: Stream) -> int:
        """The next number of `stream`."""
        number = self._next.get(stream, 0)
        self._next[stream] = number + 1
        return number

    def reboot(self) -> None:
        """Start again at 0."""
        self._next.clear()


def readings(messages: Iterable[Message]) -> list[Message]:
    """Those messages that carry measurements which the pipeline stores: all but frames and results."""
    return [item for item in messages if item.stream not in (Stream.FRAME, Stream.RESULT)]
