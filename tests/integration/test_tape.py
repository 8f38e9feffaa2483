"""Recording from a real broker and publishing again to one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from paho.mqtt.subscribeoptions import SubscribeOptions

from config.errors import ConfigError
from ingest.mqtt.address import Address
from subak.embedded.ports import free_port
from subak.tape.atspm import load_sample, messages
from subak.tape.broker import client
from subak.tape.command import replay
from subak.tape.format import VERSION, Frame, Header, TapeReader, TapeWriter, survey
from subak.tape.player import play
from subak.tape.recorder import record
from tests.support.brokers import Mosquitto
from tests.support.waiting import until

SENT = [
    ("subak/v1/badung/app/app-permit/presence", b"online", 1, True),
    *((f"subak/v1/badung/atc/a/{n % 3}", b"%d" % n, n % 3, False) for n in range(300)),
    ("subak/v1/badung/app/app-permit/presence", b"", 1, True),
    ("subak/v1/badung/cctv/c/frame", bytes(range(256)) * 100, 0, False),
]
WAIT_S = 60


async def publish(address: Address, sent: list[tuple[str, bytes, int, bool]]) -> None:
    async with client(address, "test") as mqtt:
        for topic, payload, qos, retain in sent:
            await mqtt.publish(topic, payload, qos, retain)


async def collect(address: Address, ready: asyncio.Event, count: int) -> list[tuple[str, bytes, int, bool]]:
    """The next `count` messages as they were published."""
    got: list[tuple[str, bytes, int, bool]] = []
    async with client(address, "test") as mqtt, asyncio.timeout(WAIT_S):
        await mqtt.subscribe("subak/#", options=SubscribeOptions(qos=2, retainAsPublished=True))
        ready.set()
        async for message in mqtt.messages:
            assert isinstance(message.payload, bytes)
            got.append((message.topic.value, message.payload, message.qos, message.retain))
            if len(got) == count:
                break
    return got


def by_topic(messages: list[tuple[str, bytes, int, bool]]) -> dict[str, list[tuple[str, bytes, int, bool]]]:
    """A broker keeps the order of messages of one topic and QoS, not that between them."""
    return {topic: [message for message in messages if message[0] == topic] for topic, *_ in messages}


def mute(_: int) -> None:
    """Tell nothing."""


def start_recording(broker: Mosquitto, path: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "subak.cli", "record", str(path), "--mqtt-url", broker.url, *more]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def recorded(path: Path) -> int:
    return survey(path).messages if path.exists() and path.stat().st_size else 0


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """A tape of what was sent."""
    path = tmp_path / "sent.tape"
    with TapeWriter(path, Header(VERSION, 0, "subak/#")) as writer:
        for index, (topic, payload, qos, retain) in enumerate(SENT):
            writer.write(Frame(index * 1000, topic, qos, retain, payload))
    return path


def test_a_recording_holds_the_stream_as_it_was_sent(broker: Mosquitto, tmp_path: Path) -> None:
    address, path = Address.parse(broker.url), tmp_path / "tape"

    async def run() -> None:
        begun = asyncio.Event()
        with TapeWriter(path, Header(VERSION, 0, "subak/v1/+/#")) as writer:
            recorder = asyncio.create_task(record(writer, address, "subak/v1/+/#", None, lambda _: begun.set(), pictures=True))
            await begun.wait()
            await publish(address, SENT)
            while await asyncio.to_thread(recorded, path) < len(SENT):
                await asyncio.sleep(0.05)
            recorder.cancel()
            await asyncio.wait([recorder])

    asyncio.run(run())
    reader = TapeReader(path)
    got = [(frame.topic, frame.payload, frame.qos, frame.retain) for frame in reader]
    assert by_topic(got) == by_topic(SENT)
    assert reader.damage == ""


@pytest.mark.parametrize("speed", [0, 1, 10])
def test_a_replay_is_the_stream_again(broker: Mosquitto, tape: Path, speed: float) -> None:
    address = Address.parse(broker.url)

    async def run() -> list[tuple[str, bytes, int, bool]]:
        ready = asyncio.Event()
        collecting = asyncio.create_task(collect(address, ready, len(SENT)))
        await ready.wait()
        await play(TapeReader(tape), address, speed, mute)
        return await collecting

    assert by_topic(asyncio.run(run())) == by_topic(SENT)


def test_a_killed_recorder_leaves_a_readable_tape(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "tape"
    recorder = start_recording(broker, path)
    try:
        until(path.exists, what="the tape")
        # A retained message, so that it is recorded whether it or the recorder comes first.
        asyncio.run(publish(Address.parse(broker.url), SENT[:1]))
        until(lambda: recorded(path) == 1, what="the flushed message")
    finally:
        recorder.kill()
        recorder.wait()
    found = survey(path)
    assert found.messages == 1
    assert "tail is missing" in found.damage


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_recorder_ends_its_tape(broker: Mosquitto, tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "tape"
    recorder = start_recording(broker, path)
    asyncio.run(publish(Address.parse(broker.url), SENT[:1]))
    until(lambda: recorded(path) == 1, what="the flushed message")
    os.kill(recorder.pid, number)
    assert recorder.wait(10) == 0
    assert (survey(path).messages, survey(path).damage) == (1, "")


def test_pictures_stay_off_a_tape_unless_asked_for(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "tape"
    recorder = start_recording(broker, path)
    frame = ("subak/v1/badung/cctv/cam-canggu/frame", b"\xff\xd8\xff", 1, True)
    asyncio.run(publish(Address.parse(broker.url), [frame, SENT[0]]))
    until(lambda: recorded(path) == 1, what="the flushed message")
    recorder.send_signal(signal.SIGINT)
    recorder.wait(10)
    assert [message.topic for message in TapeReader(path)] == [SENT[0][0]]


def test_an_interrupted_replay_ends_at_once(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "slow.tape"
    with TapeWriter(path, Header(VERSION, 0, "subak/#")) as writer:
        writer.write(Frame(0, "subak/v1/badung/app/app-permit/presence", 1, True, b"online"))
        writer.write(Frame(3_600_000_000, "subak/v1/badung/app/app-permit/presence", 1, True, b"shutdown"))
    command = [sys.executable, "-m", "subak.cli", "replay", str(path), "--mqtt-url", broker.url]
    player = subprocess.Popen(command, stderr=subprocess.PIPE)
    [first] = asyncio.run(collect(Address.parse(broker.url), asyncio.Event(), 1))
    assert first[1] == b"online"
    player.send_signal(signal.SIGINT)
    _, said = player.communicate(timeout=10)
    assert player.returncode == 130
    assert b"1 of 2 messages published and acknowledged" in said
    assert b"Traceback" not in said


def test_a_recording_ends_after_its_duration(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "tape"
    assert start_recording(broker, path, "--duration", "0.2").wait(20) == 0
    assert (survey(path).messages, survey(path).damage) == (0, "")


def test_atspm_arrives_whole(broker: Mosquitto) -> None:
    pytest.importorskip("atspm")
    address = Address.parse(broker.url)
    sent = list(messages(load_sample(), "badung", "atc-legian", timedelta(0)))
    command = [sys.executable, "-m", "subak.cli", "replay", "--atspm", "--as", "atc-legian", "--mqtt-url", broker.url]

    async def run() -> list[tuple[str, bytes, int, bool]]:
        ready = asyncio.Event()
        collecting = asyncio.create_task(collect(address, ready, len(sent)))
        await ready.wait()
        await asyncio.to_thread(subprocess.run, command, check=True, stderr=subprocess.DEVNULL, timeout=WAIT_S)
        return await collecting

    got = asyncio.run(run())
    assert got == [(frame.topic, frame.payload, frame.qos, frame.retain) for frame in sent]
    assert sum(payload.count(b'["2024-04-15T') for _, payload, _, _ in got) == 37_152


def test_no_broker_is_one_sentence(tape: Path) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    with pytest.raises(ConfigError, match=r"broker mqtt://127.0.0.1:\d+: .*; is it running, and is SUBAK_MQTT_URL right\?"):
        replay(tape, mqtt_url=url, speed=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs a tape or --atspm"),
        ({"file": Path("x"), "atspm": True}, "needs a tape or --atspm, one of the two"),
        ({"file": Path("x"), "shift_to_now": True}, "go with --atspm"),
        ({"atspm": True, "speed": -1.0}, "--speed -1: must be 0 or above"),
    ],
)
def test_options_that_do_not_fit(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replay(**given)  # type: ignore[arg-type]
