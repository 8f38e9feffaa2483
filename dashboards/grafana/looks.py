"""How the panel types look, once for all boards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from grafana_foundation_sdk.models.dashboard import FieldColorModeId

from config.site import Site
from dashboards.grafana.geojson import roads_url

BY_NAME: Final = FieldColorModeId.PALETTE_CLASSIC_BY_NAME

LEGEND: Final = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull"]}
SERIES: Final[Mapping[str, object]] = {"legend": LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}}
STAT: Final[Mapping[str, object]] = {
    "colorMode": "background",
    "graphMode": "none",
    "justifyMode": "center",
    "orientation": "horizontal",
    "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    "textMode": "value_and_name",
}
ROWS: Final = {"calcs": [], "fields": "", "limit": 12, "values": True}
BARS: Final[Mapping[str, object]] = {
    "displayMode": "basic",
    "orientation": "horizontal",
    "reduceOptions": ROWS,
    "showUnfilled": True,
    "valueMode": "text",
    "namePlacement": "left",
    "sizing": "auto",
    "minVizHeight": 16,
    "minVizWidth": 8,
    "maxVizHeight": 60,
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
}
# `UnifiedAlertListOptions` (public/app/plugins/panel/alertlist/types.ts, Grafana 11 to 13): firing and pending, the newest first.
ALERTS: Final[Mapping[str, object]] = {
    "viewMode": "list",
    "groupMode": "default",
    "groupBy": [],
    "maxItems": 20,
    "sortOrder": 5,
    "dashboardAlerts": False,
    "alertName": "",
    "alertInstanceLabelFilter": '{audience="vms"}',
    "datasource": "-- Grafana --",
    "showInstances": True,
    "stateFilter": {"firing": True, "pending": True, "recovering": True, "noData": False, "normal": False, "error": True},
}
TABLE: Final[Mapping[str, object]] = {
    "cellHeight": "sm",
    "showHeader": True,
    "footer": {"show": False, "reducer": ["sum"], "fields": ""},
}
STATES: Final[Mapping[str, object]] = {
    "mergeValues": True,
    "showValue": "auto",
    "alignValue": "left",
    "rowHeight": 0.85,
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
    "tooltip": {"mode": "single", "sort": "none"},
}
HISTORY: Final[Mapping[str, object]] = {
    "showValue": "never",
    "rowHeight": 0.9,
    "colWidth": 0.95,
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
    "tooltip": {"mode": "single", "sort": "none"},
}
STATE_FIELDS: Final[Mapping[str, object]] = {"fillOpacity": 85, "lineWidth": 0}
CELLS: Final[Mapping[str, object]] = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}
COLOURED: Final[Mapping[str, object]] = {"custom.cellOptions": {"type": "color-background", "mode": "basic"}}


def line(*, fill: int = 0, stack: bool = False, bars: bool = False, label: str = "") -> dict[str, object]:
    """Fields of a time series whose gaps are gaps.

    Args:
        fill: Opacity below the line (%).
        stack: Whether series stand on each other.
        bars: Bars instead of lines.
        label: Of the axis.
    """
    return {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 0 if bars else 2,
        "fillOpacity": fill,
        "spanNulls": False,
        "insertNulls": False,
        "showPoints": "auto",
        "pointSize": 4,
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        "axisLabel": label,
        "axisPlacement": "auto",
        "axisColorMode": "text",
        "scaleDistribution": {"type": "linear"},
        "hideFrom": {"legend": False, "tooltip": False, "viz": False},
        "thresholdsStyle": {"mode": "off"},
    }


def heatmap(unit: str, *, low: float | None = None, high: float | None = None, reverse: bool = False) -> dict[str, object]:
    """A heatmap whose rows are series. Red is low and blue is high as everywhere here; RdYlBu of ColorBrewer is safe for colour-blind eyes."""
    colour: dict[str, Any] = {
        "mode": "scheme",
        "scheme": "RdYlBu",
        "steps": 64,
        "reverse": reverse,
        "exponent": 1,
        "fill": "dark-blue",
    }
    if low is not None:
        colour["min"] = low
    if high is not None:
        colour["max"] = high
    return {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": unit},
        "color": colour,
        "exemplars": {"color": "#F0E442"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": "short"},
    }


def roads_map(site: Site, layers: list[dict[str, object]], zoom: float = 12.6) -> dict[str, object]:
    """A map without tiles: the site's own roads are its ground, so it needs no network beyond Grafana itself."""
    latitude, longitude = site.general.centre
    return {
        "view": {"id": "coords", "lat": latitude, "lon": longitude, "zoom": zoom, "allLayers": True, "shared": False},
        "controls": {
            "showZoom": True,
            "mouseWheelZoom": True,
            "showAttribution": False,
            "showScale": True,
            "showMeasure": False,
            "showDebug": False,
        },
        "tooltip": {"mode": "details"},
        "basemap": {
            "type": "geojson",
            "name": "Roads",
            "config": {
                "src": roads_url(site),
                "rules": [],
                "style": {
                    "color": {"fixed": "#5B6B76"},
                    "opacity": 1,
                    "lineWidth": 3,
                    "rotation": {"fixed": 0, "max": 360, "min": -360, "mode": "mod"},
                    "size": {"fixed": 3, "max": 15, "min": 2},
                    "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
                },
            },
        },
        "layers": layers,
    }


def markers(name: str, field: str, *, label: str, size: int = 12, letter: str = "A") -> dict[str, object]:
    """Circles coloured by a field of the answer, with a text beside them."""
    return {
        "type": "markers",
        "name": name,
        "config": {
            "showLegend": True,
            "style": {
                "color": {"field": field, "fixed": "dark-green"},
                "opacity": 0.95,
                "rotation": {"fixed": 0, "max": 360, "min": -360, "mode": "mod"},
                "size": {"fixed": size, "max": 15, "min": 2},
                "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
                "symbolAlign": {"horizontal": "center", "vertical": "center"},
                "text": {"field": label, "fixed": "", "mode": "field"},
                "textConfig": {"fontSize": 15, "offsetX": 0, "offsetY": -18, "textAlign": "center", "textBaseline": "middle"},
            },
        },
        "filterData": {"id": "byRefId", "options": letter},
        "location": {"mode": "coords", "latitude": "latitude", "longitude": "longitude"},
        "tooltip": True,
    }
