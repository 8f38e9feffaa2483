"""Tables, figures, bars, states and maps as HTML and SVG; every text from the database is escaped."""

from __future__ import annotations

import base64
import html
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from dashboards.grafana.macros import Window
from dashboards.grafana.palette import GREY
from dashboards.grafana.run import Answer
from dashboards.preview.fields import Field, field_of

Address = Callable[[Mapping[str, object]], str]

DARK_INK, LIGHT_INK = "#0b1216", "#f2f6f8"
SERIES_COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#F0E442", "#0072B2", "#F2F6F8", "#8A98A3")
MAX_ROWS = 60


def ink(colour: str) -> str:
    """Dark or light text for a ground, whichever is read better (relative luminance, WCAG 2)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return DARK_INK if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.19 else LIGHT_INK


def escaped(value: object) -> str:
    """Text for HTML."""
    return html.escape(str(value))


def linked(text: str, address: str) -> str:
    """HTML that leads somewhere, where there is somewhere to go."""
    return f'<a href="{escaped(address)}">{text}</a>' if address else text


def table(panel: Mapping[str, Any], answer: Answer, zone: tzinfo, address: Address) -> str:
    """A table; cells are coloured where the panel says so, and the first one leads where the panel's link does."""
    fields = [field_of(panel, name) for name, _ in answer.columns]
    continuous = panel["fieldConfig"]["defaults"].get("color", {}).get("mode", "").startswith("continuous")
    numbers = [float(v) for row in answer.rows for v in row if isinstance(v, (int, float)) and not isinstance(v, bool)]
    low, high = (min(numbers), max(numbers)) if continuous and numbers else (0.0, 0.0)
    head = "".join(f"<th>{escaped(field.title)}</th>" for field in fields)
    body = []
    for row in answer.rows[:MAX_ROWS]:
        cells: list[str] = []
        where = address(answer.named(row))
        for field, value in zip(fields, row, strict=True):
            style = ""
            if field.custom.get("cellOptions", {}).get("type") == "color-background" and value is not None:
                colour = (
                    _shade(float(value), low, high) if continuous and isinstance(value, (int, float)) else field.colour(value)
                )
                style = f' style="background:{colour};color:{ink(colour)}"' if colour else ""
            cells.append(f"<td{style}>{linked(escaped(field.text(value, zone)), '' if cells else where)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _shade(value: float, low: float, high: float) -> str:
    share = (value - low) / (high - low) if high > low else 0.0
    one, other = (0x17, 0x22, 0x2A), (0x8F, 0xC9, 0xF0)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(one, other, strict=True))


def stat(panel: Mapping[str, Any], answer: Answer, zone: tzinfo) -> str:
    """One figure for each column of the last row."""
    tiles = []
    for (name, _), value in zip(answer.columns, answer.rows[-1], strict=True):
        field = field_of(panel, name)
        colour = field.colour(value) or GREY
        text = escaped(field.text(value, zone))
        tiles.append(
            f'<div class="tile" style="background:{colour};color:{ink(colour)}"><b>{text}</b><span>{escaped(field.title)}</span></div>'
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def bars(panel: Mapping[str, Any], answer: Answer, zone: tzinfo, address: Address) -> str:
    """A bar for each row, named by its text columns."""
    found = []
    names = [name for name, _ in answer.columns]
    at = next(i for i in range(len(names) - 1, -1, -1) if any(isinstance(row[i], (int, float)) for row in answer.rows))
    field = field_of(panel, names[at])
    most = field.config.get("max") or max((float(row[at] or 0) for row in answer.rows), default=1) or 1
    for row in answer.rows:
        value = row[at]
        name = " ".join(str(v) for i, v in enumerate(row) if i != at and isinstance(v, str))
        share = 0 if value is None else max(0.0, min(100.0, 100 * float(value) / float(most)))
        found.append(
            f'<div class="bar"><span>{linked(escaped(name), address(answer.named(row)))}</span><i><u style="width:{share:.1f}%;background:{field.colour(value)}"></u></i>'
            f"<b>{escaped(field.text(value, zone))}</b></div>"
        )
    return f'<div class="bars">{"".join(found)}</div>'


def states(panel: Mapping[str, Any], answer: Answer, window: Window, zone: tzinfo) -> str:
    """Each series a row, each state a block from its begin to the next one; in a status history to the next column at most."""
    names = [name for name, _ in answer.columns]
    value_at = next(i for i, name in enumerate(names) if name not in {"time", "metric"})
    field = field_of(panel, names[value_at])
    series: dict[str, list[tuple[datetime, Any]]] = {}
    for row in answer.rows:
        series.setdefault(str(row[names.index("metric")]), []).append((row[names.index("time")], row[value_at]))
    length = max(1.0, window.seconds)
    step = _step(answer, names.index("time")) if panel["type"] == "status-history" else math.inf
    texts: dict[object, str] = {}
    rows = []
    for name, points in sorted(series.items()):
        blocks = []
        for begin, end, value in _blocks(points, window, step):
            if value is None:
                continue
            text = escaped(field.text(value, zone))
            colour = (
                field.colour(value) or SERIES_COLOURS[len(texts) % len(SERIES_COLOURS)] if value not in texts else texts[value]
            )
            texts[value] = colour
            left, width = 100 * begin / length, 100 * (end - begin) / length
            shown = text if width > 6 and panel["type"] == "state-timeline" else ""
            blocks.append(
                f'<i style="left:{left:.3f}%;width:{width:.3f}%;background:{colour};color:{ink(colour)}" title="{escaped(name)}: {text}">{shown}</i>'
            )
        rows.append(f'<div class="state"><span>{escaped(name)}</span><div>{"".join(blocks)}</div></div>')
    marks = "".join(f"<em>{window.start.astimezone(zone) + (window.end - window.start) * k / 4:%H:%M}</em>" for k in range(5))
    legend = (
        ""
        if panel["type"] == "status-history"
        else "".join(
            f'<q style="--c:{colour}">{escaped(field.text(value, zone))}</q>' for value, colour in list(texts.items())[:10]
        )
    )
    return f'<div class="states">{"".join(rows)}</div><div class="axis"><span></span><div>{marks}</div></div><div class="keys">{legend}</div>'


def _step(answer: Answer, at: int) -> float:
    moments = sorted({row[at] for row in answer.rows})
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(moments)]
    return min(gaps, default=math.inf)


