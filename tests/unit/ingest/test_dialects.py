"""How foreign topics find their device, and what is said of those that do not."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from config.errors import ConfigError
from config.site import Site
from ingest.door import Door, matches
from ingest.feeds.catalogue import feed_of
from ingest.registry import Registry
from tests.unit.ingest.samples import sample_site

RECEIVED = 1_795_478_410_500_000
COUNTED = b'{"seq":1,"start":"2026-11-24T08:00:00+08:00","period_s":10,"lanes":[{"id":"N1","volume":1}]}'


def mixed() -> Site:
    """Devices of four dialects in one site."""
    native, ntcip, frigate, sparkplug = (sample_site(name) for name in ("native", "ntcip", "frigate", "sparkplug"))
    foreign = ntcip.controllers[0].model_copy(update={"id": "atc-foreign"})
    return sample_site(
        "native",
        controllers=(*native.controllers, foreign),
        cameras=(*native.cameras, *frigate.cameras),
        network_links=(*native.network_links, *ntcip.network_links, *sparkplug.network_links),
        access_points=(*native.access_points, *sparkplug.access_points),
        applications=(*native.applications, *frigate.applications),
    )


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.for_site(mixed())


@pytest.fixture(scope="module")
def door(registry: Registry) -> Door:
    return Door(registry, mixed())


def test_every_dialect_is_subscribed_to_and_nothing_more(door: Door) -> None:
    assert door.topic_filters == [
        "subak/v1/sample/#",
        "ntcip/gw-1/#",
        "frigate/available",
        "frigate/east/status/detect",
        "frigate/events",
        "frigate/north/status/detect",
        "frigate/stats",
        "spBv1.0/badung/DBIRTH/cabinet-7/+",
        "spBv1.0/badung/DDATA/cabinet-7/+",
        "spBv1.0/badung/DDEATH/cabinet-7/+",
        "spBv1.0/badung/NBIRTH/cabinet-7",
        "spBv1.0/badung/NDATA/cabinet-7",
        "spBv1.0/badung/NDEATH/cabinet-7",
    ]


def test_a_site_of_native_devices_subscribes_to_itself() -> None:
    site = sample_site("native")
    assert Door(Registry.for_site(site), site).topic_filters == ["subak/v1/sample/#"]


@pytest.mark.parametrize(
    ("topic", "device"),
    [
        ("subak/v1/sample/atc/atc-sample/detectors", "atc-sample"),
        ("ntcip/gw-1/17/volume-occupancy", "atc-foreign"),
        ("ntcip/gw-1/presence", "net-ntcip-gateway"),
        ("frigate/north/status/detect", "cam-north"),
        ("frigate/available", "app-frigate"),
        ("spBv1.0/badung/NDATA/cabinet-7", "net-gateway"),
        ("spBv1.0/badung/DDATA/cabinet-7/ap-south", "wifi-south"),
    ],
)
def test_a_topic_finds_its_device(door: Door, registry: Registry, topic: str, device: str) -> None:
    assert registry.device_name(door.admit(topic, b"\xff\xff", RECEIVED).source) == device


@pytest.mark.parametrize(
    ("topic", "detail"),
    [
        ("ntcip/gw-1/18/volume-occupancy", "no device of dialect ntcip has this topic; theirs are ntcip/gw-1/17/polling"),
        ("ntcip/gw-2/17/volume-occupancy", "the topic is not subak/v1/site/kind/device/stream"),
        ("frigate/garage/status/detect", "no device of dialect frigate has this topic; theirs are frigate/available"),
        ("spBv1.0/badung/NDATA/cabinet-8", "the topic is not subak/v1"),
        ("subak/v1/sample/atc/atc-foreign/detectors", "speaks dialect ntcip; its topics are ntcip/gw-1/17/polling"),
        ("subak/v1/sample/cctv/cam-north/counts", "speaks dialect frigate; its topics are frigate/north/status/detect"),
        ("ntcip/gw-1/17/+", "no device of dialect ntcip has this topic"),
        ("+", "the topic is not subak/v1"),
    ],
)
def test_a_topic_that_leads_nowhere_is_explained(door: Door, topic: str, detail: str) -> None:
    [letter] = door.admit(topic, COUNTED, RECEIVED).dead
    assert letter.reason == "unknown_topic"
    assert detail in letter.detail


@pytest.mark.parametrize(
    ("pattern", "topic", "covered"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/+/c", "a//c", True),
        ("a/#", "a", True),  # MQTT 5, 4.7.1.2: the parent level too
        ("a/#", "a/b/c", True),
        ("a/#", "ab/c", False),
        ("+/b/#", "a/b", True),
        ("#", "a", True),
    ],
)
def test_filters(pattern: str, topic: str, covered: bool) -> None:
    assert matches(pattern, topic) is covered


def test_a_topic_of_two_dialects_is_a_configuration_error() -> None:
    radar, flow = sample_site("radar").controllers[0], sample_site("fiware").controllers[0]
    flow = flow.model_copy(update={"address": {"topic": "topo/devices/4711/evt/vehicle"}})
    site = sample_site("radar", controllers=(radar, flow))
    with pytest.raises(ConfigError, match=r"flow-sample: its topic topo/devices/4711/evt/vehicle .* belongs to radar-sample"):
        Door(Registry.for_site(site), site)


def test_two_devices_of_one_address_are_a_configuration_error() -> None:
    one = sample_site("radar").controllers[0]
    site = sample_site("radar", controllers=(one, one.model_copy(update={"id": "radar-other"})))
    with pytest.raises(
        ConfigError, match="radar-sample and radar-other have the same address: both would own topic topo/devices"
    ):
        Door(Registry.for_site(site), site)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    site = sample_site("rsmp4")
    registry = Registry.for_site(site)
    for name in [module for module in sys.modules if module.startswith("ingest.feeds.rsmp4")]:
        monkeypatch.delitem(sys.modules, name)
    missing: Any = None
    monkeypatch.setitem(sys.modules, "cbor2", missing)
    with pytest.raises(
        ConfigError, match=r"atc-sample: dialect 'rsmp4' needs the package cbor2, .* pip install 'subak\[rsmp4\]'"
    ):
        Door(registry, site)


def test_an_unknown_dialect_is_never_imported() -> None:
    with pytest.raises(ConfigError, match=r"no feed for dialect 'os\.path'"):
        feed_of("os.path")
