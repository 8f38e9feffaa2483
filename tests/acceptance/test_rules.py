"""Devices of the street fail and recover: the alert rules tell, as Grafana would evaluate them on the live system."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from config.settings import DEFAULT_SITE
from config.site import load_site
from dashboards.rules.catalogue import rules_of
from dashboards.rules.evaluate import ask, backtest, condition_of
from dashboards.rules.state import Labels, Machine, State
from tests.acceptance.rules.peak import ordered
from tests.acceptance.rules.rows import matches, rules_named
from tests.acceptance.streets import START, Truth, all_stored, drive
from tests.support.brokers import Mosquitto
from tests.support.databases import Database
from tests.support.pipelines import Program, pipeline_program
from tests.support.waiting import until

DEVICE = "atc-raya-kuta"  # reports every 5 s
# The shipped thresholds are minutes: the same rule with seconds.
QUICK = """
rules:
  device-silent:
    hold: {value: 2, unit: s, source: this test, date: 2026-11-24}
    keep: {value: 2, unit: s, source: this test, date: 2026-11-24}
    values:
      periods: {value: 1, unit: periods, source: this test, date: 2026-11-24}
      least: {value: 8, unit: s, source: this test, date: 2026-11-24}
"""


def test_a_silent_device_fires_and_clears_on_the_live_street(tmp_path: Path, broker: Mosquitto, plain_database: Database) -> None:
    folder = Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))
    (folder / "rules.yaml").write_text(QUICK, encoding="utf-8")
    rule = next(rule for rule in rules_of(load_site(folder)) if rule.name == "device-silent")
    machine = Machine(condition_of(rule))

    def state() -> State:
        """One evaluation, now."""
        now = datetime.now(UTC)
        answer = ask(connection, rule, now)
        (labels,) = [labels for labels in answer if ("device", DEVICE) in labels]
        found: dict[Labels, float | None] = {labels: answer[labels]}
        machine.evaluate(now, found)
        time.sleep(0.5)  # the rule's interval
        return machine.state(labels)

    def street() -> Program:
        """In real time; not started yet."""
        arguments = ["street", "--seed", "3", "--no-frames", "--quiet"]
        return Program(tmp_path / "street.log", arguments, SUBAK_MQTT_URL=broker.url, SUBAK_SITE=str(DEFAULT_SITE))

    with pipeline_program(tmp_path, broker.url, plain_database.url) as pipeline:
        until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
        with psycopg.connect(plain_database.url, autocommit=True, prepare_threshold=None) as connection:
            with street():
                until(lambda: state() is State.NORMAL, 60, what="the device is heard")
                before = list(machine.episodes)
            # The street has ended without a word: nothing comes any more, and no row of it either.
            until(lambda: state() is State.ALERTING, 60, what="an alert")
            with street():
                until(lambda: state() is State.NORMAL, 60, what="the all-clear")
        pipeline.stop()

    episode = machine.episodes[-1]
    assert len(before) + 1 == len(machine.episodes)
    assert episode.cleared_at is not None
    assert (episode.fired_at - episode.pending_at).total_seconds() >= 2
    assert (episode.cleared_at - episode.fired_at).total_seconds() >= 2
    print(f"fired {episode.fired_at}, cleared {episode.cleared_at}, extreme {episode.extreme}")


# Cause, and within which seconds of the run it must fire and clear: cameras report every 10 s, rules are asked every 10 or 30 s.
TROUBLES = [
    # A minute of it before people are told, and a minute without it before they are told that it is over.
    (ordered("camera-condition", {"device": "cam-dewa-ruci", "condition": "moved"}, "turned", "--camera-fault", "cam-dewa-ruci:turned", 30, 120), (90, 120), (210, 240)),
    (ordered("wrong-way", {"device": "cam-kerobokan-lp"}, "riders", "--camera-event", "cam-kerobokan-lp:wrong_way", 40, 50), (40, 60), (210, 260)),
    (ordered("stopped-vehicle", {"device": "cam-canggu"}, "a car", "--camera-event", "cam-canggu:stopped", 10, 160), (40, 80), (230, 280)),
    (ordered("sign-fault", {"device": "vms-sanur"}, "pixels", "--sign-fault", "vms-sanur:pixel", 20, 90), (80, 120), (170, 210)),
    (ordered("sign-unexpected", {"device": "vms-sunset"}, "a text", "--sign-fault", "vms-sunset:stray", 30, 100), (90, 130), (150, 200)),
]  # fmt: skip


def test_troubles_of_the_street_fire_and_clear(tmp_path: Path, broker: Mosquitto, plain_database: Database) -> None:
    """Each for a minute or two of the simulated evening, in one run; the rules are asked at the times Grafana would have."""
    options = [part for cause, _, _ in TROUBLES for part in cause.options]
    with (
        pipeline_program(tmp_path, broker.url, plain_database.url) as pipeline,
        drive(tmp_path, broker.url, 3, 290, "--no-frames", *options) as street,
    ):
        until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
        assert 0 == street.wait(100)
        all_stored(plain_database.url, Truth(tmp_path), lambda: pipeline.is_running)
        pipeline.stop()
    start = datetime.fromisoformat(START)

    with psycopg.connect(plain_database.url, autocommit=True, prepare_threshold=None) as connection:
        for cause, fires, clears in TROUBLES:
            (rule,) = rules_named(load_site(DEFAULT_SITE), [cause.rule])
            (episode,) = backtest(connection, rule, start, start + timedelta(seconds=290)).episodes
            assert episode.cleared_at is not None, cause.rule
            assert matches(episode.labels, cause.subject), episode.labels
            fired, cleared = ((moment - start).total_seconds() for moment in (episode.fired_at, episode.cleared_at))
            assert fires[0] <= fired <= fires[1], (cause.rule, fired)
            assert clears[0] <= cleared <= clears[1], (cause.rule, cleared)
