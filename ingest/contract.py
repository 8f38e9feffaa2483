"""The wire contract: what a native device publishes, as types.

AsyncAPI 3 and JSON Schema in `docs/` are generated from this module alone (`subak contract`). Values keep the units
of the wire here; `ingest.readings` holds what they become. Ranges that JSON Schema can express stand in the types.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

Seq = Annotated[
    int, Meta(ge=0, le=2**53, description="Rises by one per message of a device's stream; starts again after a reboot.")
]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with offset: the field's time.")]
Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Period = Annotated[float, Meta(gt=0, le=3_600, description="Seconds covered from `start`.")]
OfLanes = Meta(min_length=1, max_length=512)
OfEvents = Meta(min_length=1, max_length=20_000)
MetricName = Annotated[str, Meta(max_length=64)]
OfMetrics = Meta(min_length=1, max_length=256)

# `$` alone would let a line feed pass at the end; control characters (NUL above all) do not fit the database's text.
_PLAIN = r"^[^\x00-\x1f\x7f]*$(?!\n)"
_FAULT = r"^[a-z][a-z0-9_]{0,39}$(?!\n)"


class VehicleClass(StrEnum):
    """Vehicle classes of PKJI 2023 (09/P/BM/2023)."""

    SM = "SM"
    MP = "MP"
    KS = "KS"
    BB = "BB"
    TB = "TB"
    KTB = "KTB"


class Classes(Struct, frozen=True, forbid_unknown_fields=True):
    """Vehicles by class; a class that is left out counts 0."""

    SM: Annotated[int, Meta(ge=0, le=100_000, description="Motorcycles.")] = 0
    MP: Annotated[int, Meta(ge=0, le=100_000, description="Cars and light vehicles.")] = 0
    KS: Annotated[int, Meta(ge=0, le=100_000, description="Medium vehicles.")] = 0
    BB: Annotated[int, Meta(ge=0, le=100_000, description="Large buses.")] = 0
    TB: Annotated[int, Meta(ge=0, le=100_000, description="Large trucks.")] = 0
    KTB: Annotated[int, Meta(ge=0, le=100_000, description="Non-motorised.")] = 0


class LaneReport(Struct, frozen=True, forbid_unknown_fields=True):
    """What one lane saw in the period of its message."""

    id: Annotated[str, Meta(min_length=1, max_length=64, description="Detector or virtual lane, as in the site folder.")]
    volume: Annotated[int, Meta(ge=0, le=100_000, description="Vehicles; null: no valid observation.")] | None = None
    occupancy: (
        Annotated[
            float,
            Meta(ge=0, le=217, description="Percent of the period. 210 to 217 are NTCIP 1202 fault codes, never numbers."),
        ]
        | None
    ) = None
    speed: Annotated[float, Meta(ge=0, le=300, description="Mean speed of the counted vehicles, km/h.")] | None = None
    classes: Classes | None = None
    fault: Annotated[str, Meta(pattern=_FAULT, description="The device's own verdict, such as open_loop.")] | None = None


class Detectors(Struct, frozen=True, forbid_unknown_fields=True):
    """`atc/{controller}/detectors`: counts of one period, for some or all lanes."""

    seq: Seq
    start: Time
    period_s: Period
    lanes: Annotated[list[LaneReport], OfLanes]


class Sight(StrEnum):
    """What a camera can see: one state at a time, the one that hurts counting most."""

    OK = "ok"
    NIGHT = "night"
    GLARE = "glare"
    LOW_CONTRAST = "low_contrast"
    BLURRED = "blurred"
    LOW_FPS = "low_fps"
    COVERED = "covered"
    FROZEN = "frozen"
    MOVED = "moved"
    LOST = "lost"


class Trust(StrEnum):
    """What the counts made in a condition are worth."""

    GOOD = "good"
    SUSPECT = "suspect"
    MISSING = "missing"


class Conditions(Struct, frozen=True):
    """What the camera could see while it counted."""

    light: Annotated[str, Meta(max_length=40)] | None = None
    weather: Annotated[str, Meta(max_length=40)] | None = None
    state: Annotated[Sight, Meta(description="The worst condition of the period.")] | None = None
    trust: Annotated[
        Trust, Meta(description="Worth of the counts: `suspect` keeps them with that quality, `missing` drops them.")
    ] = Trust.GOOD


class Turning(Struct, frozen=True, forbid_unknown_fields=True):
    """Vehicles that came in over one line and left over another."""

    entry: Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
    exit: Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
    classes: Classes


class Counts(Struct, frozen=True, forbid_unknown_fields=True):
    """`cctv/{camera}/counts`: as `detectors`, from virtual lanes."""

    seq: Seq
    start: Time
    period_s: Period
    lanes: Annotated[list[LaneReport], OfLanes]
    conditions: Conditions | None = None
    turns: Annotated[list[Turning], Meta(max_length=256)] = []


class Event(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One hi-res event: time (0.1 s), Indiana code, parameter."""

    time: Time
    code: Annotated[int, Meta(ge=0, le=65_535)]
    parameter: Annotated[int, Meta(ge=0, le=65_535)]


class Events(Struct, frozen=True, forbid_unknown_fields=True):
    """`atc/{controller}/events`: signal changes and detector actuations.

    Codes of the Indiana Traffic Signal Hi Resolution Data Logger Enumerations, 2012 and later.
    """

    seq: Seq
    events: Annotated[list[Event], OfEvents]


