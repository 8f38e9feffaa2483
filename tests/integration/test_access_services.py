"""What Subak's own may do at the shipped mosquitto, and every refusal by name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from subak.access.broker import CAMERAS, COLLECTOR, DISPATCHER, REDRIVE
from tests.support.access import GuardedBroker, device, service
from tests.support.cameras import camera_site, drive_past, film, source, worker
from tests.support.databases import Database
from tests.support.pipelines import SITE, pipeline_program
from tests.support.waiting import until

BASE = f"subak/v1/{SITE.name}"
ATC = SITE.controllers[0].id
SIGN = SITE.signs[0].id
CAMERA, OTHER_CAMERA = SITE.cameras[0].id, SITE.cameras[1].id
YES, NO = "SUCCESS", "NOT_AUTHORIZED"


async def test_the_dispatcher_gives_a_sign_its_command_and_the_sign_reads_it(guarded: GuardedBroker) -> None:
    async with device(guarded, SIGN) as sign, service(guarded, DISPATCHER) as dispatcher:
        await sign.subscribe(f"{BASE}/vms/{SIGN}/command")
        await dispatcher.subscribe(f"{BASE}/vms/+/result")
        assert YES == await dispatcher.publish(f"{BASE}/vms/{SIGN}/command", b"show")
        assert b"show" == await sign.next_payload()
        assert YES == await sign.publish(f"{BASE}/vms/{SIGN}/result")
        assert f"{BASE}/vms/{SIGN}/result" == await dispatcher.next_topic()


async def test_redrive_speaks_for_any_device(guarded: GuardedBroker) -> None:
    async with service(guarded, REDRIVE) as redrive:
        assert YES == await redrive.publish(f"{BASE}/atc/{ATC}/detectors")


async def test_the_camera_worker_reads_pictures_and_speaks_for_cameras(guarded: GuardedBroker) -> None:
    topics = [f"{BASE}/cctv/{camera}/{stream}" for camera in (CAMERA, OTHER_CAMERA) for stream in ("counts", "health")]
    async with (
        device(guarded, CAMERA) as camera,
        service(guarded, CAMERAS) as cameras,
        service(guarded, COLLECTOR) as collector,
    ):
        await cameras.subscribe(f"{BASE}/cctv/{CAMERA}/frame")
        assert YES == await camera.publish(f"{BASE}/cctv/{CAMERA}/frame", b"picture")
        assert b"picture" == await cameras.next_payload()
        await collector.subscribe(f"{BASE}/cctv/+/+")
        assert [YES] * len(topics) == [await cameras.publish(topic) for topic in topics]
        assert topics == [await collector.next_topic() for _ in topics]


@pytest.mark.parametrize("database", ["plain"], indirect=True)
async def test_the_real_collector_works_over_tls_with_its_credential(
    guarded: GuardedBroker, database: Database, tmp_path: Path
) -> None:
    url = tmp_path / "mqtt-url"
    url.write_text(guarded.url(COLLECTOR), encoding="utf-8")
    program = pipeline_program(
        tmp_path,
        "",
        database.url,
        SUBAK_MQTT_URL_FILE=str(url),
        SUBAK_MQTT_CA_FILE=str(guarded.authority.certificate),
        SUBAK_METRICS_PORT="0",
    )
    with program:
        until(lambda: "mqtt.connected" in program.log, what="a connected collector")
        assert 0 == program.stop()
    assert guarded.password(COLLECTOR) not in program.log


async def test_the_real_camera_worker_works_over_tls_with_its_credential(guarded: GuardedBroker, tmp_path: Path) -> None:
    """It reads a film, says what it saw, and ends."""
    url = tmp_path / "mqtt-url"
    url.write_text(guarded.url(CAMERAS), encoding="utf-8")
    site = camera_site(tmp_path, {CAMERA: source(film(tmp_path / "film.avi", list(drive_past(12))))})
    program = worker(
        tmp_path, site, "", SUBAK_MQTT_URL="", SUBAK_MQTT_URL_FILE=str(url), SUBAK_MQTT_CA_FILE=str(guarded.authority.certificate)
    )
    async with service(guarded, COLLECTOR) as collector:
        await collector.subscribe(f"{BASE}/cctv/+/+")
        with program:
            left = {f"{BASE}/cctv/{CAMERA}/health", f"{BASE}/cctv/{CAMERA}/counts"}
            async with asyncio.timeout(60):
                while left:
                    left.discard(await collector.next_topic())
            assert 0 == await asyncio.to_thread(program.wait, 30)
    assert guarded.password(CAMERAS) not in program.log


# Refusals.


@pytest.mark.parametrize(
    "topic", [f"{BASE}/atc/{ATC}/detectors", f"{BASE}/atc/{COLLECTOR}/detectors", f"{BASE}/net/{COLLECTOR}/presence", "any"]
)
async def test_refused_the_collector_that_publishes(guarded: GuardedBroker, topic: str) -> None:
    async with service(guarded, COLLECTOR) as client:
        assert NO == await client.publish(topic)


async def test_refused_the_collector_that_publishes_a_command(guarded: GuardedBroker) -> None:
    async with service(guarded, COLLECTOR) as client:
        assert NO == await client.publish(f"{BASE}/vms/{SIGN}/command")


async def test_refused_the_dispatcher_that_publishes_readings(guarded: GuardedBroker) -> None:
    async with service(guarded, DISPATCHER) as client:
        for topic in (f"{BASE}/atc/{ATC}/detectors", f"{BASE}/vms/{SIGN}/status", f"{BASE}/vms/{DISPATCHER}/status"):
            assert NO == await client.publish(topic)


async def test_refused_redrive_that_publishes_a_command(guarded: GuardedBroker) -> None:
    async with service(guarded, REDRIVE) as client:
        assert NO == await client.publish(f"{BASE}/vms/{SIGN}/command")


@pytest.mark.parametrize(
    "topic",
    [
        f"{BASE}/cctv/{CAMERA}/frame",
        f"{BASE}/cctv/{CAMERA}/presence",
        f"{BASE}/cctv/{CAMERAS}/counts",
        f"{BASE}/atc/{ATC}/detectors",
        f"{BASE}/vms/{SIGN}/command",
    ],
)
async def test_refused_the_camera_worker_that_publishes_what_no_worker_says(guarded: GuardedBroker, topic: str) -> None:
    async with service(guarded, CAMERAS) as client:
        assert NO == await client.publish(topic)


@pytest.mark.parametrize("stream", [f"cctv/{CAMERA}/counts", f"atc/{ATC}/detectors", f"vms/{SIGN}/command"])
async def test_refused_the_camera_worker_that_reads_more_than_pictures(guarded: GuardedBroker, stream: str) -> None:
    publisher = DISPATCHER if stream.endswith("command") else REDRIVE
    async with device(guarded, CAMERA) as camera, service(guarded, CAMERAS) as client, service(guarded, publisher) as other:
        await client.subscribe(f"{BASE}/#")
        assert YES == await other.publish(f"{BASE}/{stream}", b"secret")
        assert YES == await camera.publish(f"{BASE}/cctv/{CAMERA}/frame", b"picture")
        assert b"picture" == await client.next_payload()
