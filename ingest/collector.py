"""The collector: a persistent MQTT 5 session whose messages are acknowledged only when somebody says they are safe.

Back-pressure is the in-flight window: the broker sends at most `receive_maximum` messages that are not acknowledged, so
memory is bounded by it; messages without acknowledgement (QoS 0) stop the reading of the socket beyond the same bound.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import stamina
import structlog

from ingest.door import Admission
from ingest.mqtt.address import Address
from ingest.mqtt.receiver import ConnectionLostError, Delivery, Receiver

log = structlog.get_logger(__name__)

RETRY_FIRST_S = 0.2
RETRY_MOST_S = 10.0
CONNECT_TIMEOUT_S = 10.0
RECORDS_MOST = (
    150_000  # of one batch: what a transaction may hold in memory; the more, the more messages share the bins they touch
)


def wall_clock_us() -> int:
    """Microseconds since 1970-01-01 UTC, now."""
    return time.time_ns() // 1000


Arrival = tuple[Delivery, Admission]
"""A message as delivered, and what the door made of it."""


class Source(Protocol):
    """Where the pipeline gets messages from, and whom it tells that they are safe."""

    async def batch(self, most: int, delay_s: float, patience_s: float) -> list[Arrival]:
        """The next messages, in order of receipt; none after `patience_s`."""
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These are committed, in the order of receipt."""
        ...


class Collector:
    """Receives the messages of some topic filters, asks the door about each, and hands them over in batches.

    The door decides at receipt, while the batch before is on its way into the database: the one computes, the other waits.

    Attributes:
        connected: Set while subscribed.
    """

    def __init__(
        self,
        address: Address,
        *,
        client_id: str,
        topic_filters: Sequence[str],
        admit: Callable[[str, bytes, int], Admission],
        receive_maximum: int,
        session_expiry_s: int,
        keep_alive_s: int = 20,
        clock_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._address = address
        self._client_id = client_id
        self._filters = tuple(topic_filters)
        self._admit = admit
        self._receive_maximum = receive_maximum
        self._session_expiry_s = session_expiry_s
        self._keep_alive_s = keep_alive_s
        self._clock_us = clock_us
        self._epoch = 0
        self._receiver: Receiver | None = None
        self._waiting: list[Arrival] = []
        self._arrived = asyncio.Event()
        self._paused = False
        self._handed = 0
        self._next_batch = 0.0
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until cancelled; then leave in order, the session remaining at the broker."""
        try:
            while True:
                receiver = await self._connect()
                session = receiver.subscribed.result()
                log.info("mqtt.connected", broker=repr(self._address), epoch=self._epoch, session_resumed=session)
                self.connected.set()
                reason = await asyncio.shield(receiver.lost)
                self.connected.clear()
                log.warning("mqtt.lost", broker=repr(self._address), epoch=self._epoch, reason=reason)
        finally:
            self.connected.clear()
            if self._receiver is not None:
                await self._receiver.disconnect()

    async def _connect(self) -> Receiver:
        told = False
        async for attempt in stamina.retry_context(
            on=(ConnectionLostError, OSError, TimeoutError),
            attempts=None,
            timeout=None,
            wait_initial=RETRY_FIRST_S,
            wait_max=RETRY_MOST_S,
            wait_jitter=RETRY_FIRST_S * 5,
        ):
            with attempt:
                try:
                    return await self._connect_once()
                except (ConnectionLostError, OSError, TimeoutError) as error:
                    if not told:
                        log.warning("mqtt.unreachable", broker=repr(self._address), reason=str(error) or "no answer in time")
                        told = True
                    raise
        raise AssertionError  # retries never end

    async def _connect_once(self) -> Receiver:
        # From here on nothing of the connection before may be acknowledged: those messages come again.
        self._epoch += 1
        self._receiver = None
        self._paused = False
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, receiver = await loop.create_connection(
                lambda: Receiver(
                    self._address,
                    client_id=self._client_id,
                    topic_filters=self._filters,
                    receive_maximum=self._receive_maximum,
                    session_expiry_s=self._session_expiry_s,
                    keep_alive_s=self._keep_alive_s,
                    epoch=self._epoch,
                    clock_us=self._clock_us,
                    on_delivery=self._deliver,
                ),
                self._address.host,
                self._address.port,
                ssl=self._address.ssl_context(),
            )
            self._receiver = receiver
            try:
                await receiver.subscribed
            except BaseException:
                receiver.abort("not subscribed in time")
                raise
        return receiver

    def _deliver(self, delivery: Delivery) -> None:
        self._waiting.append((delivery, self._admit(delivery.topic, delivery.payload, delivery.received_us)))
        self._arrived.set()
        # Twice the window: acknowledged traffic alone can never fill it.
        if len(self._waiting) > 2 * self._receive_maximum and not self._paused and self._receiver is not None:
            self._paused = True
            self._receiver.pause()

    @property
    def is_held_back(self) -> bool:
        """The socket is not read, since twice the window waits here."""
        return self._paused

    @property
    def is_connected(self) -> bool:
        """Connected and subscribed."""
        return self.connected.is_set()

    @property
    def waiting(self) -> int:
        """Messages that nobody has taken yet."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """Messages that are here and not acknowledged, taken or not."""
        return len(self._waiting) + self._handed

    @property
    def epoch(self) -> int:
        """Number of the connection, counted from 1; attempts that failed count too."""
        return self._epoch

    async def batch(self, most: int, delay_s: float, patience_s: float) -> list[Arrival]:
        """The next messages, in order of receipt.

        Args:
            most: Messages at most.
            delay_s: Batches begin no closer to each other than this, unless `most` or half the window is there: a message
                after a pause goes at once, many go together.
            patience_s: Give up waiting for a first one after this long and return an empty list.
        """
        if not self._waiting:
            self._arrived.clear()
            try:
                async with asyncio.timeout(patience_s):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        loop = asyncio.get_running_loop()
        early = self._next_batch - loop.time()
        if early > 0 and len(self._waiting) < min(most, self._receive_maximum // 2):
            await asyncio.sleep(early)
        self._next_batch = loop.time() + delay_s
        taken, self._waiting = cut(self._waiting, most)
        self._handed += len(taken)
        if self._paused and len(self._waiting) <= self._receive_maximum:
            self._paused = False
            if self._receiver is not None:
                self._receiver.resume()
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These are safe. Those of a connection that has ended are left to be delivered again."""
        self._handed -= len(deliveries)
        receiver = self._receiver
        if receiver is None or receiver.lost.done():
            return
        epoch = self._epoch
        packet_ids = [d.packet_id for d in deliveries if d.epoch == epoch and d.packet_id is not None]
        if packet_ids:
            receiver.acknowledge(packet_ids)


def cut(waiting: list[Arrival], most: int) -> tuple[list[Arrival], list[Arrival]]:
    """As many arrivals as one batch may hold, by messages and by records, and the rest."""
    records = 0
    for count, (_, admission) in enumerate(waiting):
        records += len(admission.records)
        if count == most or (records > RECORDS_MOST and count):
            return waiting[:count], waiting[count:]
    return waiting, []
