"""A backtest as a picture: one row a series, a bar an alert."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from dashboards.rules.backtest import SHORT, Backtest, named

# Okabe and Ito's vermilion, and the grey of what was too short: told apart by people who see few colours.
ALERT, BRIEF = "#D55E00", "#999999"


def draw(results: Sequence[Backtest], path: Path, zone: ZoneInfo) -> None:
    """Draw backtests into a file; its ending says which format (png, svg, pdf).

    Args:
        results: At least one; those without an alert get an empty row.
        path: The file.
        zone: Of the axis.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import ConciseDateFormatter, DateFormatter, date2num
    from matplotlib.figure import Figure

    rows = [
        (f"{result.rule}: {name}" if name else f"{result.rule}: -", result, name)
        for result in results
        for name in (sorted({named(episode.labels) for episode in result.episodes}) or [""])
    ]
    figure = Figure(figsize=(11, 1.2 + 0.28 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for position, (_, result, name) in enumerate(rows):
        for episode in result.episodes:
            if named(episode.labels) == name:
                length = result.length(episode)
                brief = episode.cleared_at is not None and length < SHORT
                axes.barh(
                    position, length.total_seconds() / 86_400, left=date2num(episode.fired_at), color=BRIEF if brief else ALERT
                )
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.invert_yaxis()
    axes.set_xlim(date2num(min(r.start for r in results)), date2num(max(r.end for r in results)))
    axes.xaxis_date(zone)
    locator = axes.xaxis.get_major_locator()
    span = max(r.end for r in results) - min(r.start for r in results)
    axes.xaxis.set_major_formatter(
        DateFormatter("%H:%M", tz=zone) if span.total_seconds() < 86_400 else ConciseDateFormatter(locator, tz=zone)
    )
    axes.grid(axis="x", alpha=0.3)
    fired, short = sum(len(r.episodes) for r in results), sum(r.short for r in results)
    axes.set_title(f"{fired} alerts, {short} of them under 2 min (grey)", loc="left", fontsize=10)
    figure.savefig(path)
