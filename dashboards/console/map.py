"""The corridor as a drawing: the site's own road lines, since an installation without internet has no map tiles.

Coordinates are units of the drawing, x to the east and y to the south; 1000 units are the height of the frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from msgspec import Struct

from config.site import Kind, Link, Position, Site
from config.thresholds import ConsoleThresholds
from dashboards.console.devices import is_valid, quality_rank
from dashboards.console.state import MINUTE
from storage.readers import LaneRow, MinuteRow

Point = tuple[float, float]
Box = tuple[float, float, float, float]

HEIGHT = 1000.0
MARGIN = 42.0
OFFSET = 6.5  # of each direction from the line between its ends, to the left
TRIM = 20.0  # left free at each end, so that junctions stay readable
ARROW = 9.0
LETTER, LINE = 7.6, 16.0  # of a label, at the scale of a full screen
CROWDED = 16.0  # markers nearer to each other are spread
SPREAD = 25.0
_CORNERS: tuple[Point, ...] = ((0.8, -0.8), (-0.8, -0.8), (0.8, 0.8), (-0.8, 0.8), (1.5, 0.0), (-1.5, 0.0))


class LinkLook(StrEnum):
    """How a link looks; the value is the key of its word. The first four are speeds, `fresh` to `stale` ages."""

    FREE = "free"
    SLOW = "slow"
    DENSE = "dense"
    JAM = "jam"
    EMPTY = "empty"
    UNKNOWN = "unknown"
    UNEQUIPPED = "unequipped"
    FRESH = "fresh"
    AGEING = "ageing"
    STALE = "stale"


SPEED_LOOKS = (LinkLook.FREE, LinkLook.SLOW, LinkLook.DENSE, LinkLook.JAM, LinkLook.EMPTY, LinkLook.UNKNOWN, LinkLook.UNEQUIPPED)
AGE_LOOKS = (LinkLook.FRESH, LinkLook.AGEING, LinkLook.STALE, LinkLook.UNKNOWN, LinkLook.UNEQUIPPED)


class LinkState(Struct, frozen=True):
    """What is known of the traffic at the end of a link.

    Attributes:
        speed_look: By speed.
        age_look: By age of the data.
        speed: Volume-weighted mean over its lanes and the window (km/h).
        share: Of the speed limit (%).
        volume: Vehicles in the window.
        newest: Begin of the newest valid minute.
        minutes: Minutes of the window with a valid bin.
        quality: Worst quality of the bins that count; None without any.
        valid: Lanes with a valid bin in the window.
        lanes: Lanes of the link.
        kinds: Kinds of device whose bins count.
    """

    speed_look: LinkLook
    age_look: LinkLook
    speed: float | None = None
    share: int | None = None
    volume: int | None = None
    newest: datetime | None = None
    minutes: int = 0
    quality: str | None = None
    valid: int = 0
    lanes: int = 0
    kinds: tuple[str, ...] = ()


def speed_look(share: float, thresholds: ConsoleThresholds) -> LinkLook:
    """The class of a speed, given as % of the limit."""
    if share >= thresholds.speed_free.value:
        return LinkLook.FREE
    if share >= thresholds.speed_slow.value:
        return LinkLook.SLOW
    return LinkLook.DENSE if share >= thresholds.speed_dense.value else LinkLook.JAM


def age_look(newest: datetime, now: datetime, thresholds: ConsoleThresholds) -> LinkLook:
    """The class of a link's data by age, counted from the end of its newest valid minute."""
    age_s = (now - newest - MINUTE).total_seconds()
    if age_s <= thresholds.link_fresh.value:
        return LinkLook.FRESH
    return LinkLook.AGEING if age_s <= thresholds.link_stale.value else LinkLook.STALE


