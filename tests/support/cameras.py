"""Cameras for tests: a site whose cameras are files or topics, pictures of the street, and a worker to look at them."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from config.settings import DEFAULT_SITE
from ingest.camera.jpeg import stamped
from ingest.contract import Counts, Health, Sight, VehicleClass
from subak.street.assumptions import load_assumptions
from subak.street.defects import CameraDefect
from subak.street.picture import Mount, Picture
from subak.street.spoilt import Spoiler
from subak.street.traffic import Seen
from tests.support.brokers import Mosquitto
from tests.support.pipelines import Program

FPS = 5
BEGIN = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""Of every film: ten in the morning in Bali."""

Image = NDArray[np.uint8]

_CAMERA: dict[str, Any] = {
    "name": "Test",
    "junction": "dewa-ruci",
    "approach": "E",
    "position": [-8.7224, 115.1842],
    "period": 10,
    "fps": FPS,
    "picture": [640, 360],
    "lanes": [{"id": "E1", "lane": "E1", "line": [[374, 195], [436, 195]]}],
}


def camera_site(folder: Path, cameras: dict[str, dict[str, Any]]) -> Path:
    """A copy of Badung whose cameras are these; each has what `_CAMERA` says and what is given."""
    site = folder / "site"
    shutil.copytree(DEFAULT_SITE, site)
    # Its sensors serve devices that are not here.
    (site / "sensors.yaml").write_text("{}\n", encoding="utf-8")
    with (site / "cameras.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump({"cameras": [{"id": name, **_CAMERA, **more} for name, more in cameras.items()]}, file)
    return site


def drive_past(seconds: float, *, lanes: int = 3, fps: int = FPS) -> Iterator[Image]:
    """Pictures of a street on which a car or a motorcycle arrives on the lane at the kerb every 4 s, at 10 m/s."""
    picture = Picture("test", lanes, Mount(7.0), load_assumptions().classes)
    chance = random.Random(1)
    kinds = [chance.choice((VehicleClass.MP, VehicleClass.SM)) for _ in range(1000)]
    for index in range(round(seconds * fps)):
        time = index / fps
        seen = []
        for number in range(round(time / 4) + 2):
            distance = 90 - 10 * (time - 4 * number)
            if -5 < distance <= 90:
                seen.append(Seen(f"v{number}", kinds[number], distance, 1.6, 10.0))
        yield picture.draw(
            sorted(seen, key=lambda item: -item.distance),
            BEGIN.replace(minute=index // fps // 60, second=index // fps % 60, hour=10),
        )


def film(path: Path, pictures: Sequence[Image], fps: float = FPS, fault: CameraDefect | None = None, after: int = 0) -> Path:
    """Write pictures as an AVI of JPEGs, spoilt from picture number `after` on."""
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    spoiler = Spoiler()
    for index, picture in enumerate(pictures):
        writer.write(spoiler.spoil(picture, fault if index >= after else None))
    writer.release()
    return path


def source(path: Path) -> dict[str, Any]:
    """The camera that is this film."""
    return {"source": f"file:{path}?start={BEGIN.isoformat()}"}


def jpeg(picture: Image, time: datetime) -> bytes:
    """A picture as a camera publishes it."""
    return stamped(cv2.imencode(".jpg", picture)[1].tobytes(), time)


def worker(folder: Path, site: Path, mqtt_url: str, **environment: str) -> Program:
    """`subak camera run`, not started yet."""
    return Program(
        folder / "worker.log",
        ["camera", "run", "--state", str(folder / "state")],
        SUBAK_SITE=str(site),
        **{"SUBAK_MQTT_URL": mqtt_url, "SUBAK_CAMERA_HEALTH_S": "1", **environment},
    )


def decoders(worker_pid: int) -> dict[str, int]:
    """Process numbers of a worker's decoders by camera."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (OSError, IndexError, ValueError):
            continue  # it ended meanwhile
        if parent == worker_pid and b"ingest.camera.decoder" in words:
            found[words[words.index(b"ingest.camera.decoder") + 1].decode()] = int(folder.name)
    return found


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

    def says(self, camera: str, sight: Sight, word: str) -> bool:
        """Whether it gave this as a reason."""
        return any(item.condition is sight and word in (item.detail or "") for item in self.health[camera])


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