def _blocks(points: Sequence[tuple[datetime, Any]], window: Window, step: float) -> list[tuple[float, float, Any]]:
    found: list[tuple[float, float, Any]] = []
    for index, (moment, value) in enumerate(points):
        begin = max(0.0, (moment - window.start).total_seconds())
        next_ = points[index + 1][0] if index + 1 < len(points) else window.end
        end = min((next_ - window.start).total_seconds(), begin + step, window.seconds)
        if found and found[-1][2] == value and math.isinf(step):
            found[-1] = (found[-1][0], end, value)
        else:
            found.append((begin, end, value))
    return found


def geomap(panel: Mapping[str, Any], answer: Answer, zone: tzinfo, address: Address) -> str:
    """The roads of the base layer, and a circle for each row of the first layer."""
    source = panel["options"]["basemap"]["config"]["src"]
    roads = json.loads(base64.b64decode(source.partition("base64,")[2]))
    lines = [feature["geometry"]["coordinates"] for feature in roads["features"]]
    everywhere = [point for line in lines for point in line]
    west, east = min(x for x, _ in everywhere), max(x for x, _ in everywhere)
    south, north = min(y for _, y in everywhere), max(y for _, y in everywhere)
    scale = 1000 / max(north - south, 1e-6)
    narrow = math.cos(math.radians((north + south) / 2))

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        return (longitude - west) * scale * narrow, (north - latitude) * scale

    paths = "".join(
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))}"/>' for line in lines
    )
    layer = panel["options"]["layers"][0]
    style = layer["config"]["style"]
    field = field_of(panel, style["color"]["field"])
    label = style["text"]["field"]
    dots = []
    for row in answer.rows:
        values = answer.named(row)
        if values["latitude"] is None or values["longitude"] is None:
            continue
        x, y = place(values["longitude"], values["latitude"])
        value = values[field.name]
        colour = field.colour(value) or GREY
        shown = escaped(values[label]) if label else ""
        tip = escaped(
            " · ".join(
                f"{_field(panel, n).title}: {_field(panel, n).text(v, zone)}"
                for n, v in values.items()
                if n not in {"latitude", "longitude", "label"}
            )
        )
        radius = style["size"]["fixed"] * 2.4
        # Two digits stand in the circle, more beside it.
        place_of_text = (
            f'x="{x:.1f}" y="{y + 8:.1f}"' if len(shown) <= 2 else f'x="{x + radius + 4:.1f}" y="{y + 8:.1f}" class="beside"'
        )
        dot = (
            f'<g><title>{tip}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.0f}" fill="{colour}"/>'
            f'<text {place_of_text} fill="{ink(colour) if len(shown) <= 2 else LIGHT_INK}">{shown}</text></g>'
        )
        dots.append(linked(dot, address(values)))
    width = (east - west) * scale * narrow
    return f'<svg class="map" viewBox="-40 -40 {width + 80:.0f} 1080" preserveAspectRatio="xMidYMid meet">{paths}{"".join(dots)}</svg>'


def _field(panel: Mapping[str, Any], name: str) -> Field:
    return field_of(panel, name)
