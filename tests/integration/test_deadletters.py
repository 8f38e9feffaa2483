"""`subak deadletters` on a real broker and real databases: a message that could not become facts becomes some after the fix."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.errors import ConfigError
from config.settings import DEFAULT_SITE
from storage.deadletters import Choice, find
from subak.deadletters import list_ as list_letters
from subak.deadletters import purge, readable, redrive, show
from tests.integration.test_seeing import publish
from tests.support.brokers import Mosquitto
from tests.support.databases import Database
from tests.support.mqtt import RawClient
from tests.support.pipelines import CONTROLLER, SITE, TOPIC, Bench, detectors, pipeline_program, verified
from tests.support.waiting import until

ON_PLAIN = pytest.mark.parametrize("database", ["plain"], indirect=True)
LANE = CONTROLLER.detectors[0].id


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What a command printed since the last look."""
    return lambda: capsys.readouterr().out


@pytest.fixture
async def bench(database: Database, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A pipeline with some dead letters, and the environment of a technician."""
    monkeypatch.setenv("SUBAK_DATABASE_URL", database.url)
    monkeypatch.setenv("SUBAK_MQTT_URL", broker.url)
    made = Bench(database.url)
    await made.send(b'{"seq": 1, "cut', detectors(1, made.now_us - 10_000_000))
    await made.send(b"\xff\xfe\x00binary", b'{"seq": 2, "cut', topic=TOPIC)
    await made.send(b"{}", topic=f"subak/v1/{SITE.name}/atc/nobody/detectors")
    await made.send(b"not a word", topic=f"subak/v1/{SITE.name}/atc/{CONTROLLER.id}/presence")
    await made.send(b'{"command"', topic=f"subak/v1/{SITE.name}/vms/{SITE.signs[0].id}/command")
    await made.send(b"\xff\xd8\xff" + bytes(100), topic=TOPIC)
    await made.close()
    return made


def numbers(url: str, **choice: Any) -> list[int]:
    with psycopg.connect(url) as connection:
        return [letter.number for letter in find(connection, Choice(**choice))]


@pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)
def test_a_message_for_an_unknown_lane_is_stored_after_the_site_was_corrected(
    database: Database,
    broker: Mosquitto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[], str],
) -> None:
    folder = tmp_path / "site"
    shutil.copytree(DEFAULT_SITE, folder)
    controllers = folder / "controllers.yaml"
    correct = controllers.read_text(encoding="utf-8")
    line = next(text for text in correct.splitlines(keepends=True) if f"id: {LANE}," in text)
    controllers.write_text(correct.replace(line, "", 1), encoding="utf-8")
    monkeypatch.setenv("SUBAK_DATABASE_URL", database.url)
    monkeypatch.setenv("SUBAK_MQTT_URL", broker.url)
    message = detectors(0, time.time_ns() // 60_000_000_000 * 60_000_000 - 120_000_000, lanes={LANE: {"volume": 7}})

    def rows(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database.url) as connection:
            return connection.execute(query).fetchall()

    program = pipeline_program(tmp_path, broker.url, database.url, SUBAK_SITE=str(folder), SUBAK_METRICS_PORT="0")
    with program:
        until(lambda: "mqtt.connected" in program.log, what="a connected collector")
        publish(broker, [(TOPIC, message)])
        until(lambda: rows("SELECT reason FROM analytics.dead_letters") == [("unknown_lane",)], what="a dead letter")
        program.stop()
        controllers.write_text(correct, encoding="utf-8")
        program.start()
        until(lambda: program.log.count("mqtt.connected") == 2, what="the corrected collector")
        assert 0 == redrive(reason="unknown_lane", yes=True)
        until(lambda: rows("SELECT volume FROM analytics.lane_readings") == [(7,)], what="the lane's reading")
        program.stop()

    assert "1 of 1 messages published again" in told()
    assert [(2, 1, 0, 1)] == rows(
        "SELECT sum(received)::int, sum(stored)::int, sum(duplicate)::int, sum(rejected)::int FROM analytics.ledger"
    )
    assert [(1, True)] == rows("SELECT redriven, redriven_at IS NOT NULL FROM analytics.dead_letters")
    ledger, bins = verified(database.url)
    assert ([], []) == (ledger.differences, bins.differences)


@ON_PLAIN
def test_letters_are_listed_by_reason_device_and_time(bench: Bench, told: Callable[[], str]) -> None:
    list_letters(json=True)
    every = json.loads(told())
    assert 7 == len(every)
    assert sorted((letter["number"] for letter in every), reverse=True) == [letter["number"] for letter in every]

    list_letters(reason="unknown_device", json=True)
    assert [("(unknown)", "unknown_device")] == [(letter["device"], letter["reason"]) for letter in json.loads(told())]
    list_letters(device=CONTROLLER.id, reason="not_json", json=True)
    assert 2 == len(json.loads(told()))
    list_letters(since="2026-11-24T12:00+08:00", json=True)
    assert 7 == len(json.loads(told()))
    list_letters(since="2035-01-01T00:00Z")
    assert "no dead letters\n" == told()
    list_letters(most=3)
    shown = told()
    assert "the newest 3" in shown


@ON_PLAIN
def test_a_letter_is_shown_with_reason_advice_and_payload(bench: Bench, told: Callable[[], str]) -> None:
    show(numbers(bench.url, reason="unknown_device")[0])
    shown = told()
    assert f"subak/v1/{SITE.name}/atc/nobody/detectors" in shown
    assert "add it there or correct the device's name" in shown
    assert shown.endswith("payload of 2 bytes:\n{}\n")

    show(numbers(bench.url, reason="not_json", device=CONTROLLER.id)[0], json=True)
    assert "eyJzZXEiOiAyLCAiY3V0" == json.loads(told())["payload"]
    with pytest.raises(ConfigError, match="no dead letter 999999"):
        show(999_999)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b'{"a":[1,2]}', '{\n  "a": [\n    1,\n    2\n  ]\n}'),
        (b'{"a', '{"a'),
        ("motor \u00e9".encode(), "motor \u00e9"),
        (b"", ""),
        (b"\xff\x00", "000000  ff 00"),
        # What would move the cursor of whoever looks at it.
        (b"\x1b[2J", "000000  1b 5b 32 4a"),
        (bytes(300), "\n".join([*(f"{at:06x}  {' '.join(['00'] * 16)}" for at in range(0, 256, 16)), "…"])),
        (b"[" * 5000, "[" * 5000),
    ],
)
def test_a_payload_is_made_readable(content: bytes, shown: str) -> None:
    assert shown == readable(content)


@ON_PLAIN
def test_what_is_not_whole_or_speaks_of_its_moment_is_never_sent_again(bench: Bench, told: Callable[[], str]) -> None:
    command = f"subak/v1/{SITE.name}/vms/{SITE.signs[0].id}/command"
    with psycopg.connect(bench.url, autocommit=True) as connection:
        of_command = [letter.number for letter in find(connection, Choice()) if letter.topic == command]
        of_picture = [letter.number for letter in find(connection, Choice()) if not letter.is_whole]
        of_presence = [letter.number for letter in find(connection, Choice()) if letter.topic.endswith("/presence")]
    assert (1, 1, 1) == (len(of_command), len(of_picture), len(of_presence))

    assert 1 == redrive(*of_command, *of_picture, *of_presence)
    shown = told()
    assert 2 == shown.count("speaks of the moment at which it was sent")
    assert "only 16 of its 103 bytes are kept" in shown
    assert "nothing to send" in shown
    assert [(0,)] == bench.rows("SELECT sum(redriven)::int FROM analytics.dead_letters")


@ON_PLAIN
def test_a_message_that_nobody_would_receive_is_not_marked_as_sent(bench: Bench, told: Callable[[], str]) -> None:
    assert 1 == redrive(*numbers(bench.url, reason="not_utf8"))
    assert "nobody is subscribed" in told()
    assert [(0,)] == bench.rows("SELECT sum(redriven)::int FROM analytics.dead_letters")


@ON_PLAIN
def test_a_message_is_sent_again_once_unless_told_otherwise(bench: Bench, broker: Mosquitto, told: Callable[[], str]) -> None:
    async def listen() -> None:
        client = await RawClient.connect(broker.port, "listener")
        await client.subscribe("subak/#")
        client.abort()

    asyncio.run(listen())
    letter = numbers(bench.url, reason="not_utf8")[-1]
    assert [0, 1, 0] == [redrive(letter), redrive(letter), redrive(letter, again=True)]
    assert "it was sent again before" in told()
    assert [(2,)] == bench.rows("SELECT redriven FROM analytics.dead_letters WHERE dead_letter_id = %s", letter)


@ON_PLAIN
def test_a_broker_that_is_away_is_told_and_nothing_is_marked(bench: Bench, broker: Mosquitto, told: Callable[[], str]) -> None:
    broker.stop()
    with pytest.raises(ConfigError, match="0 of 1 messages"):
        redrive(*numbers(bench.url, reason="not_utf8"))
    assert [(0,)] == bench.rows("SELECT sum(redriven)::int FROM analytics.dead_letters")


@ON_PLAIN
def test_purged_letters_stay_in_the_ledger(bench: Bench, told: Callable[[], str]) -> None:
    purge(reason="not_json", device=CONTROLLER.id, yes=True)

    assert "2 dead letters thrown away" in told()
    assert [] == numbers(bench.url, reason="not_json", device=CONTROLLER.id)
    assert [(7, 2)] == bench.rows("SELECT sum(rejected)::int, sum(unkept)::int FROM analytics.ledger")
    assert [] == bench.verify()[0].differences


@ON_PLAIN
def test_nothing_is_purged_without_a_choice_and_a_yes(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="give numbers, or a choice"):
        purge(yes=True)
    with pytest.raises(ConfigError, match="--yes"):
        purge(reason="not_json")
    with pytest.raises(ConfigError, match="not both"):
        purge(1, reason="not_json", yes=True)
    with pytest.raises(ConfigError, match="no such reason"):
        purge(reason="not_jason", yes=True)
    with pytest.raises(ConfigError, match="needs an offset"):
        purge(older_than="2026-11-24T08:00", yes=True)
    assert 7 == len(numbers(bench.url))
