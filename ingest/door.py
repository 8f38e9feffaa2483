"""The door: every MQTT message becomes records, dead letters or both, and nothing else passes.

Pure and without I/O. Whatever arrives, `Door.admit` answers and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from config.dialects import NATIVE
from config.errors import ConfigError
from config.faults import load_occupancy_faults
from config.site import Kind
from ingest.deadletters import PAYLOAD_KEPT, dead_letter
from ingest.feeds import Context, Decoded, Feed, Message, Route
from ingest.feeds.catalogue import feed_of
from ingest.readings import US, DeadLetter, Record
from ingest.reasons import Reason
from ingest.registry import Registry
from ingest.topics import ROOT, STREAMS, Stream, site_filter

_KINDS = [kind.value for kind in Kind]
_LEVELS = 6  # subak / v1 / site / kind / device / stream
_SHOWN = 6  # topics named in one detail


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
        numbers: All sequence numbers of a message that carries several; `seq` is None then.
        also: The same message's meaning for further devices, where it speaks for several; each is accounted at its own.
    """

    source: int
    stream: Stream | None
    seq: int | None
    time_us: int | None
    records: list[Record]
    dead: list[DeadLetter]
    disposition: Disposition
    numbers: tuple[int, ...] = ()
    also: tuple[Admission, ...] = ()

    @property
    def key(self) -> tuple[int, int] | None:
        """(seq, time_us) of the message when it has both."""
        return None if self.seq is None or self.time_us is None else (self.seq, self.time_us)


_ADMITTED, _REJECTED = Disposition.ADMITTED, Disposition.REJECTED


class Named(Protocol):
    """Whatever has the site's name."""

    @property
    def name(self) -> str:
        """Name in topics."""
        ...


