"""One phase of a junction over the last half hour: its coordination diagram, and below it, on one time axis, its split monitor.

Above: each cycle is a column from begin of red to begin of red; in it red, green and yellow lie over each other as they came, and
each arrival is a point at its time and second in the cycle. Below: the actual split of each cycle, coloured by what ended the green,
the programmed split as a line, and a cross where the green did not suffice. What was not seen is a hatched gap, never a zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from msgspec import Struct

from dashboards.console.chart import GRID, HATCH, INK
from dashboards.console.state import SIGNAL_MINUTES
from dashboards.console.words import Language, quality_words, word
from storage.readers import CycleRow

# The lamp's own colours, but told apart by lightness too; areas are pale so that points stand out.
GREEN, YELLOW, RED = "#1f7a68", "#c9b63b", "#6e2f3a"
POINT_GREEN, POINT_OTHER = "#f2f6f8", "#ff9f40"
PROGRAMMED = "#f2f6f8"
FAILURE = "#ff5c6e"
# Of Okabe and Ito, lightened for a dark ground.
ENDS = {"gap_out": "#2fbf8f", "max_out": "#e69f00", "force_off": "#56b4e9", "skip": "#d88bb8", "unsaid_end": "#93a4ae"}
GAP = {"color": "rgba(102,117,127,0.20)", "decal": HATCH}
PALE = 0.45
TICK = timedelta(minutes=5)
GAP_LEAST_S = 2.0

_RECT = """(params, api) => {
    const from = api.coord([api.value(0), api.value(3)]), to = api.coord([api.value(1), api.value(2)]);
    const grid = params.coordSys, left = Math.max(from[0], grid.x), right = Math.min(to[0], grid.x + grid.width);
    const top = Math.max(from[1], grid.y), bottom = Math.min(to[1], grid.y + grid.height);
    if (right <= left || bottom <= top) return null;
    const style = api.style();
    if (params.seriesName.endsWith('\\u200b')) {
        const lines = [];
        for (let x = left; x < right; x += 8) lines.push({type: 'line', shape: {x1: x, y1: bottom, x2: Math.min(x + 8, right),
            y2: Math.max(bottom - 8 * (bottom - top), top)}, style: {stroke: 'rgba(147,164,174,0.25)'}});
        return {type: 'group', children: [{type: 'rect', shape: {x: left, y: top, width: right - left, height: bottom - top}, style}, ...lines]};
    }
    return {type: 'rect', shape: {x: left, y: top, width: Math.max(1, right - left - 0.6), height: bottom - top}, style};
}"""


class Summary(Struct, frozen=True):
    """A phase in figures.

    Attributes:
        cycles: Cycles seen.
        good: Of them, of good quality.
        arrivals: Vehicles in the cycles that have an advance detector.
        on_green: Of them, on green; None without any such cycle.
        judged: Cycles with a sound stop-bar detector.
        failures: Of them, split failures.
        ends: Cycles by what ended their green.
    """

    cycles: int
    good: int
    arrivals: int | None
    on_green: int | None
    judged: int
    failures: int
    ends: dict[str, int]


def summary(cycles: Sequence[CycleRow]) -> Summary:
    """The figures of some cycles of one phase."""
    seen = [c for c in cycles if c.arrivals is not None and c.arrivals_on_green is not None]
    judged = [c for c in cycles if c.split_failure is not None]
    ends = Counter(_end_of(c) for c in cycles if c.green is not None)
    return Summary(
        len(cycles),
        sum(1 for c in cycles if c.quality == "good"),
        sum(c.arrivals or 0 for c in seen) if seen else None,
        sum(c.arrivals_on_green or 0 for c in seen) if seen else None,
        len(judged),
        sum(1 for c in judged if c.split_failure),
        {name: ends[name] for name in ENDS if ends[name]},
    )


def _end_of(cycle: CycleRow) -> str:
    return cycle.termination if cycle.termination in ENDS else "unsaid_end"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def window(now: datetime) -> tuple[datetime, datetime]:
    """What the time axis spans: half an hour and a little, in whole steps, so that the picture moves only now and then."""
    step_s, ticks_s = TICK.total_seconds() / 5, TICK.total_seconds()
    last_s = (now.timestamp() // step_s + 1) * step_s
    first_s = (last_s - 60 * SIGNAL_MINUTES) // ticks_s * ticks_s
    return datetime.fromtimestamp(first_s, UTC), datetime.fromtimestamp(last_s, UTC)


def within(cycles: Sequence[CycleRow], now: datetime) -> list[CycleRow]:
    """The cycles of which the time axis shows something."""
    first, _ = window(now)
    return [cycle for cycle in cycles if cycle.end > first]


def gaps(cycles: Sequence[CycleRow], since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Spans of a phase's time axis of which no cycle tells; the running cycle, as long as the longest known one, is none."""
    found: list[tuple[datetime, datetime]] = []
    at = since
    for cycle in cycles:
        if (cycle.start - at).total_seconds() > GAP_LEAST_S:
            found.append((at, cycle.start))
        at = max(at, cycle.end)
    running = max((cycle.end - cycle.start for cycle in cycles), default=timedelta(0))
    if until - at > running:
        found.append((at, until))
    return found


