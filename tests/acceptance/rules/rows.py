"""Causes, the alerts they made, and the table of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.site import Site
from dashboards.rules.backtest import SHORT, Backtest
from dashboards.rules.catalogue import Rule, rules_of
from dashboards.rules.state import Episode, Labels
from tests.support.pipelines import SITE


@dataclass(frozen=True)
class Cause:
    """What is done so that a rule fires.

    Attributes:
        rule: Which should.
        subject: Labels of the series that should.
        what: In a few words.
        options: Of `subak street`.
        after: Seconds after the begin of the run.
        lasts: Seconds.
    """

    rule: str
    subject: Mapping[str, str]
    what: str
    options: tuple[str, ...]
    after: int
    lasts: int


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        cause: What was done.
        began: When.
        ended: When it was over; None when that is not one moment.
        episode: The alert it made; None when it made none.
        note: What a reader must know.
    """

    cause: Cause
    began: datetime
    ended: datetime | None
    episode: Episode | None
    note: str = ""

    @property
    def is_whole(self) -> bool:
        """Fired and cleared."""
        return self.episode is not None and self.episode.cleared_at is not None


@dataclass(frozen=True)
class Other:
    """An alert that nothing of the table asked for."""

    rule: str
    episode: Episode
    why: str


@dataclass(frozen=True)
class Outcome:
    """What a part of the run gave.

    Attributes:
        rows: One a cause.
        others: Further alerts.
        alerts: How many there were.
        short: Of these, over within two minutes; of the peak only.
        results: Backtests of the peak.
    """

    rows: tuple[Row, ...]
    others: tuple[Other, ...]
    alerts: int
    short: int
    results: tuple[Backtest, ...] = ()


def matches(labels: Labels, subject: Mapping[str, str]) -> bool:
    """Whether a series is that of the subject."""
    return subject.items() <= dict(labels).items()


def rules_named(site: Site, names: Iterable[str]) -> list[Rule]:
    """Rules of a site by name."""
    wanted = set(names)
    return [rule for rule in rules_of(site) if rule.name in wanted]


def row_of(cause: Cause, began: datetime, ended: datetime | None, episodes: Sequence[Episode], note: str = "") -> Row:
    """The first alert of the subject that fired after its cause began."""
    mine = [episode for episode in episodes if matches(episode.labels, cause.subject) and episode.fired_at >= began]
    return Row(cause, began, ended, mine[0] if mine else None, note)


HEADER = ("rule", "subject", "cause", "began", "fired", "s", "over", "cleared", "s", "note")


def lines(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """The rows of the table, as texts; times in the site's zone."""

    def clock(moment: datetime | None) -> str:
        return "never" if moment is None else moment.astimezone(SITE.zone).strftime("%H:%M:%S")

    def after(moment: datetime | None, since: datetime | None) -> str:
        return "" if moment is None or since is None else f"{(moment - since).total_seconds():.0f}"

    for row in outcome.rows:
        fired, cleared = (row.episode.fired_at, row.episode.cleared_at) if row.episode else (None, None)
        yield (
            row.cause.rule,
            " ".join(value for key, value in row.cause.subject.items() if key != "site") or "-",
            row.cause.what,
            clock(row.began),
            clock(fired),
            after(fired, row.began),
            clock(row.ended),
            clock(cleared),
            after(cleared, row.ended),
            row.note,
        )


def told(outcome: Outcome, markdown: bool) -> str:
    """The table, and what else there was."""
    rows = [HEADER, *lines(outcome)]
    if markdown:
        text = ["| " + " | ".join(row) + " |" for row in rows]
        text.insert(1, "|" + "---|" * len(HEADER))
    else:
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    text.append("")
    text.append(
        f"{outcome.alerts} alerts, {outcome.short} of them (of the peak) over within {SHORT.total_seconds() / 60:.0f} min"
    )
    for other in outcome.others:
        labels = " ".join(
            value for key, value in other.episode.labels if key in ("junction", "approach", "device", "condition", "phase")
        )
        fired = other.episode.fired_at.astimezone(SITE.zone).strftime("%H:%M:%S")
        text.append(f"not ordered: {other.rule} {labels}, fired {fired}: {other.why or 'NO CAUSE in the truth'}")
    return "\n".join(text)
