"""The door: every MQTT message becomes records, dead letters or both, and nothing else passes.

Pure and without I/O. Whatever arrives, `Door.admit` answers and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from config.errors import ConfigError
from config.faults import load_occupancy_faults
from config.site import Kind, Site
from ingest.deadletters import PAYLOAD_KEPT, dead_letter
from ingest.feeds import Context, Feed, Message, Route
from ingest.feeds.native.decoder import NativeFeed
from ingest.readings import US, DeadLetter, Record
from ingest.reasons import Reason
from ingest.registry import Registry
from ingest.topics import ROOT, STREAMS, Stream, topic

FEEDS: dict[str, Feed] = {"native": NativeFeed()}
"""Feed by dialect."""

_KINDS = [kind.value for kind in Kind]
_LEVELS = 6  # subak / v1 / site / kind / device / stream


class Disposition(StrEnum):
    """What the door made of a message; storage then tells stored from duplicate by key."""

    ADMITTED = "admitted"
    REJECTED = "rejected"


class Admission(Struct, frozen=True):
    """The door's answer to one message.

    Attributes:
        source: Device number, 0 when the topic belongs to no known device.
        stream: Stream of the topic, None when it has none of ours.
        seq: The message's sequence number, where it has one that could be read (also of a rejected message, so that it
            is not counted as lost upstream too). Presence, frames and commands have none.
        time_us: The message's own time, where it could be read; for events that of the first one stored.
        records: Facts, in the order of the message.
        dead: At most one whole dead letter, or one partial dead letter a reason.
        disposition: `rejected` when there are no records.
    """

    source: int
    stream: Stream | None
    seq: int | None
    time_us: int | None
    records: list[Record]
    dead: list[DeadLetter]
    disposition: Disposition

    @property
    def key(self) -> tuple[int, int] | None:
        """(seq, time_us) of the message when it has both."""
        return None if self.seq is None or self.time_us is None else (self.seq, self.time_us)


_ADMITTED, _REJECTED = Disposition.ADMITTED, Disposition.REJECTED


class Door:
    """Decides about every message of one site."""

    def __init__(
        self,
        registry: Registry,
        site: Site,
        *,
        future_tolerance_s: float = 5.0,
        occupancy_faults: Mapping[int, str] | None = None,
        feeds: Mapping[str, Feed] = FEEDS,
    ) -> None:
        """Prepare the routes of every topic the site may use.

        Args:
            registry: Numbers of its devices, lanes and metrics.
            site: The site folder, read.
            future_tolerance_s: As in the settings.
            occupancy_faults: Fault codes in place of an occupancy; by default those of `config/norms`.
            feeds: Feed by dialect.

        Raises:
            ConfigError: A device of the site speaks a dialect that there is no feed for.
        """
        self._registry = registry
        self._site = site.name
        self._context = Context(
            future_tolerance_us=round(future_tolerance_s * US),
            occupancy_faults=load_occupancy_faults() if occupancy_faults is None else occupancy_faults,
        )
        self._routes = _routes(registry, site.name, feeds)

    def admit(self, topic: str, payload: bytes, received_us: int) -> Admission:
        """Decide about one message. Never raises.

        Args:
            topic: As received.
            payload: As received.
            received_us: Microseconds since 1970-01-01 UTC at which it was received.
        """
        # Only topics of known devices are kept, so an attacker's millions of topics fill nothing.
        found = self._routes.get(topic)
        if found is None:
            return self._no_route(topic, payload, received_us)
        feed, route = found
        if not payload:
            return _rejected(route, topic, payload, received_us, Reason.EMPTY_PAYLOAD, "the message has no payload")
        if len(payload) > PAYLOAD_KEPT:
            detail = f"the payload has {len(payload)} bytes; the largest allowed is {PAYLOAD_KEPT}"
            return _rejected(route, topic, payload, received_us, Reason.TOO_LARGE, detail)
        try:
            decoded = feed.decode(Message(topic, payload, received_us), route, self._context)
        except Exception as error:  # noqa: BLE001 - a fault of a decoder must cost one message, not the street
            detail = f"{type(error).__name__}: {error}"
            return _rejected(route, topic, payload, received_us, Reason.DECODER_FAULT, detail)
        records = decoded.records
        return Admission(
            route.source,
            route.stream,
            decoded.seq,
            decoded.time_us,
            records,
            decoded.dead,
            _ADMITTED if records else _REJECTED,
        )

    def _no_route(self, topic: str, payload: bytes, received_us: int) -> Admission:
        source, stream, reason, detail = self._explain(topic)
        letter = dead_letter(source, topic, payload, received_us, reason, detail)
        return Admission(source, stream, None, None, [], [letter], _REJECTED)

    def _explain(self, topic: str) -> tuple[int, Stream | None, Reason, str]:
        """Why a topic leads nowhere, level by level."""
        levels = topic.split("/", _LEVELS)
        if len(levels) != _LEVELS or "/".join(levels[:2]) != ROOT:
            has = topic.count("/") + 1
            wrong = f"it has {has} levels, not {_LEVELS}" if has != _LEVELS else f"it does not begin with {ROOT}"
            return 0, None, Reason.UNKNOWN_TOPIC, f"the topic is not {ROOT}/site/kind/device/stream: {wrong}"
        site, kind, device, stream = levels[2:]
        if site != self._site:
            return 0, None, Reason.UNKNOWN_SITE, f"the topic names site {site[:64]!r}; this is {self._site!r}"
        if kind not in _KINDS:
            kinds = ", ".join(_KINDS)
            return 0, None, Reason.UNKNOWN_TOPIC, f"{kind[:64]!r} is no kind of device; kinds are {kinds}"
        entry = self._registry.named(device)
        if entry is None:
            return 0, None, Reason.UNKNOWN_DEVICE, f"no device {device[:64]!r} in the site folder"
        if entry.kind != kind:
            return 0, None, Reason.UNKNOWN_DEVICE, f"device {device!r} is of kind {entry.kind}, not {kind}"
        streams = ", ".join(sorted(STREAMS[entry.kind]))
        detail = f"{stream[:64]!r} is no stream of kind {kind}; its streams are {streams}"
        return entry.number, None, Reason.UNKNOWN_STREAM, detail


def _routes(registry: Registry, site: str, feeds: Mapping[str, Feed]) -> dict[str, tuple[Feed, Route]]:
    metrics = {kind: registry.metrics_of(kind) for kind in Kind}
    routes: dict[str, tuple[Feed, Route]] = {}
    for entry in registry:
        feed = feeds.get(entry.dialect)
        if feed is None:
            known = ", ".join(sorted(feeds))
            raise ConfigError(f"device {entry.name}: no feed for dialect {entry.dialect!r}; dialects are {known}")
        lanes = dict(entry.lanes)
        for stream in STREAMS[entry.kind]:
            route = Route(entry.number, entry.kind, entry.name, stream, lanes, metrics[entry.kind])
            routes[topic(site, entry.kind, entry.name, stream)] = feed, route
    return routes


def _rejected(route: Route, topic: str, payload: bytes, received_us: int, reason: Reason, detail: str) -> Admission:
    letter = dead_letter(route.source, topic, payload, received_us, reason, detail)
    return Admission(route.source, route.stream, None, None, [], [letter], _REJECTED)
