"""Streams of the network as they are: what is read of them, and what is said when there is nothing to read."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
import pytest

from config.credentials import Login
from ingest.camera.geometry import Line
from ingest.camera.network import from_network
from ingest.camera.reports import CountedLane, Failed, Report, Resized, Task
from ingest.camera.sources import SourceError
from ingest.camera.view import View
from subak.embedded.ports import free_port
from tests.support.cameras import jpeg
from tests.support.parts import RTSP, Book
from tests.support.streams import PASSWORD, USER, PictureServer, RtspServer, rtsp_is_there

RIGHT = Login(USER, PASSWORD)
WRONG = Login(USER, "kata lain")
FPS = 20


def picture(width: int, height: int, shade: int) -> bytes:
    """A JPEG as a camera sends it."""
    return jpeg(np.full((height, width, 3), shade, np.uint8), datetime.now(UTC))


@pytest.fixture
def server() -> Iterator[PictureServer]:
    """Pictures that change their size after ten."""
    server = PictureServer([*(picture(320, 180, shade * 20) for shade in range(10)), *[picture(640, 360, 90)] * 10], FPS)
    yield server
    server.close()


@pytest.fixture
def rtsp(book: Book, tmp_path: Path) -> RtspServer:
    """Not running yet."""
    with book.getting(RTSP):
        rtsp_is_there()
    book.tested[RTSP] = "GStreamer"
    return RtspServer(tmp_path)


def said(source: str, login: Login | None = None, read_s: float = 5.0) -> str:
    """Why a stream ended, or never began."""
    with pytest.raises(SourceError) as caught:
        for _ in from_network(source, login, read_s):
            pass
    assert PASSWORD not in str(caught.value)
    assert USER not in str(caught.value)
    return str(caught.value)


def test_an_http_stream_is_read_at_the_times_it_arrives_and_may_change_its_size(server: PictureServer) -> None:
    before = time.time()
    seen = [(time_us / 1e6, frame.shape) for time_us, frame in islice(from_network(server.url("/plays"), None), 30)]
    assert before <= seen[0][0] <= seen[-1][0] <= time.time()
    assert sorted(seen) == seen
    assert {(180, 320, 3), (360, 640, 3)} == {shape for _, shape in seen}
    # FFmpeg would make up 25 frames a second for a stream that has no clock: this server sends no more than 20.
    assert seen[-1][0] - seen[5][0] >= 24 / FPS * 0.9


def test_a_password_opens_a_stream_and_its_lack_and_a_wrong_one_are_told_apart(server: PictureServer) -> None:
    ((_, frame),) = islice(from_network(server.url("/locked"), RIGHT), 1)
    assert (180, 320, 3) == frame.shape
    assert "wants a user and a password (401)" in said(server.url("/locked"))
    assert "user or password is wrong (401)" in said(server.url("/locked"), WRONG)


def test_each_way_in_which_an_http_stream_is_none_is_told(server: PictureServer) -> None:
    assert "there is no such stream (404)" in said(server.url("/none"))
    assert said(server.url("/ends")).endswith("/ends: the stream ended")
    assert "nobody answers at this port" in said(f"http://127.0.0.1:{free_port()}/plays")


def test_a_stream_that_stands_still_is_given_up(server: PictureServer) -> None:
    frames = from_network(server.url("/plays"), None, read_s=1.0)
    next(frames)
    server.stands.set()
    began = time.monotonic()
    with pytest.raises(SourceError, match="the stream stood still for 1 s"):
        for _ in frames:
            pass
    assert time.monotonic() - began < 5


def transport_stream(frames: int, pts_of: Callable[[int], float]) -> list[bytes]:
    """MPEG-2 in a transport stream, a chunk a frame; `pts_of`: of each, in seconds."""
    whole = io.BytesIO()
    chunks = []
    with av.open(whole, "w", format="mpegts", options={"flush_packets": "1", "muxdelay": "0"}) as container:
        stream = container.add_stream("mpeg2video", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size, stream.max_b_frames = 320, 180, "yuv420p", 1, 0
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), index * 5 % 256, np.uint8), format="bgr24")
            frame.pts = index
            done = whole.tell()
            for packet in stream.encode(frame):
                packet.pts = packet.dts = round(pts_of(index) / packet.time_base)
                container.mux(packet)
            chunks.append(whole.getvalue()[done:])
    return chunks


def test_a_leap_of_the_streams_clock_moves_no_frame() -> None:
    """It goes on an hour later in mid-stream, as after a camera set its clock."""
    server = PictureServer(transport_stream(60, lambda index: index / FPS + (3600 if index >= 40 else 0)), FPS)
    try:
        frames = from_network(server.url("/bare"), None)
        seen = [(time_us / 1e6, time.time()) for time_us, _ in islice(frames, 55)]
    finally:
        server.close()
    assert sorted(seen) == seen
    assert all(abs(told - now) < 3 for told, now in seen)
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(seen)]
    assert max(steps) < 3


def test_what_is_no_video_is_told() -> None:
    text = PictureServer([b"this is no picture" * 100], FPS)
    try:
        assert "ended before its first picture" in said(text.url("/ends"))
    finally:
        text.close()


def test_a_picture_too_large_is_refused() -> None:
    whole = cv2.imencode(".jpg", np.zeros((5000, 4000, 3), np.uint8))[1].tobytes()
    server = PictureServer([whole], FPS)
    try:
        assert "pictures of 4000 x 5000 pixels; at most 16 megapixels" in said(server.url("/plays"))
    finally:
        server.close()


def test_an_rtsp_stream_plays_by_its_own_clock_and_says_why_it_does_not(rtsp: RtspServer) -> None:
    with rtsp.running() as pid:
        frames = from_network(rtsp.url("/live"), RIGHT, read_s=1.0)
        seen = [(time_us, frame.shape) for time_us, frame in islice(frames, 15)]
        assert {(240, 320, 3)} == {shape for _, shape in seen}
        steps = {round((later - earlier) / 1000) for (earlier, _), (later, _) in pairwise(seen[4:])}
        # Ten a second by the stream's clock, however they arrive; led to the machine's by 2 % at most.
        assert all(97 <= step <= 103 for step in steps), steps
        assert abs(seen[-1][0] / 1e6 - time.time()) < 3
        assert "wants a user and a password (401)" in said(rtsp.url("/live"))
        assert "user or password is wrong (401)" in said(rtsp.url("/live"), WRONG)
        assert "there is no such stream (404)" in said(rtsp.url("/none"), RIGHT)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(SourceError, match="the stream stood still for 1 s"):
            for _ in frames:
                pass
        os.kill(pid, signal.SIGCONT)
        again = from_network(rtsp.url("/live"), RIGHT)
        assert next(again)[0] > seen[-1][0]
    with pytest.raises(SourceError, match=r"/live: the stream "):
        for _ in again:
            pass
    assert "nobody answers at this port" in said(rtsp.url("/live"), RIGHT)


def test_a_decoder_goes_on_when_the_pictures_change_their_size(server: PictureServer) -> None:
    """Lines stay where they were in the picture, whatever its size."""
    line = Line((100, 90), (220, 90), "E1")
    task = Task("cam", server.url("/plays"), View(lines=(line,), size=(320, 180)), (CountedLane("E1"),), fps=FPS, period_s=60)
    command = [sys.executable, "-m", "ingest.camera.decoder", "cam"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as decoder:
        assert decoder.stdin is not None
        assert decoder.stdout is not None
        decoder.stdin.write(msgspec.json.encode(task) + b"\n")
        decoder.stdin.flush()
        reports: list[Report] = []
        sizes: list[tuple[int, int]] = []
        for told in decoder.stdout:
            reports.append(msgspec.json.decode(told, type=Report))
            sizes = [(item.width, item.height) for item in reports if isinstance(item, Resized)]
            if isinstance(reports[-1], Failed) or len(sizes) == 3:
                break
        decoder.kill()
    assert not isinstance(reports[-1], Failed), reports[-1]
    assert [(640, 360), (320, 180), (640, 360)] == sizes
