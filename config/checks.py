"""References inside a site: every name is unique and leads somewhere."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from config.dialects import dialect_problems
from config.errors import ConfigFileError
from config.inventory import Approach, Junction, Kind

if TYPE_CHECKING:
    from config.site import Site

_FILES = {
    "controllers.yaml": (Kind.ATC,),
    "cameras.yaml": (Kind.CCTV,),
    "signs.yaml": (Kind.VMS,),
    "sensors.yaml": (Kind.NET, Kind.WIFI, Kind.APP),
}


def check(site: Site) -> None:
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
    _report(site.path / "corridors.yaml", _bad_corridors(site))
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
        site.path / "controllers.yaml",
        _twice("controllers, logs", (name for controller in site.controllers for name in (controller.id, *controller.logs))),
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
        site.path / "alerts.yaml",
        [
            f"ignored.{position}.device: {entry.device!r} is no device of the site; {_did_you_mean(entry.device, names)}, or a pattern such as atc-*"
            for position, entry in enumerate(site.alerts.ignored)
            if not fnmatch.filter(names, entry.device)
        ],
    )
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


def _bad_corridors(site: Site) -> list[str]:
    problems = [
        *_twice("corridors", (corridor.id for corridor in site.corridors)),
        *_twice("corridors, links", (name for corridor in site.corridors for name in corridor.links)),
    ]
    for corridor in site.corridors:
        unknown = [name for name in corridor.links if name not in site.link]
        problems += [
            f"{corridor.id}.links: {name!r} is no link of roads.yaml; {_did_you_mean(name, set(site.link))}" for name in unknown
        ]
        if not unknown:
            problems += [
                f"{corridor.id}.links: {after!r} begins at {site.link[after].start}, but {before!r} before it ends at {site.link[before].end}"
                for before, after in pairwise(corridor.links)
                if site.link[after].start != site.link[before].end
            ]
    return problems


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
