"""Decoder of the native dialect: one msgspec decoder a stream, then one plain function a stream.

The usual message costs one decode. Only when that fails is it looked at again: to name the reason, and to save the good
lanes, events or metrics beside a bad one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ingest import contract
from ingest.feeds import Context, Decoded, Feed, Message, Route
from ingest.feeds.measures import measures
from ingest.feeds.native import cameras, lanes
from ingest.feeds.presence import presence
from ingest.feeds.problems import BadInput, Problem, diagnose, judge, outcome, refused, sequence
from ingest.feeds.times import impossible
from ingest.fixedpoint import microseconds
from ingest.readings import CameraHealth, SignalEvent, SignMessage
from ingest.reasons import Reason
from ingest.topics import STREAMS, Stream, topic

JPEG_START = b"\xff\xd8\xff"  # SOI and the first byte of the next marker, ITU-T T.81

_detectors = msgspec.json.Decoder(contract.Detectors)
_counts = msgspec.json.Decoder(contract.Counts)
_events = msgspec.json.Decoder(contract.Events)
_status = msgspec.json.Decoder(contract.Status)
_command = msgspec.json.Decoder(contract.Command)
_result = msgspec.json.Decoder(contract.Result)
_metrics = msgspec.json.Decoder(contract.Metrics)


class _DetectorsHead(lanes.LanesHead, forbid_unknown_fields=True):
    pass


class _CountsHead(lanes.LanesHead, forbid_unknown_fields=True):
    conditions: contract.Conditions | None = None
    turns: Annotated[tuple[contract.Turning, ...], msgspec.Meta(max_length=256)] = ()


class _EventsHead(Struct, forbid_unknown_fields=True):
    seq: contract.Seq
    events: Annotated[list[msgspec.Raw], contract.OfEvents]


class _MetricsHead(Struct, forbid_unknown_fields=True):
    seq: contract.Seq
    time: contract.Time
    metrics: Annotated[dict[contract.MetricName, msgspec.Raw], contract.OfMetrics]


_detectors_head = msgspec.json.Decoder(_DetectorsHead)
_counts_head = msgspec.json.Decoder(_CountsHead)
_events_head = msgspec.json.Decoder(_EventsHead)
_metrics_head = msgspec.json.Decoder(_MetricsHead)
_event = msgspec.json.Decoder(contract.Event)
_number = msgspec.json.Decoder(float | None)


class NativeFeed(Feed):
    """The feed of devices that speak `ingest.contract`."""

    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """Every stream that the kind of a device has."""
        return {
            topic(site, device.kind, device.device, stream): replace(device, stream=stream)
            for device in devices
            for stream in STREAMS[device.kind]
        }

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters."""
        try:
            return _STREAMS[route.stream](message, route, context)
        except BadInput as error:
            problem = diagnose(message.payload, error)
            salvage = _SALVAGE.get(route.stream)
            if salvage is not None and problem[0] in (Reason.WRONG_TYPE, Reason.OUT_OF_RANGE):
                try:
                    return salvage(message, route, context)
                except BadInput:
                    pass  # The head of the message is what is wrong: the first error says it best.
            return refused(message, route, problem, sequence(message.payload))


def _decode_detectors(message: Message, route: Route, context: Context) -> Decoded:
    wire = _detectors.decode(message.payload)
    return lanes.readings(wire.seq, microseconds(wire.start), wire.period_s, wire.lanes, [], message, route, context)


def _decode_counts(message: Message, route: Route, context: Context) -> Decoded:
    wire = _counts.decode(message.payload)
    reports = cameras.trusted(wire.lanes, wire.conditions)
    decoded = lanes.readings(wire.seq, microseconds(wire.start), wire.period_s, reports, [], message, route, context)
    return cameras.with_turns(decoded, wire.turns, wire.period_s, wire.conditions, message, route)


def _decode_events(message: Message, route: Route, context: Context) -> Decoded:
    wire = _events.decode(message.payload)
    return _signal_events(wire.seq, list(enumerate(wire.events)), [], message, route, context)


def _signal_events(
    seq: int,
    events: list[tuple[int, contract.Event]],
    problems: list[Problem],
    message: Message,
    route: Route,
    context: Context,
) -> Decoded:
    """The events that can be believed; an event keeps its place in the message as `ordinal` whatever is wrong beside it."""
    device, received_us = route.source, message.received_us
    future_from = received_us + context.future_tolerance_us
    records = []
    for ordinal, event in events:
        time_us = microseconds(event.time)
        wrong = impossible(time_us, received_us)
        if wrong is not None:
            problems.append((wrong[0], f"events[{ordinal}]: {wrong[1]}"))
            continue
        records.append(
            SignalEvent(device, time_us, seq, ordinal, event.code, event.parameter, time_us > future_from, received_us)
        )
    time = records[0].time_us if records else None
    if problems:
        return outcome(message, route, records, problems, seq, time)
    return Decoded(records, [], seq, time)  # type: ignore[arg-type]


def _decode_metrics(message: Message, route: Route, context: Context) -> Decoded:
    wire = _metrics.decode(message.payload)
    return measures(wire.seq, microseconds(wire.time), wire.metrics, [], message, route, context)


def _decode_frame(message: Message, route: Route, context: Context) -> Decoded:
    """Only that a frame came, and how large it was: pixels end here."""
    if not message.payload.startswith(JPEG_START):
        return refused(message, route, (Reason.NOT_AN_IMAGE, "the payload does not begin like a JPEG (FF D8 FF)"))
    record = CameraHealth(
        device=route.source,
        time_us=message.received_us,
        seq=0,
        fps=None,
        brightness=None,
        sharpness=None,
        frozen=None,
        moved=None,
        covered=None,
        frame_bytes=len(message.payload),
        future=False,
        received_us=message.received_us,
    )
    return Decoded([record], [])


