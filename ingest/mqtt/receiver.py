"""One MQTT 5 connection that receives and acknowledges: the `mqtt5` codec under an asyncio protocol.

It only moves packets. When to acknowledge, and when to connect again, is the collector's business.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final

import mqtt5
from msgspec import Struct

from ingest.mqtt.address import Address

SUBSCRIBE_ID: Final = 1
GRANTED: Final = (mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE, mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE)
HIGHEST_QOS: Final = mqtt5.QoS.AT_LEAST_ONCE
GOODBYE_S: Final = 1.0
DEAD_AFTER: Final = 1.5  # keep-alive periods without a byte from the broker (MQTT 5, 3.1.2.10, seen from our side)


class ConnectionLostError(Exception):
    """The connection to the broker ended, or could not be made."""


class Delivery(Struct, frozen=True, gc=False):
    """One message as the broker delivered it.

    Attributes:
        epoch: Number of the connection it came on; its acknowledgement may go to no other.
        packet_id: To acknowledge; None at QoS 0.
        topic: As received.
        payload: As received.
        retain: Kept by the broker from before we subscribed.
        received_us: Our clock at receipt, µs; two messages of a connection never have the same.
    """

    epoch: int
    packet_id: int | None
    topic: str
    payload: bytes
    retain: bool
    received_us: int


class Receiver(asyncio.Protocol):
    """A connection from CONNECT to its end.

    Attributes:
        subscribed: Resolves to whether the broker had kept our session; fails if the connection ends before that.
        lost: Resolves to the reason when the connection has ended.
    """

    def __init__(
        self,
        address: Address,
        *,
        client_id: str,
        topic_filters: Iterable[str],
        receive_maximum: int,
        session_expiry_s: int,
        keep_alive_s: int,
        epoch: int,
        clock_us: Callable[[], int],
        on_delivery: Callable[[Delivery], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._connect = mqtt5.ConnectPacket(
            client_id,
            username=address.username,
            password=address.password.encode() if address.password is not None else None,
            clean_start=False,
            keep_alive=keep_alive_s,
            session_expiry_interval=session_expiry_s,
            receive_max=receive_maximum,
        )
        self._filters = [
            mqtt5.TopicFilter(
                pattern,
                max_qos=HIGHEST_QOS,
                retain_as_published=True,
                retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
            )
            for pattern in topic_filters
        ]
        self._keep_alive_s = keep_alive_s
        self._epoch = epoch
        self._clock_us = clock_us
        self._on_delivery = on_delivery
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._last_byte = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._session_present = False
        self._received_us = 0
        self.subscribed: asyncio.Future[bool] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection gives
        self._transport = transport
        transport.write(self._connect.write())
        self._timer = self._loop.call_later(self._keep_alive_s / 2, self._beat)

    def data_received(self, data: bytes) -> None:
        """Cut packets out of the stream; half a packet waits for its rest."""
        self._last_byte = self._loop.time()
        buffer = self._buffer
        buffer += data
        received_us = max(self._clock_us(), self._received_us)
        view = memoryview(buffer)
        offset = 0
        try:
            while offset < len(buffer):
                try:
                    packet, size = mqtt5.read(view[offset:])
                except IndexError:
                    break
                offset += size
                if type(packet) is mqtt5.PublishPacket:
                    received_us += 1
                    self._on_delivery(
                        Delivery(self._epoch, packet.packet_id, packet.topic, packet.payload, packet.retain, received_us)
                    )
                else:
                    self._control(packet)
        except ValueError as error:
            self.abort(f"the broker sent what is not MQTT 5: {error}")
        finally:
            view.release()
        self._received_us = received_us
        if offset:
            del buffer[:offset]

    def _control(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.ConnAckPacket):
            if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
                self.abort(
                    f"the broker refused the connection: {packet.reason_code.name.lower()} {packet.reason_str or ''}".strip()
                )
                return
            self._session_present = packet.session_present
            if packet.server_keep_alive is not None:
                self._keep_alive_s = packet.server_keep_alive
            self._write(mqtt5.SubscribePacket(SUBSCRIBE_ID, self._filters).write())
        elif isinstance(packet, mqtt5.SubAckPacket):
            refused = [code.name.lower() for code in packet.reason_codes if code not in GRANTED]
            if refused:
                self.abort(f"the broker refused the subscription: {', '.join(refused)}")
            elif not self.subscribed.done():
                self.subscribed.set_result(self._session_present)
        elif isinstance(packet, mqtt5.DisconnectPacket):
            self.abort(f"the broker ended the connection: {packet.reason_code.name.lower()}")

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """Send PUBACKs in the order given."""
        # PUBACK, 2 bytes remaining, packet id; success needs no reason code (MQTT 5, 3.4.2.1).
        self._write(b"".join(b"\x40\x02" + packet_id.to_bytes(2, "big") for packet_id in packet_ids))

    def pause(self) -> None:
        """Stop reading: what has no acknowledgement (QoS 0) is held back by TCP instead."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._last_byte = self._loop.time()

    async def disconnect(self) -> None:
        """Leave in order; the session stays at the broker.

        The broker closes the connection when it has read all before the DISCONNECT. Closing it ourselves could make it
        throw away acknowledgements that it has not read yet.
        """
        self._write(mqtt5.DisconnectPacket().write())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await asyncio.shield(self.lost)
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """End the connection at once."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._end(str(exc) if exc else "the connection was closed")

    def _end(self, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.lost.done():
            self.lost.set_result(reason)
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectionLostError(reason))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _beat(self) -> None:
        if self._loop.time() - self._last_byte > self._keep_alive_s * DEAD_AFTER:
            transport = self._transport
            if transport is None or transport.is_reading():
                self.abort(f"the broker was silent for {self._keep_alive_s * DEAD_AFTER:.0f} s")
                return
        self._write(mqtt5.PingReqPacket().write())
        self._timer = self._loop.call_later(self._keep_alive_s / 2, self._beat)
