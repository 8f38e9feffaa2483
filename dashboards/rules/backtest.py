"""What a rule would have said over a time: alerts, how long, how many too short to act on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from dashboards.rules.state import Episode, Labels

SHORT = timedelta(minutes=2)
"""An alert over sooner than this cannot be acted on: it only teaches people to look away."""


class Backtest(Struct, frozen=True):
    """The alerts of a rule over a time.

    Attributes:
        rule: Its name.
        start: Begin of the time.
        end: End of it.
        evaluations: How often it was evaluated.
        episodes: Alerts, in order of firing.
        series: How many series it had.
        without_value: Answers in which a series had no valid value, of `answers`.
        answers: Values asked for, over all series.
    """

    rule: str
    start: datetime
    end: datetime
    evaluations: int
    episodes: tuple[Episode, ...]
    series: int
    without_value: int
    answers: int

    def length(self, episode: Episode) -> timedelta:
        """How long an alert lasted, as far as the time goes."""
        return (episode.cleared_at or self.end) - episode.fired_at

    @property
    def short(self) -> int:
        """Alerts that were over within two minutes."""
        return sum(1 for episode in self.episodes if episode.cleared_at is not None and self.length(episode) < SHORT)

    @property
    def total(self) -> timedelta:
        """Time with an alert, added over series."""
        return sum((self.length(episode) for episode in self.episodes), timedelta(0))

    @property
    def longest(self) -> timedelta:
        """The longest alert."""
        return max((self.length(episode) for episode in self.episodes), default=timedelta(0))


def named(labels: Labels) -> str:
    """A series in a few words: where it is, without advice and site."""
    return " ".join(value for key, value in labels if key not in {"site", "signs", "message", "says", "kind"}) or "-"


def as_json(results: Sequence[Backtest]) -> list[dict[str, object]]:
    """For programs: times in RFC 3339, lengths in seconds."""
    return [
        {
            "rule": result.rule,
            "from": result.start.isoformat(),
            "to": result.end.isoformat(),
            "evaluations": result.evaluations,
            "series": result.series,
            "without_value": result.without_value,
            "answers": result.answers,
            "fired": len(result.episodes),
            "short": result.short,
            "total_s": result.total.total_seconds(),
            "longest_s": result.longest.total_seconds(),
            "alerts": [
                {
                    "labels": dict(episode.labels),
                    "pending_at": episode.pending_at.isoformat(),
                    "fired_at": episode.fired_at.isoformat(),
                    "cleared_at": None if episode.cleared_at is None else episode.cleared_at.isoformat(),
                    "length_s": result.length(episode).total_seconds(),
                    "extreme": episode.extreme,
                }
                for episode in result.episodes
            ],
        }
        for result in results
    ]
