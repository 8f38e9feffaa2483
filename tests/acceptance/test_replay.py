"""Real input: the Oregon events that the package atspm ships, through the whole program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.streets import rows
from tests.support.brokers import Mosquitto
from tests.support.databases import Database
from tests.support.pipelines import Program, pipeline_program, verified
from tests.support.waiting import until

EVENTS = 37_152  # rows of atspm's sample_raw_data.parquet, exact repetitions and all


@pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)
def test_every_event_of_the_package_is_stored_once(tmp_path: Path, broker: Mosquitto, database: Database) -> None:
    replay = Program(tmp_path / "replay.log", ["replay", "--atspm"], SUBAK_MQTT_URL=broker.url)
    with pipeline_program(tmp_path, broker.url, database.url) as pipeline:
        until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
        for times in (1, 2):
            with replay:
                assert 0 == replay.wait(60)
            until(
                lambda times=times: (
                    rows(database.url, "SELECT count(*) FROM subak.ledger WHERE received > 0")  # type: ignore[misc]
                    and rows(database.url, "SELECT coalesce(sum(received), 0) FROM analytics.ledger")[0][0] >= 6562 * times
                ),
                what="all messages in the ledger",
            )
            assert [(EVENTS,)] == rows(database.url, "SELECT count(*) FROM analytics.signal_events")
        assert 0 == pipeline.stop()

    ledger, _ = verified(database.url)
    assert (True, 0) == (ledger.balanced, ledger.lost)
    assert ledger.duplicate == ledger.stored
