"""The watchdog: faults of devices, controllers and signals, found in what is stored. Pure: facts in, findings out.

Each rule has a name below; what it compares with is in `config/thresholds/watchdog.yaml`. `docs/watchdog.md` describes them all.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from processors.alerts import Blind, Finding

SCOPE = "watchdog"


class Rule(StrEnum):
    """What can be found."""

    DETECTOR_FAULT = "watchdog:detector_fault"
    PEDESTRIAN_DETECTOR_FAULT = "watchdog:pedestrian_detector_fault"
    PEDESTRIAN_STUCK = "watchdog:pedestrian_stuck"
    FLASH = "watchdog:flash"
    ALARM = "watchdog:controller_alarm"
    MANUAL = "watchdog:manual_control"
    STOP_TIME = "watchdog:stop_time"
    POWER = "watchdog:power_failure"
    COMM_LOSS = "watchdog:comm_loss"
    PIPELINE_SILENT = "watchdog:pipeline_silent"
    CLOCK_DRIFT = "watchdog:clock_drift"
    EVENTS_MISSING = "watchdog:events_missing"
    MINUTES_MISSING = "watchdog:minutes_missing"
    LOW_COUNT = "watchdog:low_count"
    PEDESTRIAN_CALLS = "watchdog:pedestrian_calls"
    MAX_OUT = "watchdog:max_out"
    FORCE_OFF = "watchdog:force_off"


class Judgement(Struct):
    """What rules have found, and what they could not judge."""

    findings: list[Finding]
    blind: set[Blind]

    def also(self, other: Judgement) -> None:
        """Take in another's."""
        self.findings += other.findings
        self.blind |= other.blind
