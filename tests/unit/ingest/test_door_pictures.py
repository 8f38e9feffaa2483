"""The door and pictures: a size goes through, no pixel does, whatever is wrong with the message."""

from __future__ import annotations

import pytest

from ingest.door import Door
from ingest.readings import CameraHealth
from tests.unit.ingest.test_door import ATC, CCTV, GOOD, JPEG, RECEIVED, detectors, one


def test_a_frame_leaves_no_pixel(door: Door) -> None:
    health = one(door, f"{CCTV}/frame", JPEG)
    assert isinstance(health, CameraHealth)
    assert (health.frame_bytes, health.time_us, health.seq) == (len(JPEG), RECEIVED, 0)
    assert health.brightness is None


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"{CCTV}/frame", JPEG + bytes(1 << 20)),  # too large
        (f"{CCTV}/frame", b"RIFF" + bytes(5000)),  # another format
        ("subak/v1/sample/cctv/cam-nowhere/frame", JPEG),  # unknown camera
        ("subak/v1/sample/cctv/cam-nowhere/frame", b"GIBBERISH" * 100),
        (f"{CCTV}/health", JPEG),  # wrong stream
        ("cameras/7", JPEG),  # wrong topic
    ],
)
def test_no_picture_in_a_dead_letter(door: Door, topic: str, payload: bytes) -> None:
    [letter] = door.admit(topic, payload, RECEIVED).dead
    assert letter.payload == payload[:16]
    assert letter.size == len(payload)


def test_of_a_large_payload_the_first_mebibyte_is_kept(door: Door) -> None:
    payload = detectors(GOOD) + b" " * (1 << 20)
    [letter] = door.admit(f"{ATC}/detectors", payload, RECEIVED).dead
    assert letter.payload == payload[: 1 << 20]
