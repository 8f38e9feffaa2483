"""The camera worker with real decoders and a real broker: what cameras can see, hostile streams, and what never leaves."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import cv2
import msgspec
import numpy as np
import pytest

from ingest.contract import Counts, Health, Sight, Trust
from subak.street.defects import CameraDefect
from tests.support.brokers import Mosquitto
from tests.support.cameras import BEGIN, FPS, Image, camera_site, decoders, drive_past, film, jpeg, source, worker
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(150)

FAULT_AT = 13
"""Seconds of the films at which a camera fails."""

LASTS = 34


class Heard:
    """What the worker published."""

    def __init__(self) -> None:
        self.payloads: list[tuple[str, bytes]] = []
        self.health: dict[str, list[Health]] = defaultdict(list)
        self.counts: dict[str, list[Counts]] = defaultdict(list)

    def take(self, name: str, payload: bytes) -> None:
        self.payloads.append((name, payload))
        _, _, _, _, camera, stream = name.split("/")
        if stream == "health":
            self.health[camera].append(msgspec.json.decode(payload, type=Health))
        elif stream == "counts":
            self.counts[camera].append(msgspec.json.decode(payload, type=Counts))

    def condition(self, camera: str, sight: Sight) -> Health | None:
        """The first report of a condition."""
        return next((item for item in self.health[camera] if item.condition is sight), None)


@asynccontextmanager
async def listening(broker: Mosquitto) -> AsyncIterator[tuple[Heard, aiomqtt.Client]]:
    heard = Heard()

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if not message.topic.value.endswith("/frame"):
                heard.take(message.topic.value, message.payload)

    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe("subak/v1/#", qos=1)
        reader = asyncio.create_task(read(client))
        try:
            yield heard, client
        finally:
            reader.cancel()


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    return list(drive_past(LASTS))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    yield broker
    broker.stop()


async def test_each_way_to_fail_is_named_within_30_s_and_flags_the_counts(
    broker: Mosquitto, tmp_path: Path, pictures: list[Image]
) -> None:
    after = FAULT_AT * FPS
    blurred = [*pictures[:after], *(np.asarray(cv2.GaussianBlur(item, (0, 0), 4), np.uint8) for item in pictures[after:])]
    night = [*pictures[:after], *((item * 0.3).astype(np.uint8) for item in pictures[after:])]
    white = [*pictures[:after], *(cv2.addWeighted(item, 1.0, item, 1.4, 0).astype(np.uint8) for item in pictures[after:])]
    films = {
        "cam-good": film(tmp_path / "good.avi", pictures),
        "cam-frozen": film(tmp_path / "frozen.avi", pictures, fault=CameraDefect.FROZEN, after=after),
        "cam-turned": film(tmp_path / "turned.avi", pictures, fault=CameraDefect.TURNED, after=after),
        "cam-covered": film(tmp_path / "covered.avi", pictures, fault=CameraDefect.COVERED, after=after),
        "cam-slow": film(tmp_path / "slow.avi", pictures[::5][: LASTS * 2], fps=2),
        "cam-blurred": film(tmp_path / "blurred.avi", blurred),
        "cam-night": film(tmp_path / "night.avi", night),
        "cam-glare": film(tmp_path / "glare.avi", white),
    }
    site = camera_site(tmp_path, {name: source(path) for name, path in films.items()})
    async with listening(broker) as (heard, _):
        with worker(tmp_path, site, broker.url) as program:
            assert await asyncio.to_thread(program.wait, 120) == 0, program.log

    expected = {
        "cam-good": (Sight.OK, Trust.GOOD),
        "cam-frozen": (Sight.FROZEN, Trust.MISSING),
        "cam-turned": (Sight.MOVED, Trust.MISSING),
        "cam-covered": (Sight.COVERED, Trust.MISSING),
        "cam-slow": (Sight.LOW_FPS, Trust.SUSPECT),
        "cam-blurred": (Sight.BLURRED, Trust.SUSPECT),
        "cam-night": (Sight.NIGHT, Trust.SUSPECT),
        "cam-glare": (Sight.GLARE, Trust.SUSPECT),
    }
    for camera, (sight, trust) in expected.items():
        seen = [item.condition for item in heard.health[camera]]
        assert set(seen) <= {Sight.OK, sight}, (camera, seen)
        report = heard.condition(camera, sight)
        assert report is not None, (camera, seen)
        assert report.since is not None
        begin = BEGIN + timedelta(seconds=0 if camera in ("cam-good", "cam-slow") else FAULT_AT)
        assert report.since - begin <= timedelta(seconds=30), camera
        if sight is not Sight.OK:
            assert report.detail, camera
        last = heard.counts[camera][-1]
        assert last.conditions is not None
        assert (sight, trust) == (last.conditions.state, last.conditions.trust), camera
    # One vehicle every 4 s crosses the line; the model of the road takes some seconds to learn.
    good = heard.counts["cam-good"]
    assert [10.0] * (len(good) - 2) == [item.period_s for item in good[1:-1]]
    assert all(2 <= (item.lanes[0].volume or 0) <= 3 for item in good[1:-1]), good


def hostile(folder: Path, pictures: list[Image]) -> dict[str, tuple[dict[str, object], str]]:
    """Streams that are no streams, and a word of what is said of each."""
    whole = film(folder / "whole.avi", pictures[:20])
    broken = folder / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0\0\x4e\x20mdat" + os.urandom(20_000))
    empty = folder / "empty.mp4"
    empty.write_bytes(b"")
    raw = folder / "raw.avi"
    writer = cv2.VideoWriter(str(raw), 0, 10, (48, 48))
    for index in range(20):
        writer.write(np.full((48, 48, 3), index * 10, np.uint8))
    writer.release()
    model = folder / "model.onnx"
    model.write_bytes(b"this is no model")
    return {
        "cam-broken": (source(broken), ""),
        "cam-empty": (source(empty), "the file is empty"),
        "cam-raw": (source(raw), ""),
        "cam-absent": (source(folder / "absent.mp4"), "there is no such file"),
        "cam-model": ({**source(whole), "model": str(model)}, "model.onnx"),
        "cam-nobody": ({"source": "rtsp://127.0.0.1:9/none"}, "rtsp://127.0.0.1:9/none"),
        "cam-huge": ({"source": "frame"}, "100 megapixels"),
    }


async def test_hostile_streams_and_a_killed_decoder_touch_no_other_camera(
    broker: Mosquitto, tmp_path: Path, pictures: list[Image]
) -> None:
    bad = hostile(tmp_path, pictures)
    if not bad["cam-raw"][0]:
        pytest.fail("no raw AVI was made")
    site = camera_site(
        tmp_path,
        {**{name: more for name, (more, _) in bad.items()}, "cam-good": {"source": "frame"}, "cam-killed": {"source": "frame"}},
    )
    huge = (
        b"\xff\xd8\xff\xc0\x00\x11\x08"
        + (10_000).to_bytes(2, "big") * 2
        + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
        + bytes(5000)
    )
    named = {name: word for name, (_, word) in bad.items() if name != "cam-raw"}

    async with listening(broker) as (heard, client):
        with worker(tmp_path, site, broker.url) as program:
            sending = asyncio.create_task(_send_frames(client, pictures, huge))

            async def both_seen() -> bool:
                return all(any(item.fps for item in heard.health[name]) for name in ("cam-good", "cam-killed"))

            await eventually(both_seen, 60, what="health of the good cameras")
            killed = decoders(program.pid)["cam-killed"]
            os.kill(killed, signal.SIGKILL)
            before = len(heard.health["cam-good"])

            async def restarted() -> bool:
                return decoders(program.pid).get("cam-killed", killed) != killed

            async def all_named() -> bool:
                return all(heard.condition(name, Sight.LOST) for name in named)

            await eventually(restarted, 30, what="a new decoder")
            await eventually(all_named, 60, what="a named fault of every hostile camera")

            async def goes_on() -> bool:
                return len(heard.health["cam-good"]) > before + 1 and any(
                    item.reconnects == 1 and item.condition is not Sight.LOST for item in heard.health["cam-killed"]
                )

            await eventually(goes_on, 40, what="the good camera, and the one that came back")
            assert program.is_running
            sending.cancel()
            assert await asyncio.to_thread(program.stop, 15) == 0

    for name, word in named.items():
        report = heard.condition(name, Sight.LOST)
        assert report is not None
        assert report.detail, name
        assert word in report.detail, (name, report.detail)
    assert {Sight.LOST} & {item.condition for item in heard.health["cam-good"]} == set()
    assert {item.reconnects for item in heard.health["cam-good"]} == {0}
    log = (tmp_path / "worker.log").read_text()
    assert "died (SIGKILL)" in log


async def _send_frames(client: aiomqtt.Client, pictures: list[Image], huge: bytes) -> None:
    base = "subak/v1/badung/cctv"
    for index in range(100_000):
        picture = pictures[index % len(pictures)]
        payload = jpeg(picture, datetime.now(UTC))
        for camera in ("cam-good", "cam-killed"):
            await client.publish(f"{base}/{camera}/frame", payload, qos=0)
        if index % 10 == 0:
            await client.publish(f"{base}/cam-huge/frame", huge, qos=0)
        await asyncio.sleep(1 / FPS)


async def test_no_picture_leaves_without_the_right(broker: Mosquitto, tmp_path: Path, pictures: list[Image]) -> None:
    """Everything published is counts, classes, speeds and health; a snapshot is for a person with a key, and written down."""
    site = camera_site(tmp_path, {"cam-good": {"source": "frame", "period": 4}})
    keys = tmp_path / "keys"
    keys.write_text(f"wayan {hashlib.sha256(b'secret').hexdigest()}\n")

    def snapshot(by: str, key: str) -> subprocess.CompletedProcess[str]:
        out = tmp_path / f"{by}.jpg"
        command = [sys.executable, "-m", "subak.cli", "camera", "snapshot", "cam-good", "--by", by, "--out", str(out)]
        environment = {**os.environ, "SUBAK_CAMERA_KEY": key}
        return subprocess.run(
            [*command, "--state", str(tmp_path / "state")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )

    async with listening(broker) as (heard, client):
        with worker(tmp_path, site, broker.url, SUBAK_CAMERA_KEYS_FILE=str(keys)) as program:
            sending = asyncio.create_task(_send_frames(client, pictures, b""))

            async def counted() -> bool:
                return bool(heard.counts["cam-good"]) and any(item.fps for item in heard.health["cam-good"])

            await eventually(counted, 90, what="counts")
            given = await asyncio.to_thread(snapshot, "wayan", "secret")
            assert (0, "") == (given.returncode, given.stderr)
            for by, key in (("wayan", "guess"), ("made", "secret")):
                refused = await asyncio.to_thread(snapshot, by, key)
                assert refused.returncode == 2
                assert "has no right" in refused.stderr
                assert "secret" not in refused.stderr
                assert not (tmp_path / "made.jpg").exists()
            sending.cancel()
            await asyncio.to_thread(program.stop, 15)

    picture = cv2.imread(str(tmp_path / "wayan.jpg"))
    assert picture is not None
    assert (360, 640) == picture.shape[:2]
    audit = [msgspec.json.decode(line) for line in (tmp_path / "state" / "snapshots.jsonl").read_bytes().splitlines()]
    assert [("wayan", True), ("wayan", False), ("made", False)] == [(entry["by"], entry["granted"]) for entry in audit]

    allowed = {"lanes", "turns", "conditions", "seq", "start", "period_s", *Health.__struct_fields__}
    for name, payload in heard.payloads:
        assert b"\xff\xd8\xff" not in payload
        assert base64.b64encode(b"\xff\xd8\xff") not in payload
        assert len(payload) < 4_000, name
        message = msgspec.json.decode(payload)
        assert set(message) <= allowed, name
        for lane in message.get("lanes", ()):
            assert set(lane) <= {"id", "volume", "occupancy", "speed", "classes", "fault"}
    kept = {path.name for path in (tmp_path / "state").iterdir()}
    # A reference view is edges of 160 by 90 pixels, from which no plate and no face can be read.
    assert kept <= {"cam-good.view.npz", "snapshots.jsonl", "door.sock"}
