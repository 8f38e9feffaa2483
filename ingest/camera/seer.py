"""One camera's way from frames to facts: detector, tracker, counting. Runs inside the camera's own process."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import cv2

from config.thresholds.camera import SeeingThresholds, seeing_thresholds
from ingest.camera.classify import Classifier
from ingest.camera.count import Counter
from ingest.camera.detect import Detection, Detector, Image
from ingest.camera.detect.background import Background
from ingest.camera.detect.shapes import Shapes
from ingest.camera.detect.silhouettes import Ground, Silhouettes
from ingest.camera.geometry import Homography, Line, Point
from ingest.camera.pose import Pose
from ingest.camera.track import Track, Tracker
from ingest.camera.view import Happening, Seen, View
from ingest.camera.zones import Watch

EDGE = 2
"""Pixels from the edge at which a thing may go on outside."""


class Seer:
    """Looks at the frames of one camera in their order."""

    def __init__(self, view: View, detector: Detector, thresholds: SeeingThresholds | None = None) -> None:
        """One thread: a worker has a camera on each core's share, and threads would fight for it."""
        cv2.setNumThreads(1)
        self.detector = detector
        self._view = view
        self._t = thresholds or seeing_thresholds()
        self.tracker = Tracker(self._t.tracking, self._t.motion)
        self._classifier = Classifier(self._t.classes)
        self._size: tuple[int, int] | None = None
        self._counter = Counter((), self._t.counting, self._classifier, None)
        self._watch = Watch((), self._t.zones, None)
        self._roi = (0, 0, 0, 0)
        self.frame = 0

    @property
    def tracks(self) -> list[Track]:
        """What is followed now; for drawing, inside this process."""
        return [track for track in self.tracker.tracks if self.tracker.confirmed(track)]

    def reset(self) -> None:
        """Another stream or another view: learn anew, forget tracks. What was counted is not counted again."""
        self.detector.reset()
        self.tracker.reset()
        self._counter.reset()

    def cut(self, frame: Image) -> Image:
        """The part of `frame` that is looked at."""
        self._fit(frame)
        left, top, right, bottom = self._roi
        return frame[top:bottom, left:right]

    @property
    def ongoing(self) -> list[Happening]:
        """Events in its zones that were told and go on."""
        return self._watch.ongoing

    def see(self, frame: Image, time_us: int, *, blind: bool = False) -> Seen:
        """What `frame`, taken at `time_us` microseconds of the stream, tells; of events nothing while the camera is `blind`."""
        part = self.cut(frame)
        time = time_us / 1_000_000
        if isinstance(self.detector, Background):
            self.detector.expected = self.tracker.expected(time)
        found = self.detector.detect(part, time)
        left, top, _, _ = self._roi
        found = [_placed(item, left, top, part.shape[1], part.shape[0]) for item in found]
        self.tracker.step(found, time, blinded=self.detector.blinded)
        crossings, turns = self._counter.step(self.tracker, self.frame, time)
        zones, happenings = self._watch.step(self.tracks, time, blind=blind)
        seen = Seen(
            frame=self.frame,
            time_us=time_us,
            ready=self.detector.ready,
            blinded=self.detector.blinded,
            crossings=tuple(crossings),
            turns=tuple(turns),
            zones=tuple(zones),
            happenings=tuple(happenings),
        )
        self.frame += 1
        return seen

    def finish(self) -> Seen:
        """The stream has ended: what its last tracks still tell."""
        self.tracker.finish()
        crossings, turns = self._counter.step(self.tracker, self.frame, float("inf"))
        return Seen(frame=self.frame, time_us=0, crossings=tuple(crossings), turns=tuple(turns))

    def _fit(self, frame: Image) -> None:
        """Scale the geometry to the frames; a stream that changes its size is a new one."""
        height, width = frame.shape[:2]
        if self._size == (width, height):
            return
        if self._size is not None:
            self.reset()
        self._size = (width, height)
        reference = self._view.size or self._size
        x, y = width / reference[0], height / reference[1]
        lines = [line.scaled(x, y) for line in self._view.lines]
        plane = None
        if self._view.pixels:
            pixels: list[Point] = [(px * x, py * y) for px, py in self._view.pixels]
            plane = Homography(pixels, self._view.metres)
        self.tracker.plane = plane
        zones = [zone.scaled(x, y) for zone in self._view.zones]
        self._counter = Counter(lines, self._t.counting, self._classifier, plane, zones)
        self._watch = Watch(zones, self._t.zones, plane)
        if self._view.roi:
            left, top, wide, high = self._view.roi
            self._roi = (
                max(0, round(left * x)),
                max(0, round(top * y)),
                min(width, round((left + wide) * x)),
                min(height, round((top + high) * y)),
            )
        else:
            self._roi = (0, 0, width, height)
        if plane is not None and isinstance(self.detector, Background):
            ground = Ground(plane, Pose(plane, width, height), _heading(lines, plane))
            sizes = self._t.sizes
            origin = (float(self._roi[0]), float(self._roi[1]))
            self.detector.measure(lambda scale, shape: Shapes(Silhouettes(ground, sizes, origin, scale, shape), self._t.shapes))


def _heading(lines: Sequence[Line], plane: Homography) -> Point:
    """The way of most vehicles: across the first line, as lines are drawn across the road. Along y without lines."""
    for line in lines:
        (x0, y0), (x1, y1) = plane.to_metres(line.first), plane.to_metres(line.second)
        length = hypot(x1 - x0, y1 - y0)
        if 0 < length < 1e4:
            return (y1 - y0) / length, (x0 - x1) / length
    return 0.0, 1.0


def _placed(item: Detection, left: int, top: int, width: int, height: int) -> Detection:
    """In the whole picture, and whether the part that is looked at shows all of it."""
    x0, y0, x1, y1 = item.box
    whole = x0 > EDGE and y0 > EDGE and x1 < width - EDGE and y1 < height - EDGE
    spot = (item.spot[0] + left, item.spot[1] + top) if item.spot else None
    return Detection(
        (x0 + left, y0 + top, x1 + left, y1 + top), item.kind, item.score, whole, item.vehicle, item.near, spot, item.track
    )
