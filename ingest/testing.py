"""A source of messages without a broker, for tests of whatever consumes them; ours and those of a feed's author."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ingest.collector import Arrival
from ingest.door import Admission
from ingest.mqtt.receiver import Delivery


class MemorySource:
    """Stands in for the collector: what is put in comes out in batches, and acknowledgements are remembered.

    Attributes:
        admit: The door's answer to a topic, a payload and a time; a test may put another in its place.
        acknowledged: Packet ids in the order they were acknowledged.
    """

    def __init__(self, admit: Callable[[str, bytes, int], Admission]) -> None:
        """Make it empty; `admit` is the door's."""
        self.admit = admit
        self._waiting: list[Arrival] = []
        self._next = 0
        self.acknowledged: list[int] = []

    def put(self, topic: str, payload: bytes, received_us: int) -> Delivery:
        """A message arrives at QoS 1."""
        self._next += 1
        delivery = Delivery(1, self._next, topic, payload, False, received_us)
        self._waiting.append((delivery, self.admit(topic, payload, received_us)))
        return delivery

    async def batch(self, most: int, delay_s: float, patience_s: float) -> list[Arrival]:
        """As `ingest.collector.Collector.batch`; waits `patience_s` when there is nothing."""
        if not self._waiting:
            await asyncio.sleep(min(delay_s, patience_s))
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """As `ingest.collector.Collector.acknowledge`."""
        self.acknowledged += [d.packet_id for d in deliveries if d.packet_id is not None]
