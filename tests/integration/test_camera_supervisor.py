"""One camera worker among hostile streams, a camera that comes late, a killed decoder and people who ask for pictures."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import cv2
import msgspec
import numpy as np
import pytest

from ingest.contract import Health, Sight
from subak.embedded.ports import free_port
from tests.support.brokers import Mosquitto
from tests.support.cameras import FPS, Heard, Image, camera_site, decoders, drive_past, film, jpeg, listening, source, worker
from tests.support.pipelines import Program
from tests.support.streams import PASSWORD, USER, PictureServer
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(150)

WRONG = "kata lain"
BASE = "subak/v1/badung/cctv"
HUGE = (
    b"\xff\xd8\xff\xc0\x00\x11\x08" + (10_000).to_bytes(2, "big") * 2 + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01" + bytes(5000)
)
"""The head of a JPEG of 100 megapixels."""


def hostile(folder: Path, pictures: list[Image], port: int) -> dict[str, tuple[dict[str, object], str]]:
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
        # It can be read, and ends soon.
        "cam-raw": (source(raw), ""),
        "cam-absent": (source(folder / "absent.mp4"), "there is no such file"),
        "cam-model": ({**source(whole), "model": str(model)}, "model.onnx"),
        "cam-nobody": ({"source": "rtsp://127.0.0.1:9/none"}, "rtsp://127.0.0.1:9/none: nobody answers"),
        "cam-huge": ({"source": "frame"}, "100 megapixels"),
        "cam-late": ({"source": f"http://127.0.0.1:{port}/locked", "credential": "late"}, "nobody answers at this port"),
    }


@dataclass
class Story:
    """What a worker did; told once, looked at by several tests.

    Attributes:
        heard: What it published.
        said: A word that must be said of each camera that was lost.
        log: Its log.
        words: Command lines and environments of its decoders.
        answers: Who asked for a picture, and what the program answered.
        folder: Of all files.
        late: Reports of the camera that came late, after it came.
    """

    heard: Heard
    said: dict[str, str]
    log: str
    words: bytes
    answers: dict[str, subprocess.CompletedProcess[str]]
    folder: Path
    late: Health


@pytest.fixture(scope="module")
def story(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("cameras")
    return asyncio.run(_tell(mosquitto, folder))


async def _tell(broker: Mosquitto, folder: Path) -> Story:
    pictures = list(drive_past(20))
    port = free_port()
    bad = hostile(folder, pictures, port)
    live: dict[str, dict[str, Any]] = {
        "cam-good": {"source": "frame", "period": 4},
        "cam-killed": {"source": "frame", "period": 4},
        "cam-wrong": {"source": f"http://127.0.0.1:{port}/locked", "credential": "wrong"},
    }
    site = camera_site(folder, {**{name: more for name, (more, _) in bad.items()}, **live})
    keys = folder / "keys"
    keys.write_text(f"wayan {hashlib.sha256(b'secret').hexdigest()}\n")
    credentials = folder / "credentials"
    credentials.write_text(f"# of cameras\nlate {USER}:{PASSWORD}\nwrong {USER}:{WRONG}\n", encoding="utf-8")
    files = {"SUBAK_CAMERA_KEYS_FILE": str(keys), "SUBAK_CAMERA_CREDENTIALS_FILE": str(credentials)}
    said = {name: word for name, (_, word) in bad.items() if name != "cam-raw"}
    async with listening(broker) as (heard, client):
        with worker(folder, site, broker.url, **files) as program:
            sending = asyncio.create_task(_send_frames(client, pictures))
            try:
                words, answers = await _among_others(program, heard, folder, said)
                server = PictureServer([jpeg(picture, datetime.now(UTC)) for picture in pictures], FPS, port)
                try:
                    late = await _comes_back(heard)
                finally:
                    server.close()
            finally:
                sending.cancel()
            assert await asyncio.to_thread(program.stop, 15) == 0
    return Story(heard, said, (folder / "worker.log").read_text(), words, answers, folder, late)


async def _among_others(
    program: Program, heard: Heard, folder: Path, said: dict[str, str]
) -> tuple[bytes, dict[str, subprocess.CompletedProcess[str]]]:
    """A decoder is killed and people ask for pictures, until each hostile stream is named and the good ones have gone on."""

    async def are_seen() -> bool:
        return all(any(item.fps for item in heard.health[name]) for name in ("cam-good", "cam-killed"))

    await eventually(are_seen, 60, what="health of the good cameras")
    killed = decoders(program.pid)["cam-killed"]
    os.kill(killed, signal.SIGKILL)
    before = len(heard.health["cam-good"])
    asked = (("wayan", "secret"), ("wayan", "guess"), ("made", "secret"))
    answers = {f"{by} {key}": await asyncio.to_thread(_snapshot, folder, by, key) for by, key in asked}

    async def goes_on() -> bool:
        return (
            decoders(program.pid).get("cam-killed", killed) != killed
            and all(heard.says(name, Sight.LOST, word) for name, word in said.items())
            and len(heard.health["cam-good"]) > before + 1
            and bool(heard.counts["cam-good"])
            and any(item.reconnects == 1 and item.condition is not Sight.LOST for item in heard.health["cam-killed"])
        )

    await eventually(goes_on, 60, what="a name for every hostile camera, the good one, and the one that was killed")
    assert program.is_running
    words = b""
    for pid in [program.pid, *decoders(program.pid).values()]:
        for name in ("cmdline", "environ"):
            with suppress(OSError):  # a decoder that ended meanwhile
                words += Path(f"/proc/{pid}/{name}").read_bytes()
    return words, answers


async def _comes_back(heard: Heard) -> Health:
    """The late camera is switched on: its first report with pictures."""
    since = len(heard.health["cam-late"])

    async def comes() -> Health | None:
        seen = heard.health["cam-late"][since:]
        return next((item for item in seen if item.condition is not Sight.LOST and item.brightness), None)

    async def is_refused() -> bool:
        return heard.says("cam-wrong", Sight.LOST, "user or password is wrong (401)")

    found = await eventually(comes, 60, what="the late camera")
    await eventually(is_refused, 60, what="the wrong password")
    assert found is not None
    return found


def _snapshot(folder: Path, by: str, key: str) -> subprocess.CompletedProcess[str]:
    out = folder / f"{by}.jpg"
    command = [sys.executable, "-m", "subak.cli", "camera", "snapshot", "cam-good", "--by", by, "--out", str(out)]
    environment = {**os.environ, "SUBAK_CAMERA_KEY": key}
    return subprocess.run(
        [*command, "--state", str(folder / "state")], env=environment, capture_output=True, text=True, timeout=40, check=False
    )


async def _send_frames(client: aiomqtt.Client, pictures: list[Image]) -> None:
    for index in range(100_000):
        payload = jpeg(pictures[index % len(pictures)], datetime.now(UTC))
        for camera in ("cam-good", "cam-killed"):
            await client.publish(f"{BASE}/{camera}/frame", payload, qos=0)
        if index % 10 == 0:
            await client.publish(f"{BASE}/cam-huge/frame", HUGE, qos=0)
        await asyncio.sleep(1 / FPS)


def test_each_hostile_stream_is_lost_with_its_reason(story: Story) -> None:
    for name, word in story.said.items():
        reasons = {item.detail for item in story.heard.health[name] if item.condition is Sight.LOST}
        assert any(word in (reason or "") for reason in reasons), (name, reasons)
        assert all(reasons), name


def test_a_killed_decoder_starts_again_and_no_other_camera_notices(story: Story) -> None:
    assert {Sight.LOST} & {item.condition for item in story.heard.health["cam-good"]} == set()
    assert {item.reconnects for item in story.heard.health["cam-good"]} == {0}
    assert "died (SIGKILL)" in story.log


def test_a_camera_that_comes_late_is_found_again(story: Story) -> None:
    assert story.late.reconnects is not None
    assert story.late.reconnects >= 1
    assert story.late.since is not None
    lost = story.heard.condition("cam-late", Sight.LOST)
    assert lost is not None
    assert lost.since is not None
    assert lost.since < story.late.since


def test_a_wrong_password_is_said_and_no_password_stands_anywhere(story: Story) -> None:
    assert story.heard.says("cam-wrong", Sight.LOST, "user or password is wrong (401)")
    published = b"".join(payload for _, payload in story.heard.payloads)
    for secret in (PASSWORD, WRONG, USER):
        assert secret not in story.log
        assert secret.encode() not in published
        assert secret.encode() not in story.words


def test_a_picture_leaves_for_people_with_the_right_alone_and_is_written_down(story: Story) -> None:
    given = story.answers["wayan secret"]
    assert (0, "") == (given.returncode, given.stderr)
    for who in ("wayan guess", "made secret"):
        refused = story.answers[who]
        assert refused.returncode == 2
        assert "has no right" in refused.stderr
        assert "secret" not in refused.stderr
    assert not (story.folder / "made.jpg").exists()
    picture = cv2.imread(str(story.folder / "wayan.jpg"))
    assert picture is not None
    assert (360, 640) == picture.shape[:2]
    audit = [msgspec.json.decode(line) for line in (story.folder / "state" / "snapshots.jsonl").read_bytes().splitlines()]
    assert [("wayan", True), ("wayan", False), ("made", False)] == [(entry["by"], entry["granted"]) for entry in audit]


def test_everything_published_is_counts_classes_speeds_and_health(story: Story) -> None:
    assert story.heard.counts["cam-good"]
    allowed = {"lanes", "turns", "conditions", "seq", "start", "period_s", *Health.__struct_fields__}
    for name, payload in story.heard.payloads:
        assert b"\xff\xd8\xff" not in payload
        assert base64.b64encode(b"\xff\xd8\xff") not in payload
        assert len(payload) < 4_000, name
        message = msgspec.json.decode(payload)
        assert set(message) <= allowed, name
        for lane in message.get("lanes", ()):
            assert set(lane) <= {"id", "volume", "occupancy", "speed", "classes", "fault"}


def test_what_is_kept_shows_no_plate_and_no_face(story: Story) -> None:
    """A reference view is edges of 160 by 90 pixels."""
    kept = {path.name for path in (story.folder / "state").iterdir()}
    views = {name for name in kept if name.endswith(".view.npz")}
    assert kept - views <= {"snapshots.jsonl", "door.sock"}
    for name in views:
        with np.load(story.folder / "state" / name) as view:
            assert {"edges", "sharpness"} == set(view.files)
            assert (90, 160) == view["edges"].shape
