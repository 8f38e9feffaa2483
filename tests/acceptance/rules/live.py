"""The street in real time, with a cause for every rule that looks at arrival or at the pipeline itself."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from pyarrow import parquet

from config.settings import DEFAULT_SITE
from config.site import load_site
from dashboards.rules.evaluate import ask, condition_of
from dashboards.rules.state import Machine
from tests.acceptance.rules.rows import Cause, Other, Outcome, Row, matches, row_of, rules_named
from tests.support.brokers import Mosquitto
from tests.support.pipelines import SITE, Program, pipeline_program
from tests.support.waiting import until

LIVE = """
rules:
  device-silent:
    hold: {value: 2, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
    keep: {value: 4, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
    values:
      periods: {value: 1, unit: periods, source: tests/acceptance/rules.py, date: 2026-11-24}
      least: {value: 12, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
      no_period: {value: 60, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
  dead-letters:
    fire: {value: 5, unit: messages, source: tests/acceptance/rules.py, date: 2026-11-24}
    keep: {value: 4, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
    values:
      window: {value: 1, unit: min, source: tests/acceptance/rules.py, date: 2026-11-24}
  lag:
    fire: {value: 130, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
    clear: {value: 110, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
    hold: {value: 4, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
    keep: {value: 4, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
  watchdog:
    keep: {value: 4, unit: s, source: tests/acceptance/rules.py, date: 2026-11-24}
"""

LIVE_RULES = ("device-silent", "dead-letters", "watchdog", "ledger", "lag")
EVERY_S = 2.0


class Live:
    """The street in real time, its rules asked every two seconds."""

    def __init__(self, folder: Path, database_url: str, names: Sequence[str], seed: int) -> None:
        """`names`: rules that are shown."""
        self._folder, self._url, self._names = folder, database_url, names
        site = Path(shutil.copytree(DEFAULT_SITE, folder / "site"))
        (site / "rules.yaml").write_text(LIVE, encoding="utf-8")
        self._rules = {rule.name: rule for rule in rules_named(load_site(site), names)}
        self._machines = {name: Machine(condition_of(rule)) for name, rule in self._rules.items()}
        self._seed = seed
        self._rows: list[Row] = []

    def outcome(self) -> Outcome:
        """Run it all."""
        broker = Mosquitto(self._folder)
        broker.start()
        pipeline = pipeline_program(self._folder, broker.url, self._url)
        troubles = {
            "device-silent": ("--device-fault", "atc-raya-kuta:silent:120:40"),
            "dead-letters": ("--device-fault", "atc-legian:garbled:120:40"),
            "watchdog": ("--device-fault", "atc-dewa-ruci:door:120:60"),
        }
        options = [part for name in self._names for part in troubles.get(name, ())]
        arguments = ["street", "--seed", str(self._seed), "--no-frames", "--truth", str(self._folder), *options]
        street = Program(self._folder / "street.log", arguments, SUBAK_MQTT_URL=broker.url, SUBAK_SITE=str(SITE.path))
        try:
            with pipeline:
                until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
                with street, psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as connection:
                    self._show(connection, pipeline)
                    street.stop()
                pipeline.stop()
        finally:
            broker.stop()
        episodes = [(name, episode) for name, machine in self._machines.items() for episode in machine.episodes]
        mine = [row.episode for row in self._rows]
        others = tuple(Other(name, episode, "") for name, episode in episodes if episode not in mine)
        # These thresholds are seconds: how many alerts were shorter than two minutes says nothing.
        return Outcome(tuple(self._rows), others, len(episodes), 0)

    def _show(self, connection: psycopg.Connection[Any], pipeline: Program) -> None:
        until((self._folder / "troubles.parquet").exists, 60, what="the truth of the street")
        by_device = {
            "device-silent": ("atc-raya-kuta", "the controller says nothing"),
            "dead-letters": ("atc-legian", "the controller sends what nobody can read"),
            "watchdog": ("atc-dewa-ruci", "its cabinet is open (event 175)"),
        }
        ordered_ = [name for name in self._names if name in by_device]
        self._calm(connection, ordered_)
        self._wait(
            connection,
            ordered_,
            lambda: all(self._over(name, by_device[name][0]) for name in ordered_),
            600,
            "the alerts of devices",
        )
        truth = {row["device"]: row for row in parquet.read_table(self._folder / "troubles.parquet").to_pylist()}
        notes = {
            "device-silent": "real time; allowed silence 12 s",
            "dead-letters": "real time; 5 in a window of 1 min",
            "watchdog": "real time; it looks every minute",
        }
        for name in ordered_:
            device, what = by_device[name]
            trouble = truth[device]
            cause = Cause(name, {"device": device}, what, (), 0, 0)
            self._rows.append(row_of(cause, trouble["onset"], trouble["end"], self._machines[name].episodes, notes[name]))
        if "ledger" in self._names:
            self._rows.append(self._unbalanced(connection))
        if "lag" in self._names:
            self._rows.append(self._paused(connection, pipeline))

    def _unbalanced(self, connection: psycopg.Connection[Any]) -> Row:
        """The one thing that cannot happen: a deliberate defect on the run's own database."""
        self._calm(connection, ["ledger"])
        cause = Cause("ledger", {"site": SITE.name}, "the superuser takes one stored message off a minute", (), 0, 0)
        past = (
            "SELECT device_id, minute FROM subak.ledger"
            " WHERE stored > 0 AND minute < now() - interval '2 minutes' ORDER BY minute LIMIT 1"
        )
        (device, minute) = until(
            lambda: connection.execute(past).fetchone(), 200, what="a minute of the ledger that is over"
        ) or (0, None)
        change = "UPDATE subak.ledger SET stored = stored + %s WHERE device_id = %s AND minute = %s"
        began = datetime.now(UTC)
        connection.execute(change, [-1, device, minute])
        self._wait(connection, ["ledger"], lambda: self._fired("ledger"), 60, "the alert of the ledger")
        ended = datetime.now(UTC)
        connection.execute(change, [1, device, minute])
        self._wait(connection, ["ledger"], lambda: self._over("ledger"), 60, "the all-clear of the ledger")
        return row_of(cause, began, ended, self._machines["ledger"].episodes, "a defect made by hand")

    def _paused(self, connection: psycopg.Connection[Any], pipeline: Program) -> Row:
        """The pipeline stands still (SIGSTOP) until the rule fires, and goes on (SIGCONT)."""
        self._calm(connection, ["lag"])
        cause = Cause("lag", {"site": SITE.name}, "the pipeline stands still (SIGSTOP)", (), 0, 0)
        began = datetime.now(UTC)
        os.kill(pipeline.pid, signal.SIGSTOP)
        try:
            self._wait(connection, ["lag"], lambda: self._fired("lag"), 240, "the alert of the lag")
        finally:
            os.kill(pipeline.pid, signal.SIGCONT)
        ended = datetime.now(UTC)
        self._wait(connection, ["lag"], lambda: self._over("lag"), 120, "the all-clear of the lag")
        return row_of(cause, began, ended, self._machines["lag"].episodes, "real time; fires from 130 s")

    def _wait(
        self, connection: psycopg.Connection[Any], names: Sequence[str], done: Callable[[], bool], patience_s: float, what: str
    ) -> None:
        """Ask rules at their interval until something is so."""
        deadline = time.monotonic() + patience_s
        while True:
            now = datetime.now(UTC)
            for name in names:
                self._machines[name].evaluate(now, ask(connection, self._rules[name], now))
            if done():
                return
            if time.monotonic() > deadline:
                print(f"{what}: not within {patience_s:.0f} s", file=sys.stderr)
                return
            time.sleep(EVERY_S)

    def _calm(self, connection: psycopg.Connection[Any], names: Sequence[str]) -> None:
        """Until none of the rules fires: at the start of a run everything was silent, and nothing complete, until now."""
        self._wait(connection, names, lambda: not any(self._machines[name].alerting for name in names), 240, "calm")
        for name in names:
            self._machines[name].episodes.clear()

    def _fired(self, name: str) -> bool:
        return bool(self._machines[name].episodes)

    def _over(self, name: str, device: str | None = None) -> bool:
        return any(
            episode.cleared_at is not None and (device is None or matches(episode.labels, {"device": device}))
            for episode in self._machines[name].episodes
        )
