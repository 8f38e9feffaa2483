"""Playing: messages published again, at their own pace, another, or as fast as the broker acknowledges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import aiomqtt

from ingest.mqtt.address import Address
from ingest.readings import US
from subak.tape.broker import IN_FLIGHT, client, lost
from subak.tape.format import Frame


async def play(frames: Iterable[Frame], address: Address, speed: float, tell: Callable[[int], None]) -> None:
    """Publish messages in order, with the QoS and retain flag of each, and wait until all are acknowledged.

    Args:
        frames: The messages; their receipt times give the pace.
        address: The broker.
        speed: 1 for the original pace, N for N times as fast, 0 for as fast as acknowledged.
        tell: Called with the number of acknowledged messages after each one.

    Raises:
        BrokerError: The broker cannot be reached, refuses a message or goes away.
    """
    try:
        async with client(address, "replay") as broker:
            await _publish(broker, frames, speed, tell)
    except* aiomqtt.MqttError as errors:
        raise lost(address, _first(errors)) from errors


async def _publish(broker: aiomqtt.Client, frames: Iterable[Frame], speed: float, tell: Callable[[int], None]) -> None:
    clock = asyncio.get_running_loop().time
    window = asyncio.Semaphore(IN_FLIGHT)
    begun, first_us, done = clock(), None, 0

    async def publish(frame: Frame) -> None:
        nonlocal done
        try:
            await broker.publish(frame.topic, frame.payload, frame.qos, frame.retain)
        finally:
            window.release()
        done += 1
        tell(done)

    async with asyncio.TaskGroup() as group:
        for frame in frames:
            first_us = frame.received_us if first_us is None else first_us
            if speed > 0:
                due = begun + (frame.received_us - first_us) / US / speed
                await asyncio.sleep(due - clock())
            # Tasks start in the order of their making, so the broker gets the messages in order.
            await window.acquire()
            group.create_task(publish(frame))


def _first(errors: BaseExceptionGroup[aiomqtt.MqttError]) -> aiomqtt.MqttError:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
