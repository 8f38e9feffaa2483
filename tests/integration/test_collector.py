"""The collector on a real broker: what is not acknowledged comes again, and back-pressure is the in-flight window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiomqtt

from ingest.collector import Collector
from ingest.door import Door
from ingest.mqtt.address import Address
from ingest.mqtt.receiver import Delivery
from ingest.registry import Registry
from tests.support.brokers import Mosquitto
from tests.support.pipelines import SITE
from tests.support.waiting import eventually

DOOR = Door(Registry.for_site(SITE), SITE)
TOPIC = f"subak/v1/{SITE.name}/atc/{SITE.controllers[0].id}/detectors"


@asynccontextmanager
async def collecting(url: str, *, client_id: str = "door", window: int = 1000) -> AsyncIterator[Collector]:
    """A running, connected collector."""
    collector = Collector(
        Address.parse(url),
        client_id=client_id,
        topic_filters=DOOR.topic_filters,
        admit=DOOR.admit,
        receive_maximum=window,
        session_expiry_s=3600,
    )
    task = asyncio.create_task(collector.run())
    try:
        async with asyncio.timeout(10):
            await collector.connected.wait()
        yield collector
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def publish(broker: Mosquitto, *payloads: bytes) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for payload in payloads:
            await client.publish(TOPIC, payload, qos=1)


async def receive(collector: Collector, count: int) -> list[Delivery]:
    found: list[Delivery] = []

    async def more() -> bool:
        found.extend(delivery for delivery, _ in await collector.batch(10_000, 0.0, 0.05))
        return len(found) >= count

    await eventually(more, what=f"{count} deliveries")
    return found


def payloads(deliveries: list[Delivery]) -> list[bytes]:
    return [delivery.payload for delivery in deliveries]


NUMBERS = [b"%d" % number for number in range(50)]


async def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(broker: Mosquitto) -> None:
    async with collecting(broker.url) as collector:
        await publish(broker, *NUMBERS)
        deliveries = await receive(collector, 50)
        collector.acknowledge(deliveries[:20])

    async with collecting(broker.url) as collector:
        again = await receive(collector, 30)
        assert NUMBERS[20:] == payloads(again)
        collector.acknowledge(again)

    async with collecting(broker.url) as collector:
        await publish(broker, b"next")
        assert [b"next"] == payloads(await receive(collector, 1))


async def test_messages_wait_at_the_broker_while_the_collector_is_away(broker: Mosquitto) -> None:
    async with collecting(broker.url):
        pass
    await publish(broker, *NUMBERS)

    async with collecting(broker.url) as collector:
        assert NUMBERS == payloads(await receive(collector, 50))


async def test_the_broker_stops_at_the_window(broker: Mosquitto) -> None:
    async with collecting(broker.url, window=10) as collector:
        await publish(broker, *NUMBERS)
        first = await receive(collector, 10)
        assert [] == await collector.batch(10_000, 0.0, 0.3)
        assert NUMBERS[:10] == payloads(first)

        # How many follow is the broker's business: mosquitto 2.0.11 miscounts its quota from the first PUBACK on.
        collector.acknowledge(first)
        assert NUMBERS[10:20] == payloads(await receive(collector, 10))[:10]


async def test_a_broker_that_ignores_the_window_is_held_back_by_tcp(broker: Mosquitto) -> None:
    """Memory is bounded even then: by the window and what one read of the socket may bring beyond it."""
    async with collecting(broker.url, window=10) as collector:
        await publish(broker, b"first")
        collector.acknowledge(await receive(collector, 1))
        async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            for _ in range(300):
                await client.publish(TOPIC, bytes(50_000), qos=0)
            await client.publish(TOPIC, b"last", qos=1)
        await eventually(lambda: _is(collector.is_held_back), what="a paused socket")
        held = await collector.batch(10_000, 0.0, 0.1)
        assert 20 < len(held) < 60

        rest = await receive(collector, 301 - len(held))
        assert b"last" == rest[-1].payload


async def test_acknowledgements_of_an_old_connection_are_dropped(broker: Mosquitto) -> None:
    """Packet ids begin again on a new connection: an old acknowledgement there would confirm another message."""
    async with collecting(broker.url, window=10) as collector:
        await publish(broker, *NUMBERS)
        old = await receive(collector, 10)
        broker.stop()
        await eventually(lambda: _is(not collector.connected.is_set()), what="a lost connection")
        broker.start()
        async with asyncio.timeout(20):
            await collector.connected.wait()
        collector.acknowledge(old)
        again = await receive(collector, 10)

        assert NUMBERS[:10] == payloads(again)
        assert {1} == {delivery.epoch for delivery in old}
        assert 1 not in {delivery.epoch for delivery in again}


async def test_a_second_collector_with_the_same_name_takes_the_session_over(broker: Mosquitto) -> None:
    async with collecting(broker.url, client_id="same") as first:
        await publish(broker, *NUMBERS[:5])
        await receive(first, 5)
        async with collecting(broker.url, client_id="same") as second:
            assert NUMBERS[:5] == payloads(await receive(second, 5))


async def test_every_message_has_a_time_of_its_own(broker: Mosquitto) -> None:
    async with collecting(broker.url) as collector:
        await publish(broker, *NUMBERS)
        times = [delivery.received_us for delivery in await receive(collector, 50)]

    assert sorted(set(times)) == times


async def test_large_messages_pass_whole(broker: Mosquitto) -> None:
    large = bytes(range(256)) * 6000
    async with collecting(broker.url) as collector:
        await publish(broker, large, b"small")
        assert [large, b"small"] == payloads(await receive(collector, 2))


async def _is(value: bool) -> bool:
    return value
