"""A blocked lane: a vehicle that stands still for some minutes where it should not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import libsumo

from config.errors import ConfigError
from config.site import Site
from ingest.contract import VehicleClass


@dataclass(frozen=True, slots=True)
class Incident:
    """A lane of a link that is blocked for a while.

    Attributes:
        link: Where.
        lane: Lane from the kerb, 0 first.
        after: Seconds after the start of the run.
        lasts: Seconds.
        before_end: Metres before the end of the link; None is its middle.
    """

    link: str
    lane: int
    after: int
    lasts: int
    before_end: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `LINK:LANE:AFTER_S:LASTS_S[:BEFORE_END_M]`.

        Raises:
            ConfigError: The text has another form.
        """
        try:
            link, lane, after, lasts, *place = text.split(":")
            given: list[float | None] = [float(metres) for metres in place]
            (before_end,) = given or [None]
            return cls(link, int(lane), int(after), int(lasts), before_end)
        except ValueError:
            raise ConfigError(
                f"--incident: {text!r} is not LINK:LANE:AFTER_S:LASTS_S[:BEFORE_END_M],"
                " such as dewa-ruci-to-sunset-patih-jelantik:0:120:600 or, 20 m before the stop line, …:0:120:600:20"
            ) from None

    def placed(self, site: Site, start: int) -> PlacedIncident:
        """This incident in a run of `site` that starts at the Unix second `start`.

        Raises:
            ConfigError: The site has no such lane.
        """
        link = site.link.get(self.link)
        if link is None or not 0 <= self.lane < link.lanes:
            raise ConfigError(f"--incident: the site has no lane {self.lane} on a link {self.link!r}")
        return PlacedIncident(self, start + self.after)


class PlacedIncident:
    """An incident with its time; it puts a broken-down car on the link and takes it away."""

    def __init__(self, incident: Incident, onset: int) -> None:
        self.incident = incident
        self.onset = onset
        self.end = onset + incident.lasts
        self._name = f"{VehicleClass.MP}.incident-{incident.link}-{incident.lane}-{onset}"

    def apply(self, now: int) -> None:
        """Do what is due at the start of the second `now`."""
        link, lane = self.incident.link, self.incident.lane
        if now == self.onset:
            length, before_end = libsumo.lane.getLength(f"{link}_{lane}"), self.incident.before_end
            place = length / 2 if before_end is None else max(10.0, length - before_end)
            libsumo.route.add(self._name, [link])
            libsumo.vehicle.add(
                self._name, self._name, VehicleClass.MP.value, departLane=str(lane), departPos=f"{place:.1f}", departSpeed="0"
            )
            # A stop, not speed 0: a vehicle that stands without one would be lifted over the jam that it makes.
            libsumo.vehicle.setStop(self._name, link, place + 0.2, lane, self.incident.lasts + 60)
        elif now == self.end and self._name in libsumo.vehicle.getIDList():
            libsumo.vehicle.remove(self._name)
