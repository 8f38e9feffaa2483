"""Every alert rule on every level: it answers, fires, stays without data and clears."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dashboards.rules.backtest import Backtest
from dashboards.rules.catalogue import Rule, rules_of
from dashboards.rules.evaluate import ask, backtest
from storage.migrate import migrate
from storage.site import save_site
from tests.support.databases import Database
from tests.support.pipelines import SITE, TIMEZONE

RULES: dict[str, Rule] = {rule.name: rule for rule in rules_of(SITE)}
T0 = datetime(2026, 11, 24, 4, tzinfo=UTC)  # noon on a Tuesday in Bali
MINUTE = timedelta(minutes=1)

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A migrated database with the site in it."""
    with psycopg.connect(database.url, autocommit=True, prepare_threshold=None) as opened:
        if database.level == "community":
            opened.execute("CREATE EXTENSION timescaledb")
        migrate(opened, TIMEZONE)
        with opened.transaction():
            save_site(opened, SITE)
        opened.execute("SELECT subak.ensure_day('2026-11-24')")
        yield opened


plain = pytest.mark.parametrize("database", ["plain"], indirect=True)


def add_minutes(
    connection: Connection,
    first: int,
    last: int,
    *,
    occupancy: float,
    speed: float | None,
    quality: str = "good",
    approach: str = "E",
) -> None:
    """Bins of the lanes of an approach of Dewa Ruci, minutes after T0."""
    connection.execute(
        """
        INSERT INTO subak.lane_1min
        SELECT lane_id, %(t0)s::timestamptz + n * INTERVAL '1 minute', 6, 60000, 6, (%(occupancy)s::float * 100 * 60000)::bigint, 60000,
               (coalesce(%(speed)s::float, 0) * 10 * 6)::bigint, CASE WHEN %(speed)s::float IS NULL THEN 0 ELSE 6 END, 6, 0, 0, 0, 0, 0,
               %(quality)s::text, true, 0, %(t0)s::timestamptz + (n + 2) * INTERVAL '1 minute'
        FROM analytics.lanes, generate_series(%(first)s::int, %(last)s::int) AS n
        WHERE junction = 'dewa-ruci' AND approach = %(approach)s::text AND kind = 'atc'
        """,
        {
            "t0": T0, "first": first, "last": last, "occupancy": occupancy, "speed": speed, "quality": quality, "approach": approach,
        },
    )  # fmt: skip


