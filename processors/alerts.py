"""Alerts: what is wrong now, turned into faults with an onset, an end and one announcement.

Pure. A rule looks at facts and tells `Finding`s; `track` compares them with the alerts that are known and says what changes.
Three things keep people from being told too often: hysteresis (a rule tells `holding` between its onset and its clear threshold,
and an alert ends only after it was clear for a while), repetition (a fault announced a short time ago is recorded, not announced),
and the site's ignore list. Nothing is dropped: what is not announced is an alert too, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

REPEAT = "repeat"
IGNORED = "ignored: "

Key = tuple[str, int, str]
"""Rule, device number (0 is none) and element: what makes two faults the same."""

Blind = tuple[str, int] | Key
"""A rule and a device that it cannot judge now, or one element of it."""


class Audience(StrEnum):
    """Whom an alert concerns."""

    VMS = "vms"
    TECHNICIAN = "technician"
    PIPELINE = "pipeline"


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Finding(Struct, frozen=True):
    """What a rule finds at one look.

    Attributes:
        rule: What found it and what: `watchdog:comm_loss`.
        device: Device number; 0 is none.
        element: Part of the device, such as `detector:5`; empty for all of it.
        audience: Whom it concerns.
        severity: How soon somebody should look.
        value: What was measured, in the unit of the threshold.
        threshold: What it is compared with.
        detail: For a person.
        holding: Between the clear threshold and that of the onset: an alert goes on, none begins.
        since_us: When it began, where the facts tell; None is now.
        until_us: When it was over, where the facts tell: it came and went between two looks.
    """

    rule: str
    device: int
    element: str = ""
    audience: Audience = Audience.TECHNICIAN
    severity: Severity = Severity.WARNING
    value: float | None = None
    threshold: float | None = None
    detail: str = ""
    holding: bool = False
    since_us: int | None = None
    until_us: int | None = None

    @property
    def key(self) -> Key:
        """What makes two faults the same."""
        return self.rule, self.device, self.element


class Alert(Struct, frozen=True):
    """One fault from its onset to its end.

    Attributes:
        number: In the database; None when it is not there yet.
        clear_since_us: Since when it is not found any more, while it is still open.
        announced_us: When people were told; None when they were not.
        suppressed: Why they were not told.
    """

    number: int | None
    rule: str
    device: int
    element: str
    audience: Audience
    severity: Severity
    onset_us: int
    end_us: int | None
    clear_since_us: int | None
    value: float | None
    threshold: float | None
    detail: str
    announced_us: int | None
    suppressed: str | None

    @property
    def key(self) -> Key:
        """What makes two faults the same."""
        return self.rule, self.device, self.element


class Policy(Struct, frozen=True):
    """When to tell, and when a fault is over.

    Attributes:
        repeat_us: A fault announced later than so long ago is not announced again.
        clear_us: A fault that is not found any more is over after so long.
        ignored: The reason for which a fault of this key is not announced at this time (µs); None when there is none.
    """

    repeat_us: int
    clear_us: int
    ignored: Callable[[Key, int], str | None] = lambda _key, _now_us: None


class Changes(Struct, frozen=True):
    """What one look changes.

    Attributes:
        begun: New alerts; one with an end is over already.
        changed: Known alerts as they are now.
    """

    begun: list[Alert]
    changed: list[Alert]

    def announced(self, now_us: int) -> list[Alert]:
        """Those that people are to be told of at this look."""
        return [alert for alert in (*self.begun, *self.changed) if alert.announced_us == now_us]


def track(
    known: Iterable[Alert],
    announced_us: Mapping[Key, int],
    findings: Iterable[Finding],
    policy: Policy,
    now_us: int,
    blind: Collection[Blind] = (),
) -> Changes:
    """Compare what is found now with what is known.

    Args:
        known: Open alerts, and those whose onset a finding with `since_us` may name again.
        announced_us: When each fault was last announced.
        findings: Of this look. Of two with one key the one that is not over counts as now; those that are over are history.
        policy: When to tell.
        now_us: Of this look.
        blind: What could not be judged: its alerts stay as they are, since what vanishes is not well.

    Returns:
        What changes; nothing when the same is found again.
    """
    known = list(known)
    look = _Look(known, announced_us, policy, now_us)
    present: dict[Key, Finding] = {}
    for finding in sorted(findings, key=lambda f: now_us if f.since_us is None else f.since_us):
        if finding.until_us is not None:
            look.past(finding, finding.until_us)
        elif (held := present.get(finding.key)) is None or held.holding:
            present[finding.key] = finding
    for finding in present.values():
        look.present(finding)
    look.absent(set(blind))
    return Changes(look.begun, look.changed)


class _Look:
    """What one look finds out, finding by finding."""

    def __init__(self, known: Sequence[Alert], told: Mapping[Key, int], policy: Policy, now_us: int) -> None:
        self._told = dict(told)
        self._policy = policy
        self._now_us = now_us
        self._open = {alert.key: alert for alert in known if alert.end_us is None}
        self._onsets = {(alert.key, alert.onset_us) for alert in known}
        self.begun: list[Alert] = []
        self.changed: list[Alert] = []

    def past(self, finding: Finding, until_us: int) -> None:
        """A fault that is over: it ends the open alert of that onset, or is one of its own unless it is known."""
        onset = self._now_us if finding.since_us is None else finding.since_us
        alert = self._open.get(finding.key)
        if alert is not None and alert.onset_us == onset:
            del self._open[finding.key]
            self.changed.append(replace(alert, end_us=max(onset, until_us), clear_since_us=None))
        elif (finding.key, onset) not in self._onsets:
            self._begin(finding, onset)

    def present(self, finding: Finding) -> None:
        """A fault that is found now."""
        alert = self._open.pop(finding.key, None)
        if alert is not None:
            now = self._tell(_go_on(alert, finding))
            if now != alert:
                self.changed.append(now)
        elif not finding.holding:
            onset = self._now_us if finding.since_us is None else min(finding.since_us, self._now_us)
            # Taken for over and found again with the same onset: it begins anew.
            self._begin(finding, self._now_us if (finding.key, onset) in self._onsets else onset)

    def absent(self, blind: Collection[Blind]) -> None:
        """Open alerts that were not found: over when they were clear for long enough."""
        for key, alert in self._open.items():
            if key[:2] in blind or key in blind:
                continue
            since = self._now_us if alert.clear_since_us is None else alert.clear_since_us
            if self._now_us - since >= self._policy.clear_us:
                self.changed.append(replace(alert, end_us=max(alert.onset_us, since), clear_since_us=None))
            elif alert.clear_since_us is None:
                self.changed.append(replace(alert, clear_since_us=since))

    def _begin(self, finding: Finding, onset_us: int) -> None:
        self._onsets.add((finding.key, onset_us))
        alert = Alert(
            number=None,
            rule=finding.rule,
            device=finding.device,
            element=finding.element,
            audience=finding.audience,
            severity=finding.severity,
            onset_us=onset_us,
            end_us=None if finding.until_us is None else max(onset_us, finding.until_us),
            clear_since_us=None,
            value=finding.value,
            threshold=finding.threshold,
            detail=finding.detail,
            announced_us=None,
            suppressed=REPEAT,
        )
        self.begun.append(self._tell(alert))

    def _tell(self, alert: Alert) -> Alert:
        """Announce it unless it was or must not be; an open alert whose reason for silence has passed is announced then."""
        if alert.announced_us is not None:
            return alert
        reason = self._policy.ignored(alert.key, self._now_us)
        if reason is not None:
            return replace(alert, suppressed=IGNORED + reason)
        last = self._told.get(alert.key)
        if last is not None and self._now_us - last < self._policy.repeat_us:
            return replace(alert, suppressed=REPEAT)
        self._told[alert.key] = self._now_us
        return replace(alert, announced_us=self._now_us, suppressed=None)


def _go_on(alert: Alert, finding: Finding) -> Alert:
    """The alert with what is found now; its value moves only while the fault is at its onset threshold."""
    if finding.holding:
        return replace(alert, clear_since_us=None)
    return replace(
        alert,
        clear_since_us=None,
        severity=finding.severity,
        value=finding.value,
        threshold=finding.threshold,
        detail=finding.detail,
    )
