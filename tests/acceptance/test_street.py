"""The main job on the simulated street, against the street's own truth."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.acceptance.streets import BINS, Truth, all_stored, drive, rows, stored_messages
from tests.support.brokers import Mosquitto
from tests.support.databases import Database
from tests.support.pipelines import pipeline_program, verified
from tests.support.waiting import until

SECONDS = 300  # simulated
LONG_SECONDS = 400  # at ten times real time: long enough for ten kills
KILLS = 10
CLASSES = ("SM", "MP", "KS", "BB", "TB", "KTB")


def test_bins_equal_the_truth_for_every_lane_minute_by_class(
    tmp_path: Path, broker: Mosquitto, apache_database: Database
) -> None:
    with (
        pipeline_program(tmp_path, broker.url, apache_database.url) as pipeline,
        drive(tmp_path, broker.url, 3, SECONDS) as street,
    ):
        until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
        assert 0 == street.wait(240)
        truth = Truth(tmp_path)
        all_stored(apache_database.url, truth, lambda: pipeline.is_running)
        pipeline.stop()

    expected = {
        (row["device"], row["detector"], row["minute"]): (row["volume"], *(row[name] for name in CLASSES), row["seconds"])
        for row in truth.minutes
        if row["seconds"] == 60
    }
    found = {row[:3]: (*row[3:10], round(float(row[12]) * 60)) for row in rows(apache_database.url, BINS)}

    assert len(expected) > 300
    assert sum(row[0] for row in expected.values()) > 500
    assert expected == {key: value for key, value in found.items() if key in expected}
    assert truth.published == stored_messages(apache_database.url)


def test_faults_on_the_way_change_no_bin_and_faults_of_a_device_are_named(
    tmp_path: Path, broker: Mosquitto, plain_database: Database
) -> None:
    with (
        pipeline_program(tmp_path, broker.url, plain_database.url) as pipeline,
        drive(tmp_path, broker.url, 4, SECONDS, "--faults", "--no-frames") as street,
    ):
        until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
        assert 0 == street.wait(240)
        truth = Truth(tmp_path)
        all_stored(plain_database.url, truth, lambda: pipeline.is_running)
        pipeline.stop()

    altered = truth.altered
    expected = {
        (row["device"], row["detector"], row["minute"]): (row["volume"], *(row[name] for name in CLASSES))
        for row in truth.minutes
        if row["seconds"] == 60
        and not {(row["device"], row["detector"], row["minute"]), (row["device"], None, row["minute"])} & altered
    }
    found = {row[:3]: row[3:10] for row in rows(plain_database.url, BINS)}
    qualities = {quality for (quality,) in rows(plain_database.url, "SELECT DISTINCT quality FROM analytics.lane_1min")}
    ledger, bins = verified(plain_database.url)

    assert len(expected) > 200
    assert expected == {key: value for key, value in found.items() if key in expected}
    assert {"suspect(locked_on)", "missing(detector:open_loop)"} <= qualities
    assert (True, []) == (ledger.balanced, bins.differences)
    assert ledger.rejected > 0
    assert ledger.duplicate > 0


@pytest.mark.timeout(400)
def test_ten_kills_of_the_pipeline_lose_and_double_nothing(
    tmp_path: Path, broker: Mosquitto, plain_database: Database, apache_database: Database
) -> None:
    """The same seed twice: undisturbed on one database, with ten kill -9 at random moments on the other."""
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
    with (
        pipeline_program(tmp_path / "calm", broker.url, plain_database.url, SUBAK_CLIENT_ID="calm") as calm,
        pipeline_program(tmp_path / "killed", broker.url, apache_database.url, SUBAK_CLIENT_ID="killed") as killed,
    ):
        for pipeline in (calm, killed):
            until(lambda pipeline=pipeline: "mqtt.connected" in pipeline.log, what="a connected pipeline")  # type: ignore[misc]
        chance = random.Random(20261124)
        with drive(tmp_path, broker.url, 5, LONG_SECONDS, "--speed", "10", "--no-frames") as street:
            for number in range(1, KILLS + 1):
                until(lambda number=number: killed.log.count("mqtt.connected") >= number, what="a connected pipeline")  # type: ignore[misc]
                time.sleep(chance.uniform(0.1, 1.2))  # the moment of the fault, not a wait for an effect
                killed.kill()
                assert street.is_running, f"the street had ended before kill {number}: it must be under load"
                killed.start()
            assert 0 == street.wait(240)
        truth = Truth(tmp_path)
        all_stored(plain_database.url, truth, lambda: calm.is_running)
        all_stored(apache_database.url, truth, lambda: killed.is_running)
        calm.stop()
        killed.stop()

    assert truth.published == stored_messages(apache_database.url)
    assert rows(plain_database.url, BINS) == rows(apache_database.url, BINS)
    ledger, bins = verified(apache_database.url)
    assert (True, []) == (ledger.balanced, bins.differences)
    assert verified(plain_database.url)[0].stored == ledger.stored
