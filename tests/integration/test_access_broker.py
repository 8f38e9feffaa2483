"""What the shipped mosquitto lets through, and every refusal by name.

mosquitto grants every subscription and decides at each message, so a reader that may not read hears nothing: each such test
ends with a message that it may read, or with one that another client hears.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import mqtt5
import pytest

from config.settings import Settings
from ingest.collector import Collector
from ingest.door import Door
from ingest.mqtt.address import Address
from ingest.registry import Registry
from subak.access.broker import COLLECTOR, DISPATCHER, REDRIVE
from tests.support.access import HOST, Authority, GuardedBroker, GuardedClient, RefusedError, device, service
from tests.support.pipelines import SITE
from tests.support.waiting import eventually

BASE = f"subak/v1/{SITE.name}"
ATC, OTHER_ATC = SITE.controllers[0].id, SITE.controllers[1].id
SIGN, OTHER_SIGN = SITE.signs[0].id, SITE.signs[1].id
CAMERA = SITE.cameras[0].id
LINK = SITE.network_links[0].id
YES, NO = "SUCCESS", "NOT_AUTHORIZED"


async def refused(broker: GuardedBroker, user: str | None, password: str | None) -> str:
    with pytest.raises(RefusedError) as told:
        await GuardedClient.login(broker.field_port, broker.authority.trusted(), user=user, password=password)
    return str(told.value)


async def test_a_device_publishes_each_of_its_own_streams_and_the_collector_hears_them(guarded: GuardedBroker) -> None:
    own = {
        ATC: [f"{BASE}/atc/{ATC}/{stream}" for stream in ("detectors", "events", "metrics", "presence")],
        CAMERA: [f"{BASE}/cctv/{CAMERA}/{stream}" for stream in ("counts", "health", "frame", "metrics", "presence")],
        SIGN: [f"{BASE}/vms/{SIGN}/{stream}" for stream in ("status", "result", "metrics", "presence")],
        LINK: [f"{BASE}/net/{LINK}/{stream}" for stream in ("metrics", "presence")],
    }
    async with service(guarded, COLLECTOR) as collector:
        await collector.subscribe(f"{BASE}/#")
        for name, topics in own.items():
            async with device(guarded, name) as client:
                assert [YES] * len(topics) == [await client.publish(topic) for topic in topics]
                assert topics == [await collector.next_topic() for _ in topics]


async def test_a_device_leaves_its_last_will_on_its_own_presence(guarded: GuardedBroker) -> None:
    async with service(guarded, COLLECTOR) as collector:
        await collector.subscribe(f"{BASE}/atc/{OTHER_ATC}/presence")
        client = await GuardedClient.login(
            guarded.field_port,
            guarded.authority.trusted(),
            user=OTHER_ATC,
            password=guarded.password(OTHER_ATC),
            will=mqtt5.Will(topic=f"{BASE}/atc/{OTHER_ATC}/presence", payload=b"offline", qos=mqtt5.QoS.AT_LEAST_ONCE),
        )
        client.abort()
        assert b"offline" == await collector.next_payload()


# Refusals: what a device may not publish.


async def test_refused_a_device_that_publishes_on_another_devices_topic(guarded: GuardedBroker) -> None:
    async with device(guarded, ATC) as client:
        assert NO == await client.publish(f"{BASE}/atc/{OTHER_ATC}/detectors")


async def test_refused_a_device_that_publishes_a_command(guarded: GuardedBroker) -> None:
    async with device(guarded, ATC) as client:
        assert NO == await client.publish(f"{BASE}/vms/{SIGN}/command")


async def test_refused_a_sign_that_publishes_its_own_command(guarded: GuardedBroker) -> None:
    async with device(guarded, SIGN) as client:
        assert NO == await client.publish(f"{BASE}/vms/{SIGN}/command")


async def test_refused_a_device_that_publishes_a_stream_that_does_not_exist(guarded: GuardedBroker) -> None:
    async with device(guarded, ATC) as client:
        assert NO == await client.publish(f"{BASE}/atc/{ATC}/firmware")


async def test_refused_a_device_that_publishes_into_another_site(guarded: GuardedBroker) -> None:
    async with device(guarded, ATC) as client:
        assert NO == await client.publish(f"subak/v1/denpasar/atc/{ATC}/detectors")


async def test_refused_a_device_that_publishes_outside_subaks_topics(guarded: GuardedBroker) -> None:
    async with device(guarded, ATC) as client:
        assert [NO, NO] == [await client.publish(topic) for topic in ("ntcip/any/presence", f"{BASE}")]


async def test_refused_a_device_that_clears_another_devices_retained_presence(guarded: GuardedBroker) -> None:
    async with device(guarded, ATC) as client:
        assert NO == await client.publish(f"{BASE}/net/{LINK}/presence", b"", retain=True)


async def test_refused_a_device_that_leaves_a_last_will_on_another_devices_topic(guarded: GuardedBroker) -> None:
    """The broker takes the will, and does not publish it."""
    async with service(guarded, COLLECTOR) as collector:
        await collector.subscribe(f"{BASE}/atc/{OTHER_ATC}/#")
        ended = guarded.log.count(f"Client {ATC} ")
        client = await GuardedClient.login(
            guarded.field_port,
            guarded.authority.trusted(),
            user=ATC,
            password=guarded.password(ATC),
            will=mqtt5.Will(topic=f"{BASE}/atc/{OTHER_ATC}/presence", payload=b"offline"),
        )
        client.abort()
        await eventually(lambda: _is(guarded.log.count(f"Client {ATC} ") > ended), what="the end of the device's connection")
        async with device(guarded, OTHER_ATC) as witness:
            assert YES == await witness.publish(f"{BASE}/atc/{OTHER_ATC}/metrics")
        assert f"{BASE}/atc/{OTHER_ATC}/metrics" == await collector.next_topic()


async def _is(value: bool) -> bool:
    return value


# Refusals: what a device may not read.


async def _hears_nothing_of(guarded: GuardedBroker, reader: str, pattern: str, topic: str, publisher: str) -> None:
    """`reader` subscribes and hears of `topic` nothing, though the broker passed it on to one that may."""
    async with (
        device(guarded, reader) as client,
        service(guarded, COLLECTOR) as collector,
        service(guarded, publisher) as other,
    ):
        await collector.subscribe(topic)
        await client.subscribe(pattern)
        assert YES == await other.publish(topic, b"secret")
        assert b"secret" == await collector.next_payload()
        # What the broker sent before this answer would be read before it, and is none.
        client.send(mqtt5.PingReqPacket())
        await client.receive(mqtt5.PingRespPacket)


async def test_refused_a_sign_that_reads_another_signs_command(guarded: GuardedBroker) -> None:
    topic = f"{BASE}/vms/{OTHER_SIGN}/command"
    await _hears_nothing_of(guarded, SIGN, topic, topic, DISPATCHER)


async def test_refused_a_sign_that_reads_all_signs_commands_by_wildcard(guarded: GuardedBroker) -> None:
    await _hears_nothing_of(guarded, SIGN, f"{BASE}/vms/+/command", f"{BASE}/vms/{OTHER_SIGN}/command", DISPATCHER)


async def test_refused_a_device_that_is_no_sign_and_reads_a_command(guarded: GuardedBroker) -> None:
    topic = f"{BASE}/vms/{SIGN}/command"
    await _hears_nothing_of(guarded, ATC, topic, topic, DISPATCHER)


async def test_refused_a_device_that_reads_another_devices_readings(guarded: GuardedBroker) -> None:
    topic = f"{BASE}/atc/{OTHER_ATC}/detectors"
    await _hears_nothing_of(guarded, ATC, topic, topic, REDRIVE)


async def test_refused_a_device_that_reads_everything_by_wildcard(guarded: GuardedBroker) -> None:
    await _hears_nothing_of(guarded, ATC, "#", f"{BASE}/cctv/{CAMERA}/frame", REDRIVE)


async def test_refused_a_device_that_reads_through_the_collectors_shared_subscription(guarded: GuardedBroker) -> None:
    topic = f"{BASE}/atc/{OTHER_ATC}/detectors"
    await _hears_nothing_of(guarded, ATC, f"$share/subak/{BASE}/#", topic, REDRIVE)


async def test_refused_a_device_that_takes_over_the_collectors_session(guarded: GuardedBroker) -> None:
    """By client id alone it would end the collector's connection and swallow its queue."""
    collector = Collector(
        Address.of(Settings.model_validate({"mqtt_url": guarded.url(COLLECTOR), "mqtt_ca_file": guarded.authority.certificate})),
        client_id=COLLECTOR,
        topic_filters=[f"{BASE}/#"],
        admit=Door(Registry.for_site(SITE), SITE).admit,
        receive_maximum=10,
        session_expiry_s=600,
    )
    task = asyncio.create_task(collector.run())
    async with asyncio.timeout(10):
        await collector.connected.wait()
    thief = await GuardedClient.login(
        guarded.field_port,
        guarded.authority.trusted(),
        user=ATC,
        password=guarded.password(ATC),
        client_id=COLLECTOR,
        session_expiry_s=600,
    )
    assert not thief.session_present
    assert YES == await thief.publish(f"{BASE}/atc/{ATC}/detectors", b"mine")

    async def heard() -> bool:
        return b"mine" in [delivery.payload for delivery, _ in await collector.batch(10, 0, 0.1)]

    await eventually(heard, what="the collector's message")
    assert collector.connected.is_set()
    assert 1 == collector.epoch
    thief.abort()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


