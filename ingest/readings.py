"""What the door lets in: records with integer values, the only thing processors and storage know.

Times are integer microseconds since 1970-01-01 UTC (`*_us`). Numbers that are summed later are integers in fixed point,
so that a sum does not depend on its order: occupancy in 0.01 %, speed in 0.1 km/h. `None` is "no valid observation".
"""

from __future__ import annotations

from msgspec import Struct

OCCUPANCY_SCALE = 100  # 0.01 %
SPEED_SCALE = 10  # 0.1 km/h
US = 1_000_000


class LaneReading(Struct, frozen=True, gc=False):
    """One lane over one period, as sent; the raw row everything else is a function of.

    Attributes:
        lane: Lane number of the registry.
        start_us: Begin of the period.
        seq: Sequence number of its message.
        period_ms: Milliseconds covered.
        volume: Vehicles.
        occupancy: 0.01 % of the period.
        speed: 0.1 km/h, mean of the counted vehicles.
        sm: Motorcycles; the six classes are all None when the device does not classify.
        mp: Cars and light vehicles.
        ks: Medium vehicles.
        bb: Large buses.
        tb: Large trucks.
        ktb: Non-motorised.
        fault: Why there is no valid observation, e.g. `open_loop`; beside values, why they are in doubt, e.g. `night`.
        future: The period ended after it was received: the device's clock is ahead.
        received_us: When the door saw it.
    """

    lane: int
    start_us: int
    seq: int
    period_ms: int
    volume: int | None
    occupancy: int | None
    speed: int | None
    sm: int | None
    mp: int | None
    ks: int | None
    bb: int | None
    tb: int | None
    ktb: int | None
    fault: str | None
    future: bool
    received_us: int


class SignalEvent(Struct, frozen=True, gc=False):
    """One hi-res event of a controller (Indiana code and parameter)."""

    device: int
    time_us: int
    seq: int
    ordinal: int
    code: int
    parameter: int
    future: bool
    received_us: int


class SensorReading(Struct, frozen=True, gc=False):
    """One metric of one device at one time; the unit is the metric's."""

    device: int
    time_us: int
    seq: int
    metric: int
    value: float | None
    future: bool
    received_us: int


class CameraHealth(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a camera says of itself, or the arrival of a frame (only `frame_bytes`; pixels are dropped at the door).

    `ongoing`: the events that go on then, each as `ongoing_key` names it; None when it cannot tell.
    """

    device: int
    time_us: int
    seq: int
    fps: float | None
    brightness: float | None
    sharpness: float | None
    frozen: bool | None
    moved: bool | None
    covered: bool | None
    frame_bytes: int | None
    future: bool
    received_us: int
    grade: str | None = None
    reconnects: int | None = None
    stalls: int | None = None
    detail: str | None = None
    ongoing: tuple[str, ...] | None = None


def ongoing_key(onset_us: int, kind: str, zone: str) -> str:
    """An event of a camera as its health report names it; the view `analytics.camera_events` makes the same name."""
    return f"{onset_us} {kind} {zone}"


class CameraCondition(Struct, frozen=True, gc=False):
    """What a camera can see from `time_us` on, until its next condition."""

    device: int
    time_us: int
    condition: str
    detail: str
    future: bool
    received_us: int


class CameraEvent(Struct, frozen=True, gc=False):
    """The onset of what a camera saw in a zone (`end_us` is None), or the same with its end."""

    device: int
    time_us: int
    kind: str
    zone: str
    end_us: int | None
    future: bool
    received_us: int


class TurningCount(Struct, frozen=True, gc=False):
    """Vehicles from one line of a camera to another over one period."""

    device: int
    time_us: int
    seq: int
    period_ms: int
    entry: str
    exit: str
    sm: int
    mp: int
    ks: int
    bb: int
    tb: int
    ktb: int
    fault: str | None
    future: bool
    received_us: int


class SignMessage(Struct, frozen=True, gc=False):
    """One step of a sign message: a command seen on the wire, the sign's result, or its status."""

    device: int
    time_us: int
    seq: int
    step: str
    command: str | None
    multi: str | None
    crc: int | None
    priority: int | None
    lease_s: float | None
    source_mode: str | None
    outcome: str | None
    error: str | None
    brightness: float | None
    faults: tuple[str, ...]
    door_open: bool | None
    temperature_c: float | None
    future: bool
    received_us: int


class PresenceChange(Struct, frozen=True, gc=False):
    """A device said, or its last will said, that it is online, offline or shut down."""

    device: int
    state: str
    received_us: int


class DeadLetter(Struct, frozen=True):
    """A message, or the part of one, that could not become facts.

    Attributes:
        source: Device number, 0 when the topic belongs to no known device.
        topic: As received.
        payload: At most 1 MiB of it.
        size: Bytes of the whole payload.
        reason: A word of `ingest.reasons.Reason`.
        detail: What exactly, for a person.
        partial: The rest of the message was stored, so the ledger counts it as stored.
        received_us: When the door saw it.
    """

    source: int
    topic: str
    payload: bytes
    size: int
    reason: str
    detail: str
    partial: bool
    received_us: int


Record = (
    LaneReading
    | SignalEvent
    | SensorReading
    | CameraHealth
    | CameraCondition
    | CameraEvent
    | TurningCount
    | SignMessage
    | PresenceChange
)