def _tip(cycle: CycleRow, zone: tzinfo, language: Language) -> str:
    """What hovering over a cycle tells, as HTML of our own words and numbers."""
    lines = [f"<b>{cycle.start.astimezone(zone):%H:%M:%S}</b> · {(cycle.end - cycle.start).total_seconds():.1f} s"]
    if cycle.split_s is not None:
        told = "" if cycle.programmed_s is None else f" / {cycle.programmed_s:.0f}"
        lines.append(f"{word('split', language)} {cycle.split_s:.1f}{told} s · {word(_end_of(cycle), language)}")
    if cycle.arrivals is not None:
        lines.append(f"{word('arrivals', language)} {cycle.arrivals}, {word('on_green', language)} {cycle.arrivals_on_green}")
    if cycle.split_failure is not None and cycle.green_occupancy is not None and cycle.red_occupancy is not None:
        lines.append(
            f"{word('split_failure' if cycle.split_failure else 'no_split_failure', language)}"
            f" ({100 * cycle.green_occupancy:.0f} % / {100 * cycle.red_occupancy:.0f} %)"
        )
    revised = f" · {word('revised', language)} {cycle.revision}" if cycle.revision else ""
    lines.append(f"{word('quality', language)}: {quality_words(cycle.quality, language)}{revised}")
    return "<br>".join(lines)


