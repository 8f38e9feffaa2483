"""Decoder of RSMP 4's traffic counts, live and replayed, and of presence.

An entry's own time decides where it belongs, never its arrival. A live and a replayed entry are the same observation, so lane
and begin of period alone make the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import cbor2
import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from config.errors import ConfigError
from ingest.contract import Seq
from ingest.feeds import Context, Decoded, Feed, Message, Route, claim
from ingest.feeds.counts import Gathering
from ingest.feeds.presence import WORDS, alive, presence
from ingest.feeds.problems import Problem, judge, refused
from ingest.feeds.rsmp4.values import Counted, UnusableError, counted, per_detector
from ingest.feeds.vehicles import vehicle_classes
from ingest.fixedpoint import microseconds
from ingest.readings import PresenceChange
from ingest.reasons import Reason
from ingest.topics import Stream

CODE = "traffic.count"
COMPONENT = "dl"  # detector logic
MOST_DEPTH = 16  # of a payload; the draft needs four levels
SPAN_TOLERANCE = 0.5  # share of the period by which an entry may miss the site folder's

CLASSES = vehicle_classes(Path(__file__).parent / "classes.yaml")

Aware = Annotated[datetime, Meta(tz=True)]


class _Entry(Struct, frozen=True):
    ts: Aware
    values: dict[str, Any]
    seq: Seq


class _Batch(Struct, frozen=True):
    entries: Annotated[list[Any], Meta(max_length=10_000)]


class _Numbered(Struct, frozen=True):
    seq: Seq


class Rsmp4Feed(Feed):
    """Controllers whose detectors' numbers are those of the controller's detector logics."""

    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """Presence, and the counting channel live and replayed: of the whole controller and of every detector logic."""
        routes: dict[str, Route] = {}
        for device in devices:
            node, channel = device.address["node"], device.address.get("channel")
            if device.address.get("stamp", "end") not in ("start", "end"):
                raise ConfigError(f"device {device.device}: address.stamp is {device.address['stamp']!r}; allowed are start, end")
            claim(routes, f"{node}/presence", replace(device, stream=Stream.PRESENCE))
            for kind in ("status", "replay"):
                root = "/".join(part for part in (node, kind, _code(device), channel) if part)
                claim(routes, root, replace(device, stream=Stream.DETECTORS))
                if channel:  # without a channel's name a component cannot be told from one, so the draft forbids it
                    for number in device.channels:
                        part = replace(device, stream=Stream.DETECTORS, part=str(number))
                        claim(routes, f"{root}/{COMPONENT}/{number}", part)
        return routes

    def filters(self, routes: Mapping[str, Route]) -> list[str]:
        """Presence and counts of every node, components that the site folder does not have included."""
        found: set[str] = set()
        for route in routes.values():
            node = route.address["node"]
            found |= {f"{node}/presence", f"{node}/status/{_code(route)}/#", f"{node}/replay/{_code(route)}/#"}
        return sorted(found)

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters."""
        if route.stream is Stream.PRESENCE and message.payload in WORDS:
            return presence(message, route)
        try:
            found = cbor2.loads(message.payload, max_depth=MOST_DEPTH, strict_hashable_types=True)
        except Exception as error:  # noqa: BLE001 - whatever a codec makes of hostile bytes, it is no CBOR of ours
            return refused(message, route, _not_cbor(message.payload, error))
        if route.stream is Stream.PRESENCE:
            return _said(found, message, route)
        try:
            entries = msgspec.convert(found, _Batch).entries if isinstance(found, dict) and "entries" in found else [found]
        except msgspec.ValidationError as error:
            return refused(message, route, judge(error))
        if not entries:
            # The end of a replay that had nothing to tell.
            return alive(message, route)
        return _readings(entries, message, route, context)


def _said(found: Any, message: Message, route: Route) -> Decoded:  # noqa: ANN401 - CBOR before it is known what it is
    """Presence as CBOR text."""
    if isinstance(found, str) and found in tuple(WORDS.values()):
        return Decoded([PresenceChange(route.source, found, message.received_us)], [])
    words = ", ".join(WORDS.values())
    return refused(message, route, (Reason.WRONG_TYPE, f"presence must be one of {words}, as plain or CBOR text"))


def _readings(entries: list[Any], message: Message, route: Route, context: Context) -> Decoded:
    lanes = Gathering(message, route, context)
    numbers: list[int] = []
    first_us: int | None = None
    for index, raw in enumerate(entries):
        try:
            numbers.append(msgspec.convert(raw, _Numbered).seq)
            entry = msgspec.convert(raw, _Entry)
            start_us, period_ms = _period(entry, route)
            values = {int(route.part): counted(entry.values, CLASSES)} if route.part else per_detector(entry.values, CLASSES)
        except msgspec.ValidationError as error:
            lanes.wrong(*judge(error, f"$.entries[{index}]"))
            continue
        except UnusableError as error:
            lanes.wrong(error.reason, f"entry {index}: {error}")
            continue
        first_us = start_us if first_us is None else first_us
        for number, found in values.items():
            _add(lanes, number, found, start_us, period_ms, route)
    if len(numbers) == 1:
        return lanes.decoded(numbers[0], first_us)
    return lanes.decoded(None, first_us, tuple(numbers))


def _add(lanes: Gathering, number: int, found: Counted, start_us: int, period_ms: int, route: Route) -> None:
    lane = route.channels.get(number)
    if lane is None and found.fault is not None:
        return  # a detector logic that neither the controller nor the site folder uses
    lanes.add(
        lane,
        f"of detector logic {number}",
        start_us,
        period_ms,
        0,
        volume=found.volume,
        occupancy=found.occupancy,
        speed=found.speed,
        classes=found.classes,
        fault=found.fault,
    )


def _period(entry: _Entry, route: Route) -> tuple[int, int]:
    """Begin (µs) and length (ms) of an entry's period: its own start time, or by what its `ts` stands for."""
    period_ms = route.period_ms or 0
    ts_us = microseconds(entry.ts)
    said = entry.values.get("starttime", entry.values.get("start"))
    at_end = route.address.get("stamp", "end") == "end"
    if said is None:
        return (ts_us - period_ms * 1000 if at_end else ts_us), period_ms
    start_us = microseconds(msgspec.convert(said, Aware))
    off_ms = abs(ts_us - start_us - period_ms * 1000) / 1000
    if at_end and off_ms > period_ms * SPAN_TOLERANCE:
        # A wrong period would claim time that nobody watched, or count vehicles twice.
        raise UnusableError(
            Reason.OUT_OF_RANGE,
            f"it spans {(ts_us - start_us) / 1e6:g} s, the site folder's period is {period_ms / 1000:g} s; correct one of them",
        )
    return start_us, period_ms


def _code(device: Route) -> str:
    return device.address.get("code", CODE)


def _not_cbor(payload: bytes, error: Exception) -> Problem:
    if "nesting depth" in str(error):
        return Reason.TOO_DEEP, f"the payload is nested more than {MOST_DEPTH} levels deep"
    hint = "; it looks like JSON" if payload[:1] in (b"{", b"[") else ""
    return Reason.NOT_CBOR, f"{type(error).__name__}: {str(error)[:200]}{hint}"


FEED = Rsmp4Feed()
