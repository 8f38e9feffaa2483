"""What may stand in a site, one model a kind of thing; see `config.site` for the whole."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from config.cameras import Camera, Code, Name, Position, VirtualLane
from config.dialects import Address, Spoken
from config.files import Strict

__all__ = [
    "Approach",
    "Camera",
    "Code",
    "Controller",
    "Detector",
    "Device",
    "Gate",
    "General",
    "Junction",
    "Kind",
    "Lane",
    "Link",
    "Metric",
    "Name",
    "Position",
    "Sensor",
    "Sign",
    "VirtualLane",
]


class Kind(StrEnum):
    """What a device is; the third level of its topics."""

    ATC = "atc"
    CCTV = "cctv"
    VMS = "vms"
    NET = "net"
    WIFI = "wifi"
    APP = "app"


class General(Strict):
    """`site.yaml`: the site itself.

    Attributes:
        site: Name in topics and in the database.
        title: Name for people.
        timezone: IANA zone of days, peaks and calendars; storage is UTC.
        centre: Where a map opens.
        note: What a reader of the map must know, such as how exact positions are.
        console_url: Where people reach the console, as boards and alerts link to it.
    """

    site: Name
    title: str
    timezone: str
    centre: Position
    note: str = ""
    console_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] = "http://127.0.0.1:8080"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("not an IANA time zone; allowed are names such as Asia/Makassar, Asia/Jakarta, Asia/Jayapura")
        return value


class Lane(Strict):
    """One lane of an approach.

    Attributes:
        id: Unique in the junction: `N1` is the lane at the kerb of approach N.
        movements: What the lane serves: left, through, right.
    """

    id: Code
    movements: tuple[Literal["left", "through", "right"], ...] = ("through",)


class Approach(Strict):
    """One arm of a junction, towards it.

    Attributes:
        id: Compass name, unique in the junction.
        link: Road link that arrives here.
        phase: Signal phase that serves it (NEMA numbering).
        lanes: From the kerb outwards (traffic keeps left).
    """

    id: Code
    link: Name
    phase: Annotated[int, Field(ge=1, le=16)]
    lanes: tuple[Lane, ...] = Field(min_length=1)


class Junction(Strict):
    """A signalised junction (*simpang*)."""

    id: Name
    name: str
    position: Position
    approaches: tuple[Approach, ...] = Field(min_length=1)


class Link(Strict):
    """A road link between two junctions, or between a junction and the edge of the site.

    Attributes:
        start: Junction, or a place name at the edge of the site.
        end: Junction, or a place name at the edge of the site.
        lanes: Number of lanes in this direction.
        speed_limit: km/h.
        via: Positions that shape the line between its ends.
    """

    id: Name
    start: Name
    end: Name
    road: str
    lanes: Annotated[int, Field(ge=1, le=6)]
    speed_limit: Annotated[int, Field(ge=10, le=120)]
    via: tuple[Position, ...] = ()


class Gate(Strict):
    """A place where links enter or leave the site."""

    id: Name
    position: Position


class Corridor(Strict):
    """A chain of links as drivers travel them, in one direction.

    Attributes:
        links: In the order they are driven; each begins where the one before ends.
    """

    id: Name
    title: str
    links: tuple[Name, ...] = Field(min_length=1)


class Setting(Strict):
    """What a detector is good for, since a day.

    Attributes:
        valid_from: First day on which this is true.
        function: `count` upstream of the stop line counts arriving vehicles; `stop_bar_count` counts those that leave, lane by
            lane; `presence` at the stop line tells that someone stands there and counts nothing; `yellow_red` behind it counts
            those that enter late; `speed` is one end of a speed trap.
        distance: Metres upstream of the stop line.
        phase: Signal phase that serves its vehicles, where it is not the approach's.
        speed: km/h at which vehicles cover the distance; 0 when arrivals are told as at the detector.
        latency: Seconds from the vehicle to the controller's event.
        trap: Channel of the downstream end of a speed trap that begins here.
        trap_distance: Metres to it.
    """

    valid_from: date = date(2000, 1, 1)
    function: Literal["count", "presence", "stop_bar_count", "yellow_red", "speed"] = "count"
    distance: Annotated[float, Field(ge=0, le=1000)] = 40.0
    phase: Annotated[int, Field(ge=1, le=16)] | None = None
    speed: Annotated[float, Field(ge=0, le=150)] = 0.0
    latency: Annotated[float, Field(ge=0, le=30)] = 0.0
    trap: Annotated[int, Field(ge=1, le=255)] | None = None
    trap_distance: Annotated[float, Field(ge=0, le=100)] = 0.0


class Detector(Setting):
    """One lane detector of a controller, as it is now.

    Attributes:
        id: Name in the `lanes` of a `detectors` message.
        lane: Lane of the controller's junction that it watches.
        number: Channel in hi-res events (parameter of codes 81 and 82).
        earlier: As it was before, so that history is computed with what was true then.
    """

    id: Code
    lane: Code
    number: Annotated[int, Field(ge=1, le=255)]
    earlier: tuple[Setting, ...] = ()

    @property
    def is_lane(self) -> bool:
        """Whether it counts its lane's vehicles; the others are channels of the hi-res log only, never a second lane of volume."""
        return self.function in {"count", "stop_bar_count"}


class Controller(Spoken):
    """A signal controller (`atc`).

    Attributes:
        junction: Where it stands.
        period: Seconds covered by one of its detector readings.
        detectors: Its channels; those that count are the lanes of its `detectors` messages.
        logs: What its log files call it, for `subak import`: an address or number in the file, a word of its name, or a value of
            the column for the device.
        pedestrians: Phases with a push button.
    """

    id: Name
    junction: Name
    period: Annotated[float, Field(gt=0, le=3600)]
    detectors: tuple[Detector, ...] = Field(min_length=1)
    logs: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()
    pedestrians: tuple[Annotated[int, Field(ge=1, le=16)], ...] = ()

    @property
    def lanes(self) -> tuple[Detector, ...]:
        """Detectors that count the vehicles of a lane, in the order of the file."""
        return tuple(detector for detector in self.detectors if detector.is_lane)


class Sign(Spoken):
    """A variable message sign.

    Attributes:
        link: Road link whose drivers read it.
        position: Where it stands.
        columns: Characters a line.
        rows: Lines a page.
        pages: Pages a message at most.
    """

    id: Name
    name: str
    link: Name
    position: Position
    columns: Annotated[int, Field(ge=4, le=60)] = 15
    rows: Annotated[int, Field(ge=1, le=6)] = 3
    pages: Annotated[int, Field(ge=1, le=6)] = 2


class Sensor(Spoken):
    """A device that reports `metrics`: a network link, a Wi-Fi access point or an application.

    Attributes:
        position: Where it stands; an application has none.
        serves: Devices that are silent when this one fails.
        period: Seconds between reports.
    """

    id: Name
    name: str
    position: Position | None = None
    serves: tuple[Name, ...] = ()
    period: Annotated[float, Field(gt=0, le=3600)] = 30.0


class Metric(Strict):
    """One metric that devices of some kinds may report.

    Attributes:
        name: Key in a `metrics` message.
        unit: Unit, as in UCUM where it has one.
        kinds: Kinds of device that may report it.
        low: Smallest possible value.
        high: Largest possible value.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    unit: str
    title: str
    kinds: tuple[Kind, ...] = Field(min_length=1)
    low: float = 0.0
    high: float = 1e12


class Device(Strict):
    """Any device of the site, seen only by what all have in common."""

    id: Name
    kind: Kind
    name: str
    position: Position | None
    junction: Name | None
    period: float | None
    dialect: str
    address: Address