# Refusals: who may not even connect.


@pytest.mark.parametrize("listener", ["field_port", "service_port"])
async def test_refused_anonymous(guarded: GuardedBroker, listener: str) -> None:
    with pytest.raises(RefusedError, match=NO):
        await GuardedClient.login(getattr(guarded, listener), guarded.authority.trusted())


async def test_refused_a_wrong_password(guarded: GuardedBroker) -> None:
    assert NO == await refused(guarded, ATC, "wrong")


async def test_refused_a_user_without_a_password(guarded: GuardedBroker) -> None:
    assert NO == await refused(guarded, ATC, None)


async def test_refused_an_unknown_user(guarded: GuardedBroker) -> None:
    assert NO == await refused(guarded, "atc-nobody", guarded.password(ATC))


async def test_refused_a_device_under_another_devices_name(guarded: GuardedBroker) -> None:
    assert NO == await refused(guarded, OTHER_ATC, guarded.password(ATC))


@pytest.mark.parametrize("listener", ["field_port", "service_port"])
async def test_refused_plain_tcp_on_a_tls_listener(guarded: GuardedBroker, listener: str) -> None:
    with pytest.raises((AssertionError, ConnectionError), match=r"closed|reset"):
        await GuardedClient.login(getattr(guarded, listener), None, user=ATC, password=guarded.password(ATC))