def _decode_presence(message: Message, route: Route, context: Context) -> Decoded:
    return presence(message, route)


def _decode_status(message: Message, route: Route, context: Context) -> Decoded:
    wire = _status.decode(message.payload)
    return _sign_message(
        wire.seq,
        microseconds(wire.time),
        message,
        route,
        context,
        step="status",
        command=wire.command,
        multi=wire.multi,
        crc=wire.crc,
        source_mode=wire.source_mode.value,
        brightness=wire.brightness,
        faults=tuple(wire.faults),
        door_open=wire.door_open,
        temperature_c=wire.temperature_c,
    )


def _decode_command(message: Message, route: Route, context: Context) -> Decoded:
    wire = _command.decode(message.payload)
    decoded = _sign_message(
        0,
        microseconds(wire.time),
        message,
        route,
        context,
        step="command",
        command=wire.command,
        multi=wire.multi,
        priority=wire.priority,
        lease_s=wire.lease_s,
    )
    return Decoded(decoded.records, decoded.dead, None, decoded.time_us)


def _decode_result(message: Message, route: Route, context: Context) -> Decoded:
    wire = _result.decode(message.payload)
    return _sign_message(
        wire.seq,
        microseconds(wire.time),
        message,
        route,
        context,
        step="result",
        command=wire.command,
        outcome=wire.outcome.value,
        error=None if wire.error is None else wire.error.value,
    )


def _sign_message(
    seq: int,
    time_us: int,
    message: Message,
    route: Route,
    context: Context,
    *,
    step: str,
    command: str | None,
    multi: str | None = None,
    crc: int | None = None,
    priority: int | None = None,
    lease_s: float | None = None,
    source_mode: str | None = None,
    outcome: str | None = None,
    error: str | None = None,
    brightness: float | None = None,
    faults: tuple[str, ...] = (),
    door_open: bool | None = None,
    temperature_c: float | None = None,
) -> Decoded:
    received_us = message.received_us
    wrong = impossible(time_us, received_us)
    if wrong is not None:
        return refused(message, route, wrong, seq, time_us)
    record = SignMessage(
        device=route.source,
        time_us=time_us,
        seq=seq,
        step=step,
        command=command,
        multi=multi,
        crc=crc,
        priority=priority,
        lease_s=lease_s,
        source_mode=source_mode,
        outcome=outcome,
        error=error,
        brightness=brightness,
        faults=faults,
        door_open=door_open,
        temperature_c=temperature_c,
        future=time_us - received_us > context.future_tolerance_us,
        received_us=received_us,
    )
    return Decoded([record], [], seq, time_us)


def _salvage_detectors(message: Message, route: Route, context: Context) -> Decoded:
    return _salvage_lanes(_detectors_head.decode(message.payload), message, route, context)


def _salvage_counts(message: Message, route: Route, context: Context) -> Decoded:
    head = _counts_head.decode(message.payload)
    decoded = _salvage_lanes(head, message, route, context, head.conditions)
    return cameras.with_turns(decoded, head.turns, head.period_s, head.conditions, message, route)


def _salvage_lanes(
    head: lanes.LanesHead, message: Message, route: Route, context: Context, conditions: contract.Conditions | None = None
) -> Decoded:
    reports, problems = lanes.separate(head.lanes)
    reports = cameras.trusted(reports, conditions)
    return lanes.readings(head.seq, microseconds(head.start), head.period_s, reports, problems, message, route, context)


def _salvage_events(message: Message, route: Route, context: Context) -> Decoded:
    head = _events_head.decode(message.payload)
    events: list[tuple[int, contract.Event]] = []
    problems: list[Problem] = []
    for ordinal, raw in enumerate(head.events):
        try:
            events.append((ordinal, _event.decode(raw)))
        except BadInput as error:
            problems.append(judge(error, f"$.events[{ordinal}]"))
    return _signal_events(head.seq, events, problems, message, route, context)


def _salvage_metrics(message: Message, route: Route, context: Context) -> Decoded:
    head = _metrics_head.decode(message.payload)
    values: dict[str, float | None] = {}
    problems: list[Problem] = []
    for name, raw in head.metrics.items():
        try:
            values[name] = _number.decode(raw)
        except BadInput as error:
            problems.append(judge(error, f"$.metrics[{name!r}]"))
    return measures(head.seq, microseconds(head.time), values, problems, message, route, context)


_Decoder = Callable[[Message, Route, Context], Decoded]

_STREAMS: dict[Stream, _Decoder] = {
    Stream.DETECTORS: _decode_detectors,
    Stream.COUNTS: _decode_counts,
    Stream.EVENTS: _decode_events,
    Stream.METRICS: _decode_metrics,
    Stream.HEALTH: cameras.health,
    Stream.FRAME: _decode_frame,
    Stream.PRESENCE: _decode_presence,
    Stream.STATUS: _decode_status,
    Stream.COMMAND: _decode_command,
    Stream.RESULT: _decode_result,
}

_SALVAGE: dict[Stream, _Decoder] = {
    Stream.DETECTORS: _salvage_detectors,
    Stream.COUNTS: _salvage_counts,
    Stream.EVENTS: _salvage_events,
    Stream.METRICS: _salvage_metrics,
}

FEED = NativeFeed()
