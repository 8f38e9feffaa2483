"""The sample site of the native feed, and a door to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.files import Strict, load
from config.settings import DEFAULT_SITE
from config.site import Camera, Controller, General, Sensor, Sign, Site, load_site
from ingest.door import Door
from ingest.feeds import native
from ingest.registry import Registry


class Sample(Strict):
    controllers: tuple[Controller, ...] = ()
    cameras: tuple[Camera, ...] = ()
    signs: tuple[Sign, ...] = ()
    network_links: tuple[Sensor, ...] = ()
    access_points: tuple[Sensor, ...] = ()
    applications: tuple[Sensor, ...] = ()


@pytest.fixture(scope="session")
def site() -> Site:
    path = Path(native.__file__).parent / "sample.yaml"
    sample = load(path, Sample)
    return Site(
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
        metrics=load_site(DEFAULT_SITE).metrics,
    )


@pytest.fixture(scope="session")
def registry(site: Site) -> Registry:
    return Registry.for_site(site)


@pytest.fixture(scope="session")
def door(registry: Registry, site: Site) -> Door:
    return Door(registry, site)
