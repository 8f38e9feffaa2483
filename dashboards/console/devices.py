"""Devices by what needs attention: who is away, silent, or sends what cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct
from nicegui.element import Element

from config.site import Kind
from config.thresholds import ConsoleThresholds
from dashboards.console.words import Language, quality_words, word
from storage.readers import DeviceRow, LaneRow, LedgerRow, MinuteRow

MISSING = "missing"
# Worst first; a minute that is not there is worse than one that says why.
_QUALITIES = (MISSING, "suspect", "imputed", "partial", "good")


class Severity(StrEnum):
    """How a state looks: by colour, by sign and by word."""

    BAD = "bad"
    WARN = "warn"
    OK = "ok"


class Attention(StrEnum):
    """What is wrong with a device, the first that fits; the value is the key of its word."""

    OFFLINE = "is_offline"
    NEVER = "is_never"
    SILENT = "is_silent"
    SHUTDOWN = "is_shutdown"
    MISSING = "is_missing"
    STARTING = "is_starting"
    LANE_MISSING = "is_lane_missing"
    SUSPECT = "is_suspect"
    LOSING = "is_losing"
    REJECTED = "is_rejected"
    PARTIAL = "is_partial"
    OK = "is_ok"

    @property
    def severity(self) -> Severity:
        """How it looks."""
        if self in {Attention.OFFLINE, Attention.NEVER, Attention.SILENT, Attention.MISSING}:
            return Severity.BAD
        return Severity.OK if self is Attention.OK else Severity.WARN

    @property
    def rank(self) -> int:
        """Place in the table, 0 on top."""
        return list(Attention).index(self)

    @property
    def reports(self) -> bool:
        """Whether the device counts as reporting."""
        return self not in {Attention.OFFLINE, Attention.NEVER, Attention.SILENT, Attention.SHUTDOWN}


class LatestMinute(Struct, frozen=True):
    """The newest final minute of a device that counts.

    Attributes:
        start: Its begin; None when there is none of late.
        quality: The worst of its lanes; None when a lane has no row for it.
        valid: Lanes that are good or partial.
        lanes: Lanes of the device.
    """

    start: datetime | None
    quality: str | None
    valid: int
    lanes: int


class DeviceView(Struct, frozen=True):
    """A device as the table and the map show it."""

    row: DeviceRow
    attention: Attention
    latest: LatestMinute | None
    silent_after_s: float | None
    lost: int
    rejected: int


def quality_rank(quality: str | None) -> int:
    """Place of a quality, 0 is the worst."""
    return 0 if quality is None else 1 + _QUALITIES.index(quality.partition("(")[0])


def is_valid(row: MinuteRow) -> bool:
    """Whether a bin holds an observation that a figure may be built on: good or partial."""
    return row.volume is not None and row.quality in {"good", "partial"}


def latest_minute(
    lanes: Iterable[int], minutes: Mapping[int, tuple[MinuteRow, ...]], now: datetime, thresholds: ConsoleThresholds
) -> LatestMinute:
    """The newest final minute over the lanes of one device, and the worst quality in it."""
    numbers = list(lanes)
    final = {lane: [row for row in minutes.get(lane, ()) if row.final] for lane in numbers}
    newest = max((rows[-1].start for rows in final.values() if rows), default=None)
    if newest is None or now - newest > timedelta(seconds=thresholds.minute_late.value):
        return LatestMinute(None, None, 0, len(numbers))
    rows = [next((row for row in reversed(final[lane]) if row.start == newest), None) for lane in numbers]
    worst = min((None if row is None else row.quality for row in rows), key=quality_rank)
    return LatestMinute(newest, worst, sum(1 for row in rows if row is not None and is_valid(row)), len(numbers))


def silent_after_s(device: DeviceRow, thresholds: ConsoleThresholds) -> float | None:
    """Seconds without a message after which a device is silent; None when it reports on change."""
    if device.period_s is None:
        return None
    return max(thresholds.silent_least.value, thresholds.silent_periods.value * device.period_s)


def attention(
    device: DeviceRow,
    latest: LatestMinute | None,
    *,
    received: int,
    lost: int,
    rejected: int,
    now: datetime,
    thresholds: ConsoleThresholds,
) -> Attention:
    """What is wrong with a device: its presence first, then its silence, then its data, then its messages."""
    if device.presence == "offline":
        return Attention.OFFLINE
    if device.presence == "shutdown":
        return Attention.SHUTDOWN
    if device.last_received_at is None:
        return Attention.NEVER
    limit_s = silent_after_s(device, thresholds)
    if limit_s is not None and (now - device.last_received_at).total_seconds() > limit_s:
        return Attention.SILENT
    online_s = float("inf") if device.presence_since is None else (now - device.presence_since).total_seconds()
    if latest is not None and latest.start is None and online_s < thresholds.minute_late.value:
        # Its first minute is not over yet: nothing is missing.
        return Attention.STARTING
    quality = "good" if latest is None else (latest.quality or MISSING).partition("(")[0]
    if quality == MISSING and latest is not None and latest.valid:
        return Attention.LANE_MISSING
    for told, found in ((MISSING, Attention.MISSING), ("suspect", Attention.SUSPECT)):
        if quality == told:
            return found
    many = max(1, (received + lost) * thresholds.loss_share.value / 100)
    if lost > many:
        return Attention.LOSING
    if rejected > many:
        return Attention.REJECTED
    return Attention.OK if quality == "good" else Attention.PARTIAL


def judge(
    devices: Iterable[DeviceRow],
    lanes: Iterable[LaneRow],
    minutes: Mapping[int, tuple[MinuteRow, ...]],
    ledger: Iterable[LedgerRow],
    now: datetime,
    thresholds: ConsoleThresholds,
) -> tuple[DeviceView, ...]:
    """All devices with what is wrong with them, the most urgent first."""
    numbers: dict[str, list[int]] = {}
    for lane in lanes:
        numbers.setdefault(lane.device, []).append(lane.lane_id)
    counts = {row.device: row for row in ledger}
    views = []
    for device in devices:
        mine = numbers.get(device.device)
        latest = latest_minute(mine, minutes, now, thresholds) if mine else None
        row = counts.get(device.device)
        received, lost, rejected = (row.received, max(0, row.lost), row.rejected) if row else (0, 0, 0)
        found = attention(device, latest, received=received, lost=lost, rejected=rejected, now=now, thresholds=thresholds)
        views.append(DeviceView(device, found, latest, silent_after_s(device, thresholds), lost, rejected))
    return tuple(sorted(views, key=_urgency))


def _urgency(view: DeviceView) -> tuple[int, int, str, str]:
    return view.attention.rank, -(view.lost + view.rejected), view.row.kind, view.row.device


def milliseconds(moment: datetime | None) -> int | None:
    """A time as a browser counts it."""
    return None if moment is None else round(moment.timestamp() * 1000)


def table_rows(views: Iterable[DeviceView], language: Language) -> list[dict[str, Any]]:
    """The rows of the table, in words."""
    return [
        {
            "name": view.row.device,
            "title": view.row.title,
            "kind": view.row.kind,
            "kind_word": word(view.row.kind, language),
            "severity": view.attention.severity.value,
            "attention": view.attention.value,
            "attention_word": word(view.attention.value, language),
            "presence": view.row.presence or "unsaid",
            "presence_word": word(view.row.presence or "unsaid", language),
            "heard_ms": milliseconds(view.row.last_received_at),
            "silent_s": view.silent_after_s,
            "quality": "" if view.latest is None else (view.latest.quality or MISSING).partition("(")[0],
            "quality_word": word("none", language) if view.latest is None else quality_words(view.latest.quality, language),
            "valid": "" if view.latest is None else f"{view.latest.valid}/{view.latest.lanes}",
            "lost": view.lost,
            "rejected": view.rejected,
        }
        for view in views
    ]


class DeviceTable(Element, component="components/devices.js"):
    """The table. A component of ours: NiceGUI's own tables build every cell anew when a row changes, and one does every second."""

    def __init__(self, language: Language) -> None:
        """An empty table in one language."""
        super().__init__()
        keys = ("attention", "kind", "name", "presence", "heard", "minute_quality", "lost_15", "rejected_15")
        self._props["title"] = word("devices", language)
        self._props["rows"] = []
        self._props["columns"] = [{"key": key, "title": word(key, language)} for key in keys]
        self._props["kinds"] = [{"key": "", "title": word("all", language)}] + [
            {"key": kind.value, "title": word(kind.value, language)} for kind in Kind
        ]
        self._props["never"] = word("never", language)

    def show(self, rows: list[dict[str, Any]]) -> None:
        """Show other rows; nothing is sent when they are the same."""
        if rows != self._props["rows"]:
            self._props["rows"] = rows
