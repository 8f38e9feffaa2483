"""The command."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dashboards.rules.catalogue import rules_of
from dashboards.rules.picture import draw
from tests.acceptance import rules
from tests.acceptance.rules.live import LIVE_RULES, Live
from tests.acceptance.rules.peak import BLOCKED, JAM, PEAK, Peak
from tests.acceptance.rules.rows import Outcome, told
from tests.conftest import temporary_folder
from tests.support.databases import PlainServer, fresh_database
from tests.support.pipelines import SITE


@contextmanager
def place() -> Iterator[tuple[Path, str]]:
    """A folder and a fresh database of level plain."""
    with tempfile.TemporaryDirectory(prefix="subak-rules-") as work, temporary_folder() as folder:
        server = PlainServer(folder / "postgres")
        server.start()
        try:
            with fresh_database(server) as database:
                yield Path(work), database.url
        finally:
            server.stop()


def show(names: Sequence[str], seed: int, speed: float) -> Outcome:
    """Show rules by name; both streets at once."""
    causes = [cause for cause in PEAK if cause.rule in names]
    # The troubles of one incident make three alerts: it is there for each of them.
    if causes and not any(cause.options == JAM for cause in causes) and any(cause.after == BLOCKED[1] for cause in causes):
        causes = [replace(cause, options=JAM) if cause.after == BLOCKED[1] else cause for cause in causes]
    live = [name for name in LIVE_RULES if name in names]
    found: list[Outcome] = []
    with place() as (folder, url), place() as (live_folder, live_url):
        if causes:
            with Peak(folder, url, causes, seed, speed) as peak:
                if live:
                    found.append(Live(live_folder, live_url, live, seed).outcome())
                found.insert(0, peak.outcome())
        elif live:
            found.append(Live(live_folder, live_url, live, seed).outcome())
    return Outcome(
        tuple(row for one in found for row in one.rows),
        tuple(other for one in found for other in one.others),
        sum(one.alerts for one in found),
        sum(one.short for one in found),
        tuple(result for one in found for result in one.results),
    )


def main() -> int:
    """Print the table; 1 when a rule did not fire or did not clear."""
    known = [rule.name for rule in rules_of(SITE)]
    parser = argparse.ArgumentParser(
        prog="python -m tests.acceptance.rules", description=rules.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", default=",".join(known), help="names with commas; all by default")
    parser.add_argument("--seed", type=int, default=1, help="of both streets")
    parser.add_argument("--speed", type=float, default=0.0, help="of the peak; 0 is as fast as possible")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--picture", type=Path, help="file to draw the alerts of the peak into: PNG, SVG or PDF by its ending")
    arguments = parser.parse_args()
    names = arguments.rules.split(",")
    if unknown := set(names) - set(known):
        parser.error(f"--rules: {', '.join(sorted(unknown))} is no rule; allowed are {', '.join(known)}")
    outcome = show(names, arguments.seed, arguments.speed)
    print(told(outcome, arguments.markdown))
    if arguments.picture and outcome.results:
        draw(outcome.results, arguments.picture, SITE.zone)
    bad = [row.cause.rule for row in outcome.rows if not row.is_whole]
    missing = set(names) - {row.cause.rule for row in outcome.rows}
    if bad or missing:
        print(f"did not fire and clear: {', '.join([*bad, *sorted(missing)])}", file=sys.stderr)
    return 1 if bad or missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
