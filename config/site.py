"""The inventory of one site: what stands in its streets, where, and what depends on what.

A site is a folder of YAML files (`config/sites/badung/`), one file a kind of thing. Topology reads
site → controller (or camera) → detector → lane; signs, network links, access points and applications stand beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from config.dialects import Address, Spoken, dialect_problems
from config.errors import ConfigFileError
from config.files import Strict, load

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""A name that may stand in a topic: lower-case words joined by hyphens."""

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
"""A short name inside one device or junction: `N1`, `left-2`."""

Position = tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]]
"""Latitude and longitude, WGS 84 degrees."""


class Kind(StrEnum):
    """What a device is; the third level of its topics."""

    ATC = "atc"
    CCTV = "cctv"
    VMS = "vms"
    NET = "net"
    WIFI = "wifi"
    APP = "app"


class General(Strict):
    """`site.yaml`: the site itself.

    Attributes:
        site: Name in topics and in the database.
        title: Name for people.
        timezone: IANA zone of days, peaks and calendars; storage is UTC.
        centre: Where a map opens.
        note: What a reader of the map must know, such as how exact positions are.
    """

    site: Name
    title: str
    timezone: str
    centre: Position
    note: str = ""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("not an IANA time zone; allowed are names such as Asia/Makassar, Asia/Jakarta, Asia/Jayapura")
        return value


class Lane(Strict):
    """One lane of an approach.

    Attributes:
        id: Unique in the junction: `N1` is the lane at the kerb of approach N.
        movements: What the lane serves: left, through, right.
    """

    id: Code
    movements: tuple[Literal["left", "through", "right"], ...] = ("through",)


class Approach(Strict):
    """One arm of a junction, towards it.

    Attributes:
        id: Compass name, unique in the junction.
        link: Road link that arrives here.
        phase: Signal phase that serves it (NEMA numbering).
        lanes: From the kerb outwards (traffic keeps left).
    """

    id: Code
    link: Name
    phase: Annotated[int, Field(ge=1, le=16)]
    lanes: tuple[Lane, ...] = Field(min_length=1)


class Junction(Strict):
    """A signalised junction (*simpang*)."""

    id: Name
    name: str
    position: Position
    approaches: tuple[Approach, ...] = Field(min_length=1)


class Link(Strict):
    """A road link between two junctions, or between a junction and the edge of the site.

    Attributes:
        start: Junction, or a place name at the edge of the site.
        end: Junction, or a place name at the edge of the site.
        lanes: Number of lanes in this direction.
        speed_limit: km/h.
        via: Positions that shape the line between its ends.
    """

    id: Name
    start: Name
    end: Name
    road: str
    lanes: Annotated[int, Field(ge=1, le=6)]
    speed_limit: Annotated[int, Field(ge=10, le=120)]
    via: tuple[Position, ...] = ()


class Gate(Strict):
    """A place where links enter or leave the site."""

    id: Name
    position: Position


class Detector(Strict):
    """One lane detector of a controller.

    Attributes:
        id: Name in the `lanes` of a `detectors` message.
        lane: Lane of the controller's junction that it watches.
        number: Channel in hi-res events (parameter of codes 81 and 82).
        function: `count` upstream of the stop line counts vehicles; `presence` at the stop line does not.
        distance: Metres upstream of the stop line.
    """

    id: Code
    lane: Code
    number: Annotated[int, Field(ge=1, le=255)]
    function: Literal["count", "presence"] = "count"
    distance: Annotated[float, Field(ge=0, le=1000)] = 40.0


class Controller(Spoken):
    """A signal controller (`atc`).

    Attributes:
        junction: Where it stands.
        period: Seconds covered by one of its detector readings.
        detectors: What it reports.
    """

    id: Name
    junction: Name
    period: Annotated[float, Field(gt=0, le=3600)]
    detectors: tuple[Detector, ...] = Field(min_length=1)


class VirtualLane(Strict):
    """A counting line in a camera's picture.

    Attributes:
        id: Name in the `lanes` of a `counts` message.
        lane: Lane of the camera's junction that the line crosses.
    """

    id: Code
    lane: Code


