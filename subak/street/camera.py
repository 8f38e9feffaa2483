"""A camera at the stop line: frames of the traffic that arrives, and a report of what it can see.

The picture is drawn from the simulated vehicles, true to scale, through a pinhole camera. It shows boxes, riders without
faces and no plates, so that nothing drawn here could name anyone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import cv2
import numpy as np
from numpy.typing import NDArray

from config.site import Approach, Camera, Kind, Link
from ingest.contract import Health, VehicleClass
from ingest.topics import Stream
from subak.street.assumptions import ClassAssumption
from subak.street.message import ENCODER, Message, Numbers
from subak.street.picture import Picture
from subak.street.traffic import Seen

HEALTH_EVERY = 10
"""Seconds between two health reports."""

REACH = 140.0
"""Metres of the approach that the picture shows."""

JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Sight:
    """What a camera looks at.

    Attributes:
        camera: The camera.
        approach: Approach along which it looks.
        link: Road link of that approach.
    """

    camera: Camera
    approach: Approach
    link: Link


class CameraDevice:
    """One camera; it draws a frame a second, or only one for each health report when frames are not wanted."""

    def __init__(self, sight: Sight, classes: Mapping[VehicleClass, ClassAssumption], zone: tzinfo, *, frames: bool) -> None:
        self.id = sight.camera.id
        self.approach = sight.approach
        self._frames = frames
        self._zone = zone
        self._numbers = Numbers()
        self._drawn = 0
        self._picture = Picture(
            title=f"{sight.camera.id}  {sight.link.road}",
            lanes=len(sight.approach.lanes),
            height=sight.camera.height,
            classes=classes,
        )

    def wants(self, start: int) -> bool:
        """Whether the second from `start` (Unix time) has a frame."""
        return self._frames or (start + 1) % HEALTH_EVERY == 0

    def second(self, start: int, seen: Sequence[Seen]) -> list[Message]:
        """Messages of the second from `start`, of which the vehicles at its end are `seen`."""
        now = datetime.fromtimestamp(start + 1, UTC)
        local = now.astimezone(self._zone)
        image = self._picture.draw(seen, local)
        self._drawn += 1
        messages: list[Message] = []
        if self._frames:
            payload = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
            messages.append(Message(self.id, Kind.CCTV, Stream.FRAME, None, now, now, payload, qos=0))
        if (start + 1) % HEALTH_EVERY == 0:
            messages.append(self._health(image, local))
        return messages

    def _health(self, image: NDArray[np.uint8], now: datetime) -> Message:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        health = Health(
            seq=self._numbers.take(Stream.HEALTH),
            time=now,
            fps=round(self._drawn / HEALTH_EVERY, 1),
            brightness=round(float(grey.mean()), 1),
            sharpness=round(float(cv2.Laplacian(grey, cv2.CV_64F).var()), 1),
            frozen=False,
            moved=False,
            covered=False,
        )
        self._drawn = 0
        utc = now.astimezone(UTC)
        return Message(self.id, Kind.CCTV, Stream.HEALTH, health.seq, utc, utc, ENCODER.encode(health))
