"""Zones: who is in them, how long the queue is, and what should not happen there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot

from config.thresholds.camera import ZoneThresholds
from ingest.camera.detect import Kind
from ingest.camera.geometry import Homography, Point, Zone, ZoneKind
from ingest.camera.track import Track
from ingest.camera.view import Happening, ZoneState

CAR_M = 4.3
"""Length of a car (m), where nothing is measured."""


@dataclass(slots=True)
class _Open:
    """Something that goes on in a zone, or may.

    Attributes:
        since: When it began.
        last: When it was last so.
        told: Whether its onset has been told.
        unsure: Nobody has looked since it was last so.
    """

    since: float
    last: float
    told: bool = False
    unsure: bool = False


class Watch:
    """The zones of one camera."""

    def __init__(self, zones: Sequence[Zone], thresholds: ZoneThresholds, plane: Homography | None) -> None:
        self._zones = zones
        self._t = thresholds
        self._plane = plane
        self._open: dict[tuple[str, str], _Open] = {}

    def step(self, tracks: Iterable[Track], time: float, *, blind: bool = False) -> tuple[list[ZoneState], list[Happening]]:
        """State of each zone at `time` seconds, and the onsets and ends of events; none of these while the camera is `blind`."""
        if blind:
            self._blind(time)
        known = list(tracks)
        states: list[ZoneState] = []
        happenings: list[Happening] = []
        for zone in self._zones:
            inside = [track for track in known if zone.holds(track.foot)]
            vehicles = [track for track in inside if track.kind is not Kind.PERSON]
            queue = self._queue(zone, vehicles) if zone.kind is ZoneKind.QUEUE else None
            states.append(ZoneState(zone.id, len(vehicles), queue))
            if zone.kind is ZoneKind.CARRIAGEWAY and not blind:
                happenings += self._happen("person", zone, len(inside) > len(vehicles), self._t.person.value, time)
                wrong = any(self._against(track, zone) and not self._amid(track, vehicles, zone) for track in vehicles)
                happenings += self._happen("wrong_way", zone, wrong, self._t.wrong_way.value, time)
                standing = any(self._stands(track) for track in vehicles)
                happenings += self._happen("stopped", zone, standing, self._t.stopped.value, time)
        return states, happenings

    @property
    def ongoing(self) -> list[Happening]:
        """Events that were told and go on, as far as it was last seen."""
        return [Happening(kind, zone, round(going.since * 1_000_000)) for (kind, zone), going in self._open.items() if going.told]

    def _blind(self, time: float) -> None:
        """What went on will be seen again, or has ended unseen and nothing is told of its end."""
        self._open = {key: going for key, going in self._open.items() if going.told}
        for going in self._open.values():
            going.last, going.unsure = time, True

    def _happen(self, kind: str, zone: Zone, now: bool, patience: float, time: float) -> list[Happening]:
        """Onset when it has been so for `patience` seconds; end when it has not been so for `calm`, unless nobody saw it end."""
        key = kind, zone.id
        going = self._open.get(key)
        if now:
            going = self._open.setdefault(key, _Open(time, time))
            going.last, going.unsure = time, False
            if not going.told and time - going.since >= patience:
                going.told = True
                return [Happening(kind, zone.id, round(going.since * 1_000_000))]
        elif going is not None and time - going.last >= self._t.calm.value:
            del self._open[key]
            if going.told and not going.unsure:
                return [Happening(kind, zone.id, round(going.since * 1_000_000), round(going.last * 1_000_000))]
        return []

    def _against(self, track: Track, zone: Zone) -> bool:
        if zone.heading is None or self._stands(track):
            return False
        (x0, y0), (x1, y1) = zone.heading
        length = hypot(x1 - x0, y1 - y0)
        along = (track.velocity[0] * (x1 - x0) + track.velocity[1] * (y1 - y0)) / length if length else 0.0
        if along >= -self._t.against.value * hypot(*track.velocity):
            return False
        # Where a queue sets off, a track may slide from one vehicle to the next behind it: it went ahead before, or has others beside it.
        ahead = [self._ahead(foot, zone) for _, _, foot in track.path]
        unit = self._unit(track)
        back, forth = max(ahead) - ahead[-1], max(ahead) - ahead[0]
        return back >= self._t.way_against.value * unit and forth <= self._t.way_ahead.value * unit

    def _amid(self, track: Track, vehicles: Sequence[Track], zone: Zone) -> bool:
        """Whether another vehicle close to it moves with the heading."""
        mine = self._place(track.foot)
        reach = self._t.beside.value * self._unit(track)
        for other in vehicles:
            x, y = self._place(other.foot)
            if other is track or self._stands(other) or hypot(x - mine[0], y - mine[1]) > reach:
                continue
            step = other.foot[0] + other.velocity[0], other.foot[1] + other.velocity[1]
            if self._ahead(step, zone) > self._ahead(other.foot, zone):
                return True
        return False

    def _place(self, at: Point) -> Point:
        """In metres where the ground is measured, else in pixels."""
        return self._plane.to_metres(at) if self._plane is not None else at

    def _unit(self, track: Track) -> float:
        """A metre in the same unit; without a measured ground by its own size, as if that were a car's length."""
        return 1.0 if self._plane is not None else max(track.box[2] - track.box[0], track.box[3] - track.box[1], 1.0) / CAR_M

    def _ahead(self, at: Point, zone: Zone) -> float:
        """How far along the zone's heading a place is, in that unit."""
        (x0, y0), (x1, y1) = (self._place(point) for point in zone.heading or ((0.0, 0.0), (0.0, 0.0)))
        x, y = self._place(at)
        length = hypot(x1 - x0, y1 - y0)
        return ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length if length else 0.0

    def _stands(self, track: Track) -> bool:
        return self._speed(track) < self._t.standing.value

    def _speed(self, track: Track) -> float:
        """km/h; without a measured ground from its own size, as if that were a car's length."""
        x, y = track.foot
        if self._plane is not None:
            (a, b), (c, d) = self._plane.to_metres((x, y)), self._plane.to_metres((x + track.velocity[0], y + track.velocity[1]))
            return hypot(c - a, d - b) * 3.6
        size = max(track.box[2] - track.box[0], track.box[3] - track.box[1], 1.0)
        return hypot(*track.velocity) / size * CAR_M * 3.6

    def _queue(self, zone: Zone, vehicles: Sequence[Track]) -> float | None:
        """Metres from the stop line (where the heading ends) to the last standing vehicle that follows the one before closely."""
        if self._plane is None or zone.heading is None:
            return None
        (x0, y0), (x1, y1) = self._plane.to_metres(zone.heading[0]), self._plane.to_metres(zone.heading[1])
        length = hypot(x1 - x0, y1 - y0)
        if not 0 < length < 1e4:
            return None
        back: list[float] = []
        for track in vehicles:
            if self._stands(track):
                x, y = self._plane.to_metres(track.foot)
                back.append(((x1 - x) * (x1 - x0) + (y1 - y) * (y1 - y0)) / length)
        tail = 0.0
        for distance in sorted(back):
            if distance - tail > self._t.gap.value:
                break
            tail = max(tail, distance)
        return round(tail, 1)