async def test_refused_an_outdated_tls_version(guarded: GuardedBroker) -> None:
    context = guarded.authority.trusted()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        await GuardedClient.login(guarded.field_port, context, user=ATC, password=guarded.password(ATC))


async def test_refused_a_broker_whose_certificate_is_of_an_untrusted_authority(guarded: GuardedBroker, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self.signed"):
        await _login_as_the_collector(guarded, other.certificate, HOST)


async def test_refused_a_broker_whose_certificate_is_for_another_host(guarded: GuardedBroker) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        await _login_as_the_collector(guarded, guarded.authority.certificate, "127.0.0.1")


async def _login_as_the_collector(guarded: GuardedBroker, trusted: Path, host: str) -> None:
    """Through the address of the collector, as it would."""
    address = Address.of(
        Settings.model_validate({"mqtt_url": guarded.url(COLLECTOR).replace(HOST, host), "mqtt_ca_file": trusted})
    )
    await GuardedClient.login(address.port, address.ssl_context(), user=address.username, password=address.password, host=host)


# Devices with certificates instead of passwords, as the shipped file describes.


async def test_with_certificates_a_device_is_who_its_certificate_says(guarded: GuardedBroker, tmp_path: Path) -> None:
    broker = GuardedBroker(tmp_path, SITE.path)
    certificate, key = broker.authority.issue(CAMERA, f"DNS:{CAMERA}")
    (broker.folder / "devices-ca.crt").write_bytes(broker.authority.certificate.read_bytes())

    def with_certificates(text: str) -> str:
        for line in ("cafile", "require_certificate", "use_identity_as_username"):
            assert f"\n#{line} " in text
            text = text.replace(f"\n#{line} ", f"\n{line} ")
        return text

    with broker.running(with_certificates):
        context = broker.authority.trusted()
        context.load_cert_chain(certificate, key)
        client = await GuardedClient.login(broker.field_port, context)
        assert YES == await client.publish(f"{BASE}/cctv/{CAMERA}/counts")
        assert NO == await client.publish(f"{BASE}/atc/{ATC}/detectors")
        client.abort()

        with pytest.raises((ssl.SSLError, AssertionError, ConnectionError)):
            await GuardedClient.login(broker.field_port, broker.authority.trusted())
