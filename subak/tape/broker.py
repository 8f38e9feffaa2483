"""The connection of recorder and player to a broker."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import aiomqtt

from config.errors import ConfigError
from ingest.mqtt.address import Address

# Messages on the way to the broker at once. The embedded broker holds 100 a connection; mosquitto acknowledges at once.
IN_FLIGHT = 100
TIMEOUT_S = 30.0


class BrokerError(ConfigError):
    """The broker cannot be reached, or went away."""


def client(address: Address, role: str) -> aiomqtt.Client:
    """An MQTT 5 client with a clean session and a client id of its own."""
    made = aiomqtt.Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        identifier=f"subak-{role}-{secrets.token_hex(4)}",
        protocol=aiomqtt.ProtocolVersion.V5,
        max_inflight_messages=IN_FLIGHT,
        max_concurrent_outgoing_calls=IN_FLIGHT,
        timeout=TIMEOUT_S,
        # Small packets at once: without it every acknowledgement of a step waits for the next 40 ms.
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        tls_context=address.ssl_context(),
    )
    made.pending_calls_threshold = IN_FLIGHT  # fewer are no reason for a warning
    return made


def lost(address: Address, error: Exception) -> BrokerError:
    """The error for a person."""
    return BrokerError(f"broker {address}: {error}; is it running, and is SUBAK_MQTT_URL right?")


def run_until_signal(work: Coroutine[Any, Any, None]) -> bool:
    """Run to the end, or until Ctrl-C or SIGTERM.

    Returns:
        Whether it ran to its end.
    """

    async def main() -> bool:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        stopped = False

        def stop() -> None:
            nonlocal stopped
            stopped = True
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        with suppress(asyncio.CancelledError):
            await task
        return not stopped

    return asyncio.run(main())
