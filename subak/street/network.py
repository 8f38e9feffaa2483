"""The road network for SUMO, built from a site folder: `python -m subak.street.network`.

A developer's tool, needed only after roads or junctions of a site change: it writes plain XML and calls `netconvert`
of the extra `network`. Running the street needs nothing but the file it makes.

The names in the network are those of the site, so no table between them is kept: an edge is a link, lane `N1` of an
approach is SUMO's lane `{link}_{i}`, where `i` counts the approach's lanes from the kerb, and a junction's traffic
light has the junction's name. The network holds no signal times: they are set when the street starts (`signals`).
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from math import atan2, degrees
from pathlib import Path
from typing import Literal

from config.errors import ConfigError
from config.settings import load_settings
from config.site import Approach, Junction, Link, Site, load_site
from subak.street.plane import Point, to_plane

LANE_WIDTH = 3.2
"""Metres; SUMO's default, near the 3.0-3.5 m of Indonesian urban roads."""

THROUGH_DEGREES = 60.0
"""A way out that turns less than this may be the way straight on."""

Movement = Literal["left", "through", "right"]


@dataclass(frozen=True, slots=True)
class Connection:
    """One way through a junction: from a lane of an approach to a lane of the link that leaves.

    Attributes:
        source: Link that arrives.
        source_lane: Its lane, from the kerb.
        target: Link that leaves.
        target_lane: Its lane, from the kerb.
        movement: Turn that it makes.
    """

    source: str
    source_lane: int
    target: str
    target_lane: int
    movement: Movement


def network_path(site: Site) -> Path:
    """The committed network file of `site`.

    Raises:
        ConfigError: The site has none yet; says how to make it.
    """
    path = _path_of(site)
    if not path.is_file():
        raise ConfigError(
            f"{path}: the site {site.name!r} has no road network for the street; "
            f"make it with: pip install 'subak[network]' && SUBAK_SITE={site.path} python -m subak.street.network"
        )
    return path


def lane_of(approach: Approach, lane: str) -> str:
    """SUMO's name of one lane of an approach."""
    return f"{approach.link}_{[item.id for item in approach.lanes].index(lane)}"


def connections(site: Site, junction: Junction) -> Iterator[Connection]:
    """Every way through `junction` that its lanes' movements allow; no U-turns.

    A lane whose movements lead nowhere here (straight on at the foot of a T) takes the turn that its side suggests:
    the lane at the kerb turns left, the outermost right. Then every way out that is left over is served likewise.
    """
    for approach in junction.approaches:
        ways = _ways_out(site, junction, site.link[approach.link])
        if not ways:
            continue
        served: dict[str, list[int]] = {target.id: [] for target, _ in ways}
        last = len(approach.lanes) - 1
        for index, lane in enumerate(approach.lanes):
            mine = [target.id for target, movement in ways if movement in lane.movements]
            for name in mine or [ways[0 if index < last or last == 0 else -1][0].id]:
                served[name].append(index)
        for position, (way, _) in enumerate(ways):
            if not served[way.id]:
                served[way.id].append(0 if position < len(ways) / 2 else last)
        for target, movement in ways:
            lanes = served[target.id]
            for order, index in enumerate(lanes):
                at = order if movement != "right" else target.lanes - len(lanes) + order
                yield Connection(approach.link, index, target.id, min(max(at, 0), target.lanes - 1), movement)


def _ways_out(site: Site, junction: Junction, arriving: Link) -> list[tuple[Link, Movement]]:
    """Links that leave `junction`, from the leftmost turn to the rightmost, without the way back."""
    into = _heading(site, arriving, end=True)
    turns = sorted(
        (
            ((_heading(site, link, end=False) - into + 180) % 360 - 180, link)
            for link in site.links
            if link.start == junction.id and link.end != arriving.start
        ),
        key=lambda item: -item[0],
    )
    if not turns:
        return []
    straight = min(range(len(turns)), key=lambda i: abs(turns[i][0]))
    if abs(turns[straight][0]) > THROUGH_DEGREES:
        return [(link, "left" if turn > 0 else "right") for turn, link in turns]
    return [
        (link, "left" if index < straight else "right" if index > straight else "through")
        for index, (_, link) in enumerate(turns)
    ]


def _heading(site: Site, link: Link, *, end: bool) -> float:
    """Degrees counter-clockwise from east in which the link starts, or ends."""
    line = [to_plane(position, site.general.centre) for position in site.line(link)]
    (x0, y0), (x1, y1) = line[-2:] if end else line[:2]
    return degrees(atan2(y1 - y0, x1 - x0))


def build(site: Site, target: Path) -> None:
    """Write the network of `site` to `target` (gzip, the same bytes for the same site).

    Raises:
        ConfigError: `netconvert` is not installed or refuses the site.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _write(work / "nodes.xml", _nodes(site))
        _write(work / "edges.xml", _edges(site))
        _write(work / "connections.xml", _connections(site))
        command = [
            _netconvert(),
            f"--node-files={work / 'nodes.xml'}",
            f"--edge-files={work / 'edges.xml'}",
            f"--connection-files={work / 'connections.xml'}",
            f"--output-file={work / 'net.xml'}",
            "--lefthand",
            "--no-turnarounds",
            "--no-internal-links=false",
            "--offset.disable-normalization",
            "--junctions.corner-detail=5",
            "--precision=2",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigError(f"{site.path}: netconvert refused the site's roads:\n{done.stderr}")
        print(done.stderr, end="", file=sys.stderr)
        text = re.sub(r"<!--.*?-->\s*", "", (work / "net.xml").read_text(encoding="utf-8"), count=1, flags=re.DOTALL)
    with target.open("wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
        packed.write(text.encode())


def _nodes(site: Site) -> ET.Element:
    root = ET.Element("nodes")
    for name, position in site.places.items():
        x, y = to_plane(position, site.general.centre)
        kind = "traffic_light" if name in site.junction else "dead_end"
        ET.SubElement(root, "node", id=name, x=f"{x:.2f}", y=f"{y:.2f}", type=kind, tl=name)
    return root


def _edges(site: Site) -> ET.Element:
    root = ET.Element("edges")
    for link in site.links:
        line: list[Point] = [to_plane(position, site.general.centre) for position in site.line(link)]
        ET.SubElement(
            root,
            "edge",
            {
                "id": link.id,
                "from": link.start,
                "to": link.end,
                "numLanes": str(link.lanes),
                "speed": f"{link.speed_limit / 3.6:.3f}",
                "width": str(LANE_WIDTH),
                "name": link.road,
                "shape": " ".join(f"{x:.2f},{y:.2f}" for x, y in line),
            },
        )
    return root


def _connections(site: Site) -> ET.Element:
    root = ET.Element("connections")
    for junction in site.junctions:
        for way in connections(site, junction):
            attributes = {"from": way.source, "to": way.target}
            ET.SubElement(root, "connection", attributes, fromLane=str(way.source_lane), toLane=str(way.target_lane))
    return root


def _write(path: Path, root: ET.Element) -> None:
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _netconvert() -> str:
    try:
        import sumo
    except ImportError:
        raise ConfigError("netconvert is missing; install it with: pip install 'subak[network]'") from None
    return str(Path(sumo.SUMO_HOME) / "bin" / "netconvert")


def _path_of(site: Site) -> Path:
    return Path(__file__).parent / f"{site.name}.net.xml.gz"


def main() -> None:
    """Build the network of the configured site and say where it is."""
    site = load_site(load_settings().site)
    target = _path_of(site)
    build(site, target)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
