"""Rules of the watchdog, a case a line."""

from __future__ import annotations

import pytest

from config.thresholds.watchdog import watchdog_thresholds
from ingest.readings import US
from processors.watchdog.controllers import ConditionEvent, reported
from processors.watchdog.devices import DeviceFacts, clocks, events_missing, silence
from processors.watchdog.traffic import LaneHour, PhaseHour, lanes, phases

THRESHOLDS = watchdog_thresholds()
NOW = 1_795_492_800 * US


def told(events: list[tuple[int, int, int]]) -> list[tuple[str, str, str, int, int | None]]:
    """Seconds before now, code and parameter; to rule, element, detail and seconds before now."""
    made = [ConditionEvent(7, NOW - before * US, code, parameter) for before, code, parameter in events]
    return [
        (
            f.rule.partition(":")[2],
            f.element,
            f.detail,
            (NOW - (f.since_us or 0)) // US,
            None if f.until_us is None else (NOW - f.until_us) // US,
        )
        for f in reported(made, THRESHOLDS, NOW)
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # Off and on are no faults; a restored detector that had none says nothing.
        ([(90, 82, 5), (80, 81, 5), (70, 83, 5)], []),
        ([(90, 86, 5)], [("detector_fault", "detector:5", "open loop", 90, None)]),
        ([(90, 86, 5), (30, 83, 5)], [("detector_fault", "detector:5", "open loop", 90, 30)]),
        # Another code is the same fault, known better.
        ([(90, 84, 5), (60, 87, 5)], [("detector_fault", "detector:5", "shorted loop", 90, None)]),
        # Another detector's end is not its end.
        ([(90, 88, 5), (30, 83, 6)], [("detector_fault", "detector:5", "excessive change", 90, None)]),
        # Out of order, and both at one tenth.
        ([(30, 83, 5), (90, 85, 5)], [("detector_fault", "detector:5", "watchdog fault", 90, 30)]),
        ([(30, 83, 5), (30, 85, 5)], [("detector_fault", "detector:5", "watchdog fault", 30, 30)]),
        ([(90, 91, 2), (30, 92, 2)], [("pedestrian_detector_fault", "pedestrian:2", "failed", 90, 30)]),
        ([(90, 90, 2)], []),
        ([(900, 90, 2)], [("pedestrian_stuck", "pedestrian:2", "the button is held", 900, None)]),
        ([(900, 90, 2), (880, 89, 2)], []),
        ([(900, 173, 5), (800, 173, 2)], [("flash", "", "flashing: fault monitor", 900, 800)]),
        ([(900, 173, 2), (800, 173, 0)], []),
        ([(900, 175, 0x20), (800, 175, 0)], [("controller_alarm", "code:175", "alarm group state 0x20", 900, 800)]),
        ([(900, 174, 1)], [("controller_alarm", "code:174", "unit alarm status 0x01", 900, None)]),
        ([(900, 178, 1), (800, 178, 0)], [("manual_control", "", "manual control", 900, 800)]),
        ([(900, 180, 1)], [("stop_time", "", "stop time", 900, None)]),
        ([(900, 182, 0), (895, 184, 0)], [("power_failure", "", "power failure", 900, 895)]),
        ([(900, 181, 0), (800, 185, 9)], []),
    ],
)
def test_what_controllers_report(
    events: list[tuple[int, int, int]], expected: list[tuple[str, str, str, int, int | None]]
) -> None:
    assert expected == told(events)


def device(
    silent_s: float, *, number: int = 1, event_s: float | None = 1, delays: tuple[float, float] | None = (0, 2)
) -> DeviceFacts:
    return DeviceFacts(
        number,
        "atc",
        10_000,
        NOW - round(silent_s * US),
        "online",
        None if event_s is None else NOW - round(event_s * US),
        None if delays is None else round(delays[0] * US),
        None if delays is None else round(delays[1] * US),
    )


def test_a_silent_device_is_told_and_silence_of_all_is_the_pipelines() -> None:
    both = [device(299), device(300, number=2)]
    lost = silence([device(1), device(300, number=2), device(299, number=3)], THRESHOLDS, NOW)
    assert ([("watchdog:comm_loss", 2, NOW - 300 * US)], set()) == (
        [(f.rule, f.device, f.since_us) for f in lost.findings],
        lost.blind,
    )
    nobody = silence(both, THRESHOLDS, NOW)
    assert [("watchdog:pipeline_silent", 0)] == [(f.rule, f.device) for f in nobody.findings]
    assert {("watchdog:comm_loss", 1), ("watchdog:comm_loss", 2)} == nobody.blind
    assert [] == silence([], THRESHOLDS, NOW).findings


