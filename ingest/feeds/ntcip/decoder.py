"""Decoder of the NTCIP gateway's JSON: the volume/occupancy report of NTCIP 1202, in its raw units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from config.faults import load_occupancy_faults
from config.site import Kind
from ingest.contract import OfLanes, Period, Seq, Time
from ingest.feeds import Context, Decoded, Feed, Message, Route, claim
from ingest.feeds.counts import Gathering
from ingest.feeds.presence import presence
from ingest.feeds.problems import BadInput, diagnose, judge, refused, sequence
from ingest.fixedpoint import OCCUPANCY_DIGITS, PERIOD_DIGITS, fixed, microseconds
from ingest.reasons import Reason
from ingest.topics import Stream

HIGHEST_OCCUPANCY = 200  # steps of 0.5 %: 100 %
STEP = 10**OCCUPANCY_DIGITS // 2  # 0.5 % in the unit of readings

VOLUME_FAULTS = load_occupancy_faults(Path(__file__).parent / "volume_faults.yaml")

Byte = Annotated[int, Meta(ge=0, le=255)]


class _Detector(Struct, frozen=True):
    number: Annotated[int, Meta(ge=1, le=255)]
    volume: Byte | None = None
    occupancy: Byte | None = None


class _Report(Struct, frozen=True):
    seq: Seq
    end: Time
    period_s: Period
    detectors: Annotated[list[msgspec.Raw], OfLanes]


_report = msgspec.json.Decoder(_Report)
_detector = msgspec.json.Decoder(_Detector)


class NtcipFeed(Feed):
    """Controllers (`atc`) and the gateway itself (`net`)."""

    def routes(self, site: str, devices: Sequence[Route]) -> dict[str, Route]:
        """Report and polling state of every controller; the gateway's own presence."""
        routes: dict[str, Route] = {}
        for device in devices:
            root = f"ntcip/{device.address['gateway']}"
            if device.kind is Kind.NET:
                claim(routes, f"{root}/presence", replace(device, stream=Stream.PRESENCE))
            else:
                root = f"{root}/{device.address['controller']}"
                claim(routes, f"{root}/volume-occupancy", replace(device, stream=Stream.DETECTORS))
                claim(routes, f"{root}/polling", replace(device, stream=Stream.PRESENCE))
        return routes

    def filters(self, routes: Mapping[str, Route]) -> list[str]:
        """Everything the gateways send, so that a controller which the site folder does not know is seen."""
        return sorted({f"ntcip/{route.address['gateway']}/#" for route in routes.values()})

    def decode(self, message: Message, route: Route, context: Context) -> Decoded:
        """Turn one message into records and dead letters."""
        if route.stream is Stream.PRESENCE:
            return presence(message, route)
        try:
            report = _report.decode(message.payload)
        except BadInput as error:
            return refused(message, route, diagnose(message.payload, error), sequence(message.payload))
        return _readings(report, message, route, context)


def _readings(report: _Report, message: Message, route: Route, context: Context) -> Decoded:
    period_ms = fixed(report.period_s, PERIOD_DIGITS)
    if period_ms == 0:
        problem = Reason.OUT_OF_RANGE, f"period_s is {report.period_s}; the shortest period is 0.001 s"
        return refused(message, route, problem, report.seq)
    start_us = microseconds(report.end) - period_ms * 1000
    lanes = Gathering(message, route, context)
    for index, raw in enumerate(report.detectors):
        try:
            detector = _detector.decode(raw)
        except BadInput as error:
            lanes.wrong(*judge(error, f"$.detectors[{index}]"))
            continue
        volume, steps = detector.volume, detector.occupancy
        fault = None
        if steps is not None and steps > HIGHEST_OCCUPANCY:
            fault = context.occupancy_faults.get(steps)
            if fault is None:
                lanes.wrong(
                    Reason.OUT_OF_RANGE,
                    f"detector {detector.number}: occupancy {steps} is above {HIGHEST_OCCUPANCY} (100 %) and no fault code",
                )
                continue
        elif volume is not None:
            fault = VOLUME_FAULTS.get(volume)
        lanes.add(
            route.channels.get(detector.number),
            f"of detector {detector.number}",
            start_us,
            period_ms,
            report.seq,
            volume=volume,
            occupancy=None if steps is None else steps * STEP,
            fault=fault,
        )
    return lanes.decoded(report.seq, start_us)


FEED = NtcipFeed()