class Camera(Spoken):
    """A CCTV camera.

    Attributes:
        junction: Junction it looks at.
        approach: Approach it looks along.
        height: Metres above the road.
        period: Seconds covered by one of its counts.
    """

    id: Name
    name: str
    junction: Name
    approach: Code
    position: Position
    height: Annotated[float, Field(gt=0, le=60)] = 7.0
    period: Annotated[float, Field(gt=0, le=3600)] = 60.0
    lanes: tuple[VirtualLane, ...] = ()


class Sign(Spoken):
    """A variable message sign.

    Attributes:
        link: Road link whose drivers read it.
        position: Where it stands.
        columns: Characters a line.
        rows: Lines a page.
        pages: Pages a message at most.
    """

    id: Name
    name: str
    link: Name
    position: Position
    columns: Annotated[int, Field(ge=4, le=60)] = 15
    rows: Annotated[int, Field(ge=1, le=6)] = 3
    pages: Annotated[int, Field(ge=1, le=6)] = 2


class Sensor(Spoken):
    """A device that reports `metrics`: a network link, a Wi-Fi access point or an application.

    Attributes:
        position: Where it stands; an application has none.
        serves: Devices that are silent when this one fails.
        period: Seconds between reports.
    """

    id: Name
    name: str
    position: Position | None = None
    serves: tuple[Name, ...] = ()
    period: Annotated[float, Field(gt=0, le=3600)] = 30.0


