"""What a worker's health report says of the events that go on."""

from __future__ import annotations

from datetime import UTC

import msgspec
import pytest

from config.thresholds.camera_health import camera_health
from ingest.camera.publish import Messages
from ingest.camera.reports import Happened, Task
from ingest.camera.supervisor import Camera
from ingest.camera.view import View
from ingest.contract import Health, Sight

FILE = camera_health()
ONSET_US = 1_795_492_800_000_000
STANDS = Happened("stopped", "road", ONSET_US)


@pytest.mark.parametrize(
    ("ongoing", "sight", "said"),
    [
        ((STANDS,), Sight.OK, ["stopped"]),
        ((STANDS,), Sight.NIGHT, ["stopped"]),
        ((), Sight.OK, []),
        # A decoder that has just started, or died, and a camera that is blind: nothing is over.
        (None, Sight.OK, None),
        ((), Sight.COVERED, None),
        ((STANDS,), Sight.MOVED, None),
        ((STANDS,), Sight.LOST, None),
    ],
)
def test_what_goes_on_is_said_by_a_camera_that_can_tell(
    ongoing: tuple[Happened, ...] | None, sight: Sight, said: list[str] | None
) -> None:
    task = Task("cam-test", "frame", View(), (), 5.0, 60.0)
    camera = Camera(task, FILE.health, lambda _camera, _report: None, lambda _camera: None)
    camera.ongoing, camera.sight = ongoing, sight

    _, payload = Messages("badung", UTC, dict(FILE.worth)).health(camera, ONSET_US + 60_000_000, [])

    health = msgspec.json.decode(payload, type=Health)
    assert said == (None if health.ongoing is None else [event.kind.value for event in health.ongoing])
