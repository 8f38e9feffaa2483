"""Macros and variables come out as Grafana's own code makes them; the cases are those of its published tests and documentation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.grafana.macros import All, MacroError, Value, Window, expand, interpolate

START = datetime(2018, 4, 12, 18, 0, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(minutes=5))
BETWEEN = "BETWEEN '2018-04-12T18:00:00Z' AND '2018-04-12T18:05:00Z'"


@pytest.mark.parametrize(
    ("sql", "plain", "timescale"),
    [
        ("select $__time(time_column)", 'select time_column AS "time"', None),
        ("select $__timeEpoch(c)", 'select extract(epoch from c) as "time"', None),
        ("WHERE $__timeFilter(time_column)", f"WHERE time_column {BETWEEN}", None),
        ("select $__timeFrom()", "select '2018-04-12T18:00:00Z'", None),
        ("select $__timeTo()", "select '2018-04-12T18:05:00Z'", None),
        ("GROUP BY $__timeGroup(t,'5m')", "GROUP BY floor(extract(epoch from t)/300)*300", "GROUP BY time_bucket('300.000s',t)"),
        (
            "GROUP BY $__timeGroup(t , '5m')",
            "GROUP BY floor(extract(epoch from t)/300)*300",
            "GROUP BY time_bucket('300.000s',t)",
        ),
        (
            "$__timeGroup(t,'5m'), x",
            'floor(extract(epoch from t)/300)*300 AS "time", x',
            "time_bucket('300.000s',t) AS \"time\", x",
        ),
        (
            "$__timeGroupAlias(t,'1h')",
            'floor(extract(epoch from t)/3600)*3600 AS "time"',
            "time_bucket('3600.000s',t) AS \"time\"",
        ),
        ("$__timeGroup(t,'5m', NULL)", "floor(extract(epoch from t)/300)*300", "time_bucket('300.000s',t)"),
        ("$__unixEpochFilter(t)", "t >= 1523556000 AND t <= 1523556300", None),
        ("$__unixEpochNanoFilter(t)", "t >= 1523556000000000000 AND t <= 1523556300000000000", None),
        ("$__unixEpochNanoFrom()", "1523556000000000000", None),
        ("$__unixEpochNanoTo()", "1523556300000000000", None),
        ("$__unixEpochGroup(t,'5m')", "floor((t)/300)*300", None),
        ("$__unixEpochGroupAlias(t,'5m')", 'floor((t)/300)*300 AS "time"', None),
    ],
)
def test_expansion(sql: str, plain: str, timescale: str | None) -> None:
    assert plain == expand(sql, WINDOW)
    assert (timescale or plain) == expand(sql, WINDOW, timescaledb=True)


def test_fractions_of_seconds_lose_their_zeros() -> None:
    window = Window(START + timedelta(milliseconds=120), START)

    assert "'2018-04-12T18:00:00.12Z'" == expand("$__timeFrom()", window)


@pytest.mark.parametrize("sql", ["$__nonsense(x)", "$__timeFilter()", "$__timeGroup(t)", "$__timeGroup(t,'soon')"])
def test_what_grafana_refuses(sql: str) -> None:
    with pytest.raises(MacroError):
        expand(sql, WINDOW)


def test_an_argument_ends_at_the_first_parenthesis() -> None:
    # Which is why no query of ours nests a call in a macro.
    assert f"f(a {BETWEEN})" == expand("$__timeFilter(f(a))", WINDOW)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("x = ${v:sqlstring}", "a", "x = 'a'"),
        ("x IN (${v:sqlstring})", ["a", "b"], "x IN ('a','b')"),
        ("x = ${v:sqlstring}", "it's", "x = 'it''s'"),
        ("x IN (${v:sqlstring})", All("'__all'"), "x IN ('__all')"),
        ("$v and ${v} and [[v]]", "a", "a and a and a"),
        ("${v}", ["a", "b"], "{a,b}"),
        ("${other:sqlstring}", "a", "${other:sqlstring}"),
    ],
)
def test_variables(text: str, value: Value, expected: str) -> None:
    assert expected == interpolate(text, {"v": value}, WINDOW)


def test_interval_follows_the_range() -> None:
    assert "200 200ms" == interpolate("$__interval_ms $__interval", {}, WINDOW)
    assert "60000 60s" == interpolate("$__interval_ms $__interval", {}, Window(START, START + timedelta(hours=18)))
