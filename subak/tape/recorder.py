"""Recording: everything the broker delivers, as it delivers it, onto a tape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.mqtt.address import Address
from ingest.topics import Stream
from subak.tape.broker import client, lost
from subak.tape.format import Frame, TapeWriter

FLUSH_S = 1.0  # what a kill may lose

_PICTURE = f"/{Stream.FRAME}"


async def record(
    tape: TapeWriter,
    address: Address,
    pattern: str,
    duration_s: float | None,
    tell: Callable[[int], None],
    *,
    pictures: bool = False,
) -> None:
    """Write every message of `pattern` to `tape`.

    Retained messages that the broker already holds come first. The tape is flushed every second.

    Args:
        tape: Open tape; stays open.
        address: The broker.
        pattern: MQTT topic filter.
        duration_s: Seconds to record; None for ever.
        tell: Called with the number of messages so far, about once a second.
        pictures: Record camera frames too. They may show faces and plates, which Subak keeps nowhere else.

    Raises:
        BrokerError: The broker cannot be reached or goes away; what was recorded until then is on the tape.
    """
    try:
        async with client(address, "record") as broker, asyncio.timeout(duration_s):
            # QoS 2 and "retain as published": so that both are recorded as they were sent.
            await broker.subscribe(pattern, options=SubscribeOptions(qos=2, retainAsPublished=True))
            await _write(tape, broker, tell, pictures=pictures)
    except TimeoutError:
        return
    except aiomqtt.MqttError as error:
        raise lost(address, error) from error
    finally:
        tape.flush()


async def _write(tape: TapeWriter, broker: aiomqtt.Client, tell: Callable[[int], None], *, pictures: bool) -> None:
    count = 0
    tell(0)

    async def flush() -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            tape.flush()
            tell(count)

    flusher = asyncio.create_task(flush())
    try:
        async for message in broker.messages:
            if pictures or not message.topic.value.endswith(_PICTURE):
                tape.write(_frame(message))
                count += 1
    finally:
        flusher.cancel()
        tell(count)


def _frame(message: aiomqtt.Message) -> Frame:
    return Frame(time.time_ns() // 1000, message.topic.value, message.qos, message.retain, message.payload)
