"""A publisher that remembers every message the broker confirmed: what must be in the database in the end."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter

import aiomqtt

from ingest.readings import US
from tests.support.pipelines import NOON_US, SITE, detectors, lanes_of

Key = tuple[str, int, int]
"""Device, seq, start in µs."""

BEGIN_US = NOON_US - 6 * 3600 * US  # the past: nothing is ever dated in the future
THREE_DAYS_US = 3 * 86_400 * US


class Witness:
    """Publishes seeded detector messages of all controllers, second after second, in a thread of its own.

    Attributes:
        confirmed: Messages the broker confirmed, with how often they were sent.
        payloads: Each of them once.
        rejected: Garbage that the broker confirmed.
    """

    def __init__(self, port: int, seed: int, *, rate: float = 300.0) -> None:
        """Make it; `start` begins.

        Args:
            port: Of the broker.
            seed: Of everything random.
            rate: Messages a second.
        """
        self._port = port
        self._chance = random.Random(seed)
        self._rate = rate
        self._devices = [controller.id for controller in SITE.controllers]
        self._second = dict.fromkeys(self._devices, 0)
        self._seq = dict.fromkeys(self._devices, 0)
        self._held: list[tuple[str, bytes, Key]] = []
        self._late: list[tuple[str, bytes, Key]] = []
        self._garbage = 0
        self._paused = threading.Event()
        self._idle = threading.Event()
        self._stop = threading.Event()
        self.confirmed: Counter[Key] = Counter()
        self.payloads: dict[Key, tuple[str, bytes]] = {}
        self.rejected = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def pause(self) -> None:
        """Publish nothing more; returns when the last message is confirmed."""
        self._paused.set()
        if not self._idle.wait(60):
            raise TimeoutError("the publisher's last messages were not confirmed in 60 s")

    def resume(self) -> None:
        """Publish again."""
        self._idle.clear()
        self._paused.clear()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(30)

    def reboot(self, device: str) -> None:
        """The device's numbering begins again; its time goes on."""
        self._seq[device] = 0

    def flood(self, count: int) -> None:
        """So many pieces of garbage come next, all of one device."""
        self._garbage += count

    def late_batch(self, count: int) -> None:
        """So many messages of one device come next that are three days late."""
        device = self._devices[0]
        for number in range(count):
            start_us = BEGIN_US - THREE_DAYS_US + (self._second[device] + number) * US
            seq = 2**40 + self._second[device] + number
            self._late.append(
                (device, detectors(seq, start_us, 1, lanes_of(device, volume=1, classes={"MP": 1})), (device, seq, start_us))
            )

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                async with aiomqtt.Client("127.0.0.1", self._port, protocol=aiomqtt.ProtocolVersion.V5, timeout=5) as client:
                    while not self._stop.is_set():
                        await self._step(client)
            except (aiomqtt.MqttError, OSError, TimeoutError):
                await asyncio.sleep(0.1)

    async def _step(self, client: aiomqtt.Client) -> None:
        if self._paused.is_set() and not self._held:
            self._idle.set()
            await asyncio.sleep(0.02)
            return
        self._make()
        while self._held:
            device, payload, key = self._held[0]
            await client.publish(f"subak/v1/{SITE.name}/atc/{device}/detectors", payload, qos=1)
            # Only now: what was not confirmed is sent again, on the next connection if need be.
            self._held.pop(0)
            if key[1] < 0:
                self.rejected += 1
            else:
                self.confirmed[key] += 1
                self.payloads[key] = (device, payload)
            await asyncio.sleep(1 / self._rate)

    def _make(self) -> None:
        """The next second of every device: now and then doubled, in another order, or late."""
        made: list[tuple[str, bytes, Key]] = []
        if not self._paused.is_set():
            for device in self._devices:
                seq, second = self._seq[device], self._second[device]
                self._seq[device] += 1
                self._second[device] += 1
                start_us = BEGIN_US + second * US
                volume = self._chance.randrange(4)
                lanes = lanes_of(device, volume=volume, classes={"SM": volume})
                made.append((device, detectors(seq, start_us, 1, lanes), (device, seq, start_us)))
                if self._chance.random() < 0.05:
                    made.append(made[-1])
        if self._chance.random() < 0.2:
            self._chance.shuffle(made)
        made += self._late
        self._late = []
        device = self._devices[-1]
        made += [(device, b'{"seq": 1, "start": "soon"', (device, -1, 0))] * self._garbage
        self._garbage = 0
        self._held = made
