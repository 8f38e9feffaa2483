"""A small MQTT 5 publisher for tools: one message after the other at QoS 1, each with the broker's answer.

The client library that the other tools use does not hand on the answer's code, so that a refusal would look like a success.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import TypeVar

import mqtt5

from ingest.mqtt.address import Address
from ingest.mqtt.receiver import ConnectionLostError

ANSWER_S = 30.0
READ_BYTES = 1 << 16
PACKET_IDS = range(1, 1 << 16)

PacketT = TypeVar("PacketT", bound=mqtt5.Packet)


class RefusedError(Exception):
    """The broker did not take a message, or nobody is there who would receive it."""


class Publisher:
    """An open connection; use `publishing`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._ids = cycle(PACKET_IDS)

    async def login(self, address: Address, client_id: str) -> None:
        """Introduce ourselves.

        Raises:
            ConnectionLostError: The broker refuses.
        """
        self._writer.write(
            mqtt5.ConnectPacket(
                client_id,
                username=address.username,
                password=address.password.encode() if address.password is not None else None,
                # Nothing else is sent while a person thinks.
                keep_alive=0,
            ).write()
        )
        answer = await self._receive(mqtt5.ConnAckPacket)
        if answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise ConnectionLostError(f"the broker refused the connection: {answer.reason_code.name.lower()}")

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1, not retained, and wait for the answer.

        Raises:
            RefusedError: The broker refuses the message, or knows nobody who would receive it.
            ConnectionLostError: The connection ended before the answer: the message may have been taken.
        """
        number = next(self._ids)
        self._writer.write(mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number).write())
        code = (await self._receive(mqtt5.PubAckPacket)).reason_code
        if code is mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS:
            raise RefusedError("nobody is subscribed: has the collector ever run at this broker?")
        if code is not mqtt5.PubAckReasonCode.SUCCESS:
            raise RefusedError(f"the broker refused the message: {code.name.lower()}")

    async def _receive(self, kind: type[PacketT]) -> PacketT:
        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    try:
                        packet, size = mqtt5.read(memoryview(bytes(self._buffer)))
                    except IndexError:
                        data = await self._reader.read(READ_BYTES)
                        if not data:
                            raise ConnectionLostError("the broker closed the connection") from None
                        self._buffer += data
                        continue
                    del self._buffer[:size]
                    if isinstance(packet, kind):
                        return packet
                    raise ConnectionLostError(f"the broker sent {type(packet).__name__} instead of {kind.__name__}")
        except TimeoutError:
            raise ConnectionLostError(f"the broker did not answer within {ANSWER_S:.0f} s") from None
        except ValueError as error:
            raise ConnectionLostError(f"the broker sent what is not MQTT 5: {error}") from None


@asynccontextmanager
async def publishing(address: Address, client_id: str) -> AsyncIterator[Publisher]:
    """A connection for the length of the block.

    Raises:
        ConnectionLostError: The broker refuses, or is not one.
        OSError: It cannot be reached, or its certificate is not trusted.
    """
    async with asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.ssl_context())
    try:
        publisher = Publisher(reader, writer)
        await publisher.login(address, client_id)
        yield publisher
        writer.write(mqtt5.DisconnectPacket().write())
    finally:
        writer.close()
