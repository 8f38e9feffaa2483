"""The test broker keeps what an ingest must be able to lean on, over a proper stop as over the loss of its clients."""

from __future__ import annotations

from pathlib import Path

import aiomqtt
import pytest

from subak.embedded.ports import LOOPBACK
from tests.conftest import MakeBroker
from tests.support.brokers import Mosquitto
from tests.support.mqtt import RawClient
from tests.support.waiting import until

BACKLOG = 5_000


async def publish(broker: Mosquitto, topic: str, count: int, *, retain: bool = False) -> None:
    async with aiomqtt.Client(LOOPBACK, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for number in range(count):
            await client.publish(topic, str(number), qos=1, retain=retain)


async def test_a_backlog_beyond_all_default_limits_is_kept_in_order(mosquitto: Mosquitto) -> None:
    away = await RawClient.connect(mosquitto.port, "backlog")
    await away.subscribe("backlog")
    away.abort()
    await publish(mosquitto, "backlog", BACKLOG)

    back = await RawClient.connect(mosquitto.port, "backlog", receive_max=BACKLOG)
    payloads = [await back.next_payload() for _ in range(BACKLOG)]
    back.abort()

    assert back.session_present
    assert payloads == [str(number).encode() for number in range(BACKLOG)]


async def test_a_stopped_broker_comes_back_on_its_port_with_its_sessions(broker: Mosquitto) -> None:
    away = await RawClient.connect(broker.port, "collector")
    await away.subscribe("reading")
    await publish(broker, "reading", 1)
    port = broker.port

    broker.stop()
    away.abort()
    broker.start()

    assert broker.port == port
    back = await RawClient.connect(broker.port, "collector")
    assert back.session_present
    assert await back.next_payload() == b"0"
    back.abort()


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_has_a_broker_of_its_own(broker: Mosquitto, number: int) -> None:
    assert "collector" not in broker.log, number


async def test_a_killed_broker_keeps_what_it_had_saved(make_broker: MakeBroker) -> None:
    broker = make_broker("autosave_interval 1\n")
    await publish(broker, "presence", 3, retain=True)
    pid = broker.pid

    until(lambda: "Saving in-memory database" in broker.log, what="the broker's save")
    broker.kill()
    assert not Path(f"/proc/{pid}").exists()
    broker.start()

    late = await RawClient.connect(broker.port, "late")
    await late.subscribe("presence")
    assert int(await late.next_payload()) >= 0
    late.abort()
