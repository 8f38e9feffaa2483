"""An hour of one lane: volume by class, speed, occupancy, and the quality of every minute.

A minute without a valid observation is a hatched gap, never a zero; a minute that is not final is pale.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any

from msgspec import Struct

from dashboards.console.devices import MISSING
from dashboards.console.map_view import decimal
from dashboards.console.state import HISTORY_MINUTES, MINUTE, minute_of
from dashboards.console.words import Language, quality_words, word
from storage.readers import MinuteRow

# Sky, orange, green, purple, vermilion, yellow of Okabe and Ito, lightened for a dark ground; told apart by any eye.
CLASSES = {"sm": "#56b4e9", "mp": "#e69f00", "ks": "#2fbf8f", "bb": "#d88bb8", "tb": "#e8743b", "ktb": "#f0e442"}
UNCLASSIFIED = "#93a4ae"
SPEED = "#f2f6f8"
OCCUPANCY = "#b79cff"
INK = "#c3d0d8"
GRID = "#26343e"
# Colour and height, so that the strip can be read without colour.
QUALITY_BARS = {
    "good": ("#2fc6a5", 0.3),
    "partial": ("#e8d44d", 0.55),
    "imputed": ("#b79cff", 0.7),
    "suspect": ("#ff9f40", 0.85),
    MISSING: ("#66757f", 1.0),
}
HATCH = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": 0.785, "color": "rgba(147,164,174,0.55)"}
PALE = 0.38
TICK_MINUTES = 10


class Minute(Struct, frozen=True):
    """One minute of the chart.

    Attributes:
        start: Its begin.
        row: The bin; None when the database has none.
    """

    start: datetime
    row: MinuteRow | None

    @property
    def is_gap(self) -> bool:
        """Whether nothing valid was observed: no row, or one without a volume."""
        return self.row is None or self.row.volume is None

    @property
    def is_provisional(self) -> bool:
        """Whether the bin may still change because it is not over."""
        return self.row is not None and not self.row.final

    @property
    def quality(self) -> str | None:
        """Its quality; None when there is no row."""
        return None if self.row is None else self.row.quality


def timeline(rows: Iterable[MinuteRow], now: datetime, minutes: int = HISTORY_MINUTES) -> list[Minute]:
    """Every minute of the last hour, with or without a bin.

    The running minute and the one before it stand there only when they have a bin: they are not missing, they are not over.
    """
    found = {row.start: row for row in rows}
    current = minute_of(now)
    starts = [current - back * MINUTE for back in range(minutes, -1, -1)]
    line = [Minute(start, found.get(start)) for start in starts]
    while line and line[-1].row is None and line[-1].start >= current - MINUTE:
        line.pop()
    return line


def latest_final(rows: Sequence[MinuteRow]) -> MinuteRow | None:
    """The newest final minute."""
    return next((row for row in reversed(rows) if row.final), None)


def _classes(row: MinuteRow) -> dict[str, int]:
    """Vehicles by class, and what has no class; empty for a gap."""
    if row.volume is None:
        return {}
    known = {key: getattr(row, key) or 0 for key in CLASSES}
    return {**known, "unclassified": max(0, row.volume - sum(known.values()))}


def tip(minute: Minute, zone: tzinfo, language: Language) -> str:
    """What hovering over a minute tells, as HTML of our own words and numbers."""
    row = minute.row
    lines = [f"<b>{minute.start.astimezone(zone):%H:%M}</b>"]
    if minute.is_provisional:
        lines[0] += f" · <i>{word('provisional', language)}</i>"
    quality = quality_words(minute.quality, language)
    if row is not None:
        quality += f" · {word('complete', language)} {round(100 * row.completeness)} %"
        if row.revision:
            quality += f" · {word('revised', language)} {row.revision}"
    lines.append(f"{word('quality', language)}: {html.escape(quality)}")
    if row is None or row.volume is None:
        lines.append(word("nothing_valid", language))
    else:
        parts = " · ".join(f"{word(key, language)} {count}" for key, count in _classes(row).items() if count)
        lines.append(f"{word('volume', language)} {row.volume} {word('veh_min', language)}{f' ({parts})' if parts else ''}")
        lines.append(f"{word('speed', language)} {decimal(row.speed, language, 1)} km/h")
        lines.append(f"{word('occupancy', language)} {decimal(row.occupancy, language, 1)} %")
    return "<br>".join(lines)


def _bars(minutes: Sequence[Minute], key: str, colour: str, language: Language) -> dict[str, Any]:
    data: list[Any] = []
    for minute in minutes:
        count = None if minute.row is None else _classes(minute.row).get(key)
        pale = {"itemStyle": {"opacity": PALE}} if minute.is_provisional else {}
        data.append({"value": count, **pale} if count else "-")
    return {
        "name": word(key, language),
        "type": "bar",
        "stack": "volume",
        "barWidth": "74%",
        "itemStyle": {"color": colour},
        "data": data,
    }


def _line(minutes: Sequence[Minute], field: str, colour: str, axis: int, style: str, language: Language) -> dict[str, Any]:
    values = [None if minute.row is None or not is_drawn(minute) else getattr(minute.row, field) for minute in minutes]
    return {
        "name": word(field, language),
        "type": "line",
        "yAxisIndex": axis,
        "showSymbol": True,
        "symbol": "circle",
        "symbolSize": 4,
        "connectNulls": False,
        "lineStyle": {"color": colour, "width": 2.2, "type": style},
        "itemStyle": {"color": colour},
        "z": 5,
        "data": ["-" if value is None else value for value in values],
    }


def is_drawn(minute: Minute) -> bool:
    """Whether a line may go through the minute: what is not over would bend it to a wrong value."""
    return minute.row is not None and minute.row.final


def options(rows: Iterable[MinuteRow], now: datetime, zone: tzinfo, language: Language) -> dict[str, Any]:
    """The chart as ECharts wants it."""
    minutes = timeline(rows, now)
    labels = [f"{minute.start.astimezone(zone):%H:%M}" for minute in minutes]
    classes = {**CLASSES, "unclassified": UNCLASSIFIED}
    shown = [
        key
        for key in classes
        if key != "unclassified" or any(minute.row is not None and _classes(minute.row).get(key) for minute in minutes)
    ]
    axis = {"type": "category", "data": labels, "axisLine": {"lineStyle": {"color": "#4a5b66"}}, "axisTick": {"show": False}}
    value = {"type": "value", "splitLine": {"lineStyle": {"color": GRID}}, "axisLabel": {"color": INK, "fontSize": 13}}
    ends = [index for index, minute in enumerate(minutes) if minute.start.minute % TICK_MINUTES == 0]
    strip: list[Any] = []
    for minute in minutes:
        colour, height = QUALITY_BARS[(minute.quality or MISSING).partition("(")[0]]
        style: dict[str, Any] = {"color": colour}
        if minute.is_gap:
            style["decal"] = HATCH
        if minute.is_provisional:
            style["opacity"] = PALE
        strip.append({"value": height, "itemStyle": style, "tip": tip(minute, zone, language)})
    gaps = [{"value": 1, "itemStyle": {"color": "rgba(102,117,127,0.28)", "decal": HATCH}} if m.is_gap else "-" for m in minutes]
    quiet = {"show": False}
    legend = [word(key, language) for key in shown] + [
        word("speed", language),
        word("occupancy", language),
        word("gap", language),
    ]
    return {
        "animation": False,
        "aria": {"enabled": False},
        "textStyle": {"fontFamily": "Roboto, sans-serif"},
        "grid": [{"left": 52, "right": 104, "top": 58, "bottom": 54}, {"left": 52, "right": 104, "height": 16, "bottom": 8}],
        "legend": {
            "data": legend,
            "top": 2,
            "left": 8,
            "itemWidth": 16,
            "itemHeight": 10,
            "textStyle": {"color": INK, "fontSize": 13},
            "inactiveColor": "#5c6b75",
        },
        "tooltip": {
            "trigger": "axis",
            "axisPointer": {"type": "shadow", "shadowStyle": {"color": "rgba(255,255,255,0.08)"}},
            "backgroundColor": "#0b1216",
            "borderColor": "#3a4b56",
            "textStyle": {"color": "#e8eff3", "fontSize": 14},
            ":formatter": "(found) => (found.find((p) => p.data && p.data.tip) || {data: {tip: ''}}).data.tip",
        },
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "xAxis": [
            {**axis, "gridIndex": 0, "axisLabel": {"color": INK, "fontSize": 13, ":interval": f"(i) => {ends}.includes(i)"}},
            {**axis, "gridIndex": 1, "axisLabel": quiet, "axisLine": quiet},
        ],
        "yAxis": [
            {
                **value,
                "gridIndex": 0,
                "minInterval": 1,
                "name": word("veh_min", language),
                "nameTextStyle": {"color": INK, "fontSize": 12},
                "nameGap": 10,
            },
            {
                **value,
                "gridIndex": 0,
                "min": 0,
                "name": "km/h",
                "position": "right",
                "splitLine": quiet,
                "nameTextStyle": {"color": SPEED, "fontSize": 12},
                "nameGap": 10,
            },
            {
                **value,
                "gridIndex": 0,
                "min": 0,
                # A fifth at least, so that little looks little.
                ":max": "(found) => Math.min(100, Math.max(20, Math.ceil(found.max / 20) * 20))",
                "name": "%",
                "position": "right",
                "offset": 48,
                "splitLine": quiet,
                "nameTextStyle": {"color": OCCUPANCY, "fontSize": 12},
                "axisLabel": {"color": OCCUPANCY, "fontSize": 13},
                "nameGap": 10,
            },
            {"type": "value", "gridIndex": 0, "min": 0, "max": 1, "show": False},
            {"type": "value", "gridIndex": 1, "min": 0, "max": 1, "show": False},
        ],
        "series": [
            {
                "name": word("gap", language),
                "type": "bar",
                "yAxisIndex": 3,
                "barGap": "-100%",
                "barWidth": "100%",
                "data": gaps,
                "itemStyle": {"color": "#66757f"},
                "z": 1,
            },
            *(_bars(minutes, key, classes[key], language) for key in shown),
            _line(minutes, "speed", SPEED, 1, "solid", language),
            _line(minutes, "occupancy", OCCUPANCY, 2, "dashed", language),
            {
                "name": word("quality", language),
                "type": "bar",
                "xAxisIndex": 1,
                "yAxisIndex": 4,
                "barWidth": "86%",
                "data": strip,
            },
        ],
    }


def figures(rows: Sequence[MinuteRow], zone: tzinfo, language: Language) -> dict[str, tuple[str, str]]:
    """The newest final minute in figures: key to (text, exact value)."""
    row = latest_final(rows)
    if row is None:
        return {
            "start": ("–", ""),
            "volume": ("–", ""),
            "speed": ("–", ""),
            "occupancy": ("–", ""),
            "quality": (quality_words(None, language), ""),
        }
    return {
        "start": (f"{row.start.astimezone(zone):%H:%M}", row.start.isoformat()),
        "volume": ("–" if row.volume is None else str(row.volume), "" if row.volume is None else str(row.volume)),
        "speed": (decimal(row.speed, language, 1), "" if row.speed is None else str(row.speed)),
        "occupancy": (decimal(row.occupancy, language, 1), "" if row.occupancy is None else str(row.occupancy)),
        "quality": (quality_words(row.quality, language), row.quality),
    }