class Door:
    """Decides about every message of one site."""

    def __init__(
        self,
        registry: Registry,
        site: Named,
        *,
        future_tolerance_s: float = 5.0,
        occupancy_faults: Mapping[int, str] | None = None,
        feeds: Mapping[str, Feed] | None = None,
    ) -> None:
        """Prepare the routes of every topic the site may use.

        Args:
            registry: Numbers of its devices, lanes and metrics.
            site: The site folder, read; only its name is asked.
            future_tolerance_s: As in the settings.
            occupancy_faults: Fault codes in place of an occupancy; by default those of `config/norms`.
            feeds: Feed by dialect; by default those of `ingest/feeds`.

        Raises:
            ConfigError: A device of the site speaks a dialect that there is no feed for, two devices have the same address
                in their dialect, or a package that a feed needs is not installed.
        """
        self._registry = registry
        self._site = site.name
        self._context = Context(
            future_tolerance_us=round(future_tolerance_s * US),
            occupancy_faults=load_occupancy_faults() if occupancy_faults is None else occupancy_faults,
        )
        self._speakers = [(name, feed, feed.routes(site.name, own)) for name, feed, own in _speakers(registry, feeds)]
        self._native = next((feed for name, feed, _ in self._speakers if name == NATIVE), None)
        self._routes: dict[str, tuple[Feed, Route]] = {}
        for name, feed, routes in self._speakers:
            for known, route in routes.items():
                owner = self._routes.setdefault(known, (feed, route))
                if owner[0] is not feed:
                    raise ConfigError(
                        f"device {route.device}: its topic {known} in dialect {name} belongs to {owner[1].device} already"
                    )
        self._foreign = [(name, feed, routes, feed.territory(routes)) for name, feed, routes in self._speakers if name != NATIVE]

    @property
    def topic_filters(self) -> list[str]:
        """What to subscribe to: everything the site's native devices may send, and the topics of every other dialect."""
        filters = [site_filter(self._site)]
        for name, feed, routes in self._speakers:
            if name != NATIVE:
                filters += feed.filters(routes)
        return filters

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
            # A sender may have devices that the site folder does not know; its feed wants to hear of them.
            found = self._routes.get(topic[: topic.rfind("/") + 1] + "+")
            if found is None:
                return self._no_route(topic, payload, received_us)
        feed, route = found
        if not payload:
            return _rejected(found, topic, payload, received_us, Reason.EMPTY_PAYLOAD, "the message has no payload")
        if len(payload) > PAYLOAD_KEPT:
            detail = f"the payload has {len(payload)} bytes; the largest allowed is {PAYLOAD_KEPT}"
            return _rejected(found, topic, payload, received_us, Reason.TOO_LARGE, detail)
        try:
            decoded = feed.decode(Message(topic, payload, received_us), route, self._context)
        except Exception as error:  # noqa: BLE001 - a fault of a decoder must cost one message, not the street
            detail = f"{type(error).__name__}: {error}"
            return _rejected(found, topic, payload, received_us, Reason.DECODER_FAULT, detail)
        if feed.redacts or decoded.route is not None or decoded.also or decoded.numbers:
            return _unusual(feed, route, decoded, payload)
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

    def native_device(self, topic: str) -> int | None:
        """Number of the native device that alone speaks under a topic, known stream or not; None for any other topic.

        All that such a topic leads to is accounted at this device, and no feed needs another topic to understand it.
        """
        found = self._routes.get(topic)
        if found is not None:
            return found[1].source if found[0] is self._native else None
        if topic[: topic.rfind("/") + 1] + "+" in self._routes:
            return None
        if any(matches(pattern, topic) for _, _, _, filters in self._foreign for pattern in filters):
            return None
        number = self._explain(topic)[0]
        return number if number and self._registry.device(number).dialect == NATIVE else None

    def redact(self, topic: str, payload: bytes) -> bytes:
        """What of a payload may be stored anywhere but as facts, such as in a dead letter made elsewhere."""
        found = self._routes.get(topic)
        feed = found[0] if found is not None else self._territory(topic)[0]
        return payload if feed is None or not feed.redacts else _clean(feed, payload)

    def _territory(self, topic: str) -> tuple[Feed | None, str]:
        """The foreign feed that a topic without a route belongs to by its form, and which topics that feed knows."""
        for name, feed, routes, filters in self._foreign:
            if any(matches(pattern, topic) for pattern in filters):
                shown = sorted(routes)[:_SHOWN]
                more = f" and {len(routes) - _SHOWN} more" if len(routes) > _SHOWN else ""
                return feed, f"no device of dialect {name} has this topic; theirs are {', '.join(shown)}{more}"
        return None, ""

    def _no_route(self, topic: str, payload: bytes, received_us: int) -> Admission:
        feed, detail = self._territory(topic)
        if feed is None:
            source, stream, reason, detail = self._explain(topic)
        else:
            source, stream, reason = 0, None, Reason.UNKNOWN_TOPIC
        letter = dead_letter(source, topic, payload, received_us, reason, detail)
        dead = [letter] if feed is None or not feed.redacts else _redacted(feed, [letter], payload)
        return Admission(source, stream, None, None, [], dead, _REJECTED)

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
        if entry.dialect != NATIVE:
            own = [known for known, (_, route) in self._routes.items() if route.source == entry.number]
            detail = f"device {device!r} speaks dialect {entry.dialect}; its topics are {', '.join(sorted(own)[:_SHOWN])}"
            return entry.number, None, Reason.UNKNOWN_TOPIC, detail
        streams = ", ".join(sorted(STREAMS[entry.kind]))
        detail = f"{stream[:64]!r} is no stream of kind {kind}; its streams are {streams}"
        return entry.number, None, Reason.UNKNOWN_STREAM, detail


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic filter (MQTT 5, 4.7) covers a topic."""
    if "+" not in pattern and not pattern.endswith("#"):
        return pattern == topic
    wanted, levels = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        if len(levels) < len(wanted):
            return False
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(want in ("+", level) for want, level in zip(wanted, levels, strict=True))


def _speakers(registry: Registry, feeds: Mapping[str, Feed] | None) -> list[tuple[str, Feed, list[Route]]]:
    """Every dialect that is spoken, with its feed and one route a device."""
    metrics = {kind: registry.metrics_of(kind) for kind in Kind}
    speakers: dict[str, tuple[str, Feed, list[Route]]] = {}
    for entry in registry:
        if entry.dialect not in speakers:
            try:
                found = feed_of(entry.dialect) if feeds is None else feeds.get(entry.dialect)
            except ConfigError as error:
                raise ConfigError(f"device {entry.name}: {error}") from error
            if found is None:
                known = ", ".join(sorted(feeds or ()))
                raise ConfigError(f"device {entry.name}: no feed for dialect {entry.dialect!r}; dialects are {known}")
            speakers[entry.dialect] = entry.dialect, found, []
        speakers[entry.dialect][2].append(
            Route(
                entry.number,
                entry.kind,
                entry.name,
                Stream.PRESENCE,
                dict(entry.lanes),
                metrics[entry.kind],
                dict(entry.channels),
                entry.period_ms,
                dict(entry.address),
            )
        )
    return list(speakers.values())


def _unusual(feed: Feed, route: Route, decoded: Decoded, payload: bytes) -> Admission:
    """The answer to a message of several devices or numbers, or of a feed whose payloads may not be kept as they are."""
    route = decoded.route or route
    dead = _redacted(feed, decoded.dead, payload) if feed.redacts else decoded.dead
    return Admission(
        route.source,
        route.stream,
        decoded.seq,
        decoded.time_us,
        decoded.records,
        dead,
        _ADMITTED if decoded.records else _REJECTED,
        decoded.numbers,
        tuple(_unusual(feed, route, other, payload) for other in decoded.also),
    )


def _redacted(feed: Feed, dead: list[DeadLetter], payload: bytes) -> list[DeadLetter]:
    kept = _clean(feed, payload) if dead else b""
    return [replace(letter, payload=kept) for letter in dead]


def _clean(feed: Feed, payload: bytes) -> bytes:
    try:
        return feed.redact(payload[:PAYLOAD_KEPT])
    except Exception:  # noqa: BLE001 - in doubt nothing is kept
        return b""


def _rejected(found: tuple[Feed, Route], topic: str, payload: bytes, received_us: int, reason: Reason, detail: str) -> Admission:
    feed, route = found
    letter = dead_letter(route.source, topic, payload, received_us, reason, detail)
    dead = _redacted(feed, [letter], payload) if feed.redacts else [letter]
    return Admission(route.source, route.stream, None, None, [], dead, _REJECTED)
