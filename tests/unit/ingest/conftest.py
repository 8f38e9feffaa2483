"""The sample site of the native feed, and a door to it."""

from __future__ import annotations

import pytest

from config.site import Site
from ingest.door import Door
from ingest.registry import Registry
from tests.unit.ingest.samples import sample_site


@pytest.fixture(scope="session")
def site() -> Site:
    return sample_site("native")


@pytest.fixture(scope="session")
def registry(site: Site) -> Registry:
    return Registry.for_site(site)


@pytest.fixture(scope="session")
def door(registry: Registry, site: Site) -> Door:
    return Door(registry, site)
