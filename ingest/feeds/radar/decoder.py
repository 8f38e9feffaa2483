"""Decoder of per-vehicle radar events.

A detection says two things: that a vehicle passed, and (`td_lane`) for how long nothing else had passed in that lane. So it
becomes a reading of that stretch of time with one vehicle at its end, and the time between vehicles is observed rather than
guessed: what a lost message would have told stays unobserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from ingest.contract import Seq, VehicleClass
from ingest.feeds import Context, Decoded, Feed, Message, Route, claim
from ingest.feeds.counts import Gathering, counts_of
from ingest.feeds.measures import measures
from ingest.feeds.presence import alive, presence
from ingest.feeds.problems import BadInput, diagnose, refused
from ingest.feeds.vehicles import vehicle_classes
from ingest.fixedpoint import SPEED_DIGITS, fixed
from ingest.reasons import Reason
from ingest.topics import Stream

MINUTE_MS = 60_000
SILENCE_MOST_MS = 60 * MINUTE_MS  # of a longer gap only the last hour is taken: 61 rows a message at most
FASTEST = 300  # km/h, as in the contract
HEAVY_AXLES = 3  # PKJI 2023: TB has three axles or more

CONNECTED = {b"1": "online", b"0": "offline"}
DIRECTIONS = ("in", "out")
METRICS = {"temp": "temperature_c", "voltage_main": "supply_v"}

Milliseconds = Annotated[int, Meta(ge=0, le=2**53)]


class _Vehicle(Struct, frozen=True):
    t: Milliseconds
    c: Seq
    lane: Annotated[int, Meta(ge=0, le=99)]
    dir: Annotated[int, Meta(ge=0, le=1)]
    code: int | None = msgspec.field(name="class", default=None)
    axles: int | None = None
    speed: float | None = None
    td_lane: int | None = None


class _Counter(Struct):
    c: Seq


class _Status(Struct, frozen=True):
    last_update: Milliseconds
    temp: float | None = None
    voltage_main: float | None = None


_vehicle = msgspec.json.Decoder(_Vehicle)
_counter = msgspec.json.Decoder(_Counter)
_status = msgspec.json.Decoder(_Status)


def _codes(path: Path) -> dict[int, VehicleClass | None]:
    """The table with its ranges (`32-69`) written out."""
    codes: dict[int, VehicleClass | None] = {}
    for word, vehicle in vehicle_classes(path).items():
        first, _, last = word.partition("-")
        codes |= dict.fromkeys(range(int(first), int(last or first) + 1), vehicle)
    return codes


CLASSES = _codes(Path(__file__).parent / "classes.yaml")


class RadarFeed(Feed):
    """Radars, configured as controllers whose detectors are named `{lane}-in` and `{lane}-out`."""

    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """Vehicles, connection and status of every radar."""
        routes: dict[str, Route] = {}
        for device in devices:
            root = f"{device.address.get('root', 'topo')}/devices/{device.address['device']}"
            claim(routes, f"{root}/evt/vehicle", replace(device, stream=Stream.DETECTORS))
            claim(routes, f"{root}/status/connected", replace(device, stream=Stream.PRESENCE))
            claim(routes, f"{root}/status", replace(device, stream=Stream.METRICS))
        return routes

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters."""
        if route.stream is Stream.PRESENCE:
            return presence(message, route, CONNECTED)
        try:
            if route.stream is Stream.METRICS:
                return _measured(_status.decode(message.payload), message, route, context)
            return _passed(_vehicle.decode(message.payload), message, route, context)
        except BadInput as error:
            return refused(message, route, diagnose(message.payload, error), _count(message.payload))


def _passed(vehicle: _Vehicle, message: Message, route: Route, context: Context) -> Decoded:
    name = f"{vehicle.lane}-{DIRECTIONS[vehicle.dir]}"
    lane = route.lanes.get(name)
    lanes = Gathering(message, route, context)
    speed = vehicle.speed
    if speed is not None and not 0 <= speed <= FASTEST:
        lanes.wrong(Reason.OUT_OF_RANGE, f"speed {speed:g} is not 0 to {FASTEST} km/h; the vehicle counts without it")
        speed = None
    kind = None if vehicle.code is None else CLASSES.get(vehicle.code)
    if kind is VehicleClass.KS and (vehicle.axles or 0) >= HEAVY_AXLES:
        kind = VehicleClass.TB
    # The vehicle's own millisecond belongs to its reading, so that one at 08:01:00.000 counts in the minute it begins.
    end_ms = vehicle.t + 1
    silence_ms = min(max(vehicle.td_lane or 0, 0), SILENCE_MOST_MS)
    begin_ms = end_ms - silence_ms
    start_ms = max(begin_ms, vehicle.t - vehicle.t % MINUTE_MS) if silence_ms else vehicle.t
    lanes.add(
        lane,
        repr(name),
        start_ms * 1000,
        end_ms - start_ms if silence_ms else 0,
        vehicle.c,
        volume=1,
        speed=None if speed is None else fixed(speed, SPEED_DIGITS),
        classes=counts_of(kind),
    )
    # The quiet before it, minute by minute, so that no reading lies across the edge of a bin.
    while lane is not None and start_ms > begin_ms:
        end_ms = start_ms
        start_ms = max(begin_ms, end_ms - MINUTE_MS)
        lanes.add(lane, repr(name), start_ms * 1000, end_ms - start_ms, vehicle.c, volume=0, classes=counts_of(None))
    return lanes.decoded(vehicle.c, vehicle.t * 1000)


def _measured(status: _Status, message: Message, route: Route, context: Context) -> Decoded:
    known = {METRICS[field]: getattr(status, field) for field in METRICS if getattr(status, field) is not None}
    if not known:
        return alive(message, route)
    # A status has no number; its rows are told apart by their time.
    return replace(measures(0, status.last_update * 1000, known, [], message, route, context), seq=None)


def _count(payload: bytes) -> int | None:
    """The running counter of a refused message, so that it is not counted as lost on the way as well."""
    try:
        return _counter.decode(payload).c
    except BadInput:
        return None


FEED = RadarFeed()
