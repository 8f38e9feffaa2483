"""`subak street` against a real broker."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import msgspec
import pyarrow.parquet as pq
import pytest

from config.settings import DEFAULT_SITE
from config.site import Kind, load_site
from ingest.contract import Command, Counts, Detectors, Events, Health, Metrics, Outcome, Presence, Result, SourceMode, Status
from ingest.topics import Stream, site_filter, topic
from tests.support.brokers import Mosquitto
from tests.support.waiting import eventually

SITE = load_site(DEFAULT_SITE)
TYPES = {
    Stream.COUNTS: Counts,
    Stream.DETECTORS: Detectors,
    Stream.EVENTS: Events,
    Stream.HEALTH: Health,
    Stream.METRICS: Metrics,
    Stream.STATUS: Status,
    Stream.RESULT: Result,
}
STREET = [sys.executable, "-m", "subak.cli", "street", "--start", "2026-11-24T16:30:00+08:00"]


@dataclass
class Heard:
    """Messages on the broker, by device and stream, in order."""

    payloads: dict[tuple[str, str], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    others: list[str] = field(default_factory=list)

    def take(self, message: aiomqtt.Message) -> None:
        """Sort one message in."""
        levels = message.topic.value.split("/")
        assert isinstance(message.payload, bytes)
        if len(levels) == 6:
            self.payloads[levels[4], levels[5]].append(message.payload)
        else:
            self.others.append(message.topic.value)


@asynccontextmanager
async def listening(broker: Mosquitto) -> AsyncIterator[Heard]:
    """Everything that is published while the context is open."""
    heard = Heard()

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            heard.take(message)

    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(site_filter(SITE.name), qos=1)
        reader = asyncio.create_task(read(client))
        try:
            yield heard
        finally:
            if reader.done():
                reader.result()
            reader.cancel()


@pytest.fixture
def streets() -> Iterator[list[subprocess.Popen[str]]]:
    """Started streets; those that still run at the end of the test are killed."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def start(streets: list[subprocess.Popen[str]], broker: Mosquitto, *options: str) -> subprocess.Popen[str]:
    """Start `subak street`."""
    command = [*STREET, "--mqtt-url", broker.url, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    streets.append(process)
    return process


async def ended(process: subprocess.Popen[str]) -> int:
    """Exit status."""
    return await eventually(lambda: _status(process), 60, what="the end of the street") - 1


async def _status(process: subprocess.Popen[str]) -> int:
    status = process.poll()
    return 0 if status is None else status + 1


async def test_what_is_published_is_what_the_truth_says(
    broker: Mosquitto, streets: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    async with listening(broker) as heard:
        street = start(streets, broker, "--speed", "0", "--duration", "60", "--faults", "--truth", str(tmp_path))
        assert await ended(street) == 0
        await eventually(lambda: _all_have_left(heard), what="the last presence")
    rows = pq.read_table(tmp_path / "messages.parquet").to_pylist()
    assert len(rows) > 300
    wanted: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for row in rows:
        wanted[row["device"], row["stream"]][row["seq"]] += row["times"]
    rubbish = pq.read_table(tmp_path / "rubbish.parquet").to_pylist()
    spoilt = Counter(tuple(row["topic"].split("/")[4:6]) for row in rubbish)
    assert len(rubbish) >= 15
    assert len(heard.others) == sum(row["damage"] == "level_too_many" for row in rubbish)
    for (device, stream), numbers in wanted.items():
        found: Counter[int] = Counter()
        bad = 0
        for payload in heard.payloads[device, stream]:
            try:
                found[msgspec.json.decode(payload, type=TYPES[Stream(stream)]).seq] += 1
            except (msgspec.DecodeError, UnicodeDecodeError):
                bad += 1
        # A copy with an unknown lane decodes, and is heard beside the message it was made from.
        assert not +numbers - found, (device, stream)
        assert bad + (found - numbers).total() <= spoilt[device, stream]
    assert any(heard.payloads[camera.id, "frame"][0].startswith(b"\xff\xd8\xff") for camera in SITE.cameras)
    for item in SITE.devices:
        said = [payload.decode() for payload in heard.payloads[item.id, "presence"]]
        assert (said[0], said[-1]) == (Presence.ONLINE, Presence.SHUTDOWN)


async def _all_have_left(heard: Heard) -> bool:
    return all(heard.payloads[device.id, "presence"][-1:] == [Presence.SHUTDOWN.value.encode()] for device in SITE.devices)


async def test_a_sign_obeys_over_mqtt_and_blanks_when_the_lease_ends(
    broker: Mosquitto, streets: list[subprocess.Popen[str]]
) -> None:
    sign = SITE.signs[0].id
    async with listening(broker) as heard:
        command = [sys.executable, "-m", "subak.cli", "street", "--mqtt-url", broker.url, "--no-frames"]
        streets.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))

        async def last() -> Status | None:
            found = heard.payloads[sign, "status"]
            return msgspec.json.decode(found[-1], type=Status) if found else None

        async def shows(multi: str, mode: SourceMode) -> bool:
            status = await last()
            return status is not None and (status.multi, status.source_mode) == (multi, mode)

        await eventually(last, what="a status")
        order = Command("command-1", datetime.now(UTC), "[jl3]MACET", 5, 4.0)
        async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.publish(topic(SITE.name, Kind.VMS, sign, Stream.COMMAND), msgspec.json.encode(order), qos=1)
        await eventually(lambda: shows("[jl3]MACET", SourceMode.CENTRAL), what="the message")
        await eventually(lambda: shows("", SourceMode.END_DURATION), what="a blank sign")
        (answer,) = heard.payloads[sign, "result"]
        assert msgspec.json.decode(answer, type=Result).outcome is Outcome.ACCEPTED


