"""Onset, end and announcement of faults."""

from __future__ import annotations

from msgspec.structs import replace

from ingest.readings import US
from processors.alerts import Alert, Changes, Finding, Key, Policy, track

MINUTE = 60 * US
HOUR = 60 * MINUTE
POLICY = Policy(repeat_us=4 * HOUR, clear_us=5 * MINUTE)
LOST = Finding("watchdog:comm_loss", 7, value=400.0, threshold=300.0, detail="silent")


class Memory:
    """Stands in for the database: one look after another."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.alerts: list[Alert] = []
        self.told: dict[Key, int] = {}

    def look(self, now_us: int, *findings: Finding, blind: tuple[tuple[str, int], ...] = ()) -> Changes:
        changes = track(self.alerts, self.told, findings, self.policy, now_us, blind)
        by_number = {alert.number: alert for alert in changes.changed}
        self.alerts = [by_number.get(alert.number, alert) for alert in self.alerts]
        for alert in changes.begun:
            self.alerts.append(replace(alert, number=len(self.alerts)))
        for alert in changes.announced(now_us):
            self.told[alert.key] = now_us
        open_keys = [alert.key for alert in self.alerts if alert.end_us is None]
        assert len(open_keys) == len(set(open_keys))
        return changes

    @property
    def spans(self) -> list[tuple[int, int | None]]:
        """Onset and end in minutes."""
        return [(a.onset_us // MINUTE, None if a.end_us is None else a.end_us // MINUTE) for a in self.alerts]


def test_a_fault_has_one_onset_and_ends_when_it_was_clear_for_a_while() -> None:
    memory = Memory()
    assert 1 == len(memory.look(0, LOST).announced(0))
    for minute in range(1, 10):
        assert Changes([], []) == memory.look(minute * MINUTE, LOST)
    for minute in range(10, 16):
        memory.look(minute * MINUTE)
    assert [(0, 10)] == memory.spans
    assert Changes([], []) == memory.look(HOUR)


def test_a_short_gap_does_not_end_it() -> None:
    memory = Memory()
    memory.look(0, LOST)
    memory.look(2 * MINUTE)
    memory.look(5 * MINUTE, LOST)
    memory.look(8 * MINUTE)
    memory.look(12 * MINUTE)
    assert [(0, None)] == memory.spans
    memory.look(13 * MINUTE)
    assert [(0, 8)] == memory.spans


def test_between_the_thresholds_a_fault_goes_on_and_none_begins() -> None:
    memory = Memory()
    holding = replace(LOST, value=200.0, holding=True)
    assert Changes([], []) == memory.look(0, holding)
    memory.look(MINUTE, LOST)
    for minute in range(2, 60):
        assert Changes([], []) == memory.look(minute * MINUTE, holding)
    assert [(1, None)] == memory.spans
    assert 400.0 == memory.alerts[0].value


def test_what_cannot_be_judged_does_not_end() -> None:
    memory = Memory()
    memory.look(0, LOST)
    for minute in range(1, 60):
        memory.look(minute * MINUTE, blind=(("watchdog:comm_loss", 7),))
    assert [(0, None)] == memory.spans


def test_a_known_fault_is_recorded_and_not_announced_again_until_the_time_is_over() -> None:
    memory = Memory()
    memory.look(0, LOST)
    memory.look(MINUTE)
    memory.look(6 * MINUTE)
    again = memory.look(HOUR, LOST)
    assert [(None, "repeat")] == [(a.announced_us, a.suppressed) for a in again.begun]
    assert [] == memory.look(2 * HOUR, LOST).announced(2 * HOUR)
    told = memory.look(4 * HOUR, LOST).announced(4 * HOUR)
    assert [(HOUR, 4 * HOUR, None)] == [(a.onset_us, a.announced_us, a.suppressed) for a in told]
    assert [(0, 1), (60, None)] == memory.spans


def test_an_ignored_fault_is_recorded_with_its_reason_and_announced_when_that_expires() -> None:
    memory = Memory(Policy(4 * HOUR, 5 * MINUTE, lambda _, now_us: "road works" if now_us < HOUR else None))
    assert ["ignored: road works"] == [a.suppressed for a in memory.look(0, LOST).begun]
    assert Changes([], []) == memory.look(HOUR - 1, LOST)
    assert [(0, HOUR, None)] == [(a.onset_us, a.announced_us, a.suppressed) for a in memory.look(HOUR, LOST).announced(HOUR)]


def test_other_elements_and_devices_are_other_faults() -> None:
    memory = Memory()
    others = [replace(LOST, element="detector:1"), replace(LOST, element="detector:2"), replace(LOST, device=8)]
    assert 4 == len(memory.look(0, LOST, *others).announced(0))


def test_what_came_and_went_between_two_looks_is_one_alert_however_often_it_is_seen() -> None:
    memory = Memory()
    flash = Finding("watchdog:flash", 7, since_us=10 * MINUTE, until_us=11 * MINUTE)
    assert 1 == len(memory.look(20 * MINUTE, flash).announced(20 * MINUTE))
    assert Changes([], []) == memory.look(21 * MINUTE, flash)
    assert [(10, 11)] == memory.spans


def test_the_field_tells_the_onset_and_the_end() -> None:
    memory = Memory()
    flash = Finding("watchdog:flash", 7, since_us=10 * MINUTE)
    memory.look(20 * MINUTE, flash)
    assert [(10, None)] == memory.spans
    memory.look(25 * MINUTE, replace(flash, until_us=24 * MINUTE), replace(flash, since_us=25 * MINUTE))
    assert [(10, 24), (25, None)] == memory.spans
    assert ["repeat"] == [alert.suppressed for alert in memory.alerts[1:]]
