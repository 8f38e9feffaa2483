"""Faults that controllers report themselves, by hi-res events (Indiana Traffic Signal Hi Resolution Data Logger Enumerations).

| code | meaning | a fault from … until … |
|---|---|---|
| 84-88 | vehicle detector: other fault, watchdog, open loop, shorted loop, excessive change | any of them until 83, restored |
| 91 | pedestrian detector failed | until 92, restored |
| 90 | pedestrian detector on | held longer than a button can be, until 89, off |
| 173 | unit flash status (NTCIP 1202 unitFlashStatus) | other than 0 and 2, not flashing |
| 174, 175 | unit alarm status, alarm group state (bits) | other than 0, each code by itself |
| 178, 180 | manual control, stop time | 1 until 0 |
| 182 | power failure | until 184, restored |

81 and 82, detector off and on, are no faults, and neither is 181, a clock that was set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from config.thresholds.watchdog import WatchdogThresholds
from ingest.readings import US
from processors.alerts import Finding, Severity
from processors.watchdog import Rule

DETECTOR = {84: "other fault", 85: "watchdog fault", 86: "open loop", 87: "shorted loop", 88: "excessive change"}
FLASH = {
    1: "other",
    3: "automatic",
    4: "local manual",
    5: "fault monitor",
    6: "conflict monitor (MMU)",
    7: "start-up",
    8: "preemption",
}
NO_FLASH = frozenset((0, 2))

RULES = (
    Rule.DETECTOR_FAULT,
    Rule.PEDESTRIAN_DETECTOR_FAULT,
    Rule.PEDESTRIAN_STUCK,
    Rule.FLASH,
    Rule.ALARM,
    Rule.MANUAL,
    Rule.STOP_TIME,
    Rule.POWER,
)
"""Rules whose faults end by an event alone: that no event came does not mean that all is well."""


class ConditionEvent(Struct, frozen=True):
    """One event of a code above."""

    device: int
    time_us: int
    code: int
    parameter: int


class _Said(Struct, frozen=True):
    """What an event says of one condition; `detail` is empty when all is well."""

    rule: Rule
    element: str
    detail: str = ""
    severity: Severity = Severity.WARNING


def _said(event: ConditionEvent) -> _Said | None:
    code, value = event.code, event.parameter
    if code == 83 or code in DETECTOR:
        return _Said(Rule.DETECTOR_FAULT, f"detector:{value}", DETECTOR.get(code, ""))
    if code in (89, 90):
        return _Said(Rule.PEDESTRIAN_STUCK, f"pedestrian:{value}", "the button is held" if code == 90 else "")
    if code in (91, 92):
        return _Said(Rule.PEDESTRIAN_DETECTOR_FAULT, f"pedestrian:{value}", "failed" if code == 91 else "")
    if code == 173:
        detail = "" if value in NO_FLASH else f"flashing: {FLASH.get(value, f'status {value}')}"
        return _Said(Rule.FLASH, "", detail, Severity.CRITICAL)
    if code in (174, 175):
        word = "unit alarm status" if code == 174 else "alarm group state"
        return _Said(Rule.ALARM, f"code:{code}", f"{word} {value:#04x}" if value else "")
    if code == 178:
        return _Said(Rule.MANUAL, "", "manual control" if value else "", Severity.INFO)
    if code == 180:
        return _Said(Rule.STOP_TIME, "", "stop time" if value else "")
    if code in (182, 184):
        return _Said(Rule.POWER, "", "power failure" if code == 182 else "", Severity.CRITICAL)
    return None


def reported(events: Iterable[ConditionEvent], thresholds: WatchdogThresholds, now_us: int) -> list[Finding]:
    """The faults of the events, those that are over too.

    Args:
        events: Of any devices; from before the oldest fault that is still open.
        thresholds: Of the watchdog.
        now_us: Of this look.
    """
    begun: dict[tuple[int, Rule, str], tuple[int, _Said, int]] = {}
    found: list[Finding] = []
    # Of a fault and its end at the same tenth the end comes last: such a blink is told as over.
    for event in sorted(events, key=lambda e: (e.device, e.time_us, not (said := _said(e)) or not said.detail)):
        said = _said(event)
        if said is None:
            continue
        key = (event.device, said.rule, said.element)
        if said.detail:
            since = begun[key][0] if key in begun else event.time_us
            begun[key] = since, said, event.code
        elif key in begun:
            found += _finding(key, begun.pop(key), event.time_us, thresholds, now_us)
    for key, state in begun.items():
        found += _finding(key, state, None, thresholds, now_us)
    return found


def _finding(
    key: tuple[int, Rule, str], state: tuple[int, _Said, int], until_us: int | None, thresholds: WatchdogThresholds, now_us: int
) -> Sequence[Finding]:
    since_us, said, code = state
    device, rule, element = key
    value, threshold = float(code), None
    if rule is Rule.PEDESTRIAN_STUCK:
        value, threshold = ((now_us if until_us is None else until_us) - since_us) / US, thresholds.pedestrian_held.value
        if value < threshold:
            return ()
        # It would change with every look otherwise.
        value = threshold if until_us is None else value
    return (
        Finding(
            rule=rule.value,
            device=device,
            element=element,
            severity=said.severity,
            value=value,
            threshold=threshold,
            detail=said.detail,
            since_us=since_us,
            until_us=until_us,
        ),
    )
