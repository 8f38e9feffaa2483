"""The camera worker with real decoders and a real broker: each way in which a camera fails is named, and flags the counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from ingest.contract import Sight, Trust
from subak.street.defects import CameraDefect
from tests.support.brokers import Mosquitto
from tests.support.cameras import BEGIN, FPS, Image, camera_site, drive_past, film, listening, source, worker

pytestmark = pytest.mark.timeout(150)

FAULT_AT = 13
"""Seconds of the films at which a camera fails."""

LASTS = 34


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
