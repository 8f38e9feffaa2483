"""The sample site of a feed, and a door to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.dialects import dialect_problems, dialects
from config.files import Strict, load
from config.settings import DEFAULT_SITE
from config.site import Camera, Controller, General, Sensor, Sign, Site, load_site
from ingest import feeds
from ingest.door import Door
from ingest.registry import Registry

FEEDS = Path(feeds.__file__).parent
DIALECTS = tuple(dialects())
METRICS = load_site(DEFAULT_SITE).metrics


class Sample(Strict):
    controllers: tuple[Controller, ...] = ()
    cameras: tuple[Camera, ...] = ()
    signs: tuple[Sign, ...] = ()
    network_links: tuple[Sensor, ...] = ()
    access_points: tuple[Sensor, ...] = ()
    applications: tuple[Sensor, ...] = ()


def sample_site(dialect: str, **changes: Any) -> Site:
    """The site that the feed's README shows, which is what its cases are run against; `changes` are made to the file."""
    path = FEEDS / dialect / "sample.yaml"
    sample = load(path, Sample).model_copy(update=changes)
    site = Site(
        path=path,
        general=General(site="sample", title="Sample", timezone="Asia/Makassar", centre=(-8.7, 115.17)),
        gates=(),
        links=(),
        junctions=(),
        controllers=sample.controllers,
        cameras=sample.cameras,
        signs=sample.signs,
        network_links=sample.network_links,
        access_points=sample.access_points,
        applications=sample.applications,
        metrics=METRICS,
    )
    for device in site.devices:
        assert dialect_problems(device.id, device.kind, device.dialect, device.address) == []
    return site


def sample_door(dialect: str) -> tuple[Door, Registry]:
    """A new door, which remembers nothing, and the registry of its numbers."""
    site = sample_site(dialect)
    registry = Registry.for_site(site)
    return Door(registry, site), registry
