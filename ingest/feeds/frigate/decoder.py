"""Decoder of Frigate's topics: an object that has ended becomes one vehicle in the last lane zone it entered.

Only the fields named here are ever read. Plates, sub-labels, boxes, paths and pictures are not among them, and `redact` keeps
them out of dead letters as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from zlib import crc32

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from config.errors import ConfigError
from config.site import Kind
from ingest.feeds import Context, Decoded, Feed, Message, Route, claim
from ingest.feeds.counts import Gathering, counts_of
from ingest.feeds.presence import alive
from ingest.feeds.problems import BadInput, diagnose, outcome, refused
from ingest.feeds.times import impossible
from ingest.feeds.vehicles import vehicle_classes
from ingest.fixedpoint import SPEED_DIGITS, fixed
from ingest.readings import US, CameraHealth, PresenceChange
from ingest.reasons import Reason
from ingest.topics import Stream

FASTEST = 300  # km/h, as in the contract
MOST_FPS = 240

PRESENCE = {
    b"online": "online",
    b"offline": "offline",  # the last will of Frigate, or no frames from a camera
    b"stopped": "shutdown",
    b"disabled": "shutdown",
}

LABELS = vehicle_classes(Path(__file__).parent / "classes.yaml")

Seconds = Annotated[float, Meta(ge=0, le=1e11)]
Name = Annotated[str, Meta(max_length=64)]


class _Object(Struct, frozen=True):
    id: Name
    camera: Name
    label: Name
    frame_time: Seconds
    false_positive: bool = False
    stationary: bool = False
    position_changes: int | None = None
    entered_zones: list[Name] = []
    average_estimated_speed: float | None = None


class _Event(Struct, frozen=True):
    type: str
    after: _Object


class _Service(Struct, frozen=True):
    last_updated: Seconds


class _Stats(Struct, frozen=True):
    cameras: dict[str, msgspec.Raw]
    service: _Service


class _CameraStats(Struct, frozen=True):
    camera_fps: float


_event = msgspec.json.Decoder(_Event)
_stats = msgspec.json.Decoder(_Stats)
_camera_stats = msgspec.json.Decoder(_CameraStats)
_any = msgspec.json.Decoder()


class FrigateFeed(Feed):
    """Cameras (`cctv`) whose virtual lanes are named after Frigate's zones, and the server itself (`app`)."""

    redacts = True

    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """A camera's own status, and the topics that all cameras of a server share."""
        routes: dict[str, Route] = {}
        servers: dict[str, dict[str, Route]] = {}
        for device in devices:
            cameras = servers.setdefault(_prefix(device), {})
            if device.kind is Kind.CCTV:
                name = device.address["camera"]
                claim(routes, f"{_prefix(device)}/{name}/status/detect", replace(device, stream=Stream.PRESENCE))
                cameras[name] = device
            else:
                claim(routes, f"{_prefix(device)}/available", replace(device, stream=Stream.PRESENCE))
        for prefix, cameras in servers.items():
            server = routes.get(f"{prefix}/available")
            if server is None:
                raise ConfigError(
                    f"cameras {', '.join(c.device for c in cameras.values())}: their Frigate server {prefix!r} is missing; "
                    "add it to the applications with dialect: frigate, and the cameras to its `serves`"
                )
            for name, stream in (("events", Stream.COUNTS), ("stats", Stream.HEALTH)):
                peers = {camera: replace(device, stream=stream) for camera, device in cameras.items()}
                routes[f"{prefix}/{name}"] = replace(server, stream=stream, peers=peers)
        return routes

    def territory(self, routes: Mapping[str, Route]) -> list[str]:
        """All that a server may publish, pictures and plates included; only `routes` is subscribed to."""
        return sorted({f"{_prefix(route)}/#" for route in routes.values()})

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters."""
        try:
            if route.stream is Stream.COUNTS:
                return _tracked(_event.decode(message.payload), message, route, context)
            if route.stream is Stream.HEALTH:
                return _healthy(_stats.decode(message.payload), message, route, context)
        except BadInput as error:
            return refused(message, route, diagnose(message.payload, error))
        state = PRESENCE.get(message.payload)
        if state is None:
            # What the payload says instead is not repeated here.
            words = ", ".join(word.decode() for word in PRESENCE)
            return refused(message, route, (Reason.WRONG_TYPE, f"presence must be one of the plain texts {words}"))
        return Decoded([PresenceChange(route.source, state, message.received_us)], [])

    def redact(self, payload: bytes) -> bytes:
        """The fields that are read anyway; nothing of what is no JSON object."""
        found = _any.decode(payload)
        if not isinstance(found, dict):
            return b""
        kept: dict[str, Any] = {}
        if found.get("type") in ("new", "update", "end"):
            kept["type"] = found["type"]
        for half in ("before", "after"):
            if isinstance(found.get(half), dict):
                kept[half] = {name: value for name, value in found[half].items() if _harmless(name, value)}
        if isinstance(found.get("cameras"), dict):
            kept["cameras"] = {
                camera: {name: value for name, value in stats.items() if isinstance(value, int | float)}
                for camera, stats in found["cameras"].items()
                if isinstance(stats, dict) and _NAME.fullmatch(camera)
            }
        if isinstance(found.get("service"), dict) and isinstance(found["service"].get("last_updated"), int | float):
            kept["service"] = {"last_updated": found["service"]["last_updated"]}
        return msgspec.json.encode(kept)


_NUMBERS = frozenset(
    {"frame_time", "start_time", "end_time", "false_positive", "stationary", "position_changes", "average_estimated_speed"}
)
_LABEL = re.compile(r"[a-z_]{1,32}")  # a class of objects; a plate has digits
_ID = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}-[a-z0-9]{1,10}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _harmless(name: str, value: Any) -> bool:  # noqa: ANN401 - JSON that is on its way out
    if name in _NUMBERS:
        return value is None or isinstance(value, int | float)
    if name == "entered_zones":
        return isinstance(value, list) and all(isinstance(zone, str) and _NAME.fullmatch(zone) for zone in value)
    pattern = {"label": _LABEL, "id": _ID, "camera": _NAME}.get(name)
    return pattern is not None and isinstance(value, str) and pattern.fullmatch(value) is not None


def _prefix(device: Route) -> str:
    return device.address.get("prefix", "frigate")


def _tracked(event: _Event, message: Message, server: Route, context: Context) -> Decoded:
    tracked = event.after
    route = server.peers.get(tracked.camera)
    if route is None:
        shown = repr(tracked.camera) if _NAME.fullmatch(tracked.camera) else "of an unreadable name"
        detail = f"Frigate's camera {shown} is no `address: camera` of the site folder"
        return refused(message, server, (Reason.UNKNOWN_DEVICE, detail))
    if event.type not in ("new", "update", "end"):
        problem = Reason.WRONG_TYPE, "type must be new, update or end"
        return replace(refused(message, route, problem), route=route)
    lane = next((zone for zone in reversed(tracked.entered_zones) if zone in route.lanes), None)
    if (
        event.type != "end"
        or lane is None
        or tracked.label not in LABELS
        or tracked.false_positive
        or tracked.stationary
        or tracked.position_changes == 0
    ):
        return alive(message, route)
    lanes = Gathering(message, route, context)
    speed = tracked.average_estimated_speed
    if speed is not None and not 0 <= speed <= FASTEST:
        lanes.wrong(Reason.OUT_OF_RANGE, f"average_estimated_speed is not 0 to {FASTEST} km/h; the vehicle counts without it")
        speed = None
    time_us = round(tracked.frame_time * US)
    lanes.add(
        route.lanes[lane],
        repr(lane),
        time_us,
        0,  # an instant: nothing is said about the time between vehicles
        crc32(tracked.id.encode()),
        volume=1,
        speed=fixed(speed, SPEED_DIGITS) if speed else None,  # 0 is Frigate's "no estimate"
        classes=counts_of(LABELS[tracked.label]),
    )
    return replace(lanes.decoded(None, time_us), route=route)


def _healthy(stats: _Stats, message: Message, server: Route, context: Context) -> Decoded:
    time_us = round(stats.service.last_updated * US)
    wrong = impossible(time_us, message.received_us)
    if wrong is not None:
        return refused(message, server, wrong, None, time_us)
    answers = [
        _camera(raw, server.peers[camera], time_us, message, context)
        for camera, raw in stats.cameras.items()
        if camera in server.peers
    ]
    if not answers:
        detail = "none of the cameras in it is an `address: camera` of the site folder"
        return refused(message, server, (Reason.UNKNOWN_DEVICE, detail), None, time_us)
    first, *others = answers
    return replace(first, also=tuple(others))


def _camera(raw: msgspec.Raw, route: Route, time_us: int, message: Message, context: Context) -> Decoded:
    name = route.address["camera"]
    try:
        fps = _camera_stats.decode(raw).camera_fps
    except BadInput:
        return replace(refused(message, route, (Reason.WRONG_TYPE, f"cameras.{name}.camera_fps is no number")), route=route)
    if not 0 <= fps <= MOST_FPS:
        problem = Reason.OUT_OF_RANGE, f"cameras.{name}.camera_fps is {fps:g}; possible are 0 to {MOST_FPS}"
        return replace(refused(message, route, problem), route=route)
    health = CameraHealth(
        device=route.source,
        time_us=time_us,
        seq=0,
        fps=fps,
        brightness=None,
        sharpness=None,
        frozen=None,
        moved=None,
        covered=None,
        frame_bytes=None,
        future=time_us - message.received_us > context.future_tolerance_us,
        received_us=message.received_us,
    )
    return replace(outcome(message, route, [health], [], None, time_us), route=route)


FEED = FrigateFeed()
