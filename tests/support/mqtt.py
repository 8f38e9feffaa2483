"""A bare MQTT 5 client for tests: it keeps its session, never acknowledges by itself, and can vanish without a goodbye."""

from __future__ import annotations

import asyncio
from typing import Self, TypeVar

import mqtt5

from subak.embedded.ports import LOOPBACK

PacketT = TypeVar("PacketT", bound=mqtt5.Packet)

SESSION_EXPIRY_S = 3600
READ_BYTES = 2**16
WAIT_S = 10.0


class RawClient:
    """One connection; packets go in and out as they are.

    Attributes:
        session_present: Whether the broker had kept our session.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wrap an open connection; use `connect`."""
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self.session_present = False

    @classmethod
    async def connect(cls, port: int, client_id: str, *, will: mqtt5.Will | None = None, receive_max: int = 100) -> Self:
        """Connect to a broker on loopback, resuming the session of `client_id` when the broker has one."""
        client = cls(*await asyncio.open_connection(LOOPBACK, port))
        client.send(
            mqtt5.ConnectPacket(
                client_id, session_expiry_interval=SESSION_EXPIRY_S, keep_alive=60, will=will, receive_max=receive_max
            )
        )
        answer = await client.receive(mqtt5.ConnAckPacket)
        assert answer.reason_code == mqtt5.ConnAckReasonCode.SUCCESS
        client.session_present = answer.session_present
        return client

    async def next_payload(self) -> bytes:
        """Payload of the next message; it stays unacknowledged."""
        return (await self.receive(mqtt5.PublishPacket)).payload

    async def subscribe(self, pattern: str) -> None:
        """Subscribe at QoS 1."""
        self.send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(pattern, max_qos=mqtt5.QoS.AT_LEAST_ONCE)]))
        await self.receive(mqtt5.SubAckPacket)

    def send(self, packet: mqtt5.Packet) -> None:
        """Send one packet."""
        self._writer.write(packet.write())

    async def receive(self, kind: type[PacketT]) -> PacketT:
        """The next packet, which must be of this kind."""
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    packet, length = mqtt5.read(memoryview(bytes(self._buffer)))
                except IndexError:
                    chunk = await self._reader.read(READ_BYTES)
                    assert chunk, "the broker closed the connection"
                    self._buffer += chunk
                    continue
                del self._buffer[:length]
                assert isinstance(packet, kind), packet
                return packet

    def abort(self) -> None:
        """Vanish: no DISCONNECT, no acknowledgement."""
        self._writer.transport.abort()
