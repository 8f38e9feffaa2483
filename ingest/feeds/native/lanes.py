"""`detectors` and `counts`: one reading a lane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Struct

from ingest.contract import LaneReport, OfLanes, Period, Seq, Time
from ingest.feeds import Context, Decoded, Message, Route
from ingest.feeds.problems import BadInput, Problem, judge, outcome, refused
from ingest.feeds.times import impossible
from ingest.fixedpoint import OCCUPANCY_DIGITS, PERIOD_DIGITS, SPEED_DIGITS, fixed
from ingest.readings import LaneReading
from ingest.reasons import Reason


class LanesHead(Struct):
    """A lane message whose lanes are decoded one by one, because one of them is bad."""

    seq: Seq
    start: Time
    period_s: Period
    lanes: Annotated[list[msgspec.Raw], OfLanes]


_lane = msgspec.json.Decoder(LaneReport)


def separate(raw_lanes: list[msgspec.Raw]) -> tuple[list[LaneReport], list[Problem]]:
    """The lanes that are good by themselves, and what is wrong with the others."""
    reports: list[LaneReport] = []
    problems: list[Problem] = []
    for index, raw in enumerate(raw_lanes):
        try:
            reports.append(_lane.decode(raw))
        except BadInput as error:
            problems.append(judge(error, f"$.lanes[{index}]"))
    return reports, problems


def readings(
    seq: int,
    start_us: int,
    period_s: float,
    reports: Iterable[LaneReport],
    problems: list[Problem],
    message: Message,
    route: Route,
    context: Context,
) -> Decoded:
    """One `LaneReading` per lane that can be believed, the others as dead letters."""
    received_us = message.received_us
    wrong = impossible(start_us, received_us)
    period_ms = fixed(period_s, PERIOD_DIGITS)
    if wrong is None and period_ms == 0:
        wrong = Reason.OUT_OF_RANGE, f"period_s is {period_s}; the shortest period is 0.001 s"
    if wrong is not None:
        return refused(message, route, wrong, seq, start_us)
    future = start_us + period_ms * 1000 - received_us > context.future_tolerance_us
    numbers, faults = route.lanes, context.occupancy_faults
    found: dict[int, LaneReading | Problem] = {}
    clean = not problems
    for report in reports:
        lane = numbers.get(report.id)
        if lane is None:
            problems.append((Reason.UNKNOWN_LANE, f"lane {report.id!r} is not in the site folder"))
            clean = False
        elif lane in found:
            # Which of the two is true cannot be known, so neither is stored.
            found[lane] = Reason.OUT_OF_RANGE, f"lane {report.id!r} stands in the message more than once"
            clean = False
        else:
            reading = _reading(report, lane, start_us, seq, period_ms, future, received_us, faults)
            found[lane] = reading
            if type(reading) is tuple:
                clean = False
    if clean:
        return Decoded(list(found.values()), [], seq, start_us)  # type: ignore[arg-type]
    good = [item for item in found.values() if isinstance(item, LaneReading)]
    problems.extend(item for item in found.values() if not isinstance(item, LaneReading))
    return outcome(message, route, good, problems, seq, start_us)


def _reading(
    report: LaneReport,
    lane: int,
    start_us: int,
    seq: int,
    period_ms: int,
    future: bool,
    received_us: int,
    faults: Mapping[int, str],
) -> LaneReading | Problem:
    fault = report.fault
    occupancy = report.occupancy
    if fault is None and occupancy is not None and occupancy > 100.0:
        fault = faults.get(occupancy)  # type: ignore[call-overload]  # 210.0 finds 210
        if fault is None:
            return Reason.OUT_OF_RANGE, f"lane {report.id!r}: occupancy {occupancy} is above 100 and no fault code"
    if fault is not None:
        return LaneReading(
            lane,
            start_us,
            seq,
            period_ms,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            fault,
            future,
            received_us,
        )
    volume, speed, classes = report.volume, report.speed, report.classes
    hundredths = None if occupancy is None else fixed(occupancy, OCCUPANCY_DIGITS)
    tenths = None if speed is None else fixed(speed, SPEED_DIGITS)
    if classes is None:
        return LaneReading(
            lane,
            start_us,
            seq,
            period_ms,
            volume,
            hundredths,
            tenths,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            future,
            received_us,
        )
    sm, mp, ks, bb, tb, ktb = classes.SM, classes.MP, classes.KS, classes.BB, classes.TB, classes.KTB
    if volume is None:
        return Reason.WRONG_TYPE, f"lane {report.id!r}: classes are given without a volume"
    if sm + mp + ks + bb + tb + ktb > volume:
        total = sm + mp + ks + bb + tb + ktb
        return Reason.OUT_OF_RANGE, f"lane {report.id!r}: the classes add up to {total}, more than the volume {volume}"
    return LaneReading(
        lane, start_us, seq, period_ms, volume, hundredths, tenths, sm, mp, ks, bb, tb, ktb, None, future, received_us
    )
