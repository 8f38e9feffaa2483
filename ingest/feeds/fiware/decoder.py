"""Decoder of FIWARE TrafficFlowObserved in its three forms: key-values, normalised NGSI-v2, NGSI-LD.

An attribute is a bare value, or an object that has it as `value` (a time perhaps once more as `@value`). An entity comes alone,
in a list, or in a notification's `data`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from ingest.contract import VehicleClass
from ingest.feeds import Context, Decoded, Feed, Message, Route, claim
from ingest.feeds.counts import CLASSES, UNCLASSIFIED, ClassCounts, Gathering
from ingest.feeds.problems import BadInput, Problem, diagnose, judge, refused
from ingest.feeds.vehicles import vehicle_classes
from ingest.fixedpoint import SHARE_DIGITS, SPEED_DIGITS, fixed, microseconds
from ingest.reasons import Reason
from ingest.topics import Stream

TYPE = "TrafficFlowObserved"
LONGEST_MS = 3_600_000  # as in the contract
VEHICLES = vehicle_classes(Path(__file__).parent / "classes.yaml")

Aware = Annotated[datetime, Meta(tz=True)]


class _Flow(Struct, frozen=True, rename="camel"):
    lane_id: Annotated[int, Meta(ge=1, le=255)]
    date_observed_from: Aware | None = None
    date_observed_to: Aware | None = None
    date_observed: str | None = None
    intensity: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    occupancy: Annotated[float, Meta(ge=0, le=1)] | None = None
    average_vehicle_speed: Annotated[float, Meta(ge=0, le=300)] | None = None
    vehicle_type: str | None = None


_FIELDS = frozenset(_Flow.__struct_encode_fields__)
_any = msgspec.json.Decoder()
_time = msgspec.json.Decoder(Aware)

Key = tuple[int, int, int]
"""Lane, begin in microseconds and length in milliseconds."""


class FiwareFeed(Feed):
    """Devices are configured as controllers; `laneId` is the number of a detector."""

    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """The topic that the context broker's subscription names."""
        routes: dict[str, Route] = {}
        for device in devices:
            claim(routes, device.address["topic"], replace(device, stream=Stream.DETECTORS))
        return routes

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters."""
        try:
            found = _any.decode(message.payload)
        except BadInput as error:
            return refused(message, route, diagnose(message.payload, error))
        entities = _entities(found)
        if entities is None:
            detail = f"neither a {TYPE} entity, nor a list of them, nor a notification with them in `data`"
            return refused(message, route, (Reason.WRONG_TYPE, detail))
        lanes = Gathering(message, route, context)
        groups: dict[Key, list[_Flow]] = {}
        for index, entity in enumerate(entities):
            try:
                flow = _flow(entity)
                groups.setdefault((flow.lane_id, *_period(flow)), []).append(flow)
            except BadInput as error:
                lanes.wrong(*judge(error, f"$.data[{index}]"))
            except _UnusableError as error:
                lanes.wrong(error.problem[0], f"entity {index}: {error.problem[1]}")
        whole = not lanes.problems
        for (lane, start_us, period_ms), flows in groups.items():
            for flow, volume, classes in _lane(flows, lanes, whole):
                occupancy, speed = flow.occupancy, flow.average_vehicle_speed
                lanes.add(
                    route.channels.get(lane),
                    f"of laneId {lane}",
                    start_us,
                    period_ms,
                    0,
                    volume=volume,
                    occupancy=None if occupancy is None else fixed(occupancy, SHARE_DIGITS),
                    speed=None if speed is None else fixed(speed, SPEED_DIGITS),
                    classes=classes,
                )
        return lanes.decoded(None, min((start_us for _, start_us, _ in groups), default=None))


class _UnusableError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        self.problem: Problem = reason, detail
        super().__init__(detail)


def _entities(found: Any) -> list[Any] | None:  # noqa: ANN401 - JSON before it is known what it is
    """The entities of a message, whichever envelope they came in."""
    if isinstance(found, dict):
        if isinstance(found.get("body"), dict):  # NGSI-LD over MQTT: {"metadata": …, "body": notification}
            found = found["body"]
        found = found["data"] if isinstance(found.get("data"), list) else [found]
    return found if isinstance(found, list) and all(isinstance(entity, dict) for entity in found) else None


def _value(attribute: Any) -> Any:  # noqa: ANN401
    for name in ("value", "@value"):
        if isinstance(attribute, dict) and name in attribute:
            attribute = attribute[name]
    return attribute


def _flow(entity: dict[str, Any]) -> _Flow:
    kind = entity.get("type")
    if kind != TYPE:
        raise _UnusableError(Reason.WRONG_TYPE, f"its type is {str(kind)[:64]!r}, not {TYPE}")
    return msgspec.convert({name: _value(entity[name]) for name in _FIELDS & entity.keys()}, _Flow)


def _period(flow: _Flow) -> tuple[int, int]:
    begin, end = flow.date_observed_from, flow.date_observed_to
    if begin is None or end is None:
        first, slash, last = (flow.date_observed or "").partition("/")
        if not slash:
            raise _UnusableError(Reason.WRONG_TYPE, "neither dateObservedFrom and dateObservedTo nor an interval in dateObserved")
        begin, end = (_time.decode(msgspec.json.encode(text)) for text in (first, last))
    start_us = microseconds(begin)
    period_ms = (microseconds(end) - start_us) // 1000
    if not 0 < period_ms <= LONGEST_MS:
        raise _UnusableError(
            Reason.OUT_OF_RANGE, f"the observation lasts {period_ms / 1000:g} s; allowed are 0.001 to {LONGEST_MS // 1000}"
        )
    return start_us, period_ms


def _lane(flows: list[_Flow], lanes: Gathering, whole: bool) -> list[tuple[_Flow, int | None, ClassCounts]]:
    """What the entities of one lane and period say together: usually one; several of different `vehicleType` are summed.

    Args:
        flows: The entities.
        lanes: Takes what is wrong with them.
        whole: Every entity of the message could be read; else a sum over types might lack one.
    """
    untyped: list[tuple[_Flow, int | None, ClassCounts]] = []
    typed: dict[str, _Flow] = {}
    for flow in flows:
        count = flow.intensity
        if count is not None and count != int(count):
            lanes.wrong(Reason.WRONG_TYPE, f"laneId {flow.lane_id}: intensity {count:g} is no number of vehicles")
            whole = False
        elif flow.vehicle_type is None:
            untyped.append((flow, None if count is None else int(count), UNCLASSIFIED))
        elif flow.vehicle_type in typed or count is None:
            word = flow.vehicle_type[:64]
            lanes.wrong(Reason.WRONG_TYPE, f"laneId {flow.lane_id}: vehicleType {word!r} twice or without intensity")
            whole = False
        else:
            typed[flow.vehicle_type] = flow
    if not typed:
        return untyped
    classes = _classes(typed)
    if len(untyped) == 1:
        flow, volume, _ = untyped[0]
        return [(flow, volume, classes if volume is not None else UNCLASSIFIED)]
    if untyped:
        return untyped
    if len(typed) == 1 or not whole:
        words = ", ".join(repr(word[:64]) for word in sorted(typed)[:8])
        lanes.wrong(Reason.INCOMPLETE_COUNT, f"laneId {flows[0].lane_id}: only vehicleType {words} can be counted")
        return []
    volume = sum(int(flow.intensity or 0) for flow in typed.values())
    return [(_Flow(flows[0].lane_id, average_vehicle_speed=_mean_speed(typed, volume)), volume, classes)]


def _classes(typed: Mapping[str, _Flow]) -> ClassCounts:
    counts = dict.fromkeys(CLASSES, 0)
    for word, flow in typed.items():
        vehicle = VEHICLES.get(word)
        if vehicle is not None:
            counts[vehicle] += int(flow.intensity or 0)
    sm, mp, ks, bb, tb, ktb = (counts[vehicle] for vehicle in VehicleClass)
    return sm, mp, ks, bb, tb, ktb


def _mean_speed(typed: Mapping[str, _Flow], volume: int) -> float | None:
    """Of all vehicles; only when every type that was seen has a speed."""
    total = 0.0
    for word in sorted(typed):  # the order of a float sum must not depend on that of the message
        flow = typed[word]
        if flow.intensity:
            if flow.average_vehicle_speed is None:
                return None
            total += flow.average_vehicle_speed * flow.intensity
    return total / volume if volume else None


FEED = FiwareFeed()