async def test_ends_within_two_seconds_and_says_so(broker: Mosquitto, streets: list[subprocess.Popen[str]]) -> None:
    async with listening(broker) as heard:
        street = start(streets, broker, "--speed", "20", "--no-frames")
        await eventually(lambda: _anything(heard), what="a reading")
        asked = time.monotonic()
        street.send_signal(signal.SIGTERM)
        assert await ended(street) == 0
        assert time.monotonic() - asked < 4  # Two seconds, and as many for a busy machine.
        await eventually(lambda: _all_have_left(heard), what="the last presence")


async def _anything(heard: Heard) -> bool:
    return bool(heard.payloads[SITE.controllers[0].id, "detectors"])


async def test_a_killed_street_leaves_wills_and_readable_truth(
    broker: Mosquitto, streets: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    async with listening(broker) as heard:
        street = start(streets, broker, "--speed", "20", "--no-frames", "--truth", str(tmp_path))
        await eventually(lambda: _anything(heard), what="a reading")
        street.kill()

        async def all_offline() -> bool:
            return all(heard.payloads[device.id, "presence"][-1:] == [Presence.OFFLINE.value.encode()] for device in SITE.devices)

        await eventually(all_offline, what="the wills")
    for name in ("lane_minutes", "messages", "link_travel_times", "queues", "incidents", "rubbish"):
        pq.read_table(tmp_path / f"{name}.parquet")


async def test_readings_wait_for_a_broker_that_went_away(
    broker: Mosquitto, streets: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Nothing is lost, and what waited comes in order."""
    street = start(streets, broker, "--speed", "20", "--duration", "120", "--no-frames", "--truth", str(tmp_path))
    async with listening(broker) as before:
        await eventually(lambda: _anything(before), what="a reading")
        broker.stop()
    broker.start()
    async with listening(broker) as after:
        assert await ended(street) == 0
        await eventually(lambda: _all_have_left(after), what="the last presence")
    rows = pq.read_table(tmp_path / "messages.parquet").to_pylist()
    assert {row["times"] for row in rows} == {1}
    wanted = defaultdict(list)
    for row in rows:
        wanted[row["device"], row["stream"]].append(row["seq"])
    for key, numbers in wanted.items():
        heard = [
            msgspec.json.decode(payload, type=TYPES[Stream(key[1])]).seq for payload in before.payloads[key] + after.payloads[key]
        ]
        # Those that came between the broker's return and our own are not heard here, so only their order is looked at.
        assert heard == sorted(heard)
        assert set(heard) <= set(numbers)
        assert sorted(numbers) == list(range(len(numbers)))
