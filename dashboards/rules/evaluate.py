"""Asking a rule's query, now or as it would have been answered then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg

from dashboards.grafana.macros import Window, expand
from dashboards.rules.backtest import Backtest
from dashboards.rules.catalogue import Rule
from dashboards.rules.state import Condition, Labels, Machine
from storage.errors import StorageError

_TEXT_OIDS = frozenset({25, 1043, 18, 19})
_NUMBER_OIDS = frozenset({701, 700, 20, 21, 23, 1700})
_TIME_OID = 1184


class RuleQueryError(StorageError):
    """A rule's query does not answer as an alert rule must; names the rule and what is wrong."""


def condition_of(rule: Rule) -> Condition:
    """When the rule fires, for the state machine."""
    limits = rule.thresholds
    return Condition(
        limits.fires,
        limits.fire.value,
        limits.clear.value,
        timedelta(seconds=limits.hold.value),
        timedelta(seconds=limits.keep.value),
    )


def ask(connection: psycopg.Connection[Any], rule: Rule, at: datetime) -> dict[Labels, float | None]:
    """The rule's values by series at a time, as Grafana would see them.

    Args:
        connection: As a reader.
        rule: The rule.
        at: End of the query's time range.

    Raises:
        RuleQueryError: The query fails, or its columns are not one time, texts and one number.
    """
    window = Window(at - timedelta(seconds=rule.definition.range), at)
    try:
        cursor = connection.execute(expand(rule.sql, window).encode())
        rows = cursor.fetchall()
    except psycopg.Error as error:
        raise RuleQueryError(f"rule {rule.name}: {error}") from error
    columns = cursor.description or []
    texts = [index for index, column in enumerate(columns) if column.type_code in _TEXT_OIDS]
    numbers = [index for index, column in enumerate(columns) if column.type_code in _NUMBER_OIDS]
    times = [index for index, column in enumerate(columns) if column.type_code == _TIME_OID]
    if len(numbers) != 1 or len(times) != 1 or len(texts) + 2 != len(columns):
        told = ", ".join(f"{column.name} ({column.type_code})" for column in columns)
        raise RuleQueryError(f"rule {rule.name}: wants one time, one number and texts, answers {told}")
    answer: dict[Labels, float | None] = {}
    for row in rows:
        labels = tuple((columns[index].name, row[index]) for index in texts if row[index] is not None)
        if labels in answer:
            raise RuleQueryError(f"rule {rule.name}: two rows for {dict(labels)}")
        value = row[numbers[0]]
        answer[labels] = None if value is None else float(value)
    return answer


def backtest(
    connection: psycopg.Connection[Any],
    rule: Rule,
    start: datetime,
    end: datetime,
    tell: Callable[[datetime], None] = lambda _: None,
) -> Backtest:
    """Evaluate a rule over history, at the times Grafana would have.

    Args:
        connection: As a reader; prepared statements are of no use, since each time is another text.
        rule: The rule.
        start: First time, moved up to the next even multiple of the rule's interval, as Grafana's ticks are.
        end: Last time.
        tell: Called with each time when it has been evaluated.

    Returns:
        The alerts, and how much was known.
    """
    machine = Machine(condition_of(rule))
    evaluations = answers = without_value = series = 0
    for at in ticks(start, end, rule.definition.every):
        answer = ask(connection, rule, at)
        machine.evaluate(at, answer)
        evaluations += 1
        answers += len(answer)
        without_value += sum(1 for value in answer.values() if value is None)
        series = max(series, len(answer))
        tell(at)
    return Backtest(rule.name, start, end, evaluations, tuple(machine.episodes), series, without_value, answers)


def ticks(start: datetime, end: datetime, every: int) -> Iterator[datetime]:
    """Even multiples of `every` seconds from `start` to `end`, both included."""
    first = -(-int(start.timestamp()) // every) * every
    at = datetime.fromtimestamp(first, start.tzinfo)
    while at <= end:
        yield at
        at += timedelta(seconds=every)