class Grade(StrEnum):
    """How well a camera's stream comes (after Frigate's connection quality)."""

    EXCELLENT = "excellent"
    FAIR = "fair"
    POOR = "poor"
    UNUSABLE = "unusable"


class Incidence(StrEnum):
    """What a camera tells at once."""

    WRONG_WAY = "wrong_way"
    STOPPED = "stopped"
    PERSON = "person"


class Observed(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that began in a zone, told again when it has ended."""

    kind: Incidence
    zone: Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
    onset: Time
    end: Annotated[Time, Meta(description="Left out while it lasts.")] | None = None


class Health(Struct, frozen=True, forbid_unknown_fields=True):
    """`cctv/{camera}/health`: can the camera see?"""

    seq: Seq
    time: Time
    fps: Annotated[float, Meta(ge=0, le=240, description="Frames a second that arrived.")] | None = None
    brightness: Annotated[float, Meta(ge=0, le=255)] | None = None
    sharpness: Annotated[float, Meta(ge=0, description="Variance of the Laplacian.")] | None = None
    frozen: bool | None = None
    moved: bool | None = None
    covered: bool | None = None
    condition: Annotated[Sight, Meta(description="What it can see, since `since`.")] | None = None
    since: Time | None = None
    detail: Annotated[str, Meta(max_length=200, pattern=_PLAIN, description="Why, for a technician.")] | None = None
    grade: Grade | None = None
    reconnects: Annotated[int, Meta(ge=0, le=100_000, description="In the last hour.")] | None = None
    stalls: Annotated[int, Meta(ge=0, le=100_000, description="In the last hour.")] | None = None
    events: Annotated[list[Observed], Meta(max_length=64)] = []
    ongoing: (
        Annotated[
            list[Observed],
            Meta(
                max_length=64,
                description=(
                    "Everything told that goes on at `time`. What is not among it any more is over, though nobody saw its end."
                    " Left out while the camera cannot tell: blind, or still learning what it looks at."
                ),
            ),
        ]
        | None
    ) = None


class SourceMode(StrEnum):
    """Why a sign shows what it shows (NTCIP 1203 dmsMsgSourceMode)."""

    LOCAL = "local"
    EXTERNAL = "external"
    CENTRAL = "central"
    SCHEDULER = "timebasedScheduler"
    POWER_RECOVERY = "powerRecovery"
    RESET = "reset"
    COMM_LOSS = "commLoss"
    POWER_LOSS = "powerLoss"
    END_DURATION = "endDuration"


class Status(Struct, frozen=True, forbid_unknown_fields=True):
    """`vms/{sign}/status`: what the sign shows now."""

    seq: Seq
    time: Time
    multi: Annotated[str, Meta(max_length=2_000, pattern=_PLAIN, description="MULTI text on display; empty when blank.")]
    crc: Annotated[int, Meta(ge=0, le=65_535, description="CRC-16 of the displayed message (NTCIP 1203).")]
    source_mode: SourceMode
    command: Annotated[str, Meta(max_length=64, pattern=_PLAIN, description="Command that is on display.")] | None = None
    brightness: Percent | None = None
    faults: Annotated[list[Annotated[str, Meta(max_length=40, pattern=_PLAIN)]], Meta(max_length=32)] = []
    door_open: bool | None = None
    temperature_c: Annotated[float, Meta(ge=-60, le=150)] | None = None


class Command(Struct, frozen=True, forbid_unknown_fields=True):
    """`vms/{sign}/command`: show this message until the lease ends. Never retained."""

    command: Annotated[
        str, Meta(min_length=1, max_length=64, pattern=_PLAIN, description="Command id; repeated to renew the lease.")
    ]
    time: Time
    multi: Annotated[str, Meta(max_length=2_000, pattern=_PLAIN, description="MULTI text (NTCIP 1203); empty blanks the sign.")]
    priority: Annotated[int, Meta(ge=1, le=255)]
    lease_s: Annotated[float, Meta(gt=0, le=3_600, description="Seconds from `time` after which the sign blanks itself.")]


class Outcome(StrEnum):
    """What a sign made of a command."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class ActivateError(StrEnum):
    """Why a sign refused (NTCIP 1203 dmsActivateMsgError, and a lease that had ended on arrival)."""

    OTHER = "other"
    PRIORITY = "priority"
    SYNTAX = "syntaxMULTI"
    LOCAL_MODE = "localMode"
    EXPIRED = "expired"


class Result(Struct, frozen=True, forbid_unknown_fields=True):
    """`vms/{sign}/result`: the sign's answer to one command."""

    seq: Seq
    time: Time
    command: Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
    outcome: Outcome
    error: ActivateError | None = None


class Metrics(Struct, frozen=True, forbid_unknown_fields=True):
    """`{kind}/{device}/metrics`: named numbers of a network link, an access point, an application, a cabinet."""

    seq: Seq
    time: Time
    metrics: Annotated[dict[MetricName, float | None], OfMetrics]


class Presence(StrEnum):
    """`{kind}/{device}/presence`: retained, plain text; `offline` is the last will, `shutdown` is on purpose."""

    ONLINE = "online"
    OFFLINE = "offline"
    SHUTDOWN = "shutdown"
