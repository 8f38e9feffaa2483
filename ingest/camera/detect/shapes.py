"""Which vehicles make a mask: silhouettes of known sizes, laid into it from the nearest to the farthest.

Motorcycles beside and behind each other make one spot, and a spot says nothing about its class. With the ground measured, each
class can be drawn at any place of the road. Vehicles that tracks let expect are looked for first, each near its place; what no
other track is expected to explain decides about its class. What is left over then may be new vehicles: the nearest touches the lowest
pixels, the class that explains most there and claims least that is not in the mask is taken. Pixels of a nearer vehicle are
*hidden* for all behind it: they speak neither for nor against, so that a car behind a motorcycle is a car of which a part is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from config.thresholds.camera import ShapeThresholds
from ingest.camera.detect.silhouettes import Mask, Silhouette, Silhouettes, Values
from ingest.camera.geometry import Box, Point
from ingest.contract import VehicleClass

MOST = 64
"""Looks for new vehicles in one mask."""

OVERLAP = 0.8
"""Part of two vehicles' mean length and width, nearer than which they cannot be; places are wrong by some decimetres."""

EVERY = 3
"""Frames between two looks whether a known vehicle is not better explained by another class."""

DARK = 0.75
"""What a pixel that may be shadow counts for of one that is in the mask, where it is asked how much of a vehicle is seen."""