def link_state(
    link: Link,
    lanes: Iterable[LaneRow],
    minutes: Mapping[int, tuple[MinuteRow, ...]],
    now: datetime,
    thresholds: ConsoleThresholds,
) -> LinkState:
    """Judge a link by the final, valid bins of the approach at its end.

    A lane that both a controller and a camera count is taken from the controller, and from the camera where the
    controller has nothing valid. A link whose newest valid minute is too old has no observation.
    """
    mine = [lane for lane in lanes if lane.link == link.id]
    if not mine:
        return LinkState(LinkLook.UNEQUIPPED, LinkLook.UNEQUIPPED, lanes=link.lanes)
    usable = {lane.lane_id: [row for row in minutes.get(lane.lane_id, ()) if row.final and is_valid(row)] for lane in mine}
    newest = max((rows[-1].start for rows in usable.values() if rows), default=None)
    if newest is None:
        return LinkState(LinkLook.UNKNOWN, LinkLook.UNKNOWN, lanes=link.lanes)
    age = age_look(newest, now, thresholds)
    if age is LinkLook.STALE:
        return LinkState(LinkLook.UNKNOWN, age, newest=newest, lanes=link.lanes)
    since = newest - (thresholds.link_window.value - 1) * MINUTE
    chosen: dict[str, tuple[LaneRow, list[MinuteRow]]] = {}
    for lane in sorted(mine, key=lambda lane: lane.kind != Kind.ATC):
        rows = [row for row in usable[lane.lane_id] if row.start >= since]
        if rows and lane.lane not in chosen:
            chosen[lane.lane] = (lane, rows)
    rows = [row for _, found in chosen.values() for row in found]
    with_speed = [(row.volume or 0, row.speed) for row in rows if row.speed is not None]
    weight = sum(volume for volume, _ in with_speed)
    volume = sum(row.volume or 0 for row in rows)
    speed = sum(count * value for count, value in with_speed) / weight if weight else None
    share = None if speed is None else 100 * speed / link.speed_limit
    # Vehicles without a speed are no observation of speed; no vehicle is one of an empty road.
    without = LinkLook.EMPTY if volume == 0 else LinkLook.UNKNOWN
    look = without if share is None else speed_look(share, thresholds)
    return LinkState(
        look,
        age,
        speed=speed,
        share=None if share is None else round(share),
        volume=volume,
        newest=newest,
        minutes=len({row.start for row in rows}),
        quality=min((row.quality for row in rows), key=quality_rank, default=None),
        valid=len(chosen),
        lanes=link.lanes,
        kinds=tuple(sorted({lane.kind for lane, _ in chosen.values()})),
    )


class Frame:
    """Degrees to units: flat, true to scale at the middle of the site."""

    def __init__(self, positions: Sequence[Position]) -> None:
        """Frame these positions with a margin; at least one."""
        latitudes, longitudes = zip(*positions, strict=True)
        self._north, south = max(latitudes), min(latitudes)
        self._west, east = min(longitudes), max(longitudes)
        self._squeeze = math.cos(math.radians((self._north + south) / 2))
        spread = max(self._north - south, 1e-4)
        self._scale = (HEIGHT - 2 * MARGIN) / spread
        self.width = round((east - self._west) * self._squeeze * self._scale + 2 * MARGIN, 1)

    def at(self, position: Position) -> Point:
        """A position in the drawing."""
        latitude, longitude = position
        return (
            MARGIN + (longitude - self._west) * self._squeeze * self._scale,
            MARGIN + (self._north - latitude) * self._scale,
        )

    def clamp(self, point: Point) -> tuple[Point, str]:
        """The nearest point inside, and an arrow to where it really is (empty when it is inside)."""
        x, y = point
        inside = (min(max(x, MARGIN / 2), self.width - MARGIN / 2), min(max(y, MARGIN / 2), HEIGHT - MARGIN / 2))
        if math.dist(point, inside) < 1:
            return point, ""
        dx, dy = x - inside[0], y - inside[1]
        if abs(dx) > abs(dy):
            return inside, "→" if dx > 0 else "←"
        return inside, "↓" if dy > 0 else "↑"


def shifted(line: Sequence[Point], offset: float, trim: float) -> list[Point]:
    """A line moved to the left of its direction and shortened at both ends.

    Args:
        line: At least two points, no two neighbours alike.
        offset: Units to the left as one travels (y grows downwards).
        trim: Units cut off each end, at most a third of the outer stretches.
    """
    stretches = list(pairwise(line))
    normals = []
    for (x0, y0), (x1, y1) in stretches:
        length = math.hypot(x1 - x0, y1 - y0)
        normals.append(((y1 - y0) / length, -(x1 - x0) / length))
    moved: list[Point] = []
    for index, (x, y) in enumerate(line):
        before, after = normals[max(index - 1, 0)], normals[min(index, len(normals) - 1)]
        nx, ny = before[0] + after[0], before[1] + after[1]
        # Mitre: the joint stays `offset` away from both stretches.
        size = (nx * nx + ny * ny) / 2 or 1.0
        moved.append((x + offset * nx / size, y + offset * ny / size))
    moved[0] = _towards(moved[0], moved[1], trim)
    moved[-1] = _towards(moved[-1], moved[-2], trim)
    return moved


def _towards(start: Point, end: Point, units: float) -> Point:
    length = math.dist(start, end)
    part = min(units, length / 3) / length if length else 0.0
    return (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)


def arrow(line: Sequence[Point], size: float = ARROW) -> list[Point]:
    """A triangle at the end of a line, pointing where the traffic goes."""
    (x0, y0), (x1, y1) = line[-2], line[-1]
    length = math.dist((x0, y0), (x1, y1)) or 1.0
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    return [
        (x1 + dx * size, y1 + dy * size),
        (x1 - dy * size * 0.7, y1 + dx * size * 0.7),
        (x1 + dy * size * 0.7, y1 - dx * size * 0.7),
    ]


