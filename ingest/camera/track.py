"""Following things from frame to frame: constant velocity, boxes matched by overlap and nearness.

Spots of a background model run together when vehicles overlap, and fall apart behind a pole. So a spot that covers several known
vehicles moves all of them and gives none its size, and several spots inside one known vehicle are that vehicle.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from math import hypot

from config.thresholds.camera import MotionThresholds, TrackingThresholds
from ingest.camera.detect import Detection, Kind
from ingest.camera.detect.shapes import Expected
from ingest.camera.geometry import Box, Homography, Point, area, cover, foot, hull, middle, union_share
from ingest.camera.motion import Motion
from ingest.contract import VehicleClass

PATH = 4096
"""Remembered positions of one track; a vehicle that stands longer than this many frames keeps its latest ones."""


SIZES = 200
"""Whole views of a track that are kept for its class."""


class Track:
    """One thing that is followed. It has a number and no other identity, and ends with its camera's process."""

    def __init__(self, number: int, detection: Detection, time: float) -> None:
        self.number = number
        self.box = detection.box
        self.velocity: Point = (0.0, 0.0)
        self.hits = 1
        self.last = time
        self.missing = 0.0
        self.shared = False
        self.kinds: Counter[Kind] = Counter({detection.kind: 1})
        self.base = _base(detection)
        self.path: deque[tuple[float, Point, Point]] = deque([(time, self.centre, foot(detection.box))], maxlen=PATH)
        self.seen: deque[bool] = deque([True], maxlen=PATH)
        self.moved = 0.0
        self.votes = 0
        self.sizes: list[Box] = []
        self.vehicles: dict[VehicleClass, float] = defaultdict(float)
        self.last_hit = time
        self.motion: Motion | None = None

    def was_seen(self, time: float) -> bool:
        """Whether it was really there at `time` or later, and not only expected."""
        return self.last_hit >= time

    @property
    def centre(self) -> Point:
        """The middle of its base on the road, where the detector can tell; else that of its box."""
        x, y = foot(self.box)
        return (x + self.base[0], y + self.base[1]) if self.base else middle(self.box)

    @property
    def foot(self) -> Point:
        """Where it touches the road, about."""
        return foot(self.box)

    @property
    def kind(self) -> Kind:
        """What it was called most often."""
        return self.kinds.most_common(1)[0][0]

    def predicted(self, elapsed: float) -> Box:
        """Its box `elapsed` seconds on."""
        dx, dy = self.velocity[0] * elapsed, self.velocity[1] * elapsed
        left, top, right, bottom = self.box
        return left + dx, top + dy, right + dx, bottom + dy


