"""Counting: each track once per line, however it stops and goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from config.thresholds.camera import CountingThresholds
from ingest.camera.classify import Classifier
from ingest.camera.geometry import Direction, Homography, Line, area
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


@dataclass(slots=True)
class _File:
    """What is kept of one track."""

    passes: dict[int, _Pass] = field(default_factory=dict)
    counted: dict[int, Crossing] = field(default_factory=dict)


class Counter:
    """The lines of one camera."""

    def __init__(
        self, lines: Sequence[Line], thresholds: CountingThresholds, classifier: Classifier, plane: Homography | None
    ) -> None:
        self._lines = lines
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
                file.passes[index] = _Pass(direction, frame, before[0] + (after[0] - before[0]) * part)

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
        """Whether the track came from well before the line and has gone well beyond it."""
        sign = 1 if passed.direction is Direction.FORWARD else -1
        sides = [(time, line.side(middle) * sign) for time, middle, _ in track.path]
        least = self._t.clear.value * min(track.box[2] - track.box[0], track.box[3] - track.box[1])
        before = min((side for time, side in sides if time <= passed.time), default=0.0)
        after = max((side for time, side in sides if time >= passed.time), default=0.0)
        return before <= -least and after >= least


def _turns(file: _File) -> list[Turn]:
    """From the first line of its way to the last."""
    way = sorted(file.counted.values(), key=lambda item: item.time_us)
    if len(way) < 2:
        return []
    return [Turn(way[0].line, way[-1].line, way[-1].vehicle, way[-1].time_us)]
