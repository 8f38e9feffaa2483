"""Grafana's PostgreSQL macros and variable formats, expanded as Grafana expands them.

Written after `pkg/tsdb/grafana-postgresql-datasource/macros.go` and the formats of `@grafana/scenes`, so that every query can be
run where no Grafana is. What Grafana cannot parse is an error here too: arguments may not hold `)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}")
_INTERVAL = re.compile(r"^(\d+(?:\.\d+)?)(ms|[smhdwMy])$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "M": 2592000.0, "y": 31536000.0}
# Below the first, an interval is rounded to the second (`rangeutil.roundInterval`), in milliseconds.
_STEPS = (
    *((10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000), (3_500, 2_000), (7_500, 5_000)),
    *((12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000), (90_000, 60_000), (210_000, 120_000)),
    *((450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000)),
    *((5_400_000, 3_600_000), (9_000_000, 7_200_000), (16_200_000, 10_800_000), (32_400_000, 21_600_000)),
    *((86_400_000, 43_200_000), (604_800_000, 86_400_000), (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000)),
)
YEAR_MS = 31_536_000_000
DATA_POINTS = 1000  # of a panel across half a screen


class MacroError(ValueError):
    """A macro that Grafana would refuse; the message names it."""


class Window(Struct, frozen=True):
    """A dashboard's time range.

    Attributes:
        start: Its begin, with a time zone.
        end: Its end, with a time zone.
    """

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()


class All(Struct, frozen=True):
    """The choice "All" of a variable.

    Attributes:
        raw: Its custom value, which Grafana inserts without formatting it.
    """

    raw: str


Value = str | Sequence[str] | All


def interval_of(window: Window, points: int = DATA_POINTS) -> float:
    """`$__interval` of a panel, in seconds: the range over the points, rounded to a step that people know."""
    exact = 1000 * window.seconds / points
    return next((step for limit, step in _STEPS if exact < limit), YEAR_MS) / 1000


def interpolate(text: str, values: Mapping[str, Value], window: Window) -> str:
    """Put variables into a text, as the page does before it sends a query; what is not known stays as it is.

    Args:
        text: With `$name`, `${name}` or `${name:sqlstring}`.
        values: By name.
        window: For `$__from`, `$__to`, `$__interval` and `$__interval_ms`.
    """
    step = interval_of(window)
    builtin = {
        "__interval": f"{step:g}s" if step >= 1 else f"{round(step * 1000)}ms",
        "__interval_ms": f"{round(step * 1000)}",
        "__from": f"{round(window.start.timestamp() * 1000)}",
        "__to": f"{round(window.end.timestamp() * 1000)}",
    }
    known = {**builtin, **values}

    def put(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        value = known.get(name)
        return match[0] if value is None else formatted(value, match[3] or match[6] or "")

    return _VARIABLE.sub(put, text)


def formatted(value: Value, style: str) -> str:
    """A variable's value in one of Grafana's formats.

    Raises:
        MacroError: The format is none that our dashboards may use.
    """
    if isinstance(value, All):
        return value.raw if style not in {"text", "queryparam"} else "All"
    several = [value] if isinstance(value, str) else list(value)
    if style == "sqlstring":
        return ",".join("'" + one.replace("'", "''") + "'" for one in several)
    if style in {"raw", "text", ""}:
        return several[0] if len(several) == 1 else "{" + ",".join(several) + "}" if not style else ",".join(several)
    raise MacroError(f"${{…:{style}}} is no format that a dashboard here may use; take sqlstring")


def expand(sql: str, window: Window, *, timescaledb: bool = False) -> str:
    """Expand the macros of a query whose variables stand in it already.

    Args:
        sql: With `$__timeFilter(start)` and others.
        window: The dashboard's range.
        timescaledb: Whether the data source says that the database has it.

    Raises:
        MacroError: An unknown macro, or arguments that do not fit.
    """
    start, end = _rfc3339(window.start), _rfc3339(window.end)
    seconds = (int(window.start.timestamp()), int(window.end.timestamp()))
    nanos = (_nanos(window.start), _nanos(window.end))

    def one(match: re.Match[str]) -> str:
        name, arguments = match[1], [part.strip() for part in match[2].split(",")]
        first = arguments[0]
        if name in {"__timeFrom", "__timeTo"}:
            return f"'{start if name == '__timeFrom' else end}'"
        if name in {"__unixEpochNanoFrom", "__unixEpochNanoTo"}:
            return f"{nanos[name == '__unixEpochNanoTo']}"
        if not first:
            raise MacroError(f"missing time column argument for macro {name}")
        match name:
            case "__time":
                return f'{first} AS "time"'
            case "__timeEpoch":
                return f'extract(epoch from {first}) as "time"'
            case "__timeFilter":
                return f"{first} BETWEEN '{start}' AND '{end}'"
            case "__unixEpochFilter":
                return f"{first} >= {seconds[0]} AND {first} <= {seconds[1]}"
            case "__unixEpochNanoFilter":
                return f"{first} >= {nanos[0]} AND {first} <= {nanos[1]}"
            case "__timeGroup" | "__timeGroupAlias" | "__unixEpochGroup" | "__unixEpochGroupAlias":
                return _group(name, arguments, timescaledb=timescaledb)
            case _:
                raise MacroError(f"unknown macro ${name}")

    # A group that a comma follows is the time column of the select.
    sql = re.sub(r"(\$__timeGroup|\$__unixEpochGroup)(\([^)]*\))(?=,)", r"\1Alias\2", sql)
    return _MACRO.sub(one, sql)


def _group(name: str, arguments: Sequence[str], *, timescaledb: bool) -> str:
    if len(arguments) < 2:
        raise MacroError(f"macro {name} needs time column and interval and optional fill value")
    found = _INTERVAL.match(arguments[1].strip("'"))
    if found is None:
        raise MacroError(f"error parsing interval {arguments[1]}")
    step = float(found[1]) * _SECONDS[found[2]]
    alias = ' AS "time"' if name.endswith("Alias") else ""
    column = arguments[0]
    if name.startswith("__unixEpoch"):
        return f"floor(({column})/{step:.0f})*{step:.0f}{alias}"
    if timescaledb:
        return f"time_bucket('{step:.3f}s',{column}){alias}"
    return f"floor(extract(epoch from {column})/{step:.0f})*{step:.0f}{alias}"


def _rfc3339(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00").rstrip("0").rstrip(".")
    return f"{text}Z"


def _nanos(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