def test_silence_before_the_pipeline_listened_is_nobodys_fault() -> None:
    found = silence([device(1), device(3600, number=2)], THRESHOLDS, NOW, listening_us=NOW - 60 * US)
    assert ([], {("watchdog:comm_loss", 2)}) == (found.findings, found.blind)
    found = silence([device(3600)], THRESHOLDS, NOW, listening_us=NOW - 60 * US)
    assert ([], {("watchdog:comm_loss", 1), ("watchdog:pipeline_silent", 0)}) == (found.findings, found.blind)


@pytest.mark.parametrize(
    ("facts", "value", "holding", "is_blind"),
    [
        (device(1, delays=(0.5, 2.5)), None, None, False),
        (device(1, delays=(-310, -308)), 310.0, False, False),
        (device(1, delays=(301, 303)), -301.0, False, False),
        (device(1, delays=(250, 252)), -250.0, True, False),
        # A backlog: what was measured over two minutes comes in one.
        (device(1, delays=(300, 420)), None, None, True),
        (device(200, delays=(-310, -308)), None, None, True),
        (device(1, delays=None), None, None, False),
    ],
)
def test_clocks(facts: DeviceFacts, value: float | None, holding: bool | None, is_blind: bool) -> None:
    found = clocks([facts], THRESHOLDS, NOW)
    assert ([] if value is None else [(value, holding)]) == [(f.value, f.holding) for f in found.findings]
    assert is_blind == (("watchdog:clock_drift", 1) in found.blind)


def test_a_controller_that_is_heard_and_logs_no_events() -> None:
    assert [NOW - 1800 * US] == [f.since_us for f in events_missing([device(1, event_s=1800)], THRESHOLDS, NOW).findings]
    assert [] == events_missing([device(1, event_s=1799)], THRESHOLDS, NOW).findings
    assert {("watchdog:events_missing", 1)} == events_missing([device(1, event_s=None)], THRESHOLDS, NOW).blind
    assert {("watchdog:events_missing", 1)} == events_missing([device(900, event_s=9000)], THRESHOLDS, NOW).blind


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (LaneHour(1, "N1", 60, 0, 500, 600.0), []),
        (LaneHour(1, "N1", 60, 0, 119, 600.0), [("low_count", 19.8, False)]),
        (LaneHour(1, "N1", 60, 0, 120, 600.0), [("low_count", 20.0, True)]),
        (LaneHour(1, "N1", 60, 0, 240, 600.0), []),
        # Zero is a count, and nothing is none.
        (LaneHour(1, "N1", 60, 0, 0, 600.0), [("low_count", 0.0, False)]),
        (LaneHour(1, "N1", 60, 60, None, 600.0), [("minutes_missing", 100.0, False)]),
        (LaneHour(1, "N1", 60, 30, 3, 600.0), [("minutes_missing", 50.0, False)]),
        (LaneHour(1, "N1", 60, 20, 500, 600.0), [("minutes_missing", 33.3, True)]),
        # At night nothing is few.
        (LaneHour(1, "N1", 60, 0, 0, 49.0), []),
        (LaneHour(1, "N1", 60, 0, 0, None), []),
    ],
)
def test_lanes(hour: LaneHour, expected: list[tuple[str, float, bool]]) -> None:
    found = lanes([hour], THRESHOLDS).findings
    assert expected == [(f.rule.partition(":")[2], f.value, f.holding) for f in found]


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (PhaseHour(1, 2, 30, 2, 0, 10, True), []),
        (PhaseHour(1, 2, 1, 29, 0, 0, True), [("max_out", 96.7, False)]),
        (PhaseHour(1, 2, 1, 0, 29, 0, True), [("force_off", 96.7, False)]),
        (PhaseHour(1, 2, 6, 24, 0, 0, True), [("max_out", 80.0, True)]),
        (PhaseHour(1, 2, 0, 19, 0, 0, True), []),
        # Fixed time: it cannot end by gap.
        (PhaseHour(1, 2, 0, 40, 0, 0, False), []),
        (PhaseHour(1, 2, 30, 0, 0, 50, True), [("pedestrian_calls", 50.0, False)]),
        (PhaseHour(1, 2, 30, 0, 0, 30, True), [("pedestrian_calls", 30.0, True)]),
    ],
)
def test_phases(hour: PhaseHour, expected: list[tuple[str, float, bool]]) -> None:
    found = phases([hour], THRESHOLDS).findings
    assert expected == [(f.rule.partition(":")[2], f.value, f.holding) for f in found]
