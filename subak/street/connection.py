"""One device's connection to the broker: presence, last will, a buffer for when the broker is away.

A field device loses nothing when its line breaks: what it cannot send waits, in order, and is sent after the line is
back. The buffer holds `BUFFER` messages; when it is full the oldest goes, as in a real logger. Frames are not kept.
A message whose confirmation was lost with the line is sent again, so the pipeline may see it twice.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import aiomqtt

from config.site import Device
from ingest.contract import Presence
from ingest.mqtt.address import Address
from ingest.topics import Stream, topic
from subak.street.faults import Delivery

BUFFER = 10_000
"""Messages kept for one device while the broker is away."""

FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0
"""Seconds between attempts to connect: doubled each time, with jitter."""

TIMEOUT = 10.0
"""Seconds to wait for the broker's answer before the connection counts as broken."""

ROOM = 8
"""Unconfirmed messages at which a connection says that it has room for more."""

Confirmed = Callable[[Delivery], None]
Commanded = Callable[[str, bytes, bool], None]
"""Device, payload, and whether the broker had kept the message."""


class Connection:
    """The line of one device.

    Attributes:
        device: Its name.
        connected: The broker knows us.
        room: Few messages wait.
        idle: None waits.
        sent: Messages that the broker confirmed.
    """

    def __init__(
        self,
        site: str,
        device: Device,
        address: Address,
        *,
        confirmed: Confirmed,
        dropped: Confirmed,
        commanded: Commanded | None = None,
    ) -> None:
        """`commanded` is called for each command; a device without it subscribes to nothing."""
        self.device = device.id
        self._address = address
        self._presence = topic(site, device.kind, device.id, Stream.PRESENCE)
        self._command = topic(site, device.kind, device.id, Stream.COMMAND)
        self._identifier = f"street-{site}-{device.id}"
        self._confirmed = confirmed
        self._dropped = dropped
        self._commanded = commanded
        self._buffer: deque[Delivery] = deque()
        self._current: Delivery | None = None
        self._filled = asyncio.Event()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._unwanted = asyncio.Event()
        self._last_word = Presence.OFFLINE
        self._ending = False
        self.connected = asyncio.Event()
        self.room = asyncio.Event()
        self.idle = asyncio.Event()
        self.sent = 0
        self._look()

    @property
    def pending(self) -> int:
        """Messages that the broker has not confirmed."""
        return len(self._buffer) + (self._current is not None)

    @property
    def is_wanted(self) -> bool:
        """Whether the device means to be connected."""
        return self._wanted.is_set()

    def send(self, delivery: Delivery) -> None:
        """Put a message into the buffer."""
        if delivery.qos == 0 and not self.connected.is_set():
            return
        if len(self._buffer) >= BUFFER:
            self._dropped(self._buffer.popleft())
        self._buffer.append(delivery)
        self._filled.set()
        self._look()

    def down(self) -> None:
        """Leave the broker as if power had gone: the last word is that of the will."""
        self._wanted.clear()
        self._unwanted.set()

    def up(self) -> None:
        """Come back."""
        self._unwanted.clear()
        self._wanted.set()

    def end(self) -> None:
        """Say `shutdown` and leave for good."""
        self._last_word = Presence.SHUTDOWN
        self._ending = True
        self._unwanted.set()
        self._wanted.set()

    async def run(self) -> None:
        """Be connected whenever that is wanted and possible."""
        wait = FIRST_WAIT
        while True:
            await self._wanted.wait()
            try:
                async with self._client() as client:
                    await client.publish(self._presence, Presence.ONLINE.value, qos=1, retain=True)
                    if self._commanded is not None:
                        await client.subscribe(self._command, qos=1)
                    wait = FIRST_WAIT
                    self.connected.set()
                    await self._serve(client)
                    await client.publish(self._presence, self._last_word.value, qos=1, retain=True)
            except aiomqtt.MqttError:
                self.connected.clear()
                with suppress(TimeoutError):
                    jitter = random.uniform(0.5, 1.0)
                    await asyncio.wait_for(self._unwanted.wait(), wait * jitter)
                wait = min(LONGEST_WAIT, wait * 2)
            self.connected.clear()
            if self._ending:
                return

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            will=aiomqtt.Will(self._presence, Presence.OFFLINE.value, qos=1, retain=True),
            tls_context=self._address.ssl_context(),
            timeout=TIMEOUT,
            keepalive=30,
        )

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Send and receive until the device is not wanted any more, or the line breaks."""
        tasks = [
            asyncio.create_task(self._send_all(client)),
            asyncio.create_task(self._receive_all(client)),
            asyncio.create_task(self._unwanted.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # Again and again: before Python 3.12 `wait_for`, inside aiomqtt, swallows a cancellation that meets its result.
            while running := [task for task in tasks if not task.done()]:
                for task in running:
                    task.cancel()
                await asyncio.wait(running, timeout=0.05)
            for task in tasks:
                if not task.cancelled():
                    task.exception()

    def _look(self) -> None:
        for event, yes in ((self.room, self.pending <= ROOM), (self.idle, self.pending == 0)):
            if yes:
                event.set()
            else:
                event.clear()

    async def _send_all(self, client: aiomqtt.Client) -> None:
        while True:
            if self._current is None:
                while not self._buffer:
                    self._filled.clear()
                    await self._filled.wait()
                self._current = self._buffer.popleft()
            await client.publish(self._current.topic, self._current.payload, qos=self._current.qos)
            self.sent += 1
            delivery, self._current = self._current, None
            self._confirmed(delivery)
            self._look()

    async def _receive_all(self, client: aiomqtt.Client) -> None:
        # Also for devices that subscribe to nothing: only a reader notices that the line broke.
        async for message in client.messages:
            if self._commanded is not None and isinstance(message.payload, bytes):
                self._commanded(self.device, message.payload, message.retain)
