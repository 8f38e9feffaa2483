"""Time series and heatmaps as ECharts wants them, in the site's time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from msgspec import Struct

from dashboards.grafana.macros import Window
from dashboards.grafana.run import Answer
from dashboards.preview.draw import SERIES_COLOURS
from dashboards.preview.fields import Field, field_of

INK, GRID = "#c3d0d8", "#26343e"
# RdYlBu of ColorBrewer (Brewer 2002), as Grafana draws its scheme of that name.
RED_YELLOW_BLUE = ("#d73027", "#fdae61", "#ffffbf", "#abd9e9", "#4575b4")
Points = list[tuple[float, float | None]]


class Mark(Struct, frozen=True):
    """Something that happened, to be marked on time axes.

    Attributes:
        onset: When it began.
        end: When it ended; None for a moment.
        text: What.
        colour: `#rrggbb`.
        name: The annotation that told it.
    """

    onset: datetime
    end: datetime | None
    text: str
    colour: str
    name: str


def local_ms(moment: datetime, zone: tzinfo) -> float:
    """Milliseconds that a chart in UTC shows as the site's clock."""
    return 1000 * (moment.timestamp() + (moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def series_of(answer: Answer, zone: tzinfo) -> dict[str, Points]:
    """Points by name: the values of `metric`, else the columns."""
    names = [name for name, _ in answer.columns]
    at = names.index("time")
    found: dict[str, Points] = {}
    if "metric" in names:
        metric = names.index("metric")
        value = next(i for i in range(len(names)) if i not in {at, metric})
        for row in answer.rows:
            found.setdefault(str(row[metric]), []).append(
                (local_ms(row[at], zone), None if row[value] is None else float(row[value]))
            )
        return found
    for index, name in enumerate(names):
        if index != at:
            found[name] = [(local_ms(row[at], zone), None if row[index] is None else float(row[index])) for row in answer.rows]
    return found


def time_series(
    panel: Mapping[str, Any], answers: Sequence[Answer], window: Window, zone: tzinfo, marks: Sequence[Mark] = ()
) -> dict[str, Any]:
    """Lines, bars or points; what is missing is a gap. Marks stand behind the first series."""
    series: list[dict[str, Any]] = []
    right: Field | None = None
    default = field_of(panel, "")
    for answer in answers:
        for name, points in series_of(answer, zone).items():
            field = field_of(panel, name)
            is_right = field.custom.get("axisPlacement") == "right"
            right = field if is_right else right
            series.append(_series(field, points, len(series), right=is_right))
    if series:
        series[0] |= _marked(marks, window, zone)
    axes = [_axis(default)]
    if right is not None:
        axes.append({**_axis(right), "position": "right", "splitLine": {"show": False}})
    return {
        "animation": False,
        "useUTC": True,
        "grid": {"left": 56, "right": 48 if right is not None else 16, "top": 14, "bottom": 48},
        "legend": {"type": "scroll", "bottom": 0, "textStyle": {"color": INK, "fontSize": 13}, "pageTextStyle": {"color": INK}},
        "tooltip": {"trigger": "axis", "backgroundColor": "#0b1216", "borderColor": "#3a4b56", "textStyle": {"color": "#e8eff3"}},
        "xAxis": _time_axis(window, zone),
        "yAxis": axes,
        "series": series,
    }


def _series(field: Field, points: Points, number: int, *, right: bool) -> dict[str, Any]:
    style = field.custom.get("drawStyle", "line")
    colour = field.fixed or SERIES_COLOURS[number % len(SERIES_COLOURS)]
    alone = [index for index, (_, value) in enumerate(points) if value is not None and _is_alone(points, index)]
    found: dict[str, Any] = {
        "name": field.title,
        "type": {"bars": "bar", "points": "scatter"}.get(style, "line"),
        "data": [[moment, value] for moment, value in points],
        "itemStyle": {"color": colour},
        "yAxisIndex": int(right),
    }
    if style == "line":
        dashed = field.custom.get("lineStyle", {}).get("fill") == "dash"
        found |= {
            "lineStyle": {"width": field.custom.get("lineWidth", 2), "color": colour, "type": "dashed" if dashed else "solid"},
            "showSymbol": bool(alone),
            "symbolSize": 4,
            "connectNulls": False,
        }
        if field.custom.get("fillOpacity"):
            found["areaStyle"] = {"opacity": field.custom["fillOpacity"] / 100, "color": colour}
    if style == "bars":
        found["barMaxWidth"] = 24
    if style == "points":
        found["symbolSize"] = field.custom.get("pointSize", 4)
        found["data"] = [[moment, value] for moment, value in points if value]
    if field.custom.get("stacking", {}).get("mode") == "normal":
        found["stack"] = "all"
    return found


def _marked(marks: Sequence[Mark], window: Window, zone: tzinfo) -> dict[str, Any]:
    """A line where each mark begins within the range, a veil while it lasts."""
    lines = [
        {
            "xAxis": local_ms(mark.onset, zone),
            "name": mark.text,
            "lineStyle": {"color": mark.colour, "type": "dashed", "width": 1},
        }
        for mark in marks
        if window.start <= mark.onset <= window.end
    ]
    areas = [
        [
            {
                "xAxis": local_ms(max(mark.onset, window.start), zone),
                "name": mark.text,
                "itemStyle": {"color": mark.colour, "opacity": VEIL},
            },
            {"xAxis": local_ms(min(mark.end, window.end), zone)},
        ]
        for mark in marks
        if mark.end is not None and mark.onset <= window.end and mark.end >= window.start
    ]
    said = {"formatter": "{b}"}
    return {
        "markLine": {"symbol": ["none", "triangle"], "symbolSize": 7, "label": {"show": False}, "tooltip": said, "data": lines},
        "markArea": {"label": {"show": False}, "tooltip": said, "data": areas},
    }


def _is_alone(points: Points, index: int) -> bool:
    before = index == 0 or points[index - 1][1] is None
    after = index + 1 == len(points) or points[index + 1][1] is None
    return before and after


def _time_axis(window: Window, zone: tzinfo) -> dict[str, Any]:
    return {
        "type": "time",
        "min": local_ms(window.start, zone),
        "max": local_ms(window.end, zone),
        "axisLabel": {"color": INK, "hideOverlap": True},
        "axisLine": {"lineStyle": {"color": "#4a5b66"}},
    }


def _axis(field: Field) -> dict[str, Any]:
    behind = field.text(0, _UTC).removeprefix("0").strip()
    return {
        "type": "value",
        "min": field.config.get("min"),
        "max": field.config.get("max"),
        "splitLine": {"lineStyle": {"color": GRID}},
        "axisLabel": {"color": INK, "formatter": "{value}" + (f" {behind}" if len(behind) <= SHORT else "")},
    }


_UTC = UTC
VEIL = 0.1  # opacity of a mark that lasts, as Grafana draws it
SHORT = 4  # characters of a unit that fits on an axis


def heatmap(panel: Mapping[str, Any], answer: Answer, zone: tzinfo) -> dict[str, Any]:
    """A row for each series, red to blue by value; what is missing stays empty."""
    series = series_of(answer, zone)
    names = sorted(series, reverse=True)
    moments = sorted({moment for points in series.values() for moment, _ in points})
    index = {moment: number for number, moment in enumerate(moments)}
    data = [[index[moment], row, value] for row, name in enumerate(names) for moment, value in series[name] if value is not None]
    colour = panel["options"]["color"]
    form = "%H:%M" if not moments or moments[-1] - moments[0] <= 86_400_000 else "%d-%m %H:%M"
    labels = [f"{datetime.fromtimestamp(moment / 1000, UTC):{form}}" for moment in moments]
    return {
        "animation": False,
        "grid": {"left": 170, "right": 70, "top": 10, "bottom": 28},
        "tooltip": {"backgroundColor": "#0b1216", "textStyle": {"color": "#e8eff3"}},
        "xAxis": {"type": "category", "data": labels, "axisLabel": {"color": INK}},
        "yAxis": {"type": "category", "data": names, "axisLabel": {"color": INK}},
        "visualMap": {
            "min": colour.get("min", 0),
            "max": colour.get("max", max((item[2] for item in data), default=1)),
            "inRange": {"color": list(RED_YELLOW_BLUE)},
            "text": [f"{colour.get('max', 0):g}", f"{colour.get('min', 0):g}"],
            "orient": "vertical",
            "right": 0,
            "top": "middle",
            "textStyle": {"color": INK},
        },
        "series": [{"type": "heatmap", "name": field_of(panel, "").title, "data": data}],
    }
