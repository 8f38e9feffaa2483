"""A simulated Monday peak with a cause for every rule that looks at the field's time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psycopg
from pyarrow import parquet

from dashboards.rules.backtest import Backtest
from dashboards.rules.evaluate import backtest
from dashboards.rules.state import Episode
from tests.acceptance.rules.rows import Cause, Other, Outcome, Row, row_of, rules_named
from tests.acceptance.streets import START, Truth, all_stored, drive, measured_until
from tests.support.brokers import Mosquitto
from tests.support.pipelines import SITE, pipeline_program
from tests.support.waiting import until

BEGIN = datetime.fromisoformat(START)
PEAK_S = 3300
CALM_S = 900
"""Seconds of the peak before the incident: what is usual, for the rule that compares with it."""

BLOCKED = ("sanur-to-dewa-ruci", CALM_S, 600)
"""Link, begin and length of the incident: all three lanes are blocked at the stop line of Dewa Ruci's approach E; motorcycles squeeze past."""


QUEUE_M = 40.0
"""Metres of standing queue in the truth from which an alert that was not ordered has its cause: the queue reaches the detectors."""


def ordered(rule: str, subject: Mapping[str, str], what: str, option: str, trouble: str, after: int, lasts: int) -> Cause:
    """A cause by one option of the street."""
    return Cause(rule, subject, what, (option, f"{trouble}:{after}:{lasts}"), after, lasts)


JAM = tuple(part for lane in (0, 1, 2) for part in ("--incident", f"{BLOCKED[0]}:{lane}:{BLOCKED[1]}:{BLOCKED[2]}:4"))
_APPROACH = {"junction": "dewa-ruci", "approach": "E"}

PEAK = (
    Cause("queue", _APPROACH, "all lanes blocked at the stop line", JAM, *BLOCKED[1:]),
    Cause("speed-collapse", _APPROACH, "the same", (), *BLOCKED[1:]),
    Cause("split-failures", _APPROACH, "the same", (), *BLOCKED[1:]),
    ordered("stopped-vehicle", {"device": "cam-canggu"}, "a car breaks down", "--camera-event", "cam-canggu:stopped", 300, 240),
    ordered(
        "wrong-way",
        {"device": "cam-kerobokan-lp"},
        "motorcycles come against the traffic",
        "--camera-event",
        "cam-kerobokan-lp:wrong_way",
        420,
        60,
    ),
    ordered(
        "camera-condition",
        {"device": "cam-sunset-patih-jelantik", "condition": "moved"},
        "the camera is turned aside",
        "--camera-fault",
        "cam-sunset-patih-jelantik:turned",
        540,
        150,
    ),
    ordered("sign-fault", {"device": "vms-sanur"}, "the sign reports failed pixels", "--sign-fault", "vms-sanur:pixel", 300, 180),
    ordered(
        "sign-unexpected",
        {"device": "vms-kerobokan"},
        "somebody at the cabinet shows a text",
        "--sign-fault",
        "vms-kerobokan:stray",
        600,
        180,
    ),
)
"""One run of the peak; they do not disturb each other, being far apart."""


