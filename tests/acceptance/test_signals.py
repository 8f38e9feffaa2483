"""Signal measures through the whole program: what the views say is what all stored events give, measured at once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import psycopg

from processors.signals import Events, Rows
from storage.signals import cycle_row, interval_row
from storage.verify_signals import verify_signals
from subak.meters import SiteMeters
from tests.acceptance.streets import Truth, all_stored, drive, measured_until, rows
from tests.support.brokers import Mosquitto
from tests.support.databases import Database
from tests.support.pipelines import SITE, Program, pipeline_program
from tests.support.waiting import until

SECONDS = 420  # simulated: four cycles of each junction and more
KILLS = 3

Found = dict[str, dict[tuple[Any, ...], Any]]


def numbers(url: str) -> dict[str, int]:
    """Controllers by name."""
    return dict(rows(url, "SELECT device, device_id FROM analytics.devices WHERE kind = 'atc'"))


def at_once(url: str, device: int) -> Found:
    """What a meter gives out that gets all stored events of a controller in one piece."""
    with psycopg.connect(url) as connection:
        begun, done = connection.execute(
            "SELECT subak.us(begun), subak.us(done_until) FROM subak.signal_progress WHERE device_id = %s", [device]
        ).fetchone() or (0, 0)
        events = connection.execute(
            "SELECT subak.us(time), code, parameter FROM analytics.signal_events WHERE device_id = %s AND time < subak.at(%s)",
            [device, done],
        ).fetchall()
    random.Random(0).shuffle(events)
    meter = SiteMeters.of(SITE, numbers(url)).begin(device, begun)
    given = meter.feed(Events.of(events), done)
    given += Rows([], meter.ahead(), [])
    return {
        "measures": {(m.measure, m.element, m.name, m.start_us): (m.value, m.quality) for m in given.measures},
        "cycles": {(c.phase, c.start_us): cycle_row(device, c) for c in given.cycles},
        "intervals": {(i.kind, i.element, i.onset_us): interval_row(device, i) for i in given.intervals},
    }


def in_views(url: str, device: int) -> Found:
    """What analysts read of the same."""
    with psycopg.connect(url) as connection:
        measures = connection.execute(
            "SELECT measure, element, name, subak.us(start), value, quality FROM analytics.signal_measures WHERE device_id = %s",
            [device],
        ).fetchall()
        cycles = connection.execute(
            """SELECT c.device_id, c.phase, subak.us(c.start), subak.us(c.green), subak.us(c.yellow), subak.us(c."end"), c.programmed_s,
                c.termination, c.green_occupancy, c.red_occupancy, c.split_failure, c.arrivals, c.arrivals_on_green, c.delay_s,
                coalesce(a.ms, '{}'), coalesce(a.detectors, '{}'), c.quality
            FROM analytics.signal_cycles c
            LEFT JOIN (
                SELECT device_id, phase, cycle_start, array_agg(round(seconds_in_cycle * 1000)::integer ORDER BY n)::text AS ms,
                    array_agg(detector ORDER BY n)::text AS detectors
                FROM (SELECT *, row_number() OVER () AS n FROM analytics.signal_arrivals) t GROUP BY 1, 2, 3
            ) a ON (a.device_id, a.phase, a.cycle_start) = (c.device_id, c.phase, c.start)
            WHERE c.device_id = %s""",
            [device],
        ).fetchall()
        intervals = connection.execute(
            'SELECT device_id, kind, element, subak.us(onset), subak.us("end"), repaired FROM analytics.signal_intervals WHERE device_id = %s',
            [device],
        ).fetchall()
    return {
        "measures": {row[:4]: row[4:] for row in measures},
        "cycles": {row[1:3]: row for row in cycles},
        "intervals": {row[1:4]: row for row in intervals},
    }


def differences(url: str) -> list[str]:
    """As `subak verify signals --hours 0` finds them."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = numbers(url)
        return verify_signals(connection, SiteMeters.of(SITE, found), list(found.values())).differences


def test_the_streets_signals_are_measured_as_if_at_once_though_the_pipeline_is_killed(
    tmp_path: Path, broker: Mosquitto, plain_database: Database
) -> None:
    url = plain_database.url
    with pipeline_program(tmp_path, broker.url, url) as pipeline:
        until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
        chance = random.Random(11)
        with drive(tmp_path, broker.url, 6, SECONDS, "--no-frames") as street:
            for number in range(1, KILLS + 1):
                stored = SECONDS * 5 * number
                until(
                    lambda stored=stored: rows(url, "SELECT count(*) FROM analytics.signal_events")[0][0] > chance.uniform(0.5, 1) * stored,  # type: ignore[misc]
                    120, what="some events",
                )  # fmt: skip
                pipeline.kill()
                pipeline.start()
            assert 0 == street.wait(240)
        all_stored(url, Truth(tmp_path), lambda: pipeline.is_running)
        until(measured_until(url, "SELECT max(time) FROM analytics.signal_events"), 120, what="everything measured")
        assert 0 == pipeline.stop()

    for controller, device in numbers(url).items():
        wanted, found = at_once(url, device), in_views(url, device)
        for name in wanted:
            assert wanted[name] == found[name], f"{controller}: {name}"
        assert len(found["cycles"]) >= 8, controller
    assert [] == differences(url)
    assert rows(url, "SELECT count(*) FROM analytics.signal_arrivals")[0][0] > 500


def test_the_packages_events_give_live_what_they_give_offline(
    tmp_path: Path, broker: Mosquitto, apache_database: Database
) -> None:
    url = apache_database.url
    replay = Program(tmp_path / "replay.log", ["replay", "--atspm"], SUBAK_MQTT_URL=broker.url)
    with pipeline_program(tmp_path, broker.url, url) as pipeline:
        until(lambda: "mqtt.connected" in pipeline.log, what="a connected pipeline")
        with replay:
            assert 0 == replay.wait(60)
        until(lambda: rows(url, "SELECT count(*) FROM analytics.signal_events") == [(37_152,)], 60, what="all events")
        until(measured_until(url, "SELECT max(time) - INTERVAL '1 minute' FROM analytics.signal_events"), 60, what="all measured")
        assert 0 == pipeline.stop()

    device = numbers(url)[SITE.controllers[0].id]
    wanted, found = at_once(url, device), in_views(url, device)
    for name in wanted:
        assert wanted[name] == found[name], name
    assert len(found["measures"]) > 1000
    assert [] == differences(url)
