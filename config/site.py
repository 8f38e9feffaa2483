"""The inventory of one site: what stands in its streets, where, and what depends on what.

A site is a folder of YAML files (`config/sites/badung/`), one file a kind of thing. Topology reads
site → controller (or camera) → detector → lane; signs, network links, access points and applications stand beside it.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from config.alerts import Alerts, load_alerts
from config.checks import check
from config.errors import ConfigFileError
from config.files import Strict, load
from config.inventory import (
    Approach,
    Camera,
    Code,
    Controller,
    Corridor,
    Detector,
    Device,
    Gate,
    General,
    Junction,
    Kind,
    Lane,
    Link,
    Metric,
    Name,
    Position,
    Sensor,
    Sign,
    VirtualLane,
)

__all__ = [
    "Approach",
    "Camera",
    "Code",
    "Controller",
    "Corridor",
    "Detector",
    "Device",
    "Gate",
    "General",
    "Junction",
    "Kind",
    "Lane",
    "Link",
    "Metric",
    "Name",
    "Position",
    "Sensor",
    "Sign",
    "Site",
    "VirtualLane",
    "load_site",
]


class _Roads(Strict):
    gates: tuple[Gate, ...] = ()
    links: tuple[Link, ...] = ()


class _Junctions(Strict):
    junctions: tuple[Junction, ...] = ()


class _Corridors(Strict):
    corridors: tuple[Corridor, ...] = ()


class _Controllers(Strict):
    controllers: tuple[Controller, ...] = ()


class _Cameras(Strict):
    cameras: tuple[Camera, ...] = ()


class _Signs(Strict):
    signs: tuple[Sign, ...] = ()


class _Sensors(Strict):
    network_links: tuple[Sensor, ...] = ()
    access_points: tuple[Sensor, ...] = ()
    applications: tuple[Sensor, ...] = ()


class _Metrics(Strict):
    metrics: tuple[Metric, ...] = ()


class Site(Strict):
    """Everything known about one site; made by `load_site`, which also checks every reference."""

    path: Path
    general: General
    gates: tuple[Gate, ...]
    links: tuple[Link, ...]
    junctions: tuple[Junction, ...]
    corridors: tuple[Corridor, ...] = ()
    controllers: tuple[Controller, ...]
    cameras: tuple[Camera, ...]
    signs: tuple[Sign, ...]
    network_links: tuple[Sensor, ...]
    access_points: tuple[Sensor, ...]
    applications: tuple[Sensor, ...]
    metrics: tuple[Metric, ...]
    alerts: Alerts = Alerts()

    @property
    def name(self) -> str:
        """Name in topics."""
        return self.general.site

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of its days."""
        return ZoneInfo(self.general.timezone)

    @cached_property
    def junction(self) -> dict[str, Junction]:
        """Junctions by name."""
        return {junction.id: junction for junction in self.junctions}

    @cached_property
    def link(self) -> dict[str, Link]:
        """Road links by name."""
        return {link.id: link for link in self.links}

    @cached_property
    def places(self) -> dict[str, Position]:
        """Positions of junctions and gates by name: the ends of links."""
        return {junction.id: junction.position for junction in self.junctions} | {gate.id: gate.position for gate in self.gates}

    def line(self, link: Link) -> list[Position]:
        """The link as positions from its start to its end."""
        return [self.places[link.start], *link.via, self.places[link.end]]

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """Every device that has topics, in the order of the files."""
        found: list[Device] = []
        for controller in self.controllers:
            place = self.junction.get(controller.junction)
            found.append(
                Device(
                    id=controller.id,
                    kind=Kind.ATC,
                    name=place.name if place else controller.id,
                    position=place.position if place else None,
                    junction=controller.junction,
                    period=controller.period,
                    dialect=controller.dialect,
                    address=controller.address,
                )
            )
        for camera in self.cameras:
            found.append(
                Device(
                    id=camera.id,
                    kind=Kind.CCTV,
                    name=camera.name,
                    position=camera.position,
                    junction=camera.junction,
                    period=camera.period,
                    dialect=camera.dialect,
                    address=camera.address,
                )
            )
        for sign in self.signs:
            found.append(
                Device(
                    id=sign.id,
                    kind=Kind.VMS,
                    name=sign.name,
                    position=sign.position,
                    junction=None,
                    period=None,
                    dialect=sign.dialect,
                    address=sign.address,
                )
            )
        for kind, sensors in (
            (Kind.NET, self.network_links),
            (Kind.WIFI, self.access_points),
            (Kind.APP, self.applications),
        ):
            for sensor in sensors:
                found.append(
                    Device(
                        id=sensor.id,
                        kind=kind,
                        name=sensor.name,
                        position=sensor.position,
                        junction=None,
                        period=sensor.period,
                        dialect=sensor.dialect,
                        address=sensor.address,
                    )
                )
        return tuple(found)


SHARED_METRICS = Path(__file__).parent / "metrics.yaml"


def load_site(path: Path) -> Site:
    """Read and check the site folder at `path`; nothing is connected to.

    Raises:
        ConfigFileError: A file is missing or wrong, or a name refers to nothing; every problem of a file is listed.
    """
    if not path.is_dir():
        raise ConfigFileError(path, ["is not a folder; SUBAK_SITE must name a site folder such as config/sites/badung"])
    roads = load(path / "roads.yaml", _Roads)
    sensors = load(path / "sensors.yaml", _Sensors)
    site = Site(
        path=path,
        general=load(path / "site.yaml", General),
        gates=roads.gates,
        links=roads.links,
        junctions=load(path / "junctions.yaml", _Junctions).junctions,
        corridors=load(corridors, _Corridors).corridors if (corridors := path / "corridors.yaml").exists() else (),
        controllers=load(path / "controllers.yaml", _Controllers).controllers,
        cameras=load(path / "cameras.yaml", _Cameras).cameras,
        signs=load(path / "signs.yaml", _Signs).signs,
        network_links=sensors.network_links,
        access_points=sensors.access_points,
        applications=sensors.applications,
        metrics=load(SHARED_METRICS, _Metrics).metrics,
        alerts=load_alerts(path),
    )
    check(site)
    return site
