"""Names to numbers and back."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.site import Kind, Site
from ingest.registry import Registry, lane_codes


def test_numbers_of_the_database_are_used(site: Site) -> None:
    devices = {device.id: 100 + index for index, device in enumerate(site.devices)}
    pairs = [(device, code) for device, own in lane_codes(site).items() for code in own]
    lanes = {pair: 50 + index for index, pair in enumerate(pairs)}
    metrics = {metric.name: 9 + index for index, metric in enumerate(site.metrics)}
    registry = Registry.build(site, devices, lanes, metrics)
    atc = registry.find(Kind.ATC, "atc-sample")
    assert atc is not None
    assert (atc.number, atc.dialect, atc.period_ms) == (100, "native", 10_000)
    assert registry.lanes_of(100) == (50, 51, 52)
    assert registry.device_of(52) == 100
    assert registry.lane_name(52) == "atc-sample/E1"
    assert registry.device_name(101) == "cam-sample"
    assert registry.metric_name(9) == site.metrics[0].name


def test_numbering_without_a_database(registry: Registry, site: Site) -> None:
    assert [entry.number for entry in registry] == list(range(1, len(site.devices) + 1))
    assert registry.lanes == (1, 2, 3, 4, 5)
    assert registry.lanes_of(2) == (4, 5)
    assert [registry.device_of(lane) for lane in registry.lanes] == [1, 1, 1, 2, 2]


def test_periods(registry: Registry) -> None:
    assert [registry.period_ms(entry.number) for entry in registry] == [10_000, 60_000, None, 30_000, 30_000, 30_000]


def test_a_device_answers_only_to_its_kind(registry: Registry) -> None:
    assert registry.find(Kind.VMS, "atc-sample") is None
    assert registry.find(Kind.ATC, "nowhere") is None


def test_metrics_by_kind(registry: Registry) -> None:
    wifi = registry.metrics_of(Kind.WIFI)
    assert "clients" in wifi
    assert "users" not in wifi
    assert (wifi["loss_percent"].low, wifi["loss_percent"].high) == (0, 100)


def test_unknown_numbers_have_a_name_for_people(registry: Registry) -> None:
    assert registry.device_name(99) == "device 99"
    assert registry.lane_name(99) == "lane 99"
    assert registry.metric_name(99) == "metric 99"
    assert registry.lanes_of(99) == ()


def test_a_site_the_database_does_not_know(site: Site) -> None:
    with pytest.raises(ConfigError, match=r"does not know device atc-sample, .* and .* more .*; run: subak migrate"):
        Registry.build(site, {}, {}, {})


def test_a_presence_zone_is_no_lane(site: Site) -> None:
    """Neither by its code nor by its channel can it become a second lane of volume."""
    controller = site.controllers[0]
    zone = controller.detectors[0].model_copy(update={"id": "stop", "number": 99, "function": "presence"})
    with_zone = controller.model_copy(update={"detectors": (zone, *controller.detectors)})
    registry = Registry.for_site(site.model_copy(update={"controllers": (with_zone, *site.controllers[1:])}))
    known, before = registry.named(controller.id), Registry.for_site(site).named(controller.id)
    assert known == before
