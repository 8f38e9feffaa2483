"""`counts` and `health` of cameras: what they saw, and what their counts are worth."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from ingest import contract
from ingest.contract import Conditions, LaneReport, Trust, Turning
from ingest.feeds import Context, Decoded, Message, Route
from ingest.feeds.problems import Problem, outcome, refused
from ingest.feeds.times import impossible
from ingest.fixedpoint import PERIOD_DIGITS, fixed, microseconds
from ingest.readings import CameraCondition, CameraEvent, CameraHealth, Record, TurningCount, ongoing_key

_health = msgspec.json.Decoder(contract.Health)


def trusted(reports: list[LaneReport], conditions: Conditions | None) -> list[LaneReport]:
    """The reports with the fault that the camera's condition puts on them; a lane's own fault goes before it."""
    word = _doubt(conditions)
    if word is None or conditions is None:
        return reports
    if conditions.trust is Trust.MISSING:
        return [
            report if report.fault else LaneReport(report.id, fault=word)  # its numbers are dropped with it
            for report in reports
        ]
    return reports


def doubts(conditions: Conditions | None) -> str | None:
    """The word of a condition in which counts are kept but in doubt."""
    return _doubt(conditions) if conditions is not None and conditions.trust is Trust.SUSPECT else None


def with_turns(
    decoded: Decoded,
    turns: Sequence[Turning],
    period_s: float,
    conditions: Conditions | None,
    message: Message,
    route: Route,
) -> Decoded:
    """What was decoded of the lanes, marked where it is in doubt, and the turning counts of the same period."""
    word = doubts(conditions)
    records: list[Record] = [
        replace(record, fault=word) if word and getattr(record, "fault", "") is None else record for record in decoded.records
    ]
    if not records or decoded.seq is None or decoded.time_us is None:
        return decoded
    period_ms = fixed(period_s, PERIOD_DIGITS)
    if conditions is not None and conditions.trust is Trust.MISSING:
        turns = ()
    future = bool(getattr(decoded.records[0], "future", False))
    seen: set[tuple[str, str]] = set()
    for turn in turns:
        if (turn.entry, turn.exit) in seen:
            continue
        seen.add((turn.entry, turn.exit))
        by = turn.classes
        records.append(
            TurningCount(
                route.source,
                decoded.time_us,
                decoded.seq,
                period_ms,
                turn.entry,
                turn.exit,
                by.SM,
                by.MP,
                by.KS,
                by.BB,
                by.TB,
                by.KTB,
                word,
                future,
                message.received_us,
            )
        )
    return replace(decoded, records=records)


def health(message: Message, route: Route, context: Context) -> Decoded:
    """What a camera says of itself, what it can see since when, and what it saw."""
    wire = _health.decode(message.payload)
    time_us, received_us = microseconds(wire.time), message.received_us
    wrong = impossible(time_us, received_us)
    if wrong is not None:
        return refused(message, route, wrong, wire.seq, time_us)
    limit_us = received_us + context.future_tolerance_us
    records: list[Record] = [
        CameraHealth(
            device=route.source,
            time_us=time_us,
            seq=wire.seq,
            fps=wire.fps,
            brightness=wire.brightness,
            sharpness=wire.sharpness,
            frozen=wire.frozen,
            moved=wire.moved,
            covered=wire.covered,
            frame_bytes=None,
            future=time_us > limit_us,
            received_us=received_us,
            grade=None if wire.grade is None else wire.grade.value,
            reconnects=wire.reconnects,
            stalls=wire.stalls,
            detail=wire.detail or None,
            ongoing=None
            if wire.ongoing is None
            else tuple(sorted({ongoing_key(microseconds(event.onset), event.kind.value, event.zone) for event in wire.ongoing})),
        )
    ]
    problems: list[Problem] = []
    if wire.condition is not None and wire.since is not None:
        since_us = microseconds(wire.since)
        wrong = impossible(since_us, received_us)
        if wrong is not None:
            problems.append((wrong[0], f"since: {wrong[1]}"))
        else:
            records.append(
                CameraCondition(route.source, since_us, wire.condition.value, wire.detail or "", since_us > limit_us, received_us)
            )
    for index, event in enumerate(wire.events):
        onset_us = microseconds(event.onset)
        end_us = None if event.end is None else microseconds(event.end)
        wrong = impossible(onset_us, received_us) or (None if end_us is None else impossible(end_us, received_us))
        if wrong is not None:
            problems.append((wrong[0], f"events[{index}]: {wrong[1]}"))
            continue
        records.append(
            CameraEvent(route.source, onset_us, event.kind.value, event.zone, end_us, onset_us > limit_us, received_us)
        )
    if problems:
        return outcome(message, route, records, problems, wire.seq, time_us)
    return Decoded(records, [], wire.seq, time_us)


def _doubt(conditions: Conditions | None) -> str | None:
    """The state as a fault word; None when nothing is doubted."""
    if conditions is None or conditions.trust is Trust.GOOD:
        return None
    return conditions.state.value if conditions.state is not None else "camera"
