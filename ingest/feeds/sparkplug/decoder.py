"""Decoder of Sparkplug B: certificates become presence, metrics become sensor readings.

An edge node and its devices share one session and one sequence, and after birth metrics may be named by alias alone. So this
feed remembers: in an `Edge` that stands in the routes and belongs to the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from google.protobuf.message import DecodeError
from msgspec.structs import replace

from config.errors import ConfigError
from ingest.contract import Presence
from ingest.feeds import Context, Decoded, Feed, Message, Route, claim
from ingest.feeds.presence import alive
from ingest.feeds.problems import Problem, outcome, refused
from ingest.feeds.sparkplug.edge import MOST_METRICS, SEQUENCE, Born, Edge
from ingest.feeds.sparkplug.payload import SIGNED_BITS, Payload
from ingest.feeds.times import impossible
from ingest.readings import PresenceChange, Record, SensorReading
from ingest.reasons import Reason
from ingest.topics import Stream

BD_SEQ = "bdSeq"
CONTROLS = ("Node Control/", "Device Control/")
BIRTHS = ("NBIRTH", "DBIRTH")
DEATHS = ("NDEATH", "DDEATH")
OF_NODES = ("NBIRTH", "NDATA", "NDEATH")
OF_DEVICES = ("DBIRTH", "DDATA", "DDEATH")
NUMBERS = frozenset({"int_value", "long_value", "float_value", "double_value", "boolean_value"})
MOST_NAME = 256  # characters of a metric's name that are remembered


class SparkplugFeed(Feed):
    """Edge nodes, and the devices behind them."""

    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """The topics of every edge node; a device behind it is found by the topic's last level."""
        nodes: dict[tuple[str, str], Route] = {}
        peers: dict[tuple[str, str], dict[str, Route]] = {}
        for device in devices:
            key = device.address["group"], device.address["edge"]
            name = device.address.get("device", "")
            owner = peers.setdefault(key, {}).setdefault(name, device)
            if owner is not device:
                raise ConfigError(
                    f"devices {owner.device} and {device.device} have the same address in Sparkplug: {'/'.join(key)} {name}"
                )
            if not name:
                nodes[key] = device
        routes: dict[str, Route] = {}
        for (group, edge), behind in peers.items():
            node = nodes.get((group, edge))
            if node is None:
                names = ", ".join(device.device for device in behind.values())
                raise ConfigError(
                    f"devices {names}: their edge node {group}/{edge} is missing; add it with dialect: sparkplug and an address "
                    "without `device`, and the devices to its `serves`"
                )
            memory = Edge()
            own = {name: replace(device, stream=Stream.METRICS, memory=memory) for name, device in behind.items()}
            for kind in (*OF_NODES, *OF_DEVICES):
                topic = f"spBv1.0/{group}/{kind}/{edge}" + ("/+" if kind in OF_DEVICES else "")
                claim(routes, topic, replace(own[""], part=kind, peers=own))
        return routes

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters."""
        edge: Edge = route.memory
        name = message.topic.rpartition("/")[2] if route.part in OF_DEVICES else ""
        device = route.peers.get(name)
        try:
            payload = Payload.FromString(message.payload)
        except DecodeError:
            hint = "; it looks like JSON" if message.payload[:1] == b"{" else ""
            problem = Reason.NOT_PROTOBUF, f"protobuf cannot read it{hint}"
            return replace(refused(message, device or route, problem), route=device or route)
        if route.part == "NDEATH":
            return _node_death(payload, message, route)
        if route.part == "NBIRTH":
            edge.begin(_bd_seq(payload))
        seq = payload.seq if payload.HasField("seq") and payload.seq < SEQUENCE else None
        number = None if seq is None else edge.follow(seq, None if device is None else device.source)
        if device is None:
            detail = (
                f"no device with `address: device` {name[:64]!r} behind edge node {route.address['edge']!r} in the site folder"
            )
            return refused(message, route, (Reason.UNKNOWN_DEVICE, detail))
        if route.part == "DDEATH":
            edge.born.pop(name, None)
            said = PresenceChange(device.source, Presence.OFFLINE.value, message.received_us)
            return Decoded([said], [], number, route=device)
        return _measured(payload, seq or 0, number, edge, name, message, device, context, birth=route.part in BIRTHS)


def _node_death(payload: Any, message: Message, node: Route) -> Decoded:  # noqa: ANN401 - protobuf's classes are made at run time
    """The edge node is gone, and all devices behind it."""
    edge: Edge = node.memory
    bd_seq = _bd_seq(payload)
    if bd_seq is not None and edge.bd_seq is not None and bd_seq != edge.bd_seq:
        detail = f"the death certificate is that of session {bd_seq}; the edge node is in session {edge.bd_seq}"
        return refused(message, node, (Reason.STALE_DEATH, detail))
    edge.end()
    said = [
        Decoded([PresenceChange(device.source, Presence.OFFLINE.value, message.received_us)], [], route=device)
        for device in node.peers.values()
        if device.source != node.source
    ]
    return Decoded([PresenceChange(node.source, Presence.OFFLINE.value, message.received_us)], [], also=tuple(said))


def _measured(
    payload: Any,  # noqa: ANN401
    seq: int,
    number: int | None,
    edge: Edge,
    name: str,
    message: Message,
    route: Route,
    context: Context,
    *,
    birth: bool,
) -> Decoded:
    metrics = payload.metrics
    if birth:
        if len(metrics) > MOST_METRICS:
            problem = Reason.OUT_OF_RANGE, f"the birth certificate has {len(metrics)} metrics; {MOST_METRICS} are allowed"
            return replace(refused(message, route, problem, number), route=route)
        edge.born[name] = _born(metrics)
    born = edge.born.get(name) or Born()
    sent_us = payload.timestamp * 1000 if payload.HasField("timestamp") else None
    records: list[Record] = []
    problems: list[Problem] = []
    for found in _readings(metrics, born, seq, sent_us, message, route, context):
        if isinstance(found, SensorReading):
            records.append(found)
        else:
            problems.append(found)
    time_us = sent_us if sent_us is not None and impossible(sent_us, message.received_us) is None else None
    if birth:
        # Last, since it is what a technician looks for.
        records.append(PresenceChange(route.source, Presence.ONLINE.value, message.received_us))
    elif not records and not problems:
        return replace(alive(message, route), seq=number)
    return replace(outcome(message, route, records, problems, number, time_us), route=route)


def _readings(
    metrics: Iterable[Any],
    born: Born,
    seq: int,
    sent_us: int | None,
    message: Message,
    route: Route,
    context: Context,
) -> Iterator[SensorReading | Problem]:
    """A reading, or what is wrong with it, for every metric that is not a control of Sparkplug itself."""
    received_us = message.received_us
    for metric in metrics:
        if metric.HasField("name"):
            full = metric.name
        elif metric.alias in born.names:
            full = born.names[metric.alias]
        else:
            shown = f"alias {metric.alias}" if metric.HasField("alias") else "a metric without name and alias"
            yield Reason.UNKNOWN_ALIAS, f"{shown}: no birth certificate heard says what it is"
            continue
        if not isinstance(full, str):
            yield Reason.NOT_UTF8, "the name of a metric is not UTF-8"
            continue
        if full == BD_SEQ or full.startswith(CONTROLS):
            continue
        known = route.metrics.get(full.rpartition("/")[2])
        if known is None:
            yield Reason.UNKNOWN_METRIC, f"metric {full[:64]!r} is not in config/metrics.yaml for {route.kind}"
            continue
        time_us = metric.timestamp * 1000 if metric.HasField("timestamp") else sent_us
        if time_us is None:
            yield Reason.WRONG_TYPE, f"metric {full[:64]!r}: neither it nor the payload has a timestamp"
            continue
        kind = metric.datatype if metric.HasField("datatype") else born.types.get(full, 0)
        value = _value(metric, kind)
        wrong = impossible(time_us, received_us)
        if wrong is not None:
            yield wrong
        elif value is None and not metric.is_null:
            yield Reason.WRONG_TYPE, f"metric {full[:64]!r} has no value that is a number, and is not null"
        elif value is not None and not known.low <= value <= known.high:
            yield Reason.OUT_OF_RANGE, f"metric {full[:64]!r} is {value:g}; possible are {known.low:g} to {known.high:g}"
        else:
            future = time_us - received_us > context.future_tolerance_us
            yield SensorReading(route.source, time_us, seq, known.number, value, future, received_us)


def _value(metric: Any, kind: int) -> float | None:  # noqa: ANN401
    """The metric's number; None when it is null or no number. Signed integers travel as unsigned ones of the same bits."""
    field = metric.WhichOneof("value")
    if metric.is_null or field not in NUMBERS:
        return None
    value = float(getattr(metric, field)) if field not in ("int_value", "long_value") else getattr(metric, field)
    bits = SIGNED_BITS.get(kind)
    if bits is not None and isinstance(value, int):
        # Some senders extend the sign to the field's own size, others do not.
        value &= (1 << bits) - 1
        value -= (value >> (bits - 1)) << bits
    return float(value)


def _born(metrics: Iterable[Any]) -> Born:
    born = Born()
    for metric in metrics:
        if not metric.HasField("name") or not isinstance(metric.name, str) or len(metric.name) > MOST_NAME:
            continue
        if metric.HasField("alias"):
            born.names[metric.alias] = metric.name
        if metric.HasField("datatype"):
            born.types[metric.name] = metric.datatype
    return born


def _bd_seq(payload: Any) -> int | None:  # noqa: ANN401
    for metric in payload.metrics:
        if metric.HasField("name") and metric.name == BD_SEQ and metric.WhichOneof("value") in ("int_value", "long_value"):
            return int(getattr(metric, metric.WhichOneof("value")))
    return None


FEED = SparkplugFeed()
