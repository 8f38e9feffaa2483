"""Counting: each track once per line, however it stops and goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot
from statistics import median

from config.thresholds.camera import CountingThresholds
from ingest.camera.classify import Classifier
from ingest.camera.geometry import Direction, Homography, Line, Point, Zone, area
from ingest.camera.speed import speed_at
from ingest.camera.track import Track, Tracker
from ingest.camera.view import Crossing, Turn

USUAL = 31
"""Vehicles whose median area is the usual one at a line."""


@dataclass(slots=True)
class _Pass:
    """A line that a track went over, before it is counted."""

    direction: Direction
    frame: int
    time: float
    place: Point


@dataclass(slots=True)
class _File:
    """What is kept of one track."""

    passes: dict[int, _Pass] = field(default_factory=dict)
    counted: dict[int, Crossing] = field(default_factory=dict)


class Counter:
    """The lines of one camera."""

    def __init__(
        self,
        lines: Sequence[Line],
        thresholds: CountingThresholds,
        classifier: Classifier,
        plane: Homography | None,
        zones: Sequence[Zone] = (),
    ) -> None:
        """`zones` with a heading tell which way vehicles may go: against it they must be seen to go farther."""
        self._lines = lines
        self._zones = [zone for zone in zones if zone.heading]
        self._t = thresholds
        self._classifier = classifier
        self._plane = plane
        self._files: dict[int, _File] = {}
        self._last: dict[tuple[int, Direction], float] = {}
        self._areas: list[deque[float]] = [deque(maxlen=USUAL) for _ in lines]

    def reset(self) -> None:
        """Forget tracks, for another stream; what was counted stays counted."""
        self._files = {}
        self._last = {}

    def step(self, tracker: Tracker, frame: int, time: float) -> tuple[list[Crossing], list[Turn]]:
        """What is counted now that `tracker` has taken the frame number `frame`, of `time` seconds."""
        crossings: list[Crossing] = []
        turns: list[Turn] = []
        for track in tracker.tracks:
            file = self._files.setdefault(track.number, _File())
            self._look(track, file, frame)
            if tracker.confirmed(track) and file.passes:
                crossings += self._count(track, file, time, ended=False)
        for track in tracker.ended:
            file = self._files.pop(track.number, _File())
            if tracker.confirmed(track):
                crossings += self._count(track, file, time, ended=True)
                turns += _turns(file)
        return sorted(crossings, key=lambda item: item.time_us), turns

    def _look(self, track: Track, file: _File, frame: int) -> None:
        if len(track.path) < 2:
            return
        before, after = track.path[-2], track.path[-1]
        for index, line in enumerate(self._lines):
            if index in file.passes or index in file.counted:
                continue
            if (found := line.crossing(before[1], after[1])) is not None:
                direction, part = found
                (x0, y0), (x1, y1) = before[1], after[1]
                place = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
                file.passes[index] = _Pass(direction, frame, before[0] + (after[0] - before[0]) * part, place)

    def _count(self, track: Track, file: _File, time: float, *, ended: bool) -> list[Crossing]:
        """Passes that have become certain. One made while the track was not seen, and never seen again, is dropped."""
        smaller = min(track.box[2] - track.box[0], track.box[3] - track.box[1])
        if track.moved < self._t.moved.value * smaller:
            return []
        window = self._t.speed_window.value if self._plane else 0.0
        found: list[Crossing] = []
        for index, passed in list(file.passes.items()):
            seen_after = track.was_seen(passed.time) and self._clear(track, self._lines[index], passed)
            patient = track.votes >= self._t.votes.value and time - passed.time >= window
            if not ended and not (seen_after and patient):
                continue
            del file.passes[index]
            usual = self._areas[index]
            mine = area(track.box)
            if not seen_after:
                continue
            if len(usual) >= 3 and mine < self._t.debris.value * median(usual):
                continue
            usual.append(mine)
            vehicle = self._classifier.vehicle(track)
            if vehicle is None:
                continue
            speed = speed_at(track, passed.time, self._plane, self._t) if self._plane else None
            key = (index, passed.direction)
            headway = passed.time - self._last[key] if key in self._last else None
            self._last[key] = passed.time
            crossing = Crossing(
                line=self._lines[index].id,
                direction=passed.direction,
                vehicle=vehicle,
                frame=passed.frame,
                time_us=round(passed.time * 1_000_000),
                speed_kmh=speed[0] if speed else None,
                speed_error_kmh=speed[1] if speed else None,
                headway_s=round(headway, 2) if headway is not None and headway >= 0 else None,
            )
            file.counted[index] = crossing
            found.append(crossing)
        return found

    def _clear(self, track: Track, line: Line, passed: _Pass) -> bool:
        """Whether the track came from well before the line and has gone well beyond it, and on the whole goes that way.

        A spot that trembles, or jumps from one vehicle to another, may be over the line and back.
        """
        sign = 1 if passed.direction is Direction.FORWARD else -1
        sides = [(time, line.side(middle) * sign) for (time, middle, _), seen in zip(track.path, track.seen, strict=True) if seen]
        before = [side for time, side in sides if time <= passed.time and side < 0]
        after = [side for time, side in sides if time >= passed.time and side >= 0]
        if len(before) < self._t.looks.value or len(after) < self._t.looks.value:
            return False
        if self._plane is None:
            size = min(track.box[2] - track.box[0], track.box[3] - track.box[1])
            least, travel = self._t.clear.value * size, self._t.travel.value * size
        else:
            pixels = _pixels_per_metre(self._plane, line, passed.place)
            travel = self._t.travel_against.value if self._against(line, passed) else self._t.travel_measured.value
            least, travel = self._t.clear_measured.value * pixels, travel * pixels
        if min(before) > -least or max(after) < least or max(after) - min(before) < travel:
            return False
        return sides[-1][1] - sides[0][1] >= travel

    def _against(self, line: Line, passed: _Pass) -> bool:
        """Whether a zone around the place of a pass has a heading to the other side of the line."""
        for zone in self._zones:
            if zone.heading and zone.holds(passed.place):
                ahead = line.side(zone.heading[1]) - line.side(zone.heading[0])
                return (ahead > 0) != (passed.direction is Direction.FORWARD)
        return False


def _pixels_per_metre(plane: Homography, line: Line, place: Point) -> float:
    """Of the way across the line at `place`."""
    (x0, y0), (x1, y1) = line.first, line.second
    length = hypot(x1 - x0, y1 - y0)
    across = (y1 - y0) / length, (x0 - x1) / length
    (a, b), (c, d) = plane.to_metres(place), plane.to_metres((place[0] + across[0], place[1] + across[1]))
    return 1 / max(1e-6, hypot(c - a, d - b))


def _turns(file: _File) -> list[Turn]:
    """From the first line of its way to the last."""
    way = sorted(file.counted.values(), key=lambda item: item.time_us)
    if len(way) < 2:
        return []
    return [Turn(way[0].line, way[-1].line, way[-1].vehicle, way[-1].time_us)]
