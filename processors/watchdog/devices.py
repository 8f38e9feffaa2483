"""Devices that say nothing, or whose clock is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from config.thresholds.watchdog import WatchdogThresholds
from ingest.readings import US
from processors.alerts import Audience, Blind, Finding, Severity
from processors.watchdog import Judgement, Rule

LIVE_US = 120 * US
"""A device heard within this time is there; its newest events tell its clock."""


class DeviceFacts(Struct, frozen=True):
    """What is known of one device that was heard at least once.

    Attributes:
        device: Its number.
        kind: `atc`, `cctv`, …
        period_ms: Milliseconds between its reports; None when it reports on change.
        received_us: When it was last heard.
        presence: What it last said of itself.
        event_us: Its newest hi-res event of the look-back, by its own clock; None when there is none.
        delay_least_us: Least time from event to receipt in its newest 2 minutes of events.
        delay_most_us: The most.
    """

    device: int
    kind: str
    period_ms: int | None
    received_us: int
    presence: str | None
    event_us: int | None
    delay_least_us: int | None
    delay_most_us: int | None


def silence(devices: Sequence[DeviceFacts], thresholds: WatchdogThresholds, now_us: int, listening_us: int = 0) -> Judgement:
    """Devices that are not heard; when none is, it is not the devices.

    Args:
        devices: All of the site.
        thresholds: Of the watchdog.
        now_us: Of this look.
        listening_us: Since when the pipeline listens. A device that was silent before cannot be judged until it has been silent
            for as long since then.
    """
    heard = max((device.received_us for device in devices), default=None)
    if heard is None:
        return Judgement([], set())
    everyone: set[Blind] = {(Rule.COMM_LOSS.value, device.device) for device in devices}
    all_silent = (now_us - heard) / US
    if all_silent >= thresholds.pipeline_silent.value > (now_us - listening_us) / US:
        return Judgement([], {*everyone, (Rule.PIPELINE_SILENT.value, 0)})
    if all_silent >= thresholds.pipeline_silent.value:
        finding = Finding(
            rule=Rule.PIPELINE_SILENT.value,
            device=0,
            audience=Audience.PIPELINE,
            severity=Severity.CRITICAL,
            value=thresholds.pipeline_silent.value,
            threshold=thresholds.pipeline_silent.value,
            detail="no message of any device is stored: look at broker, network and pipeline (subak doctor)",
            since_us=heard,
        )
        return Judgement([finding], everyone)
    result = Judgement([], set())
    for device in devices:
        most = max(thresholds.comm_loss.value, thresholds.comm_loss_periods.value * (device.period_ms or 0) / 1000)
        silent = (now_us - device.received_us) / US
        if silent >= most > (now_us - listening_us) / US:
            result.blind.add((Rule.COMM_LOSS.value, device.device))
        elif silent >= most:
            said = f"; it said {device.presence}" if device.presence in ("offline", "shutdown") else ""
            result.findings.append(
                Finding(
                    rule=Rule.COMM_LOSS.value,
                    device=device.device,
                    severity=Severity.CRITICAL if device.kind in ("atc", "vms") else Severity.WARNING,
                    value=most,
                    threshold=most,
                    detail=f"no message{said}",
                    since_us=device.received_us,
                )
            )
    return result


def clocks(devices: Sequence[DeviceFacts], thresholds: WatchdogThresholds, now_us: int) -> Judgement:
    """Controllers whose clock differs from ours; judged while they are heard and send no backlog."""
    result = Judgement([], set())
    for device in devices:
        least, most = device.delay_least_us, device.delay_most_us
        if least is None or most is None:
            continue
        if now_us - device.received_us > LIVE_US or (most - least) / US > thresholds.clock_spread.value:
            result.blind.add((Rule.CLOCK_DRIFT.value, device.device))
            continue
        # The least delay holds the least of network and queues.
        drift = round(-least / US)
        if abs(drift) >= thresholds.clock_drift_clear.value:
            result.findings.append(
                Finding(
                    rule=Rule.CLOCK_DRIFT.value,
                    device=device.device,
                    value=float(drift),
                    threshold=thresholds.clock_drift.value,
                    detail="its clock is ahead" if drift > 0 else "its clock is behind",
                    holding=abs(drift) < thresholds.clock_drift.value,
                )
            )
    return result


def events_missing(devices: Sequence[DeviceFacts], thresholds: WatchdogThresholds, now_us: int) -> Judgement:
    """Controllers that are heard and have stopped to log events."""
    result = Judgement([], set())
    for device in devices:
        if device.kind != "atc":
            continue
        if device.event_us is None or now_us - device.received_us > LIVE_US:
            result.blind.add((Rule.EVENTS_MISSING.value, device.device))
        elif (now_us - device.event_us) / US >= thresholds.events_missing.value:
            result.findings.append(
                Finding(
                    rule=Rule.EVENTS_MISSING.value,
                    device=device.device,
                    value=thresholds.events_missing.value,
                    threshold=thresholds.events_missing.value,
                    detail="the controller is heard, its event log is not",
                    since_us=device.event_us,
                )
            )
    return result