def device(connection: Connection, name: str) -> int:
    row = connection.execute("SELECT device_id FROM analytics.devices WHERE device = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])


def over(connection: Connection, rule: str, first: float, last: float, where: str = "") -> list[tuple[str, float, float | None]]:
    """Alerts of a rule from and to some minutes after T0: series, minutes when it fired and cleared."""
    result: Backtest = backtest(connection, RULES[rule], T0 + first * MINUTE, T0 + last * MINUTE)
    return [
        (
            " ".join(value for key, value in episode.labels if key in {"junction", "approach", "device", "condition"}),
            (episode.fired_at - T0) / MINUTE,
            None if episode.cleared_at is None else (episode.cleared_at - T0) / MINUTE,
        )
        for episode in result.episodes
        if where in str(episode.labels)
    ]


def test_every_rule_answers_for_what_is_expected_in_an_empty_database(connection: Connection) -> None:
    """One time, one number, texts; a row for each that is expected though nothing was ever heard of it."""
    approaches = sum(len(junction.approaches) for junction in SITE.junctions)
    found = {name: len(ask(connection, rule, T0)) for name, rule in RULES.items()}

    devices = len(SITE.devices)
    assert {
        "queue": approaches,
        "speed-collapse": approaches,
        "split-failures": approaches,
        "wrong-way": len(SITE.cameras),
        "stopped-vehicle": len(SITE.cameras),
        "device-silent": devices,
        "camera-condition": 8 * len(SITE.cameras),
        "sign-fault": len(SITE.signs),
        "sign-unexpected": len(SITE.signs),
        "watchdog": devices,
        "lag": 1,
        "dead-letters": devices,
        "ledger": 1,
    } == found


def test_a_queue_fires_after_its_hold_and_clears_below_the_other_threshold(connection: Connection) -> None:
    add_minutes(connection, -20, 4, occupancy=15, speed=40)
    add_minutes(connection, 5, 14, occupancy=80, speed=5)
    add_minutes(connection, 15, 40, occupancy=15, speed=40)

    # Three of five minutes stand at 9:30 (the minute of 7 is over and settled), two minutes of hold; none is left at 21:30, and two minutes more.
    assert [("dewa-ruci E", 11.5, 23.5)] == over(connection, "queue", 0, 35, "dewa-ruci")


@plain
def test_a_queue_names_signs_and_message(connection: Connection) -> None:
    add_minutes(connection, -10, 4, occupancy=80, speed=None)
    answer = ask(connection, RULES["queue"], T0 + 4 * MINUTE)
    ((labels, value),) = [(dict(labels), value) for labels, value in answer.items() if value is not None]

    assert 100.0 == value
    assert ("vms-sanur (0.8 km)", "queue-dewa-ruci") == (labels["signs"].split(", ")[0], labels["message"])
    assert "QUEUE AT / DEWA RUCI / SLOW DOWN" in labels["says"]


@plain
def test_a_queue_stays_while_nothing_valid_is_known(connection: Connection) -> None:
    """A detector that dies, or is imputed, must not give the all-clear."""
    add_minutes(connection, -20, 10, occupancy=80, speed=5)
    add_minutes(connection, 11, 20, occupancy=0, speed=None, quality="missing(device)")
    add_minutes(connection, 21, 30, occupancy=0, speed=40, quality="imputed(neighbour)")

    assert [("dewa-ruci E", 2.0, None)] == over(connection, "queue", 0, 40)


@plain
def test_suspect_minutes_never_make_a_queue(connection: Connection) -> None:
    add_minutes(connection, -20, 30, occupancy=100, speed=None, quality="suspect(locked_on)")

    assert [] == over(connection, "queue", 0, 30)


@plain
def test_a_closed_approach_is_a_queue_though_no_minute_of_it_is_valid(connection: Connection) -> None:
    """All lanes come to a stand between two minutes: no detector of an approach gets stuck with its neighbours."""
    add_minutes(connection, -20, 4, occupancy=15, speed=40)
    add_minutes(connection, 5, 14, occupancy=100, speed=None, quality="suspect(locked_on)")
    add_minutes(connection, 15, 40, occupancy=15, speed=40)

    ((series, fired, cleared),) = over(connection, "queue", 0, 35, "dewa-ruci")
    assert ("dewa-ruci E", 11.5, 23.5) == (series, fired, cleared)


@plain
def test_a_queue_that_does_not_move_at_all_is_one_where_the_lane_was_seen_to_stand(connection: Connection) -> None:
    """Occupied and nothing counted is suspect: the lane's own valid minute tells a queue from a stuck detector."""
    add_minutes(connection, -20, 4, occupancy=15, speed=40)
    for minute in range(5, 20, 3):
        add_minutes(connection, minute, minute, occupancy=90, speed=4)
        add_minutes(connection, minute + 1, minute + 2, occupancy=100, speed=None, quality="suspect(locked_on)")

    ((series, fired, cleared),) = over(connection, "queue", 0, 20)
    assert ("dewa-ruci E", True, None) == (series, 8 <= fired <= 14, cleared)


@plain
def test_a_speed_collapses_against_the_usual_of_the_slot(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO subak.lane_usual SELECT lane_id, 2, slot, 5, 90, 40, 30, 20"
        " FROM analytics.lanes, (VALUES ('12:00'::time), ('12:15'), ('12:30'), ('12:45')) AS s (slot) WHERE junction = 'dewa-ruci'"
    )
    add_minutes(connection, -20, 4, occupancy=20, speed=38)
    add_minutes(connection, 5, 24, occupancy=30, speed=12)
    add_minutes(connection, 25, 50, occupancy=20, speed=38)

    ((series, fired, cleared),) = over(connection, "speed-collapse", 0, 50)

    assert ("dewa-ruci E", True) == (series, 13 <= fired <= 18)
    assert cleared is not None
    assert 30 <= cleared <= 38


@plain
def test_without_a_usual_of_enough_weeks_nothing_is_said(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO subak.lane_usual SELECT lane_id, 2, '12:00', 2, 90, 40, 30, 20 FROM analytics.lanes WHERE junction = 'dewa-ruci'"
    )
    add_minutes(connection, -20, 14, occupancy=30, speed=5)

    assert {None} == set(ask(connection, RULES["speed-collapse"], T0 + 10 * MINUTE).values())


@plain
def test_five_split_failures_in_a_row_fire_and_one_served_cycle_clears(connection: Connection) -> None:
    failed = [False, *[True] * 5, False, *[True] * 4]
    controller = device(connection, "atc-dewa-ruci")
    for number, failure in enumerate(failed):
        row = {
            "device_id": controller, "phase": 2, "start": T0 + 2 * number * MINUTE, "green": T0 + (2 * number + 1) * MINUTE,
            "yellow": T0 + (2 * number + 1.8) * MINUTE, "end": T0 + 2 * (number + 1) * MINUTE, "split_failure": failure,
            "quality": "good",
        }  # fmt: skip
        insert(connection, "signal_cycle", row)

    assert [("dewa-ruci E", 12.0, 14.0)] == over(connection, "split-failures", 0, 24)


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """A row whose further columns are empty, or 0 where they may not be."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'subak' AND table_name = %s"
        " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
        [table],
    ).fetchall()
    empty: dict[str, Any] = {"boolean": False, "text": "", "ARRAY": [], "timestamp with time zone": T0}
    full = {name: empty.get(kind, 0) for name, kind in columns} | row
    names = ", ".join(f'"{name}"' for name in full)
    connection.execute(f"INSERT INTO subak.{table} ({names}) VALUES ({', '.join(['%s'] * len(full))})", list(full.values()))


@plain
@pytest.mark.parametrize(("rule", "kind"), [("wrong-way", "wrong_way"), ("stopped-vehicle", "stopped")])
def test_what_a_camera_sees_fires_and_clears_and_stays_while_it_is_blind(connection: Connection, rule: str, kind: str) -> None:
    camera = device(connection, "cam-dewa-ruci")
    insert(
        connection,
        "camera_event",
        {"device_id": camera, "kind": kind, "zone": "z", "onset": T0 + 2 * MINUTE, "end": T0 + 6 * MINUTE, "ended": True},
    )
    for minute, condition in [(0, "ok"), (5, "covered"), (9, "ok")]:
        insert(
            connection,
            "camera_condition",
            {"device_id": camera, "time": T0 + minute * MINUTE, "condition": condition},
        )

    ((series, fired, cleared),) = over(connection, rule, 0, 15)

    assert ("cam-dewa-ruci dewa-ruci E", True) == (series, 2 <= fired <= 2.6)
    # Over at 6, blind until 9: nobody knows before that.
    assert cleared is not None
    assert 9 < cleared <= 11.1


@plain
def test_an_event_clears_when_the_camera_is_back_after_a_restart_and_not_before(connection: Connection) -> None:
    camera = device(connection, "cam-dewa-ruci")
    onset = T0 + 2 * MINUTE
    name = f"{round(onset.timestamp() * 1e6)} stopped z"
    insert(connection, "camera_event", {"device_id": camera, "kind": "stopped", "zone": "z", "onset": onset, "ended": False})
    # Dead from 5 to 10: nobody knows whether it still stands there.
    for minute in (*range(5), *range(10, 15)):
        row = {"device_id": camera, "time": T0 + minute * MINUTE, "ongoing": [name] if 2 <= minute < 5 else []}
        insert(connection, "camera_health", row)

    ((series, fired, cleared),) = over(connection, "stopped-vehicle", 0, 15)

    assert ("cam-dewa-ruci dewa-ruci E", True) == (series, 2 <= fired <= 3)
    assert cleared is not None
    assert 10 < cleared <= 12
    assert {None} == {
        value
        for labels, value in ask(connection, RULES["stopped-vehicle"], T0 + 8 * MINUTE).items()
        if "cam-dewa-ruci" in str(labels)
    }


@plain
def test_a_turned_camera_is_told_and_is_told_to_be_back(connection: Connection) -> None:
    camera = device(connection, "cam-dewa-ruci")
    for minute, condition in [(0, "ok"), (3, "moved"), (10, "ok")]:
        insert(
            connection,
            "camera_condition",
            {"device_id": camera, "time": T0 + minute * MINUTE, "condition": condition},
        )

    ((series, fired, cleared),) = over(connection, "camera-condition", 0, 15)

    assert ("cam-dewa-ruci dewa-ruci moved", True, True) == (series, 4 <= fired <= 4.2, 11 <= (cleared or 0) <= 11.2)


@plain
def test_a_device_that_falls_silent_fires_though_nothing_comes_from_it(connection: Connection) -> None:
    for name in ("atc-dewa-ruci", "atc-canggu"):
        number = device(connection, name)
        for minute in range(-5, 31):
            if name == "atc-canggu" or not 5 <= minute < 15:
                insert(connection, "ledger", {"device_id": number, "minute": T0 + minute * MINUTE, "received": 6, "stored": 6})

    assert [("atc-dewa-ruci", 9.0, 16.0)] == [
        alert for alert in over(connection, "device-silent", 0, 28) if alert[0] in {"atc-dewa-ruci", "atc-canggu"}
    ]


@plain
def test_a_faulty_sign_and_one_that_shows_something_else(connection: Connection) -> None:
    sign = device(connection, "vms-sanur")

    def step(minute: float, kind: str, **values: object) -> None:
        insert(
            connection,
            "sign_message",
            {"device_id": sign, "time": T0 + minute * MINUTE, "seq": int(minute * 60), "step": kind} | values,
        )

    step(1, "command", command="c1", multi="QUEUE", lease_s=300, priority=1)
    step(1.01, "result", command="c1", outcome="accepted")
    for tenth in range(0, 200, 5):
        minute = tenth / 10
        shown = "" if minute < 1 else "QUEUE" if minute < 6 else "HACKED" if 8 <= minute < 12 else ""
        step(minute, "status", multi=shown, faults=["lamp"] if 4 <= minute < 9 else [])

    ((_, fault_fired, fault_cleared),) = over(connection, "sign-fault", 0, 19)
    ((_, fired, cleared),) = over(connection, "sign-unexpected", 0, 19)
    assert (5 <= fault_fired <= 5.5, 9 < (fault_cleared or 0) <= 10.5) == (True, True)
    assert (9 <= fired <= 9.5, 12 < (cleared or 0) <= 13) == (True, True)


@plain
def test_dead_letters_and_an_unbalanced_ledger(connection: Connection) -> None:
    number = device(connection, "atc-canggu")
    for minute in range(-5, 40):
        rejected = 10 if 5 <= minute < 9 else 0
        wrong = int(minute == 7)
        insert(
            connection,
            "ledger",
            {
                "device_id": number, "minute": T0 + minute * MINUTE, "received": 6 + rejected + wrong, "stored": 6, "rejected": rejected,
            },
        )  # fmt: skip

    assert [("atc-canggu", 7.0, 20.0)] == over(connection, "dead-letters", 0, 30)
    assert [("", 7.0, 67.0)] == over(connection, "ledger", 0, 80)


@plain
def test_lag_fires_when_minutes_no_longer_close(connection: Connection) -> None:
    add_minutes(connection, -20, 4, occupancy=15, speed=40)
    add_minutes(connection, 12, 30, occupancy=15, speed=40)

    # The minute of 4 ended at 5; four minutes later it is too old, and it must hold for one.
    ((_, fired, cleared),) = over(connection, "lag", 0, 25)
    assert (True, True) == (10 <= fired <= 10.5, 14 <= (cleared or 0) <= 15.5)


@plain
def test_an_open_finding_of_the_watchdog_is_told(connection: Connection) -> None:
    number = device(connection, "atc-canggu")
    (site_id,) = connection.execute("SELECT site_id FROM subak.site").fetchone() or (0,)
    values = {"site_id": site_id, "device_id": number, "audience": "technician", "severity": "warning"}
    insert(
        connection,
        "alert",
        values
        | {"rule": "watchdog:comm_loss", "onset": T0 + 2 * MINUTE, "end": T0 + 8 * MINUTE, "announced_at": T0 + 2 * MINUTE},
    )
    insert(connection, "alert", values | {"rule": "watchdog:stuck", "onset": T0 + 2 * MINUTE, "suppressed": "repeat"})

    assert [("atc-canggu", 2.0, 9.0)] == over(connection, "watchdog", 0, 20)


@plain
def test_a_reader_may_ask_every_rule(connection: Connection) -> None:
    connection.execute("SET ROLE subak_reader")

    assert all(ask(connection, rule, T0) for rule in RULES.values())
