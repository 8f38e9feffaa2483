"""What a JPEG says before it is decoded."""

from __future__ import annotations

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.camera.jpeg import Header, PictureError, header, stamped

JPEG = cv2.imencode(".jpg", np.zeros((90, 160, 3), np.uint8))[1].tobytes()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def sized(width: int, height: int) -> bytes:
    head = b"\xff\xd8\xff\xc0\x00\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return head + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9"


def test_size_and_time_are_read() -> None:
    assert Header(160, 90, None) == header(JPEG)
    assert Header(160, 90, 1_795_521_600_000_000) == header(stamped(JPEG, NOON))


def test_a_stamped_picture_is_still_the_picture() -> None:
    again = cv2.imdecode(np.frombuffer(stamped(JPEG, NOON), np.uint8), cv2.IMREAD_COLOR)
    assert again is not None
    assert (90, 160, 3) == again.shape


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (sized(10_000, 10_000), "100 megapixels"),
        (sized(65_535, 65_535), "4295 megapixels"),
        (sized(0, 10), "does not say its size"),
        (b"", "not a JPEG"),
        (b"\x89PNG\r\n", "not a JPEG"),
        (b"\xff\xd8\xff", "does not say its size"),
        (JPEG[:8], "cut off"),
        (b"\xff\xd8\xff\xe0\x00\x04ab" + b"zz" * 8, "damaged at byte 8"),
    ],
)
def test_what_cannot_be_used_says_why(payload: bytes, says: str) -> None:
    with pytest.raises(PictureError, match=says):
        header(payload)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_else(tail: bytes) -> None:
    try:
        found = header(b"\xff\xd8\xff" + tail)
    except PictureError:
        return
    assert found.width * found.height <= 16_000_000
