"""A camera at the stop line: counts of the traffic that arrives, what it can see, and pictures.

By default a street camera has a counter built in, as many real ones have: it counts what crosses its line, and sends a
picture a second. With more pictures a second it is a plain camera that leaves counting to `subak camera run`.

The picture is drawn from the simulated vehicles, true to scale, through a pinhole camera. It shows boxes, riders without
faces and no plates, so that nothing drawn here could name anyone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

import cv2
import numpy as np
from numpy.typing import NDArray

from config.site import Approach, Camera, Kind, Link
from ingest.camera.jpeg import stamped
from ingest.contract import Classes, Conditions, Counts, Grade, Health, LaneReport, Sight, Trust, VehicleClass
from ingest.topics import Stream
from subak.street.assumptions import ClassAssumption
from subak.street.defects import CameraDefect
from subak.street.message import ENCODER, Message, Numbers
from subak.street.network import LANE_WIDTH
from subak.street.picture import Mount, Picture, daylight
from subak.street.spoilt import Spoiler
from subak.street.traffic import Seen
from subak.street.trouble import CameraFault
from subak.street.watching import Watching

HEALTH_EVERY = 10
"""Seconds between two health reports."""

REACH = 140.0
"""Metres of the approach that the picture shows."""

COUNTED_AT = 15.0
"""Metres upstream of the stop line at which the counting lines of `cameras.yaml` lie."""

JPEG_QUALITY = 80

DARK = 0.25
"""Daylight (0 to 1) below which the camera says night."""

SEEN_AS = {
    CameraDefect.FROZEN: Sight.FROZEN,
    CameraDefect.TURNED: Sight.MOVED,
    CameraDefect.COVERED: Sight.COVERED,
    CameraDefect.SLOW: Sight.LOW_FPS,
}
BLIND = frozenset({Sight.FROZEN, Sight.MOVED, Sight.COVERED})


@dataclass(frozen=True, slots=True)
class View:
    """What a camera looks at.

    Attributes:
        camera: The camera.
        approach: Approach along which it looks.
        link: Road link of that approach.
    """

    camera: Camera
    approach: Approach
    link: Link


@dataclass(slots=True)
class _Tally:
    volume: int = 0
    speed: float = 0.0
    classes: dict[str, int] = field(default_factory=dict)

    def add(self, vehicle: Seen) -> None:
        self.volume += 1
        self.speed += vehicle.speed * 3.6
        self.classes[vehicle.vehicle.value] = self.classes.get(vehicle.vehicle.value, 0) + 1

    def report(self, lane: str) -> LaneReport:
        return LaneReport(
            id=lane,
            volume=self.volume,
            speed=round(self.speed / self.volume, 1) if self.volume else None,
            classes=Classes(**self.classes),
        )


class CameraDevice:
    """One camera, fed second by second."""

    def __init__(
        self,
        view: View,
        classes: Mapping[VehicleClass, ClassAssumption],
        zone: tzinfo,
        *,
        frames: bool,
        fps: int = 1,
        faults: Sequence[CameraFault] = (),
    ) -> None:
        """`fps`: pictures a second; with more than one it counts nothing and says nothing of itself."""
        self.id = view.camera.id
        self.approach = view.approach
        self._camera = view.camera
        self._frames = frames
        self._fps = fps
        self._counts = fps == 1
        self._faults = tuple(faults)
        self._zone = zone
        self._numbers = Numbers()
        self._drawn = 0
        self._before: dict[str, Seen] = {}
        self._tallies: dict[str, _Tally] = {}
        self._covered = 0
        self._worst: Sight = Sight.OK
        self._sight: tuple[Sight, datetime] | None = None
        self._watching = Watching(zone)
        self._spoiler = Spoiler()
        self._picture = Picture(
            title=f"{view.camera.id}  {view.link.road}",
            lanes=len(view.approach.lanes),
            mount=Mount(view.camera.height),
            classes=classes,
        )

    def second(self, start: int, seen: Sequence[Seen]) -> list[Message]:
        """Messages of the second from `start` (Unix time), of which the vehicles at its end are `seen`."""
        now = datetime.fromtimestamp(start + 1, UTC)
        local = now.astimezone(self._zone)
        fault = next((item.kind for item in self._faults if start in item.window), None)
        messages: list[Message] = []
        image: NDArray[np.uint8] | None = None
        if self._frames:
            for part in range(1, self._fps + 1):
                if fault is CameraDefect.SLOW and not _kept(part, self._fps):
                    continue
                moment = local + timedelta(seconds=part / self._fps - 1)
                image = self._picture.draw(self._between(seen, part / self._fps), moment)
                messages.append(self._frame(self._spoiler.spoil(image, fault), moment))
        if self._counts:
            self._count(start, seen, fault, local)
            if fault is not None and SEEN_AS[fault] in BLIND:
                self._watching.blind(start + 1)
            else:
                self._watching.second(start + 1, seen)
            if self._covered == int(self._camera.period) and self._camera.lanes:
                messages.append(self._report(now, local))
            if (start + 1) % int(self._camera.period) == 0:
                self._tallies, self._covered, self._worst = {}, 0, Sight.OK
            if (start + 1) % HEALTH_EVERY == 0:
                image = self._picture.draw(seen, local) if image is None else image
                messages.append(self._health(self._spoiler.spoil(image, fault), local, fault))
        self._before = {vehicle.name: vehicle for vehicle in seen}
        return messages

    def _between(self, seen: Sequence[Seen], part: float) -> list[Seen]:
        """Vehicles at a part of the second, on straights between its begin and its end."""
        if part == 1:
            return list(seen)
        found = []
        for vehicle in seen:
            before = self._before.get(vehicle.name)
            if before is None:
                found.append(replace(vehicle, distance=vehicle.distance + vehicle.speed * (1 - part)))
            else:
                found.append(
                    replace(
                        vehicle,
                        distance=before.distance + (vehicle.distance - before.distance) * part,
                        lateral=before.lateral + (vehicle.lateral - before.lateral) * part,
                    )
                )
        here = {vehicle.name for vehicle in seen}
        gone = [item for name, item in self._before.items() if name not in here]
        found += [replace(vehicle, distance=vehicle.distance - vehicle.speed * part) for vehicle in gone]
        return sorted(found, key=lambda item: (-item.distance, item.name))

    def _frame(self, image: NDArray[np.uint8], moment: datetime) -> Message:
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
        utc = moment.astimezone(UTC)
        self._drawn += 1
        return Message(self.id, Kind.CCTV, Stream.FRAME, None, utc, utc, stamped(jpeg, moment), qos=0)

    def _count(self, start: int, seen: Sequence[Seen], fault: CameraDefect | None, local: datetime) -> None:
        if start % int(self._camera.period) == 0:
            self._tallies, self._covered, self._worst = {}, 0, Sight.OK
        self._covered += 1
        sight = self._sees(fault, local)
        if sight is not Sight.OK and self._worst not in BLIND:
            self._worst = sight
        now = {vehicle.name: vehicle.distance for vehicle in seen}
        for name, before in self._before.items():
            if before.distance > COUNTED_AT >= now.get(name, before.distance - before.speed):
                lane = min(len(self.approach.lanes) - 1, max(0, int(before.lateral / LANE_WIDTH)))
                self._tallies.setdefault(self.approach.lanes[lane].id, _Tally()).add(before)

    def _sees(self, fault: CameraDefect | None, local: datetime) -> Sight:
        if fault is not None:
            return SEEN_AS[fault]
        return Sight.NIGHT if daylight(local.hour + local.minute / 60) < DARK else Sight.OK

    def _report(self, now: datetime, local: datetime) -> Message:
        begin = now - timedelta(seconds=self._camera.period)
        worst = self._worst
        trust = Trust.MISSING if worst in BLIND else Trust.GOOD if worst is Sight.OK else Trust.SUSPECT
        counts = Counts(
            seq=self._numbers.take(Stream.COUNTS),
            start=local - timedelta(seconds=self._camera.period),
            period_s=float(self._camera.period),
            lanes=[self._tallies.get(item.lane, _Tally()).report(item.id) for item in self._camera.lanes],
            conditions=Conditions(state=worst, trust=trust),
        )
        return Message(self.id, Kind.CCTV, Stream.COUNTS, counts.seq, begin, begin, ENCODER.encode(counts))

    def _health(self, image: NDArray[np.uint8], now: datetime, fault: CameraDefect | None) -> Message:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        sight = self._sees(fault, now)
        if self._sight is None or self._sight[0] is not sight:
            self._sight = sight, now
        health = Health(
            seq=self._numbers.take(Stream.HEALTH),
            time=now,
            fps=round(self._drawn / HEALTH_EVERY, 1) if self._frames else 1.0,
            brightness=round(float(grey.mean()), 1),
            sharpness=round(float(cv2.Laplacian(grey, cv2.CV_64F).var()), 1),
            frozen=sight is Sight.FROZEN,
            moved=sight is Sight.MOVED,
            covered=sight is Sight.COVERED,
            condition=sight,
            since=self._sight[1],
            grade=Grade.EXCELLENT,
            reconnects=0,
            stalls=0,
            events=self._watching.news(),
            ongoing=None if sight in BLIND else self._watching.ongoing,
        )
        self._drawn = 0
        utc = now.astimezone(UTC)
        return Message(self.id, Kind.CCTV, Stream.HEALTH, health.seq, utc, utc, ENCODER.encode(health))


def _kept(part: int, fps: int) -> bool:
    """Whether a slow camera sends this picture: two of a second's."""
    return part in (1, 1 + fps // 2)