class Tracker:
    """Gives detections of successive frames to tracks."""

    def __init__(self, thresholds: TrackingThresholds, motion: MotionThresholds) -> None:
        self._t = thresholds
        self._motion = motion
        self.plane: Homography | None = None
        self._next = 1
        self._time: float | None = None
        self.tracks: list[Track] = []
        self.ended: list[Track] = []

    def reset(self) -> None:
        """Forget all tracks; their numbers do not come again."""
        self.tracks = []
        self.ended = []
        self._time = None

    def step(self, detections: Sequence[Detection], time: float, *, blinded: bool = False) -> list[Track]:
        """Tracks at `time` (seconds); `ended` are those lost with this frame. A blinded frame says nothing about anybody."""
        elapsed = 0.0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        boxes = {track.number: track.predicted(elapsed) for track in self.tracks}
        known = {track.number: track for track in self.tracks}
        for item in detections:
            if item.track is not None and (mine := known.get(item.track)) is not None:
                self._update(mine, boxes[mine.number], item, time, elapsed)
        detections = [item for item in detections if item.track not in known]
        free = self._joined(list(detections), boxes)
        taken = self._shared(free, boxes, time, elapsed)
        free = [item for item in free if item not in taken]
        waiting = [track for track in self.tracks if track.last < time]
        pairs = sorted(
            (
                (cost, track.number, index)
                for track in waiting
                for index, item in enumerate(free)
                if (cost := self._cost(track, boxes[track.number], item, elapsed)) is not None
            ),
        )
        by_number = {track.number: track for track in waiting}
        used: set[int] = set()
        for _, number, index in pairs:
            if number not in by_number or index in used:
                continue
            used.add(index)
            self._update(by_number.pop(number), boxes[number], free[index], time, elapsed)
        for track in by_number.values():
            self._coast(track, boxes[track.number], time, elapsed, blinded=blinded)
        for index, item in enumerate(free):
            if index not in used:
                track = Track(self._next, item, time)
                track.motion = Motion(item.near, self._motion) if item.near else None
                self.tracks.append(track)
                self._next += 1
        patience = self._t.patience.value
        self.ended = [track for track in self.tracks if track.missing > (patience if track.hits >= self._t.hits.value else 0.0)]
        self.tracks = [track for track in self.tracks if track not in self.ended]
        return self.tracks

    def finish(self) -> None:
        """No more frames come: every track ends."""
        self.ended, self.tracks = self.tracks, []

    def expected(self, time: float) -> list[Expected]:
        """Where known vehicles will be at `time` on the measured road."""
        elapsed = 0.0 if self._time is None else max(0.0, time - self._time)
        found: list[Expected] = []
        for track in self.tracks:
            total = sum(track.vehicles.values())
            if track.motion is None or not self.confirmed(track) or total <= 0:
                continue
            near, doubt = track.motion.ahead(elapsed)
            belief = {name: votes / (total + 1) for name, votes in track.vehicles.items()}
            found.append(Expected(track.number, near, doubt, belief, track.hits, track.motion.stands))
        return found

    def confirmed(self, track: Track) -> bool:
        """Whether `track` was seen often enough to be something."""
        return track.hits >= self._t.hits.value

    def _cost(self, track: Track, box: Box, item: Detection, elapsed: float) -> float | None:
        if track.motion is not None and item.near is not None:
            at, doubt = track.motion.ahead(elapsed)
            gate = self._motion.gate.value + min(2.0, 3 * doubt)
            apart = hypot(item.near[0] - at[0], item.near[1] - at[1]) / gate
            return apart if apart <= 1 else None
        overlap = union_share(box, item.box)
        width, height = box[2] - box[0], box[3] - box[1]
        (x0, y0), (x1, y1) = middle(box), middle(item.box)
        reach = max(width, height) * self._t.reach.value
        if not self.confirmed(track):
            # Its speed is not known yet.
            reach += self._t.fastest.value * max(width, height) * elapsed
        distance = hypot(x1 - x0, y1 - y0)
        ratio = area(item.box) / max(1.0, area(box))
        if overlap <= 0 and (distance > reach or not 1 / 3 < ratio < 3):
            return None
        return 1 - overlap + distance / max(1.0, reach)

    def _joined(self, detections: list[Detection], boxes: dict[int, Box]) -> list[Detection]:
        """Spots inside one known thing, made one."""
        left = detections
        for track in self.tracks:
            if not self.confirmed(track):
                continue
            box = boxes[track.number]
            inside = [item for item in left if _vague(item) and cover(item.box, box) > 0.7]
            if len(inside) < 2:
                continue
            whole = hull([item.box for item in inside])
            if union_share(whole, box) > max(union_share(item.box, box) for item in inside):
                left = [item for item in left if item not in inside]
                left.append(Detection(whole, inside[0].kind, max(item.score for item in inside)))
        return left

    def _shared(self, detections: Sequence[Detection], boxes: dict[int, Box], time: float, elapsed: float) -> list[Detection]:
        """Move the tracks that share one spot; returns those spots."""
        taken: list[Detection] = []
        for item in detections:
            if not _vague(item):
                continue
            inside = [
                track
                for track in self.tracks
                if self.confirmed(track) and track.last < time and cover(boxes[track.number], item.box) > self._t.shared.value
            ]
            if len(inside) < 2:
                continue
            whole = hull([boxes[track.number] for track in inside])
            if area(item.box) < self._t.apart.value * max(area(boxes[track.number]) for track in inside):
                continue
            dx = _shift(whole[0], whole[2], item.box[0], item.box[2])
            dy = _shift(whole[1], whole[3], item.box[1], item.box[3])
            for track in inside:
                left, top, right, bottom = boxes[track.number]
                self._move(track, (left + dx, top + dy, right + dx, bottom + dy), time, elapsed, self._t.shared_gain.value)
                track.shared = True
                track.last_hit = time
                track.missing = 0.0
            taken.append(item)
        return taken

    def _update(self, track: Track, box: Box, item: Detection, time: float, elapsed: float) -> None:
        track.base = _base(item)
        gain = self._t.size_gain.value if track.hits > 2 else 0.5
        if item.near is not None and track.motion is not None and self.plane is not None:
            track.motion.seen(item.near, elapsed)
            (x0, y0), (x1, y1) = self.plane.to_pixels(item.near), self.plane.to_pixels(track.motion.at)
            left, top, right, bottom = item.box
            dx, dy = x1 - x0, y1 - y0
            self._move(track, (left + dx, top + dy, right + dx, bottom + dy), time, elapsed, self._t.speed_gain.value)
            self._vote(track, item, time)
            return
        width = (box[2] - box[0]) * (1 - gain) + (item.box[2] - item.box[0]) * gain
        height = (box[3] - box[1]) * (1 - gain) + (item.box[3] - item.box[1]) * gain
        x, bottom = (item.box[0] + item.box[2]) / 2, item.box[3]
        self._move(track, (x - width / 2, bottom - height, x + width / 2, bottom), time, elapsed, self._t.speed_gain.value)
        self._vote(track, item, time)

    def _vote(self, track: Track, item: Detection, time: float) -> None:
        track.hits += 1
        track.missing = 0.0
        track.shared = False
        track.kinds[item.kind] += 1
        track.votes += 1
        if item.whole and len(track.sizes) < SIZES:
            track.sizes.append(item.box)
        if item.vehicle is not None:
            fade = 0.5 ** ((time - track.last_hit) / self._t.memory.value)
            for name in track.vehicles:
                track.vehicles[name] *= fade
            track.vehicles[item.vehicle] += item.score
        track.last_hit = time

    def _move(self, track: Track, box: Box, time: float, elapsed: float, gain: float) -> None:
        (x0, y0), (x1, y1) = foot(track.box), foot(box)
        if elapsed > 0:
            vx, vy = (x1 - x0) / elapsed, (y1 - y0) / elapsed
            part = 1.0 if track.hits == 1 else gain
            track.velocity = (
                track.velocity[0] + (vx - track.velocity[0]) * part,
                track.velocity[1] + (vy - track.velocity[1]) * part,
            )
        track.box = box
        track.last = time
        track.path.append((time, track.centre, (x1, y1)))
        track.seen.append(True)
        start = track.path[0][2]
        track.moved = max(track.moved, hypot(x1 - start[0], y1 - start[1]))

    def _coast(self, track: Track, box: Box, time: float, elapsed: float, *, blinded: bool) -> None:
        if track.motion is not None and self.plane is not None:
            x0, y0 = self.plane.to_pixels(track.motion.at)
            track.motion.coast(elapsed)
            x1, y1 = self.plane.to_pixels(track.motion.at)
            left, top, right, bottom = track.box
            box = left + x1 - x0, top + y1 - y0, right + x1 - x0, bottom + y1 - y0
        track.box = box
        track.last = time
        if not blinded:
            track.missing += elapsed or 1e-6
        track.path.append((time, track.centre, foot(box)))
        track.seen.append(False)


def _base(item: Detection) -> Point | None:
    """From the foot of its box to the middle of its base."""
    if item.spot is None:
        return None
    x, y = foot(item.box)
    return item.spot[0] - x, item.spot[1] - y


def _vague(item: Detection) -> bool:
    """Whether it is only a spot, which may be part of a thing or several."""
    return item.kind is Kind.VEHICLE and item.vehicle is None


def _shift(low: float, high: float, new_low: float, new_high: float) -> float:
    """By how much the interval low..high must move to lie in new_low..new_high as well as it can."""
    return ((new_low - low) + (new_high - high)) / 2