class Metric(Strict):
    """One metric that devices of some kinds may report.

    Attributes:
        name: Key in a `metrics` message.
        unit: Unit, as in UCUM where it has one.
        kinds: Kinds of device that may report it.
        low: Smallest possible value.
        high: Largest possible value.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    unit: str
    title: str
    kinds: tuple[Kind, ...] = Field(min_length=1)
    low: float = 0.0
    high: float = 1e12


class _Roads(Strict):
    gates: tuple[Gate, ...] = ()
    links: tuple[Link, ...] = ()


class _Junctions(Strict):
    junctions: tuple[Junction, ...] = ()


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


class Device(Strict):
    """Any device of the site, seen only by what all have in common."""

    id: Name
    kind: Kind
    name: str
    position: Position | None
    junction: Name | None
    period: float | None
    dialect: str
    address: Address


class Site(Strict):
    """Everything known about one site; made by `load_site`, which also checks every reference."""

    path: Path
    general: General
    gates: tuple[Gate, ...]
    links: tuple[Link, ...]
    junctions: tuple[Junction, ...]
    controllers: tuple[Controller, ...]
    cameras: tuple[Camera, ...]
    signs: tuple[Sign, ...]
    network_links: tuple[Sensor, ...]
    access_points: tuple[Sensor, ...]
    applications: tuple[Sensor, ...]
    metrics: tuple[Metric, ...]

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

_FILES = {
    "controllers.yaml": (Kind.ATC,),
    "cameras.yaml": (Kind.CCTV,),
    "signs.yaml": (Kind.VMS,),
    "sensors.yaml": (Kind.NET, Kind.WIFI, Kind.APP),
}


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
        controllers=load(path / "controllers.yaml", _Controllers).controllers,
        cameras=load(path / "cameras.yaml", _Cameras).cameras,
        signs=load(path / "signs.yaml", _Signs).signs,
        network_links=sensors.network_links,
        access_points=sensors.access_points,
        applications=sensors.applications,
        metrics=load(SHARED_METRICS, _Metrics).metrics,
    )
    _check(site)
    return site


def _check(site: Site) -> None:
    """Every name is unique and every reference leads somewhere."""
    places = set(site.places)
    _report(
        site.path / "roads.yaml",
        [
            *_twice("links", (link.id for link in site.links)),
            *_twice("gates and junctions", (*(gate.id for gate in site.gates), *(junction.id for junction in site.junctions))),
            *(
                f"links.{link.id}.{end}: {value!r} is no junction and no gate; {_did_you_mean(value, places)}"
                for link in site.links
                for end, value in (("start", link.start), ("end", link.end))
                if value not in places
            ),
        ],
    )
    _report(
        site.path / "junctions.yaml",
        [
            *(
                problem
                for junction in site.junctions
                for problem in (
                    *_twice(f"{junction.id}.approaches", (a.id for a in junction.approaches)),
                    *_twice(f"{junction.id}.lanes", (lane.id for a in junction.approaches for lane in a.lanes)),
                )
            ),
            *(
                f"{junction.id}.approaches.{approach.id}.link: {approach.link!r} {reason}"
                for junction in site.junctions
                for approach in junction.approaches
                if (reason := _not_arriving(site, junction, approach))
            ),
        ],
    )
    for file, owners in (
        ("controllers.yaml", [(c.id, c.junction, [(d.id, d.lane) for d in c.detectors]) for c in site.controllers]),
        ("cameras.yaml", [(c.id, c.junction, [(v.id, v.lane) for v in c.lanes]) for c in site.cameras]),
    ):
        _report(site.path / file, [problem for owner in owners for problem in _bad_lanes(site, *owner)])
    _report(
        site.path / "controllers.yaml",
        [
            problem
            for controller in site.controllers
            for problem in _twice(f"{controller.id}.detectors, number", (str(d.number) for d in controller.detectors))
        ],
    )
    _report(
        site.path / "cameras.yaml",
        [
            f"{camera.id}.approach: {camera.approach!r} is no approach of {camera.junction}"
            for camera in site.cameras
            if camera.approach not in {a.id for a in site.junction[camera.junction].approaches}
        ],
    )
    _report(
        site.path / "signs.yaml",
        [
            f"{sign.id}.link: {sign.link!r} is no link of roads.yaml; {_did_you_mean(sign.link, set(site.link))}"
            for sign in site.signs
            if sign.link not in site.link
        ],
    )
    for file, kinds in _FILES.items():
        _report(
            site.path / file,
            [
                problem
                for device in site.devices
                if device.kind in kinds
                for problem in dialect_problems(device.id, device.kind, device.dialect, device.address)
            ],
        )
    names = {device.id for device in site.devices}
    _report(
        site.path / "sensors.yaml",
        [
            *_twice("devices", (device.id for device in site.devices)),
            *(
                f"{sensor.id}.serves: {served!r} is no device of the site; {_did_you_mean(served, names)}"
                for sensor in (*site.network_links, *site.access_points, *site.applications)
                for served in sensor.serves
                if served not in names
            ),
        ],
    )


def _report(path: Path, problems: list[str]) -> None:
    if problems:
        raise ConfigFileError(path, problems)


def _twice(where: str, names: Iterable[str]) -> list[str]:
    return [
        f"{where}: {name!r} stands {count} times; names must be unique" for name, count in Counter(names).items() if count > 1
    ]


def _not_arriving(site: Site, junction: Junction, approach: Approach) -> str:
    link = site.link.get(approach.link)
    if link is None:
        return f"is no link of roads.yaml; {_did_you_mean(approach.link, set(site.link))}"
    if link.end != junction.id:
        return f"ends at {link.end}, not here"
    if link.lanes != len(approach.lanes):
        return f"has {link.lanes} lanes, the approach lists {len(approach.lanes)}"
    return ""


def _bad_lanes(site: Site, owner: str, junction_id: str, lanes: list[tuple[str, str]]) -> list[str]:
    junction = site.junction.get(junction_id)
    if junction is None:
        return [f"{owner}.junction: {junction_id!r} is no junction; {_did_you_mean(junction_id, set(site.junction))}"]
    known = {lane.id for approach in junction.approaches for lane in approach.lanes}
    return [
        *_twice(f"{owner}", (name for name, _ in lanes)),
        *(
            f"{owner}.{name}.lane: {lane!r} is no lane of {junction_id}; allowed: {', '.join(sorted(known))}"
            for name, lane in lanes
            if lane not in known
        ),
    ]


def _did_you_mean(value: str, known: set[str]) -> str:
    stem = re.split(r"[-_0-9]", value)[0]
    near = sorted(name for name in known if stem and stem in name)[:6] or sorted(known)[:6]
    return f"allowed are {', '.join(near)}{' …' if len(known) > len(near) else ''}"
