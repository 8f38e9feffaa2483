"""From crossings to counts of even periods: pure, in the stream's time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.camera.condition import WORST_FIRST
from ingest.camera.reports import Counted, CountedLane, LaneCount, Tally, TurnCount
from ingest.camera.view import Crossing, Seen, Turn, ZoneState
from ingest.contract import Sight

US = 1_000_000
GRACE_US = 4 * US
"""A crossing is certain some frames after it happened: so long a period waits after its end."""


@dataclass(slots=True)
class _Lane:
    classes: Tally = field(default_factory=dict)
    speed: float = 0.0
    speeds: int = 0
    looks: int = 0
    occupied: int = 0


@dataclass(slots=True)
class _Period:
    first_us: int
    lanes: dict[str, _Lane]
    turns: dict[tuple[str, str], Tally] = field(default_factory=dict)
    sight: Sight = Sight.OK


class Periods:
    """Counts of one camera."""

    def __init__(self, lanes: Sequence[CountedLane], period_s: float) -> None:
        self._lanes = {lane.id: lane for lane in lanes}
        self._of_zone = {lane.zone: lane.id for lane in lanes if lane.zone}
        self._period_us = round(period_s * US)
        self._open: dict[int, _Period] = {}
        self._closed_us = 0

    def take(self, seen: Seen, sight: Sight) -> list[Counted]:
        """One frame's news while the camera sees `sight`; the periods that it ends."""
        time_us = seen.time_us
        period = self._at(time_us)
        if period is not None:
            period.sight = _worse(period.sight, sight)
            for state in seen.zones:
                self._occupy(period, state)
        for crossing in seen.crossings:
            self._cross(crossing)
        for turn in seen.turns:
            self._turn(turn)
        over = [start for start in self._open if start + self._period_us + GRACE_US <= time_us]
        return [self._close(start) for start in sorted(over)]

    def finish(self, until_us: int) -> list[Counted]:
        """The stream is over; its last period was watched up to `until_us`."""
        return [self._close(start, until_us) for start in sorted(self._open)]

    def _at(self, time_us: int) -> _Period | None:
        start = time_us - time_us % self._period_us
        if start < self._closed_us:
            return None
        period = self._open.get(start)
        if period is None:
            # The first period is watched from its first frame on, all others from their begin.
            first = start if self._closed_us or self._open else time_us
            period = self._open[start] = _Period(first, {name: _Lane() for name in self._lanes})
        return period

    def _occupy(self, period: _Period, state: ZoneState) -> None:
        lane = self._of_zone.get(state.zone)
        if lane is not None:
            period.lanes[lane].looks += 1
            period.lanes[lane].occupied += state.vehicles > 0

    def _cross(self, crossing: Crossing) -> None:
        wanted = self._lanes.get(crossing.line)
        period = self._at(crossing.time_us)
        if wanted is None or period is None or crossing.direction != wanted.direction:
            return
        lane = period.lanes[crossing.line]
        lane.classes[crossing.vehicle] = lane.classes.get(crossing.vehicle, 0) + 1
        if crossing.speed_kmh is not None:
            lane.speed += crossing.speed_kmh
            lane.speeds += 1

    def _turn(self, turn: Turn) -> None:
        period = self._at(turn.time_us)
        if period is not None:
            tally = period.turns.setdefault((turn.entry, turn.exit), {})
            tally[turn.vehicle] = tally.get(turn.vehicle, 0) + 1

    def _close(self, start: int, until_us: int | None = None) -> Counted:
        period = self._open.pop(start)
        self._closed_us = max(self._closed_us, start + self._period_us)
        end = min(start + self._period_us, until_us or start + self._period_us)
        return Counted(
            start_us=period.first_us,
            period_s=max(0.001, (end - period.first_us) / US),
            lanes=tuple(
                LaneCount(
                    name,
                    lane.classes,
                    round(lane.speed / lane.speeds, 1) if lane.speeds else None,
                    round(lane.occupied * 100 / lane.looks, 2) if lane.looks else None,
                )
                for name, lane in period.lanes.items()
            ),
            turns=tuple(TurnCount(entry, leave, tally) for (entry, leave), tally in sorted(period.turns.items())),
            sight=period.sight,
        )


def _worse(one: Sight, other: Sight) -> Sight:
    return next((sight for sight in WORST_FIRST if sight in (one, other)), Sight.OK)
