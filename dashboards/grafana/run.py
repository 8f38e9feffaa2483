"""Running what Grafana would run: macros and variables expanded, as `subak_reader`, and its answers held to Grafana's rules."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import psycopg
from msgspec import Struct

from dashboards.grafana.macros import MacroError, Value, Window, expand, interpolate
from dashboards.grafana.queries import Purpose, Query, default_value

ROLE: Final = "subak_reader"
TIME_TYPES: Final = {"timestamptz", "timestamp", "date"}
NUMBER_TYPES: Final = {"int2", "int4", "int8", "float4", "float8", "numeric", "bool"}
TEXT_TYPES: Final = {"text", "varchar", "bpchar", "name"}


class Answer(Struct, frozen=True):
    """What the database said.

    Attributes:
        columns: Name and type of each column.
        rows: In order.
        seconds: It took, as seen here.
    """

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]
    seconds: float

    def named(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """A row's values by column."""
        return {name: value for (name, _), value in zip(self.columns, row, strict=True)}


def connect(url: str, *, role: str = ROLE) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as Grafana would: read-only, in the reader's role where the account may take it.

    Raises:
        psycopg.OperationalError: The database cannot be reached.
    """
    connection = psycopg.connect(url, autocommit=True, application_name="subak-dashboards", connect_timeout=3)
    try:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute("SET statement_timeout = '30s'")
        connection.execute(
            "SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = %s AND pg_has_role(rolname, 'MEMBER')",
            [role],
        )
    except BaseException:
        connection.close()
        raise
    return connection


def ask(
    connection: psycopg.Connection[tuple[Any, ...]],
    sql: str,
    values: Mapping[str, Value],
    window: Window,
    *,
    timescaledb: bool = False,
) -> Answer:
    """Expand a query and run it, without parameters of ours: as text, the way Grafana sends it.

    Raises:
        MacroError: Grafana would refuse it.
        psycopg.Error: The database refused it.
    """
    text = expand(interpolate(sql, values, window), window, timescaledb=timescaledb)
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(text.encode(), prepare=False)
        rows = cursor.fetchall()
        described = cursor.description or []
        types = connection.adapters.types
        columns = tuple(
            (column.name, getattr(types.get(column.type_code), "name", str(column.type_code))) for column in described
        )
    return Answer(columns, rows, time.perf_counter() - began)


def choose(
    connection: psycopg.Connection[tuple[Any, ...]],
    board: Mapping[str, Any],
    window: Window,
    chosen: Mapping[str, Value] | None = None,
    *,
    timescaledb: bool = False,
) -> tuple[dict[str, Value], dict[str, list[tuple[str, str]]]]:
    """Values of a board's variables and what each offers as (text, value), asked in their order.

    Args:
        connection: Of `connect`.
        board: As committed.
        window: The range.
        chosen: What a person chose; the rest stands at its default.
        timescaledb: As in `expand`.
    """
    values: dict[str, Value] = {}
    offers: dict[str, list[tuple[str, str]]] = {}
    for variable in board["templating"]["list"]:
        name = variable["name"]
        answer = ask(connection, variable["query"], values, window, timescaledb=timescaledb)
        offers[name] = [(str(row[0]), str(row[-1])) for row in answer.rows if row[-1] is not None]
        given = (chosen or {}).get(name)
        values[name] = default_value(variable, [value for _, value in offers[name]]) if given is None else given
    return values, offers


def faults(query: Query, answer: Answer) -> list[str]:
    """What Grafana would make wrong of an answer; empty when it fits."""
    if query.purpose is Purpose.VARIABLE:
        return [] if 1 <= len(answer.columns) <= 2 else ["a variable wants one column, or __text and __value"]
    names = [name for name, _ in answer.columns]
    types = dict(answer.columns)
    found = [f"the column {name} stands twice" for name in {n for n in names if names.count(n) > 1}]
    odd = {name: kind for name, kind in answer.columns if kind not in TIME_TYPES | NUMBER_TYPES | TEXT_TYPES}
    found += [f"the column {name} is {kind}, which Grafana shows as text at best" for name, kind in odd.items()]
    if query.purpose is Purpose.ANNOTATION or query.shape == "time_series" or "metric" in names:
        found += _of_series(query, answer, names, types)
    return found


def _of_series(query: Query, answer: Answer, names: Sequence[str], types: Mapping[str, str]) -> list[str]:
    if "time" not in types:
        return ["no column time"]
    found = []
    if types["time"] not in TIME_TYPES:
        found.append(f"time is {types['time']}, not a time")
    if query.purpose is Purpose.ANNOTATION:
        return found
    if query.purpose is Purpose.RULE:
        return [*found, *_of_rule(answer, names, types)]
    others = [name for name in names if name not in {"time", "metric"}]
    texts = [name for name in others if types[name] in TEXT_TYPES]
    if query.shape == "time_series":
        if texts:
            found.append(f"{', '.join(texts)}: text as a value; only metric may be text in the time series format")
        if "metric" in types and len(others) != 1:
            found.append(f"beside metric there must be one value, not {', '.join(others)}")
        if [name for name in others if types[name] in TIME_TYPES]:
            found.append("a second time column")
    at = names.index("time")
    moments = [row[at] for row in answer.rows]
    if any(moment is None for moment in moments):
        found.append("a row without a time")
    elif any(one > next_ for one, next_ in itertools.pairwise(moments)):
        found.append("rows are not in the order of time")
    if query.shape == "time_series" and "metric" not in types and len(set(moments)) != len(moments):
        found.append("a moment stands twice")
    keys = [tuple(row[i] for i in range(len(names)) if names[i] in {"time", "metric"}) for row in answer.rows]
    if "metric" in types and len(set(keys)) != len(keys):
        found.append("a moment of one series stands twice")
    return found


def _of_rule(answer: Answer, names: Sequence[str], types: Mapping[str, str]) -> list[str]:
    """Of an alert rule, texts are labels, which must tell the rows of a moment apart, and one number is the value."""
    numbers = [name for name in names if types[name] in NUMBER_TYPES]
    found = [] if len(numbers) == 1 else [f"an alert rule wants one number, not {', '.join(numbers) or 'none'}"]
    keys = [tuple(value for name, value in zip(names, row, strict=True) if name not in numbers) for row in answer.rows]
    if len(set(keys)) != len(keys):
        found.append("a moment of one series stands twice")
    return found


class Outcome(Struct, frozen=True):
    """How one query fared.

    Attributes:
        query: Which.
        faults: What is wrong; empty when nothing is.
        rows: Of the answer.
        seconds: Each run took.
    """

    query: Query
    faults: tuple[str, ...]
    rows: int
    seconds: tuple[float, ...]

    @property
    def p95_ms(self) -> float:
        """95th percentile of the runs (ms)."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))] if ordered else float("nan")


def run_queries(
    connection: psycopg.Connection[tuple[Any, ...]],
    queries: Iterable[Query],
    values: Mapping[str, Value],
    window: Window,
    *,
    timescaledb: bool = False,
    repeat: int = 1,
) -> list[Outcome]:
    """Run each and hold its answer to Grafana's rules; what fails is told, and the next is run."""
    found = []
    for query in queries:
        seconds: list[float] = []
        wrong: list[str] = []
        rows = 0
        try:
            answers = [ask(connection, query.sql, values, window, timescaledb=timescaledb) for _ in range(max(1, repeat))]
            seconds = [answer.seconds for answer in answers]
            wrong, rows = faults(query, answers[-1]), len(answers[-1].rows)
        except MacroError as error:
            wrong = [str(error)]
        except psycopg.Error as error:
            wrong = [" ".join(str(error).split())]
        found.append(Outcome(query, tuple(wrong), rows, tuple(seconds)))
    return found