class Peak:
    """The simulated Monday: started, driven beside whatever else is done, and asked afterwards."""

    def __init__(self, folder: Path, database_url: str, causes: Sequence[Cause], seed: int, speed: float) -> None:
        """`causes`: what is done in it."""
        self._folder, self._url, self._causes = folder, database_url, causes
        self._broker = Mosquitto(folder)
        self._broker.start()
        self._pipeline = pipeline_program(folder, self._broker.url, database_url)
        options = [part for cause in causes for part in cause.options]
        # The usual and the true cause of split failures need the whole run; the troubles of devices are over sooner.
        self.seconds = PEAK_S if any(cause.after + cause.lasts > CALM_S for cause in causes) else CALM_S + 180
        self._street = drive(folder, self._broker.url, seed, self.seconds, "--no-frames", "--speed", f"{speed:g}", *options)

    def __enter__(self) -> Self:
        """Start everything."""
        self._pipeline.start()
        until(lambda: "mqtt.connected" in self._pipeline.log, what="a connected pipeline")
        self._street.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        for program in (self._street, self._pipeline):
            if program.is_running:
                program.kill()
        self._broker.stop()

    def outcome(self, patience_s: float = 3600.0) -> Outcome:
        """Wait for the end of the street and ask every rule at the times of the peak."""
        assert self._street.wait(patience_s) == 0, self._street.log[-2000:]
        all_stored(self._url, Truth(self._folder), lambda: self._pipeline.is_running)
        until(measured_until(self._url, "SELECT max(time) FROM analytics.signal_events"), 240, what="every controller measured")
        self._pipeline.stop()
        rows: list[Row] = []
        others: list[Other] = []
        results: list[Backtest] = []
        end = BEGIN + timedelta(seconds=self.seconds)
        with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as connection:
            make_usual(connection)
            for rule in rules_named(SITE, {cause.rule for cause in self._causes}):
                result = backtest(connection, rule, BEGIN, end)
                results.append(result)
                mine = [self._row(cause, result.episodes) for cause in self._causes if cause.rule == rule.name]
                rows += mine
                others += [
                    Other(rule.name, episode, self._why(rule.name, episode))
                    for episode in result.episodes
                    if episode not in [row.episode for row in mine]
                ]
        alerts, short = sum(len(result.episodes) for result in results), sum(result.short for result in results)
        return Outcome(tuple(rows), tuple(others), alerts, short, tuple(results))

    def _row(self, cause: Cause, episodes: Sequence[Episode]) -> Row:
        began = BEGIN + timedelta(seconds=cause.after)
        notes = {
            "speed-collapse": "usual = the calm 17:02-17:15 of this run",
            "stopped-vehicle": "asked as history; the camera tells of it 120 s after it began",
        }
        note = notes.get(cause.rule, "")
        return row_of(cause, began, began + timedelta(seconds=cause.lasts), episodes, note)

    def _why(self, rule: str, episode: Episode) -> str:
        """What the street's truth says of an alert that was not ordered; empty when it knows no cause."""
        labels = dict(episode.labels)
        since = episode.pending_at - timedelta(minutes=8)
        if rule == "split-failures":
            greens = parquet.read_table(self._folder / "greens.parquet").to_pylist()
            failed = [
                green
                for green in greens
                if (green["junction"], str(green["phase"])) == (labels["junction"], labels["phase"])
                and since <= green["green"] <= episode.fired_at
                and green["left"]
            ]
            return (
                f"{len(failed)} greens before it left {sum(one['left'] for one in failed)} vehicles" if len(failed) >= 2 else ""
            )
        began = BEGIN + timedelta(seconds=BLOCKED[1])
        if rule == "stopped-vehicle" and labels["junction"] == _APPROACH["junction"] and episode.fired_at >= began:
            return "the blocked lanes, seen by the camera that looks at them"
        if rule in ("queue", "speed-collapse", "stopped-vehicle"):
            queues = parquet.read_table(self._folder / "queues.parquet").to_pylist()
            metres = max(
                (
                    queue["queue_m"]
                    for queue in queues
                    if (queue["junction"], queue["approach"]) == (labels["junction"], labels["approach"])
                    and since <= queue["minute"] <= episode.fired_at
                ),
                default=0.0,
            )
            return f"a queue of {metres:.0f} m" if metres >= QUEUE_M else ""
        return ""


def make_usual(connection: psycopg.Connection[Any]) -> None:
    """What is usual on Mondays, from the calm quarter before the incident: no street runs for six weeks in a test."""
    connection.execute("DELETE FROM subak.lane_usual")
    connection.execute(
        "INSERT INTO subak.lane_usual (lane_id, weekday, slot, samples, volume_median, speed_median)"
        " SELECT l.lane_id, 1, s.slot, 3, 15 * avg(b.volume), sum(b.volume * b.speed) / nullif(sum(b.volume) FILTER (WHERE b.speed IS NOT NULL), 0)"
        " FROM analytics.lanes l JOIN analytics.lane_1min b USING (lane_id)"
        " CROSS JOIN (VALUES (time '17:00'), (time '17:15'), (time '17:30'), (time '17:45')) AS s (slot)"
        " WHERE b.final AND b.start >= %s AND b.start < %s GROUP BY l.lane_id, s.slot",
        [BEGIN + timedelta(seconds=120), BEGIN + timedelta(seconds=CALM_S)],
    )
