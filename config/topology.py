"""What lies before what: lengths along the roads, and the signs that drivers pass on their way to an approach. Pure."""

from __future__ import annotations

import heapq
from collections import defaultdict
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from config.inventory import Link, Position, Sign
from config.site import Site

EARTH_M = 6_371_008.8
"""Mean radius (IUGG)."""


class UpstreamSign(NamedTuple):
    """A sign that drivers pass before they reach the stop line of an approach.

    Attributes:
        junction: Junction of the approach.
        approach: Approach they come in by.
        sign: The sign.
        distance_m: From the sign along the shortest way to the stop line (m).
        hops: Junctions between the sign and the approach's own link; 0 when it stands on that link.
    """

    junction: str
    approach: str
    sign: str
    distance_m: float
    hops: int


def distance_m(first: Position, second: Position) -> float:
    """Great-circle distance of two positions (m), by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = ((radians(a), radians(b)) for a, b in (first, second))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(half))


def length_m(line: list[Position]) -> float:
    """Length of a line of positions (m)."""
    return sum(distance_m(a, b) for a, b in pairwise(line))


def remaining_m(line: list[Position], position: Position) -> float:
    """How far it is to the end of a line from the point of it nearest to `position` (m).

    Flat geometry: a link is short against the Earth.
    """
    scale = cos(radians(line[0][0]))

    def flat(place: Position) -> tuple[float, float]:
        return place[1] * scale, place[0]

    x, y = flat(position)
    best = (float("inf"), 0.0)
    after = length_m(line)
    for start, end in pairwise(line):
        (x1, y1), (x2, y2) = flat(start), flat(end)
        squared = (x2 - x1) ** 2 + (y2 - y1) ** 2
        share = 0.0 if squared == 0 else min(1.0, max(0.0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / squared))
        off = (x1 + share * (x2 - x1) - x) ** 2 + (y1 + share * (y2 - y1) - y) ** 2
        length = distance_m(start, end)
        if off < best[0]:
            best = (off, after - share * length)
        after -= length
    return best[1]


def upstream_signs(site: Site, reach_m: float) -> list[UpstreamSign]:
    """The signs before every approach of a site, nearest first.

    The way is searched up the links from the approach, shortest first. Nobody is expected to turn round in a junction, so the
    same road's other direction is no way.

    Args:
        site: The site.
        reach_m: A sign farther away than this no longer speaks to these drivers (m).
    """
    into: dict[str, list[Link]] = defaultdict(list)
    for link in site.links:
        into[link.end].append(link)
    on: dict[str, list[Sign]] = defaultdict(list)
    for sign in site.signs:
        on[sign.link].append(sign)
    lengths = {link.id: length_m(site.line(link)) for link in site.links}
    found: list[UpstreamSign] = []
    for junction in site.junctions:
        for approach in junction.approaches:
            nearest = _nearest(site, site.link[approach.link], into, on, lengths, reach_m)
            found += [
                UpstreamSign(junction.id, approach.id, sign, round(distance, 1), hops)
                for sign, (distance, hops) in sorted(nearest.items(), key=lambda item: (item[1], item[0]))
            ]
    return found


def _nearest(
    site: Site,
    arriving: Link,
    into: dict[str, list[Link]],
    on: dict[str, list[Sign]],
    lengths: dict[str, float],
    reach_m: float,
) -> dict[str, tuple[float, int]]:
    """Distance and hops of each sign before the end of a link."""
    nearest: dict[str, tuple[float, int]] = {}
    done: set[str] = set()
    # Distance from the end of the link to the stop line, junctions between, link.
    waiting: list[tuple[float, int, str]] = [(0.0, 0, arriving.id)]
    while waiting:
        beyond, hops, name = heapq.heappop(waiting)
        if name in done:
            continue
        done.add(name)
        link = site.link[name]
        for sign in on[name]:
            distance = beyond + remaining_m(site.line(link), sign.position)
            if distance <= reach_m and (sign.id not in nearest or distance < nearest[sign.id][0]):
                nearest[sign.id] = (distance, hops)
        here = beyond + lengths[name]
        if here <= reach_m:
            for before in into[link.start]:
                if before.id not in done and before.start != link.end:
                    heapq.heappush(waiting, (here, hops + 1, before.id))
    return nearest
