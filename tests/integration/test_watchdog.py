"""The watchdog on real databases: each fault has its onset and its end, is announced once, and ignored ones say why."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from config.alerts import Alerts, Ignored
from config.settings import DEFAULT_SITE
from config.thresholds.watchdog import watchdog_thresholds
from ingest.readings import US
from processors.alerts import Changes
from subak.watchdog import Watchdog, Watched, open_alerts, watchdog
from tests.support.databases import Database
from tests.support.pipelines import NOON_US, SITE, Bench

NOW = NOON_US - 9 * 3600 * US + 300 * US  # 03:05 in Bali, a Tuesday
MINUTE = 60 * US
HOUR = 60 * MINUTE
DAY = 24 * HOUR
A, B, C, D = (controller.id for controller in SITE.controllers[:4])
ALL = 'SELECT rule, device, element, subak.us(onset), subak.us("end"), suppressed FROM analytics.alerts ORDER BY onset, rule, element'


class Street:
    """A database with the facts that a test needs, and a watchdog whose clock it moves."""

    def __init__(self, bench: Bench, site: Watched) -> None:
        self.bench = bench
        self.site = site
        self.dog = Watchdog(site, watchdog_thresholds())
        self.number = {entry.name: entry.number for entry in bench.registry}
        self.seq = 0
        for back in (-1, 0, 1, 2, 7, 8, 14, 15, 21, 22, 28, 29):
            self.execute("SELECT subak.ensure_day(%s)", (datetime.fromtimestamp(NOW / US, UTC) - timedelta(days=back)).date())

    def execute(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.bench.url, autocommit=True) as connection:
            connection.execute(statement, values)

    def event(
        self, device: str, time_us: int, code: int, parameter: int, delay_us: int = US, count: int = 1, every_us: int = US
    ) -> None:
        """Events of a controller's log, as they came."""
        self.seq += 1
        self.execute(
            "INSERT INTO subak.signal_event (device_id, time, seq, ordinal, code, parameter, future, received_at)"
            " SELECT %s, subak.at(%s::bigint + n * %s::bigint), %s, n, %s, %s, false, subak.at(%s::bigint + n * %s::bigint)"
            " FROM generate_series(0, %s - 1) AS n",
            *(self.number[device], time_us, every_us, self.seq, code, parameter, time_us + delay_us, every_us, count),
        )

    def heard(self, at_us: int, *besides: str) -> None:
        """All devices were heard, but for some."""
        self.execute(
            "INSERT INTO subak.device_state (device_id, last_received_at, presence)"
            " SELECT device_id, subak.at(%s), 'online' FROM subak.device WHERE active AND NOT name = ANY (%s)"
            " ON CONFLICT (device_id) DO UPDATE SET last_received_at = excluded.last_received_at",
            *(at_us, list(besides)),
        )

    def hour(self, device: str, start_us: int, volume: int | None) -> None:
        """One hour of the first lane of a device."""
        lane = self.bench.registry.lanes_of(self.number[device])[0]
        quality = "good" if volume is not None else "missing(lane)"
        if self.bench.level == "community":
            self.execute(
                "INSERT INTO subak.lane_1min (lane_id, start, readings, covered_ms, volume, occupancy_sum, occupancy_ms, speed_sum,"
                " speed_volume, quality, final, revised_at) SELECT %s, subak.at(%s::bigint) + n * INTERVAL '1 minute', 6, 60000, %s, 0, 0, 0, 0,"
                " %s, true, now() FROM generate_series(0, 59) AS n",
                *(lane, start_us, None if volume is None else volume // 60, quality),
            )
            return
        counts = (60, 0) if volume is not None else (0, 60)
        self.execute(
            "INSERT INTO subak.lane_1h (lane_id, start, minutes, good, partial, suspect, imputed, missing, covered_ms, volume,"
            " occupancy_sum, occupancy_ms, speed_sum, speed_volume, revision)"
            " VALUES (%s, subak.at(%s), 60, %s, 0, 0, 0, %s, 3600000, %s, 0, 0, 0, 0, 0)",
            *(lane, start_us, *counts, volume),
        )

    def look(self, now_us: int) -> Changes:
        with psycopg.connect(self.bench.url, autocommit=True) as connection:
            return self.dog.look(connection, now_us)

    def told(self, now_us: int) -> list[tuple[str, str, str]]:
        """What a look announces: rule, device and element."""
        names = {number: name for name, number in self.number.items()} | {0: ""}
        return sorted((a.rule.partition(":")[2], names[a.device], a.element) for a in self.look(now_us).announced(now_us))

    def told_of(self, rule: str, now_us: int) -> list[tuple[str, str, str]]:
        """Those of one rule."""
        return [told for told in self.told(now_us) if told[0] == rule]

    def alerts(self, *rules: str) -> list[tuple[Any, ...]]:
        return [row for row in self.bench.rows(ALL) if not rules or row[0] in rules]


@pytest.fixture
def street(database: Database) -> Street:
    """On each level in turn."""
    if database.level == "community":
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
    return Street(Bench(database.url), Watched.of(DEFAULT_SITE))


def test_each_fault_has_its_onset_and_its_end(street: Street) -> None:
    lane_a, lane_b = (f"lane:{controller.detectors[0].id}" for controller in SITE.controllers[:2])
    hour = NOW // HOUR * HOUR - HOUR
    for week in range(1, 5):
        street.hour(A, hour - 7 * week * DAY, 600)
    street.hour(A, hour, 60)
    street.hour(B, hour, None)
    # A night of ends by gap, with one phase that always runs out and a button that is always pressed.
    street.event(A, NOW - 59 * MINUTE, 4, 2, count=30, every_us=60 * US)
    street.event(A, NOW - 59 * MINUTE, 5, 4, count=30, every_us=60 * US)
    street.event(A, NOW - 90 * MINUTE, 4, 4)
    street.event(A, NOW - 59 * MINUTE, 6, 6, count=30, every_us=60 * US)
    street.event(A, NOW - 90 * MINUTE, 4, 6)
    street.event(A, NOW - 59 * MINUTE, 45, 2, count=58, every_us=60 * US)
    # What controllers say of themselves, and a clock that is 310 s ahead.
    street.event(A, NOW - 9 * MINUTE, 86, 5)
    street.event(A, NOW - 8 * MINUTE, 173, 5)
    street.event(A, NOW - 7 * MINUTE, 182, 0)
    street.event(A, NOW - 7 * MINUTE + 4 * US, 184, 0)
    street.event(A, NOW - 2 * US, 82, 1)
    street.event(B, NOW - 20 * MINUTE, 90, 2)
    street.event(B, NOW - 2 * US, 82, 1)
    street.event(C, NOW + 310 * US, 82, 1, delay_us=-310 * US)
    street.event(SITE.controllers[4].id, NOW - 40 * MINUTE, 82, 1)
    street.heard(NOW - 400 * US)
    street.heard(NOW, D)

    assert [
        ("clock_drift", C, ""),
        ("comm_loss", D, ""),
        ("detector_fault", A, "detector:5"),
        ("events_missing", SITE.controllers[4].id, ""),
        ("flash", A, ""),
        ("force_off", A, "phase:6"),
        ("low_count", A, lane_a),
        ("max_out", A, "phase:4"),
        ("minutes_missing", B, lane_b),
        ("pedestrian_calls", A, "phase:2"),
        ("pedestrian_stuck", B, "pedestrian:2"),
        ("power_failure", A, ""),
    ] == street.told(NOW)
    # The same again changes nothing, and neither does a watchdog that has just started.
    street.dog = Watchdog(street.site, watchdog_thresholds())
    assert Changes([], []) == street.look(NOW + US)

    # All is well again.
    street.event(A, NOW + 10 * US, 83, 5)
    street.event(A, NOW + 20 * US, 173, 2)
    street.event(B, NOW + 30 * US, 89, 2)
    street.hour(A, hour + HOUR, 600)
    street.hour(B, hour + HOUR, 600)
    later = NOW + HOUR
    for week in range(1, 5):
        street.hour(A, hour + HOUR - 7 * week * DAY, 600)
    for phase in (2, 4, 6):
        street.event(A, later - 59 * MINUTE, 4, phase, count=30, every_us=120 * US)
    # What compares hours looks once a quarter.
    for minute in (0, 1, 2, 3, 15):
        street.heard(later + minute * MINUTE)
        for controller in SITE.controllers:
            street.event(controller.id, later + minute * MINUTE - 2 * US, 82, 1)
        assert [] == street.told(later + minute * MINUTE)
    ends = {(rule.partition(":")[2], element): end for rule, _, element, _, end, _ in street.alerts()}
    assert {
        ("clock_drift", ""): later,
        ("comm_loss", ""): later,
        ("detector_fault", "detector:5"): NOW + 10 * US,
        ("events_missing", ""): later,
        ("flash", ""): NOW + 20 * US,
        ("force_off", "phase:6"): later,
        ("low_count", lane_a): later,
        ("max_out", "phase:4"): later,
        ("minutes_missing", lane_b): later,
        ("pedestrian_calls", "phase:2"): later,
        ("pedestrian_stuck", "pedestrian:2"): NOW + 30 * US,
        ("power_failure", ""): NOW - 7 * MINUTE + 4 * US,
    } == ends
    onsets = {rule.partition(":")[2]: onset for rule, _, _, onset, _, _ in street.alerts()}
    assert (NOW - 9 * MINUTE, NOW - 400 * US, NOW) == (onsets["detector_fault"], onsets["comm_loss"], onsets["clock_drift"])


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_a_repeat_is_not_announced_and_an_ignored_fault_says_why_until_that_expires(street: Street) -> None:
    until = date(2026, 11, 24)
    ignored = Ignored(rule="watchdog:detector_fault", device=B, element="detector:7", reason="road works", until=until)
    street.site = replace(street.site, alerts=Alerts(ignored=(ignored,)))
    street.dog = Watchdog(street.site, watchdog_thresholds())
    street.heard(NOW)
    street.event(A, NOW - 3 * MINUTE, 86, 5)
    street.event(A, NOW - 2 * MINUTE, 83, 5)
    street.event(B, NOW - 2 * MINUTE, 86, 7)
    assert [("detector_fault", A, "detector:5")] == street.told_of("detector_fault", NOW)

    # It comes again within the day: recorded, and not announced.
    street.event(A, NOW + 3 * MINUTE, 86, 5)
    street.heard(NOW + 4 * MINUTE)
    assert [] == street.told_of("detector_fault", NOW + 4 * MINUTE)
    assert [
        (NOW - 3 * MINUTE, NOW - 2 * MINUTE, None),
        (NOW - 2 * MINUTE, None, "ignored: road works"),
        (NOW + 3 * MINUTE, None, "repeat"),
    ] == [row[3:] for row in street.alerts("watchdog:detector_fault")]

    # The list is over at the local midnight after 24 November, 20:55 hours from now.
    midnight = NOW + 20 * HOUR + 55 * MINUTE
    street.heard(midnight)
    assert [] == street.told_of("detector_fault", midnight - US)
    assert [("detector_fault", B, "detector:7")] == street.told_of("detector_fault", midnight)
    # A fault that lasts is announced when the time for repeats is over.
    street.heard(NOW + DAY)
    assert [] == street.told_of("detector_fault", NOW + DAY - US)
    assert [("detector_fault", A, "detector:5")] == street.told_of("detector_fault", NOW + DAY)
    with psycopg.connect(street.bench.url, autocommit=True) as connection:
        shown = {(row.device, row.element, row.suppressed) for row in open_alerts(connection, SITE.name)}
    assert {(A, "detector:5", None), (B, "detector:7", None)} <= shown

    # An end that came days later still finds its onset.
    street.event(B, NOW + DAY + MINUTE, 83, 7)
    street.heard(NOW + DAY + 2 * MINUTE)
    street.look(NOW + DAY + 2 * MINUTE)
    assert [(NOW - 2 * MINUTE, NOW + DAY + MINUTE)] == [
        row[3:5] for row in street.alerts("watchdog:detector_fault") if row[2] == "detector:7"
    ]


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_the_command_shows_what_is_wrong_now(
    street: Street, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUBAK_DATABASE_URL", street.bench.url)
    assert 0 == watchdog()
    assert "nothing is wrong" in capsys.readouterr().out
    street.execute(
        "INSERT INTO subak.device_state (device_id, last_received_at) VALUES (%s, now() - INTERVAL '1 hour')", street.number[A]
    )
    street.execute("INSERT INTO subak.device_state (device_id, last_received_at) VALUES (%s, now())", street.number[B])
    assert 1 == watchdog(json=True)
    result = json.loads(capsys.readouterr().out)
    assert (1, 1, [("watchdog:comm_loss", A)]) == (
        result["begun"],
        result["announced"],
        [(row["rule"], row["device"]) for row in result["open"]],
    )
    assert 1 == watchdog()
    assert "comm_loss" in capsys.readouterr().out
