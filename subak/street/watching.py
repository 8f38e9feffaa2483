"""What a street camera with a counter built in tells at once, and the riders that it is shown against the traffic.

A real camera's worker does this from its pictures (`ingest/camera/zones`); here it is read from the vehicles that are in view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from ingest.contract import Incidence, Observed, VehicleClass
from subak.street.traffic import Seen

ZONE = "carriageway"
"""What the camera calls the road in its picture."""

STANDS = 5 / 3.6
"""m/s below which a vehicle stands, as for queues."""

STANDS_FOR = 120
"""Seconds that it must stand to be told: longer than the cycle of 90 s, so that no red light makes an event."""

AGAINST = 0.5
"""Metres a second against the traffic from which a vehicle goes the wrong way."""

CALM = 3
"""Seconds without it that end an event, as config/thresholds/camera.yaml has for pictures."""

RIDE = (8.0, 68.0)
"""Metres from the stop line between which a rider comes against the traffic."""

RIDER_SPEED = 5.0
"""m/s: some 18 km/h, close to the kerb."""


def riders(second: int, begin: int) -> list[Seen]:
    """Riders against the traffic at `second`, who have come one after the other since `begin`.

    They are drawn for the camera and are not in the simulation, which knows no driving against a lane: nobody gives way to them and
    no loop feels them.
    """
    near, far = RIDE
    way = (second - begin) * RIDER_SPEED
    number, done = divmod(way, far - near)
    return [Seen(f"{VehicleClass.SM}.against-{begin}-{number:.0f}", VehicleClass.SM, near + done, 0.6, RIDER_SPEED)]


@dataclass(slots=True)
class _Open:
    since: int
    last: int
    unsure: bool = False


class Watching:
    """What one camera saw, second by second, until it is told with the next health report."""

    def __init__(self, zone: tzinfo) -> None:
        """`zone`: in which it writes times."""
        self._zone = zone
        self._open: dict[Incidence, _Open] = {}
        self._standing: dict[str, int] = {}
        self._before: dict[str, float] = {}
        self._news: list[Observed] = []

    def second(self, second: int, seen: Sequence[Seen]) -> None:
        """Look at the vehicles in view at the end of a second (Unix time)."""
        against = any(item.distance - self._before.get(item.name, item.distance) > AGAINST for item in seen)
        self._before = {item.name: item.distance for item in seen}
        self._standing = {item.name: self._standing.get(item.name, second) for item in seen if item.speed < STANDS}
        oldest = min(self._standing.values(), default=second)
        self._happen(Incidence.WRONG_WAY, second if against else None, second)
        self._happen(Incidence.STOPPED, oldest if second - oldest >= STANDS_FOR else None, second)

    def blind(self, second: int) -> None:
        """It cannot see at `second`: what stood must be seen to stand anew, and of what ends now nobody sees the end."""
        self._standing, self._before = {}, {}
        for going in self._open.values():
            going.last, going.unsure = second, True

    @property
    def ongoing(self) -> list[Observed]:
        """What was told and goes on, as far as it was last seen."""
        return [Observed(kind, ZONE, self._time(going.since)) for kind, going in self._open.items()]

    def news(self) -> list[Observed]:
        """Onsets and ends since the last time this was asked."""
        told, self._news = self._news, []
        return told

    def _happen(self, kind: Incidence, since: int | None, second: int) -> None:
        going = self._open.get(kind)
        if since is not None:
            if going is None:
                self._open[kind] = going = _Open(since, second)
                self._news.append(Observed(kind, ZONE, self._time(since)))
            going.last, going.unsure = second, False
        elif going is not None and second - going.last >= CALM:
            del self._open[kind]
            if not going.unsure:
                self._news.append(Observed(kind, ZONE, self._time(going.since), self._time(going.last)))

    def _time(self, second: int) -> datetime:
        return datetime.fromtimestamp(second, UTC).astimezone(self._zone)