def _areas(cycles: Sequence[CycleRow], tips: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Rectangles (begin, end, from second, to second) by what they show."""
    found: dict[str, list[dict[str, Any]]] = {"red": [], "green": [], "yellow": []}
    for cycle, tip in zip(cycles, tips, strict=True):
        edges = [("red", cycle.start), ("green", cycle.green), ("yellow", cycle.yellow)]
        seen = [(name, moment) for name, moment in edges if moment is not None]
        for (name, begin), end in zip(seen, [moment for _, moment in seen[1:]] + [cycle.end], strict=True):
            low, high = ((moment - cycle.start).total_seconds() for moment in (begin, end))
            style = {} if cycle.quality == "good" else {"itemStyle": {"opacity": PALE}}
            found[name].append({"value": [_ms(cycle.start), _ms(cycle.end), low, high], "tip": tip, **style})
    return found


def _points(cycles: Sequence[CycleRow]) -> tuple[list[list[float]], list[list[float]]]:
    """Arrivals as (time, second in the cycle): on green, and not."""
    on_green: list[list[float]] = []
    others: list[list[float]] = []
    for cycle in cycles:
        begin = None if cycle.green is None else (cycle.green - cycle.start).total_seconds()
        end = None if cycle.yellow is None else (cycle.yellow - cycle.start).total_seconds()
        for second in cycle.points:
            green = begin is not None and second >= begin and (end is None or second < end)
            (on_green if green else others).append([_ms(cycle.start) + round(1000 * second), second])
    return on_green, others


def options(
    cycles: Sequence[CycleRow], now: datetime, until: datetime | None, zone: tzinfo, language: Language
) -> dict[str, Any]:
    """Both charts as ECharts wants them.

    Args:
        cycles: Of one phase, in order of time.
        now: The console's clock.
        until: Up to where the controller is measured; None when it never was.
        zone: Of the site.
        language: Of the page.
    """
    first, last = window(now)
    shown = within(cycles, now)
    tips = [_tip(cycle, zone, language) for cycle in shown]
    highest = max([*((c.end - c.start).total_seconds() for c in shown), 60.0])
    split_most = max([*(c.split_s or 0.0 for c in shown), *(c.programmed_s or 0.0 for c in shown), 20.0]) * 1.25
    missing = gaps(shown, first, until if until is not None else last)
    areas = _areas(shown, tips)
    on_green, others = _points(shown)
    splits: dict[str, list[dict[str, Any]]] = {name: [] for name in ENDS}
    for cycle, tip in zip(shown, tips, strict=True):
        if cycle.split_s is not None:
            style = {} if cycle.quality == "good" else {"itemStyle": {"opacity": PALE}}
            splits[_end_of(cycle)].append({"value": [_ms(cycle.start), _ms(cycle.end), 0, cycle.split_s], "tip": tip, **style})
    told = [
        {"value": [_ms(c.start), _ms(c.end), c.programmed_s - split_most / 60, c.programmed_s + split_most / 60]}
        for c in shown
        if c.programmed_s is not None
    ]
    failed = [[(_ms(c.start) + _ms(c.end)) / 2, (c.split_s or 0.0) + split_most * 0.08] for c in shown if c.split_failure]

    def rects(name: str, colour: str, data: list[dict[str, Any]], grid: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - ECharts
        return {
            "type": "custom", "name": name, ":renderItem": _RECT, "xAxisIndex": grid, "yAxisIndex": grid,
            "itemStyle": {"color": colour}, "data": data, "encode": {"x": [0, 1], "y": [2, 3]}, **more,
        }  # fmt: skip

    def scatter(name: str, grid: int, data: list[list[float]], symbol: str, size: int, style: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "scatter", "name": name, "xAxisIndex": grid, "yAxisIndex": grid, "symbol": symbol, "symbolSize": size,
            "itemStyle": style, "data": data, "silent": True, "z": 6,
        }  # fmt: skip

    # A zero-width space in the name marks the hatched ones for the renderer.
    gap_name = word("gap", language) + "\u200b"
    series = [
        *(
            rects(gap_name, GAP["color"], [{"value": [_ms(a), _ms(b), 0, top]} for a, b in missing], grid, silent=True, z=1)  # type: ignore[arg-type]
            for grid, top in ((0, highest), (1, split_most))
        ),
        *(rects(word(f"aspect_{name}", language), colour, areas[name], 0) for name, colour in
          (("red", RED), ("green", GREEN), ("yellow", YELLOW))),
        scatter(word("arrival_green", language), 0, on_green, "circle", 4, {"color": POINT_GREEN}),
        scatter(word("arrival_other", language), 0, others, "diamond", 6, {"color": POINT_OTHER}),
        *(rects(word(name, language), colour, splits[name], 1) for name, colour in ENDS.items() if splits[name]),
        rects(word("programmed", language), PROGRAMMED, told, 1, silent=True, z=5),
        scatter(word("split_failure", language), 1, failed, "path://M0,0L3,0L6,4L9,0L12,0L8,6L12,12L9,12L6,8L3,12L0,12L4,6Z", 9,
                {"color": FAILURE}),
    ]  # fmt: skip
    clock = f"(v) => new Intl.DateTimeFormat('en-GB', {{timeZone: '{zone}', hour: '2-digit', minute: '2-digit'}}).format(v)"
    time_axis = {
        "type": "value", "min": _ms(first), "max": _ms(last), "interval": round(1000 * TICK.total_seconds()),
        "axisLine": {"lineStyle": {"color": "#4a5b66"}}, "splitLine": {"show": False},
    }  # fmt: skip
    value_axis = {
        "type": "value", "min": 0, "splitLine": {"lineStyle": {"color": GRID}}, "axisLabel": {"color": INK, "fontSize": 12},
        "nameTextStyle": {"color": INK, "fontSize": 12, "align": "left"}, "nameGap": 8,
    }  # fmt: skip
    return {
        "animation": False,
        "textStyle": {"fontFamily": "Roboto, sans-serif"},
        "grid": [
            {"left": 44, "right": 20, "top": 62, "bottom": "42%", "outerBoundsMode": "none"},
            {"left": 44, "right": 20, "top": "66%", "bottom": 24, "outerBoundsMode": "none"},
        ],
        "legend": {
            "data": [s["name"] for s in series[2:]] + ([gap_name] if missing else []),
            "top": 0, "left": 4, "itemWidth": 12, "itemHeight": 9, "itemGap": 8, "textStyle": {"color": INK, "fontSize": 12},
            "inactiveColor": "#5c6b75",
        },
        "tooltip": {
            "trigger": "item", "backgroundColor": "#0b1216", "borderColor": "#3a4b56", "textStyle": {"color": "#e8eff3", "fontSize": 13},
            ":formatter": "(p) => (p.data && p.data.tip) || ''",
        },
        "xAxis": [
            {**time_axis, "gridIndex": 0, "axisLabel": {"show": False}},
            {**time_axis, "gridIndex": 1, "axisLabel": {"color": INK, "fontSize": 12, ":formatter": clock}},
        ],
        "yAxis": [
            {**value_axis, "gridIndex": 0, "max": round(highest), "name": word("seconds_in_cycle", language)},
            {**value_axis, "gridIndex": 1, "max": round(split_most), "name": word("split_monitor", language) + " (s)", "splitNumber": 3},
        ],
        "series": series,
    }  # fmt: skip