WHOLE = 0.98
"""Share of a silhouette inside the picture from which all of it is."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A vehicle that earlier frames let expect.

    Attributes:
        track: Number of its track.
        near: Where the middle of its near end should be, in metres.
        doubt: Standard error of that, metres.
        belief: How sure its class is, by class, together at most 1.
        looks: How often it was seen.
        stands: Whether it stands.
    """

    track: int
    near: Point
    doubt: float
    belief: Mapping[VehicleClass, float]
    looks: int
    stands: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    """One vehicle, in pixels of the mask.

    Attributes:
        vehicle: Its class.
        box: Its box.
        fill: Share of what is not hidden of it that was in the mask.
        seen: Share of it that is in the mask.
        whole: Whether all of it is in the picture.
        near: The middle of its near end, metres.
        middle: The middle of its base, pixels.
        track: Number of the track that let expect it.
    """

    vehicle: VehicleClass
    box: Box
    fill: float
    seen: float
    whole: bool
    near: Point
    middle: Point
    track: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A silhouette with its near end at a pixel."""

    shape: Silhouette
    pixel: Point
    near: Point

    @property
    def middle(self) -> Point:
        """Of its base, metres."""
        half = self.shape.length / 2
        return self.near[0] + self.shape.away[0] * half, self.near[1] + self.shape.away[1] * half

    def within(self, other: _Place) -> bool:
        """Whether two vehicles would stand in each other."""
        (x0, y0), (x1, y1) = self.middle, other.middle
        along = abs((x0 - x1) * self.shape.away[0] + (y0 - y1) * self.shape.away[1])
        across = abs((x0 - x1) * self.shape.away[1] - (y0 - y1) * self.shape.away[0])
        return (
            along < OVERLAP * (self.shape.length + other.shape.length) / 2
            and across < OVERLAP * (self.shape.width + other.shape.width) / 2
        )


class Shapes:
    """Finds vehicles in the masks of one view."""

    def __init__(self, silhouettes: Silhouettes, thresholds: ShapeThresholds) -> None:
        self.silhouettes = self._s = silhouettes
        self.contrast = 1.0
        """How much of a vehicle would be seen where one is, 0 to 1; little of an unlit one on an unlit road."""
        self._t = thresholds
        self._turn = 0
        self._mask: Mask = np.zeros((0, 0), np.uint8)
        self._dim = self._mask
        self._hidden = self._mask
        self._neutral = self._mask
        self._taken: list[_Place] = []
        self._rivals: list[_Place] = []

    def fit(self, mask: Mask, dim: Mask, expected: Sequence[Expected] = ()) -> list[Fitted]:
        """Vehicles of `mask` (1 where something is) and `dim` (1 where it may be its shadow, or something dark).

        First those expected, then new ones; both masks are used up.
        """
        self._dim = dim
        self._mask, self._hidden, self._taken = mask, np.zeros_like(mask), []
        self._turn += 1
        found = self._followed(expected)
        bottom = self._s.rows - 1
        for _ in range(MOST):
            rows = np.flatnonzero(mask[: bottom + 1].any(axis=1))
            if not len(rows):
                break
            bottom = int(rows[-1])
            column = int(np.flatnonzero(mask[bottom])[0])
            least = self._s.at(self._s.smallest, (column, bottom))
            if least is None:
                break
            high, wide = least.patch.shape
            depth = max(2, round(high * self._t.foot.value))
            left, right = _run(mask, bottom, depth, column)
            rows_, columns_ = slice(max(0, bottom - high), bottom + 1), slice(max(0, left - wide), right + wide)
            around = np.count_nonzero(mask[rows_, columns_]) + np.count_nonzero(dim[rows_, columns_])
            best = None
            if around >= self._t.rest.value * least.area:
                best = self._new(left, right, bottom, depth)
            if best is None:
                # What lies lowest is no vehicle: a lamp's light on the road, a bit of shadow.
                strip = max(0, bottom - max(1, round(high * self._t.strip.value)) + 1)
                self._hidden[strip : bottom + 1, left : right + 1] |= mask[strip : bottom + 1, left : right + 1]
                mask[strip : bottom + 1, left : right + 1] = 0
                continue
            found.append(best)
        return found

    def _followed(self, expected: Sequence[Expected]) -> list[Fitted]:
        """Those that are expected and seen, the nearest first."""
        found: list[Fitted] = []
        places: list[tuple[_Place, Expected]] = []
        reserved = np.zeros(self._mask.shape, np.int16)
        for item in expected:
            pixel = self._s.to_pixels(item.near)
            shape = self._s.at(max(item.belief, key=lambda name: item.belief[name]), pixel)
            if shape is None:
                continue
            places.append((_Place(shape, pixel, item.near), item))
            if (part := shape.over(pixel, reserved)) is not None:  # type: ignore[arg-type]
                part[1][:] += part[0]
        for place, item in sorted(places, key=lambda place: -place[0].pixel[1]):
            pixel, shape = place.pixel, place.shape
            # Who was seen longer keeps its place.
            self._rivals = [other for other, rival in places if rival.looks > item.looks]
            own = shape.over(pixel, reserved)  # type: ignore[arg-type]
            if own is None:
                continue
            own[1][:] -= own[0]
            self._neutral = (reserved > 0).view(np.uint8)
            mine = shape.over(pixel, self._neutral)
            if mine is not None:
                mine[1][mine[0] > 0] = 0
            if (fitted := self._follow(pixel, item)) is not None:
                found.append(fitted)
        self._neutral = np.zeros_like(self._mask)
        self._rivals = []
        return found

    def _follow(self, pixel: Point, item: Expected) -> Fitted | None:
        reach = self._t.reach.value + item.doubt
        x, y = item.near
        sides = [self._s.to_pixels(spot) for spot in ((x + reach, y), (x, y + reach), (x - reach, y), (x, y - reach))]
        aside = 1 + min(20.0, max(abs(side[0] - pixel[0]) for side in sides))
        beyond = 1 + min(20.0, max(abs(side[1] - pixel[1]) for side in sides))
        still = self._t.still.value if item.stands else self._t.steady.value
        best: tuple[float, float, _Place] | None = None
        for vehicle in self._s.sizes:
            belief = item.belief.get(vehicle, 0.0)
            if belief < self._t.other.value and (self._turn + item.track) % EVERY:
                continue
            shape = self._s.at(vehicle, pixel)
            if shape is None:
                continue
            # Another class has its middle elsewhere: half of the difference in width aside.
            wider = aside + (0.0 if belief >= self._t.other.value else shape.patch.shape[1] / 3)
            window = (pixel[0] - wider, pixel[1] - beyond, pixel[0] + wider, pixel[1] + beyond)
            found = self._match(shape, window, (pixel, belief, (wider, beyond), still))
            if found is None or (best is not None and found[0] <= best[0]):
                continue
            fill, seen = self._filled(found[1])
            least = (
                self._t.fill.value
                if belief >= self._t.other.value
                else max(self._t.fill.value, self._t.fill_other.value * self.contrast)
            )
            if fill >= least and seen >= self._t.seen_again.value:
                best = found[0], fill, found[1]
        return None if best is None else self._take(best[2], item.track)

    def _new(self, left: int, right: int, bottom: int, depth: int) -> Fitted | None:
        """The class and place that explain most over a run of columns whose lowest row is `bottom`, `depth` rows deep."""
        best: tuple[float, _Place] | None = None
        under = self._hidden[bottom + 1 : bottom + 3, left : right + 1]
        covered = bottom >= self._s.rows - 2 or 2 * np.count_nonzero(under) > under.size
        for vehicle in self._s.sizes:
            shape = self._s.at(vehicle, ((left + right) / 2, bottom - depth // 2))
            if shape is None:
                continue
            rows, columns = shape.patch.shape
            # What lies lowest may be a rest of a nearer vehicle's shadow: a large one may begin a good deal higher.
            above = max(depth, rows * self._t.above.value)
            # Below, too, where the spot goes on below the picture's edge or behind a nearer vehicle.
            below = rows * self._t.below.value if covered else 1.0
            found = self._match(shape, (left - columns / 2, bottom - above, right + columns / 2, bottom + below), None)
            if found is None or (best is not None and found[0] <= best[0]):
                continue
            fill, seen = self._filled(found[1])
            enough = found[0] >= self._t.accept.value * shape.area * self._share(found[1])
            if enough and fill >= self._t.fill_new.value and seen >= self._t.seen.value:
                best = found
        return None if best is None else self._take(best[1], None)

    def _match(
        self, shape: Silhouette, window: Box, expected: tuple[Point, float, Point, float] | None
    ) -> tuple[float, _Place] | None:
        """The best place of a class with its near end in the window: how much it explains, and where."""
        factor = shape.factor
        rows, columns = shape.patch.shape
        x0, y0 = round(window[0] + shape.left), round(window[1] + shape.top)
        wide = columns + max(1, round(window[2] - window[0]))
        high = rows + max(1, round(window[3] - window[1]))
        values = self._values(
            x0, y0, wide + -wide % factor, high + -high % factor, self._s.sizes[shape.vehicle].doubt * self.contrast
        )
        if factor > 1:
            goal = (values.shape[1] // factor, values.shape[0] // factor)
            values = cv2.resize(values, goal, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        if values.shape[0] < shape.small.shape[0] or values.shape[1] < shape.small.shape[1]:
            return None
        scores = (cv2.matchTemplate(values, shape.small, cv2.TM_CCORR) * np.float32(factor * factor)).astype(np.float32)
        if expected is not None and expected[1] > 0:
            pixel, belief, spread, still = expected
            row, column = (pixel[1] + shape.top - y0) / factor, (pixel[0] + shape.left - x0) / factor
            y = np.exp(-2 * ((np.arange(scores.shape[0]) - row) * factor / spread[1]) ** 2)
            x = np.exp(-2 * ((np.arange(scores.shape[1]) - column) * factor / spread[0]) ** 2)
            scores += np.float32(self._t.expected.value * belief * shape.area)
            scores += np.float32(still * belief * shape.area) * np.outer(y, x).astype(np.float32)
        _, most, _, (column_at, row_at) = cv2.minMaxLoc(scores)
        if most <= 0:
            return None
        across, down = _peak(scores[row_at], column_at), _peak(scores[:, column_at], row_at)
        at = (x0 - shape.left + (column_at + across) * factor, y0 - shape.top + (row_at + down) * factor)
        exact = self._s.at(shape.vehicle, at)
        if exact is None:
            return None
        place = _Place(exact, at, self._s.to_metres(at))
        if self._share(place) < self._t.inside.value or any(
            place.within(other) for others in (self._taken, self._rivals) for other in others
        ):
            return None
        return most, place

    def _values(self, x0: int, y0: int, wide: int, high: int, doubt: float) -> Values:
        """What each pixel says for (1) or against a vehicle (-`doubt`); what is not seen says nearly nothing."""
        unknown = np.float32(-self._t.hidden.value)
        values = np.full((high, wide), unknown, np.float32)
        a, b = max(0, x0), min(self._s.columns, x0 + wide)
        c, d = max(0, y0), min(self._s.rows, y0 + high)
        if b > a and d > c:
            inner = values[c - y0 : d - y0, a - x0 : b - x0]
            mask = self._mask[c:d, a:b]
            np.multiply(mask, np.float32(1 + doubt), out=inner)
            inner += self._dim[c:d, a:b] * np.float32(self._t.dim.value + doubt) - np.float32(doubt)
            inner[(self._hidden[c:d, a:b] | (self._neutral[c:d, a:b] & mask)) > 0] = unknown
        return values

    def _share(self, place: _Place) -> float:
        """Share of it that is inside the picture."""
        parts = place.shape.over(place.pixel, self._mask)
        if parts is None:
            return 0.0
        return 1.0 if parts[0].shape == place.shape.patch.shape else int(np.count_nonzero(parts[0])) / place.shape.area

    def _filled(self, place: _Place) -> tuple[float, float]:
        """Share of what can be seen of it that is in the mask, and share of all of it."""
        parts = place.shape.over(place.pixel, self._mask, self._dim, self._hidden)
        if parts is None:
            return 0.0, 0.0
        patch, inside, dim, behind = parts
        seen = int(np.count_nonzero(patch & inside)) + DARK * int(np.count_nonzero(patch & dim))
        apart = int(np.count_nonzero(patch & (behind ^ 1)))
        return seen / max(1, apart), seen / max(1, place.shape.area)

    def _take(self, place: _Place, track: int | None) -> Fitted:
        """Its pixels, with a rim for mirrors and the error of its place, are explained, and hide what is behind."""
        fill, seen = self._filled(place)
        share = self._share(place)
        shape = place.shape
        box = shape.box(place.pixel)
        rim = max(1, round(self._t.margin.value * min(shape.patch.shape)))
        a, b = max(0, round(box[0]) - rim), max(0, round(box[2]) + rim)
        c, d = max(0, round(box[1]) - rim), max(0, round(box[3]) + rim)
        own = np.zeros(self._mask[c:d, a:b].shape, np.uint8)
        parts = shape.over(place.pixel, self._mask)
        if parts is not None and own.size:
            y, x = max(0, round(place.pixel[1] + shape.top)) - c, max(0, round(place.pixel[0] + shape.left)) - a
            own[y : y + parts[0].shape[0], x : x + parts[0].shape[1]] = parts[0]
            grown = cv2.dilate(own, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)).astype(np.uint8, copy=False)
            self._hidden[c:d, a:b] |= own | (grown & self._mask[c:d, a:b])
            self._mask[c:d, a:b][grown > 0] = 0
            self._dim[c:d, a:b][grown > 0] = 0
        # What lies below it cannot be nearer: its shadow.
        if track is None:
            self._hidden[d:, a:b] |= self._mask[d:, a:b]
            self._mask[d:, a:b] = 0
        self._taken.append(place)
        return Fitted(shape.vehicle, box, fill, seen, share > WHOLE, place.near, self._s.to_pixels(place.middle), track)


def _peak(scores: Values, place: int) -> float:
    """From the highest of evenly spaced scores to the top of a parabola through it and its neighbours, -0.5 to 0.5."""
    if not 0 < place < len(scores) - 1:
        return 0.0
    before, most, after = float(scores[place - 1]), float(scores[place]), float(scores[place + 1])
    bend = before - 2 * most + after
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, (before - after) / (2 * bend)))


def _run(mask: Mask, bottom: int, depth: int, column: int) -> tuple[int, int]:
    """First and last column of what reaches lowest: others may begin a little higher beside it."""
    gaps = np.flatnonzero(~mask[max(0, bottom - depth + 1) : bottom + 1].any(axis=0))
    place = int(np.searchsorted(gaps, column))
    left = int(gaps[place - 1]) + 1 if place > 0 else 0
    right = int(gaps[place]) - 1 if place < len(gaps) else mask.shape[1] - 1
    return left, right
