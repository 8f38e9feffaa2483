"""What a panel says of its columns: name, unit, colour, words, where a click leads; and values as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from dashboards.grafana.palette import GREY

# Unit of Grafana to what stands behind the number.
UNITS = {"velocitykmh": "km/h", "percent": "%", "ms": "ms", "celsius": "°C", "reqps": "req/s"}
_BOARD: Final = re.compile(r"^/d/subak-([a-z]+)-([a-z]{2})\?")
_MARK: Final = re.compile(r"\$\{(?:__data\.fields\.)?(\w+)(?::percentencode)?\}")
DURATIONS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Field(Struct, frozen=True):
    """A column with its configuration.

    Attributes:
        name: In the answer.
        config: The panel's defaults with the column's exceptions in them.
    """

    name: str
    config: Mapping[str, Any]

    @property
    def title(self) -> str:
        """For people."""
        return str(self.config.get("displayName") or self.name)

    @property
    def custom(self) -> Mapping[str, Any]:
        """Of the panel type."""
        found: Mapping[str, Any] = self.config.get("custom") or {}
        return found

    @property
    def fixed(self) -> str:
        """Its fixed colour; empty when it has none."""
        colour = self.config.get("color") or {}
        return str(colour.get("fixedColor", "")) if colour.get("mode") == "fixed" else ""

    def mapped(self, value: object) -> Mapping[str, Any]:
        """Text and colour that stand for a value."""
        for mapping in self.config.get("mappings") or []:
            found = mapping["options"].get(
                f"{value:g}"
                if isinstance(value, float)
                else ("true" if value else "false")
                if isinstance(value, bool)
                else str(value)
            )
            if found:
                return dict(found)
        return {}

    def colour(self, value: object) -> str:
        """Of a value: mapped, fixed, or by threshold; grey for none, empty where a threshold says transparent."""
        found = self.mapped(value).get("color")
        if found:
            return str(found)
        if self.fixed:
            return self.fixed
        if value is None:
            return GREY
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            steps = (self.config.get("thresholds") or {}).get("steps") or []
            reached = [step["color"] for step in steps if step["value"] is None or float(value) >= step["value"]]
            return str(reached[-1]).replace("transparent", "") if reached else GREY
        return ""

    def text(self, value: object, zone: tzinfo) -> str:
        """A value as people read it; a dash for none."""
        found = self.mapped(value).get("text")
        if found:
            return str(found)
        if value is None:
            return "–"
        if isinstance(value, datetime):
            return f"{value.astimezone(zone):%d-%m %H:%M:%S}"
        if isinstance(value, bool):
            return "✔" if value else "✘"
        if isinstance(value, (int, float, Decimal)):
            return self._number(float(value))
        return str(value)

    def _number(self, number: float) -> str:
        unit = str(self.config.get("unit") or "")
        if unit == "s":
            for length, name in DURATIONS:
                if number >= 2 * length:
                    return f"{number / length:.0f} {name}"
        decimals = self.config.get("decimals")
        if decimals is None:
            decimals = 0 if number == int(number) or abs(number) >= 100 else 1
        behind = UNITS.get(
            unit, "s" if unit == "s" else unit.removeprefix("suffix:").strip() if unit.startswith("suffix:") else ""
        )
        return f"{number:,.{decimals}f}{' ' if behind else ''}{behind}"


def field_of(panel: Mapping[str, Any], name: str) -> Field:
    """A column of a panel's answer."""
    config: dict[str, Any] = dict(panel["fieldConfig"]["defaults"])
    config["custom"] = dict(config.get("custom") or {})
    for override in panel["fieldConfig"].get("overrides", []):
        if override["matcher"] == {"id": "byName", "options": name}:
            for item in override["properties"]:
                key, value = item["id"], item["value"]
                if key.startswith("custom."):
                    config["custom"][key.removeprefix("custom.")] = value
                else:
                    config[key] = value
    return Field(name, config)


def address_of(panel: Mapping[str, Any], row: Mapping[str, object], values: Mapping[str, object]) -> str:
    """Where a click on a row leads: the panel's first link, to a board of the preview.

    Args:
        panel: With its links.
        row: Of the answer, by column.
        values: Of the board's variables.

    Returns:
        An address on this server; empty when the panel has no link or the row has no value for it.
    """
    links = panel["fieldConfig"]["defaults"].get("links") or []
    if not links:
        return ""
    url = _BOARD.sub(r"/\2/\1?", links[0]["url"].replace("&${__url_time_range}", ""))
    known = {name: value for name, value in {**values, **row}.items() if isinstance(value, str) and value}
    if any(name not in known for name in _MARK.findall(url)):
        return ""
    return _MARK.sub(lambda mark: quote(known[mark[1]], safe=""), url)
