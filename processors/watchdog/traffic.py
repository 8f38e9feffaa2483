"""What detectors count and how phases end, against what is usual."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from config.thresholds.watchdog import WatchdogThresholds
from processors.alerts import Finding
from processors.watchdog import Judgement, Rule


class LaneHour(Struct, frozen=True):
    """The last whole hour of one lane.

    Attributes:
        device: Number of the device that counts it.
        lane: Code of the lane at its device.
        minutes: Minutes of the hour that are final.
        missing: Of these, without a valid observation.
        volume: Vehicles; None when nothing valid was observed.
        usual: Median volume of the same hour of the week in earlier weeks that were observed well; None when there are too few.
    """

    device: int
    lane: str
    minutes: int
    missing: int
    volume: int | None
    usual: float | None


class PhaseHour(Struct, frozen=True):
    """The last 60 minutes of one phase of a controller.

    Attributes:
        device: Number of the controller.
        phase: Its number.
        gap_outs: Ends of green by gap (code 4).
        max_outs: By the longest green (5).
        force_offs: By coordination (6).
        calls: Pedestrian calls (45).
        is_actuated: It ended by gap at least once in the look-back: a fixed-time phase never does.
    """

    device: int
    phase: int
    gap_outs: int
    max_outs: int
    force_offs: int
    calls: int
    is_actuated: bool


def lanes(hours: Sequence[LaneHour], thresholds: WatchdogThresholds) -> Judgement:
    """Lanes without data, and lanes that count much less than usual."""
    result = Judgement([], set())
    for hour in hours:
        if hour.minutes == 0:
            continue
        missing = 100 * hour.missing / hour.minutes
        if missing >= thresholds.minutes_missing_clear.value:
            result.findings.append(
                Finding(
                    rule=Rule.MINUTES_MISSING.value,
                    device=hour.device,
                    element=f"lane:{hour.lane}",
                    value=round(missing, 1),
                    threshold=thresholds.minutes_missing.value,
                    detail=f"{hour.missing} of {hour.minutes} minutes of the last whole hour without a valid observation",
                    holding=missing < thresholds.minutes_missing.value,
                )
            )
        if missing >= thresholds.minutes_missing.value or hour.usual is None or hour.volume is None:
            # A count of half an hour says nothing.
            result.blind.add((Rule.LOW_COUNT.value, hour.device, f"lane:{hour.lane}"))
            continue
        if hour.usual < thresholds.low_count_least.value:
            continue
        share = 100 * hour.volume / hour.usual
        if share < thresholds.low_count_clear.value:
            result.findings.append(
                Finding(
                    rule=Rule.LOW_COUNT.value,
                    device=hour.device,
                    element=f"lane:{hour.lane}",
                    value=round(share, 1),
                    threshold=thresholds.low_count.value,
                    detail=f"{hour.volume} veh in the last whole hour, usually {hour.usual:g}",
                    holding=share >= thresholds.low_count.value,
                )
            )
    return result


def phases(hours: Sequence[PhaseHour], thresholds: WatchdogThresholds) -> Judgement:
    """Phases that always end the same way, and pedestrian calls that nobody can have made; of a night hour."""
    result = Judgement([], set())
    for hour in hours:
        if hour.calls > thresholds.pedestrian_calls_clear.value:
            result.findings.append(
                Finding(
                    rule=Rule.PEDESTRIAN_CALLS.value,
                    device=hour.device,
                    element=f"phase:{hour.phase}",
                    value=float(hour.calls),
                    threshold=thresholds.pedestrian_calls.value,
                    detail=f"{hour.calls} pedestrian calls in a night hour: the button is stuck",
                    holding=hour.calls < thresholds.pedestrian_calls.value,
                )
            )
        total = hour.gap_outs + hour.max_outs + hour.force_offs
        for rule, count, word in ((Rule.MAX_OUT, hour.max_outs, "max-outs"), (Rule.FORCE_OFF, hour.force_offs, "force-offs")):
            if total < thresholds.terminations_least.value or not hour.is_actuated:
                result.blind.add((rule.value, hour.device, f"phase:{hour.phase}"))
                continue
            share = 100 * count / total
            if share >= thresholds.terminations_share_clear.value:
                result.findings.append(
                    Finding(
                        rule=rule.value,
                        device=hour.device,
                        element=f"phase:{hour.phase}",
                        value=round(share, 1),
                        threshold=thresholds.terminations_share.value,
                        detail=f"{count} of {total} greens of a night hour were {word}: a detector that calls without end?",
                        holding=share < thresholds.terminations_share.value,
                    )
                )
    return result