def _path(points: Sequence[Point]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def spread(points: Sequence[Point], taken: Sequence[Point]) -> list[Point]:
    """Move markers that stand on each other, or on what is `taken`, to free corners around their place."""
    used = list(taken)
    placed: list[Point] = []
    for x, y in points:
        tries = [(x, y), *((x + dx * SPREAD, y + dy * SPREAD) for dx, dy in _CORNERS)]
        found = next((place for place in tries if all(math.dist(place, other) >= CROWDED for other in used)), tries[-1])
        used.append(found)
        placed.append(found)
    return placed


def boxes(point: Point, lines: Sequence[str]) -> list[tuple[str, Box]]:
    """Where a label of some lines may stand around a point, the best place first: (anchor, box)."""
    x, y = point
    width, height = max(len(line) for line in lines) * LETTER, len(lines) * LINE
    found = []
    for far in (14.0, 34.0):
        for top in (y - height / 2, y + 2, y - height - 2, y + 14, y - height - 14):
            found.append(("start", (x + far, top, x + far + width, top + height)))
            found.append(("end", (x - far - width, top, x - far, top + height)))
    return found


def _overlap(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def place_labels(
    labels: Sequence[tuple[Point, Sequence[str]]], obstacles: Sequence[Point], width: float
) -> list[tuple[str, Box]]:
    """A place for every label, where it covers least: not other labels, then no markers and roads, inside the frame."""
    taken: list[Box] = []
    placed: list[tuple[str, Box]] = []
    around = [(x - 8, y - 8, x + 8, y + 8) for x, y in obstacles]
    for point, lines in labels:
        choices = boxes(point, lines)

        def cost(choice: tuple[str, Box], choices: list[tuple[str, Box]] = choices) -> float:
            box = choice[1]
            outside = max(0.0, -box[0]) + max(0.0, box[2] - width)
            covered = sum(_overlap(box, other) for other in taken) * 10 + sum(_overlap(box, other) for other in around)
            return covered + 100 * outside + 30 * choices.index(choice)

        best = min(choices, key=cost)
        taken.append(best[1])
        placed.append(best)
    return placed


def _along(line: Sequence[Point], step: float) -> list[Point]:
    """Points on a line, a step apart."""
    found: list[Point] = []
    for (x0, y0), (x1, y1) in pairwise(line):
        count = max(1, round(math.dist((x0, y0), (x1, y1)) / step))
        found += [(x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count) for i in range(count + 1)]
    return found


def drawing(site: Site) -> dict[str, Any]:
    """The parts of the map that never change, as the component in the browser wants them."""
    frame = Frame([site.general.centre, *site.places.values(), *(position for link in site.links for position in link.via)])
    lines = {link.id: shifted([frame.at(position) for position in site.line(link)], OFFSET, TRIM) for link in site.links}
    links = [
        {"id": name, "d": _path(line), "arrow": " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow(line))}
        for name, line in lines.items()
    ]
    nodes = {junction.id: frame.at(junction.position) for junction in site.junctions}
    marks = _marks(site, frame, nodes)
    # A marker is worth several points of a road: what is under a label cannot be read or clicked.
    obstacles = 6 * [(mark["x"], mark["y"]) for mark in marks] + [p for line in lines.values() for p in _along(line, 14.0)]
    labels = [(nodes[junction.id], junction.name.split(" – ")) for junction in site.junctions]
    junctions = [
        {
            "id": junction.id,
            "label": parts,
            "anchor": anchor,
            "x": box[0] if anchor == "start" else box[2],
            "y": (box[1] + box[3]) / 2,
        }
        for junction, (_, parts), (anchor, box) in zip(
            site.junctions, labels, place_labels(labels, obstacles, frame.width), strict=True
        )
    ]
    return {"width": frame.width, "height": HEIGHT, "links": links, "junctions": junctions, "marks": marks}


def _marks(site: Site, frame: Frame, nodes: Mapping[str, Point]) -> list[dict[str, Any]]:
    """Markers of the devices that stand somewhere; the controllers last, they are drawn on top."""
    marks: list[dict[str, Any]] = []
    others = [device for device in site.devices if device.position is not None and device.kind is not Kind.ATC]
    clamped = [frame.clamp(frame.at(device.position)) for device in others if device.position is not None]
    for device, (x, y), (_, pointer) in zip(others, spread([p for p, _ in clamped], list(nodes.values())), clamped, strict=True):
        marks.append({"id": device.id, "kind": device.kind.value, "x": x, "y": y, "pointer": pointer, "junction": None})
    for device in site.devices:
        if device.kind is Kind.ATC and device.junction is not None:
            x, y = nodes[device.junction]
            marks.append({"id": device.id, "kind": "atc", "x": x, "y": y, "pointer": "", "junction": device.junction})
    return marks


def up_to(minutes: Mapping[int, tuple[MinuteRow, ...]], now: datetime) -> datetime | None:
    """The end of the newest final minute of any lane that is not in the future."""
    starts = (
        row.start for rows in minutes.values() for row in rows if row.final and row.start + MINUTE <= now + timedelta(seconds=1)
    )
    newest = max(starts, default=None)
    return None if newest is None else newest + MINUTE
