"""What Grafana would say of a rule, evaluation by evaluation: hysteresis, hold, keep, no data, series that vanish. Pure.

After `pkg/expr/threshold.go`, `pkg/services/ngalert/state` and `schedule/loaded_metrics_reader.go` of Grafana 12: a series that
is pending or alerting, and not merely kept so for lack of data, is compared with the clear threshold; without data (`KeepLast`)
a state stays; a series that is absent from an answer resolves after `missing_series_evals_to_resolve` answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from msgspec import Struct

Labels = tuple[tuple[str, str], ...]
MISSING_EVALUATIONS = 10
"""Answers without a series after which it is resolved; the devices that are expected are in every answer."""


class State(StrEnum):
    """Of one series of a rule."""

    NORMAL = "normal"
    PENDING = "pending"
    ALERTING = "alerting"
    RECOVERING = "recovering"


class Condition(Struct, frozen=True):
    """When a rule fires.

    Attributes:
        fires: On which side of `fire`.
        fire: Threshold of what does not fire yet.
        clear: Threshold of what fires.
        hold: How long it must fire before it is alerting.
        keep: How long an alerting series must be clear before it is normal.
    """

    fires: Literal["above", "below"]
    fire: float
    clear: float
    hold: timedelta
    keep: timedelta

    def holds(self, value: float, *, loaded: bool) -> bool:
        """Whether a value fires, or of a series that does already, is not yet clear."""
        if self.fires == "above":
            return not value < self.clear if loaded else value > self.fire
        return not value > self.clear if loaded else value < self.fire


class Episode(Struct):
    """One alert, from its begin to its end.

    Attributes:
        labels: Of the series.
        pending_at: When it first fired.
        fired_at: When it had held long enough: people are told.
        cleared_at: When people are told that it is over; None while it lasts.
        extreme: The value farthest from normal.
    """

    labels: Labels
    pending_at: datetime
    fired_at: datetime
    cleared_at: datetime | None
    extreme: float | None


class _Series(Struct):
    state: State = State.NORMAL
    since: datetime | None = None
    kept: bool = False
    absent: int = 0
    extreme: float | None = None
    episode: Episode | None = None


class Machine:
    """The states of all series of one rule.

    Attributes:
        episodes: Alerts so far, in order of firing.
    """

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._series: dict[Labels, _Series] = {}
        self.episodes: list[Episode] = []

    def state(self, labels: Labels) -> State:
        """Of a series; normal when it was never seen."""
        return self._series[labels].state if labels in self._series else State.NORMAL

    @property
    def alerting(self) -> list[Labels]:
        """The series people have been told about and not yet that they are over."""
        return [labels for labels, series in self._series.items() if series.state in {State.ALERTING, State.RECOVERING}]

    def evaluate(self, at: datetime, answer: Mapping[Labels, float | None]) -> None:
        """Take the answer of one evaluation.

        Args:
            at: When the rule was evaluated; later than the one before.
            answer: Value by series; None where there is no valid one.
        """
        for labels, value in answer.items():
            series = self._series.setdefault(labels, _Series())
            series.absent = 0
            if value is None:
                self._without_data(series, at, labels)
            else:
                self._with_data(series, at, labels, value)
        for labels, series in self._series.items():
            if labels not in answer:
                series.absent += 1
                if series.absent >= MISSING_EVALUATIONS:
                    self._normal(series, at)

    def _with_data(self, series: _Series, at: datetime, labels: Labels, value: float) -> None:
        loaded = series.state in {State.PENDING, State.ALERTING} and not series.kept
        series.kept = False
        if self._condition.holds(value, loaded=loaded):
            worst = max if self._condition.fires == "above" else min
            series.extreme = value if series.extreme is None else worst(series.extreme, value)
            if series.episode is not None:
                series.episode.extreme = series.extreme
            self._fires(series, at, labels)
        else:
            self._is_clear(series, at)

    def _without_data(self, series: _Series, at: datetime, labels: Labels) -> None:
        series.kept = True
        if series.state in {State.PENDING, State.ALERTING}:
            self._fires(series, at, labels)

    def _fires(self, series: _Series, at: datetime, labels: Labels) -> None:
        if series.state is State.RECOVERING:
            series.state, series.since = State.ALERTING, at
            return
        if series.state is State.NORMAL:
            series.state, series.since = State.PENDING, at
        if series.state is State.PENDING and series.since is not None and at - series.since >= self._condition.hold:
            series.episode = Episode(labels, series.since, at, None, series.extreme)
            self.episodes.append(series.episode)
            series.state, series.since = State.ALERTING, at

    def _is_clear(self, series: _Series, at: datetime) -> None:
        if series.state is State.ALERTING and self._condition.keep > timedelta(0):
            series.state, series.since = State.RECOVERING, at
        elif series.state is State.RECOVERING and series.since is not None and at - series.since < self._condition.keep:
            return
        else:
            self._normal(series, at)

    @staticmethod
    def _normal(series: _Series, at: datetime) -> None:
        if series.episode is not None:
            series.episode.cleared_at = at
        series.state, series.since, series.episode, series.extreme = State.NORMAL, None, None, None
