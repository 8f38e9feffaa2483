"""Drawing a road and its vehicles in perspective, as a camera above the stop line sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import cos, radians, sin, tan
from random import Random
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.contract import VehicleClass
from subak.street.assumptions import ClassAssumption
from subak.street.network import LANE_WIDTH
from subak.street.traffic import Seen

WIDTH, HEIGHT = 640, 360
"""Pixels."""

FOCAL = 640.0
"""Pixels: a view 53 degrees wide."""

FAR = 400.0
"""Metres at which the road ends in haze."""

VERGE = 2.2
"""Metres of footway beside the kerb."""

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]
"""Blue, green, red."""

PAINTS: dict[VehicleClass, tuple[Colour, ...]] = {
    VehicleClass.SM: ((40, 40, 44), (36, 36, 150), (130, 66, 30), (190, 190, 190), (60, 90, 60)),
    VehicleClass.MP: ((225, 225, 222), (150, 150, 150), (60, 60, 62), (40, 36, 120), (110, 70, 40), (205, 200, 190)),
    VehicleClass.KS: ((60, 150, 200), (200, 200, 195), (60, 110, 50), (150, 90, 40)),
    VehicleClass.BB: ((200, 160, 60), (230, 230, 230), (60, 60, 170)),
    VehicleClass.TB: ((40, 140, 190), (70, 120, 60), (150, 150, 150)),
    VehicleClass.KTB: ((120, 120, 60), (60, 60, 120), (90, 90, 90)),
}
GLASS: Colour = (62, 52, 44)
HELMETS: tuple[Colour, ...] = ((30, 30, 30), (220, 220, 220), (40, 40, 170), (150, 80, 30), (60, 150, 190))
SHIRTS: tuple[Colour, ...] = ((70, 70, 70), (90, 120, 60), (60, 60, 150), (170, 130, 80), (190, 190, 200), (50, 130, 160))


def daylight(hour: float) -> float:
    """Light of the day, 0 (night) to 1, at `hour` of the local day; in Bali the sun rises and sets near six."""
    rise = min(1.0, max(0.0, (hour - 5.6) / 1.1))
    set_ = min(1.0, max(0.0, (18.9 - hour) / 1.1))
    part = min(rise, set_)
    return part * part * (3 - 2 * part)


@dataclass(frozen=True, slots=True)
class Mount:
    """How a camera hangs.

    Attributes:
        height: Metres above the road.
        setback: Metres from the stop line to the camera, which looks over the junction.
        tilt: Degrees below the horizontal.
        across: Part of the road's width, from the kerb, over which it hangs.
    """

    height: float
    setback: float = 17.0
    tilt: float = 11.0
    across: float = 0.62


class Picture:
    """One camera's view; the road is drawn once, vehicles on every frame."""

    def __init__(self, title: str, lanes: int, mount: Mount, classes: Mapping[VehicleClass, ClassAssumption]) -> None:
        """`lanes`: of the approach, counted from the kerb."""
        self._title = title
        self._lanes = lanes
        self._camera_height = mount.height
        self._setback = mount.setback
        self._tilt = radians(mount.tilt)
        self._classes = classes
        self._across = lanes * LANE_WIDTH * mount.across
        self._random = Random(f"picture {title}")
        grain = np.random.default_rng(crc32(title.encode())).normal(0, 3.2, (HEIGHT, WIDTH, 1))
        self._grain = grain.astype(np.float32)
        self._road = self._scenery()

    def draw(self, seen: Sequence[Seen], now: datetime) -> Image:
        """The picture at the local time `now`, 640 by 360 pixels, BGR."""
        light = daylight(now.hour + now.minute / 60)
        image = self._road.copy()
        for vehicle in seen:
            self._shadow(image, vehicle)
            self._vehicle(image, vehicle)
        shade = np.array([0.30, 0.27, 0.25], np.float32)
        factor = shade + (1 - shade) * np.float32(light)
        lit = image.astype(np.float32) * factor
        if light < 0.6:
            lit += self._lamps(seen) * np.float32(0.6 - light) / np.float32(0.6)
        lit += np.roll(self._grain, now.second * 7919 % WIDTH, axis=1)
        final: Image = np.clip(lit, 0, 255).astype(np.uint8)
        self._caption(final, now)
        return final

    def project(self, distance: float, lateral: float, height: float) -> tuple[float, float]:
        """Pixel of a point `distance` metres upstream, `lateral` metres from the kerb, `height` metres up."""
        forward, drop = distance + self._setback, self._camera_height - height
        depth = max(0.5, forward * cos(self._tilt) + drop * sin(self._tilt))
        down = drop * cos(self._tilt) - forward * sin(self._tilt)
        return WIDTH / 2 + FOCAL * (self._across - lateral) / depth, HEIGHT / 2 + FOCAL * down / depth

    def _polygon(self, image: Image, points: Sequence[tuple[float, float, float]], colour: Colour) -> None:
        pixels = np.array([self.project(*point) for point in points])
        # Four more bits of position, so that far edges do not jump from pixel to pixel.
        cv2.fillConvexPoly(image, np.round(pixels * 16).astype(np.int32), colour, cv2.LINE_AA, 4)

    def _scenery(self) -> Image:
        image: Image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        horizon = int(HEIGHT / 2 - FOCAL * tan(self._tilt))
        near = -self._setback + 2
        for row in range(HEIGHT):
            part = min(1.0, row / max(1, horizon))
            sky = np.array([236, 206, 164]) * (1 - part) + np.array([242, 236, 226]) * part
            image[row] = sky if row <= horizon else (104, 124, 112)
        road = self._lanes * LANE_WIDTH
        for low, high, colour in (
            (-VERGE, road * 2 + 1.2 + VERGE, (148, 152, 154)),
            (0.0, road, (92, 88, 86)),
            (road + 1.2, road * 2 + 1.2, (94, 90, 88)),
            (road, road + 1.2, (96, 140, 112)),
        ):
            self._polygon(image, [(near, low, 0), (FAR, low, 0), (FAR, high, 0), (near, high, 0)], colour)
        # The junction itself has no median and no marks.
        self._polygon(image, [(near, 0, 0), (-3, 0, 0), (-3, road * 2 + 1.2, 0), (near, road * 2 + 1.2, 0)], (92, 88, 86))
        white: Colour = (222, 226, 226)
        self._polygon(image, [(-0.4, 0.1, 0), (0.2, 0.1, 0), (0.2, road - 0.1, 0), (-0.4, road - 0.1, 0)], white)
        for lane in range(1, self._lanes):
            self._dashes(image, lane * LANE_WIDTH, white)
            self._dashes(image, road + 1.2 + lane * LANE_WIDTH, white)
        for edge in (0.15, road - 0.15, road + 1.35, road * 2 + 1.05):
            self._polygon(image, [(1, edge - 0.06, 0), (FAR, edge - 0.06, 0), (FAR, edge + 0.06, 0), (1, edge + 0.06, 0)], white)
        haze = np.clip((np.arange(HEIGHT) - horizon) / 40, 0.2, 1)[:, None, None]
        # A camera that looks down steeply has no horizon in its picture.
        top = max(0, horizon)
        image[top:] = (image * haze + np.array([226, 220, 212]) * (1 - haze)).astype(np.uint8)[top:]
        self._houses(image, road)
        return image

    def _dashes(self, image: Image, lateral: float, colour: Colour) -> None:
        # Solid for the last 30 m, where lanes may not be changed.
        self._polygon(
            image, [(0.5, lateral - 0.07, 0), (30, lateral - 0.07, 0), (30, lateral + 0.07, 0), (0.5, lateral + 0.07, 0)], colour
        )
        for begin in range(35, 220, 8):
            near, far = float(begin), begin + 3.0
            self._polygon(
                image,
                [(near, lateral - 0.07, 0), (far, lateral - 0.07, 0), (far, lateral + 0.07, 0), (near, lateral + 0.07, 0)],
                colour,
            )

    def _houses(self, image: Image, road: float) -> None:
        """Two rows of low buildings and trees, the farthest first."""
        walls: tuple[Colour, ...] = ((176, 190, 204), (150, 170, 186), (198, 204, 208), (120, 146, 178), (140, 160, 150))
        for begin in range(320, -10, -14):
            for side in (-1, 1):
                at = begin + self._random.uniform(0, 4)
                depth = self._random.uniform(8, 12)
                height = self._random.uniform(3.5, 8.5)
                face = -VERGE - self._random.uniform(1, 4) if side < 0 else road * 2 + 1.2 + VERGE + self._random.uniform(1, 4)
                back = face + side * 14
                wall = self._random.choice(walls)
                if self._random.random() < 0.35:
                    self._tree(image, at, face + side * 0.5)
                    continue
                dark: Colour = (int(wall[0] * 0.72), int(wall[1] * 0.72), int(wall[2] * 0.72))
                self._polygon(image, [(at, face, 0), (at, back, 0), (at, back, height), (at, face, height)], wall)
                self._polygon(image, [(at, face, 0), (at + depth, face, 0), (at + depth, face, height), (at, face, height)], dark)
                roof: Colour = (58, 74, 140)
                self._polygon(
                    image,
                    [
                        (at - 0.6, face - side, height),
                        (at + depth, face - side, height),
                        (at + depth, back, height + 2),
                        (at - 0.6, back, height + 2),
                    ],
                    roof,
                )

    def _tree(self, image: Image, distance: float, lateral: float) -> None:
        foot, crown = self.project(distance, lateral, 0), self.project(distance, lateral, 5.0)
        size = max(2, int((foot[1] - crown[1]) * 0.34))
        cv2.line(image, _pixel(foot), _pixel(crown), (50, 66, 80), max(1, size // 6), cv2.LINE_AA)
        for dx, dy, shade in ((0.0, -0.2, 0), (-0.55, 0.25, -14), (0.5, 0.3, 12)):
            centre = (int(crown[0] + dx * size), int(crown[1] + dy * size))
            cv2.circle(image, centre, size, (62 + shade, 104 + shade, 66 + shade), -1, cv2.LINE_AA)

    def _box(
        self, image: Image, near: float, far: float, middle: float, width: float, low: float, high: float, colour: Colour
    ) -> None:
        """A box on the road: its front, its top and the side that faces the camera."""
        left, right = middle - width / 2, middle + width / 2
        side = right if middle < self._across else left
        dark: Colour = (int(colour[0] * 0.62), int(colour[1] * 0.62), int(colour[2] * 0.62))
        bright: Colour = (min(255, int(colour[0] * 1.14)), min(255, int(colour[1] * 1.14)), min(255, int(colour[2] * 1.14)))
        if far > near:
            self._polygon(image, [(near, side, low), (far, side, low), (far, side, high), (near, side, high)], dark)
            self._polygon(image, [(near, left, high), (near, right, high), (far, right, high), (far, left, high)], bright)
        self._polygon(image, [(near, left, low), (near, right, low), (near, right, high), (near, left, high)], colour)

    def _shadow(self, image: Image, vehicle: Seen) -> None:
        size = self._classes[vehicle.vehicle]
        near, far = vehicle.distance - 0.2, vehicle.distance + size.length + 0.2
        left, right = vehicle.lateral - size.width * 0.62, vehicle.lateral + size.width * 0.58
        self._polygon(image, [(near, left, 0), (near, right, 0), (far, right, 0), (far, left, 0)], (56, 54, 54))

    def _vehicle(self, image: Image, seen: Seen) -> None:
        size = self._classes[seen.vehicle]
        number = crc32(seen.name.encode())
        colour = PAINTS[seen.vehicle][number % len(PAINTS[seen.vehicle])]
        near, length, width, height, y = seen.distance, size.length, size.width, size.height, seen.lateral
        match seen.vehicle:
            case VehicleClass.SM | VehicleClass.KTB:
                self._rider(image, seen, size, colour, number)
            case VehicleClass.MP:
                self._box(image, near, near + length, y, width, 0.22, height * 0.56, colour)
                self._box(image, near + length * 0.24, near + length * 0.92, y, width * 0.84, height * 0.56, height, colour)
                self._pane(image, near + length * 0.24, y, width * 0.74, height * 0.60, height * 0.94)
                self._marks(image, near, y, width, height * 0.36)
            case VehicleClass.KS | VehicleClass.TB:
                self._box(image, near + 1.9, near + length, y, width, 0.7, height, colour)
                self._box(image, near, near + 1.8, y, width * 0.94, 0.35, height * 0.74, (196, 196, 190))
                self._pane(image, near, y, width * 0.82, height * 0.44, height * 0.68)
                self._marks(image, near, y, width, 0.8)
            case VehicleClass.BB:
                self._box(image, near, near + length, y, width, 0.3, height, colour)
                self._pane(image, near, y, width * 0.9, height * 0.40, height * 0.84)
                self._marks(image, near, y, width, 0.8)

    def _rider(self, image: Image, seen: Seen, size: ClassAssumption, colour: Colour, number: int) -> None:
        near, y = seen.distance, seen.lateral
        self._box(image, near, near + size.length, y, size.width * 0.34, 0.0, 0.62, (34, 34, 34))
        self._box(image, near + 0.1, near + size.length * 0.9, y, size.width * 0.52, 0.34, 0.86, colour)
        self._box(image, near + 0.35, near + 0.4, y, size.width, 0.92, 0.99, (30, 30, 30))
        body = near + size.length * 0.42
        self._box(image, body, body + 0.3, y, size.width * 0.62, 0.78, size.height - 0.26, SHIRTS[number // 7 % len(SHIRTS)])
        centre = self.project(body, y, size.height - 0.14)
        edge = self.project(body, y + 0.15, size.height - 0.14)
        cv2.circle(
            image, _pixel(centre), max(1, round(abs(edge[0] - centre[0]))), HELMETS[number // 5 % len(HELMETS)], -1, cv2.LINE_AA
        )

    def _pane(self, image: Image, distance: float, middle: float, width: float, low: float, high: float) -> None:
        left, right = middle - width / 2, middle + width / 2
        at = distance - 0.02
        self._polygon(image, [(at, left, low), (at, right, low), (at, right, high), (at, left, high)], GLASS)

    def _marks(self, image: Image, distance: float, middle: float, width: float, height: float) -> None:
        """Headlamps."""
        for side in (-1, 1):
            centre = self.project(distance - 0.03, middle + side * width * 0.36, height)
            edge = self.project(distance - 0.03, middle + side * width * 0.36 + 0.13, height)
            cv2.circle(image, _pixel(centre), max(1, round(abs(edge[0] - centre[0]))), (232, 240, 244), -1, cv2.LINE_AA)

    def _lamps(self, seen: Sequence[Seen]) -> NDArray[np.float32]:
        """Light of headlamps at night."""
        glow = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        for vehicle in seen:
            if vehicle.vehicle is VehicleClass.KTB:
                continue
            size = self._classes[vehicle.vehicle]
            offsets = (0.0,) if vehicle.vehicle is VehicleClass.SM else (-0.36 * size.width, 0.36 * size.width)
            for offset in offsets:
                centre = self.project(vehicle.distance - 0.05, vehicle.lateral + offset, 0.75)
                edge = self.project(vehicle.distance - 0.05, vehicle.lateral + offset + 0.28, 0.75)
                radius = max(1, round(abs(edge[0] - centre[0])))
                cv2.circle(glow, _pixel(centre), radius, (215.0, 240.0, 250.0), -1, cv2.LINE_AA)
        small = cv2.GaussianBlur(cv2.resize(glow, (WIDTH // 8, HEIGHT // 8), interpolation=cv2.INTER_AREA), (0, 0), 1.4)
        lamps: NDArray[np.float32] = glow + cv2.resize(small, (WIDTH, HEIGHT)) * np.float32(0.9)
        return lamps

    def _caption(self, image: Image, now: datetime) -> None:
        image[HEIGHT - 24 :] = (image[HEIGHT - 24 :] * 0.35).astype(np.uint8)
        for text, x in ((self._title, 8), (now.strftime("%Y-%m-%d %H:%M:%S %Z"), WIDTH - 214)):
            cv2.putText(image, text, (x, HEIGHT - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA)


def _pixel(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])
