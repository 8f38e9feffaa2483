"""Frames of RTSP and HTTP streams, and what is wrong when there are none, as a technician would say it.

FFmpeg by PyAV: unlike OpenCV it tells why a stream cannot be had, and each frame's own time.
"""

from __future__ import annotations

from collections.abc import Iterator
from errno import EIO
from time import time
from urllib.parse import urlsplit

import av
import av.error
import numpy as np

from config.credentials import Login, address_with
from ingest.camera.detect import Image
from ingest.camera.jpeg import MOST_PIXELS
from ingest.camera.sources import SourceError, Timed
from ingest.camera.stream_clock import StreamClock

OPEN_S, READ_S = 8.0, 5.0
"""How long a stream may take to begin, and to give the next frame."""

WITHOUT_CLOCK = frozenset({"mpjpeg", "mjpeg", "image2", "jpeg_pipe"})
"""Formats of FFmpeg whose frames bear no time: what it makes up for them counts frames, not seconds."""

ENDED = "the stream ended"

MOST_DAMAGED = 100
"""Packets in a row that cannot be decoded before a stream is given up."""

OPTIONS = {
    # UDP loses packets, and firewalls hold it back.
    "rtsp_transport": "tcp",
    # FFmpeg would look at 5 s of pictures before it shows the first.
    "analyzeduration": "1000000",
}


def from_network(source: str, login: Login | None, read_s: float = READ_S) -> Iterator[Timed]:
    """Frames of a stream, in their order, until it ends.

    Args:
        source: RTSP or HTTP address without secrets.
        login: User and password, when it wants them.
        read_s: How long the next frame may take.

    Raises:
        SourceError: It cannot be had, ended, or stood still.
    """
    shown = without_secret(source)
    has_begun = False
    try:
        with av.open(address_with(source, login), options=dict(OPTIONS), timeout=(OPEN_S, read_s)) as container:
            if not container.streams.video:
                raise SourceError(f"{shown}: there is no video in the stream")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            clock = StreamClock()
            has_clock = container.format.name not in WITHOUT_CLOCK
            for frame in _frames(container, stream, shown):
                told_us = (
                    None
                    if frame.pts is None or frame.time_base is None or not has_clock
                    else round(frame.pts * frame.time_base * 1_000_000)
                )
                has_begun = True
                yield clock.time_us(told_us, round(time() * 1e6)), _picture(frame, shown)
    except av.error.FFmpegError as error:
        if has_begun and error.errno == EIO:
            raise SourceError(f"{shown}: {ENDED}") from None
        # Its own text repeats the address, with the password.
        raise SourceError(f"{shown}: {_reason(error, login, read_s)}") from None
    raise SourceError(f"{shown}: {ENDED}")


def _frames(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, shown: str
) -> Iterator[av.video.frame.VideoFrame]:
    damaged = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
            if damaged > MOST_DAMAGED:
                raise SourceError(f"{shown}: the stream is damaged: {damaged} packets in a row cannot be decoded") from None
            continue
        for frame in frames:
            damaged = 0
            yield frame


def _picture(frame: av.video.frame.VideoFrame, shown: str) -> Image:
    if frame.width * frame.height > MOST_PIXELS:
        raise SourceError(
            f"{shown}: pictures of {frame.width} x {frame.height} pixels; at most {MOST_PIXELS / 1e6:.0f} megapixels are taken"
        )
    return frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)


def _reason(error: av.error.FFmpegError, login: Login | None, read_s: float) -> str:
    match error:
        case av.error.HTTPUnauthorizedError() if login is None:
            return "the camera wants a user and a password (401): name them with `credential` in cameras.yaml"
        case av.error.HTTPUnauthorizedError():
            return "user or password is wrong (401)"
        case av.error.HTTPForbiddenError():
            return "the camera refuses this user (403)"
        case av.error.HTTPNotFoundError():
            return "there is no such stream (404): the path of the address is wrong"
        case av.error.ConnectionRefusedError():
            return "nobody answers at this port: the camera is off, or the port is wrong"
        case av.error.TimeoutError() | av.error.ExitError():
            return f"the stream stood still for {read_s:.0f} s, or did not begin within {OPEN_S:.0f} s"
        case av.error.InvalidDataError():
            return "what comes is no video that can be read"
    if error.errno == EIO:
        return "there is no such host, or the stream ended before its first picture"
    return f"the stream broke: {error.strerror or type(error).__name__}"


def without_secret(source: str) -> str:
    """The address without user, password and query."""
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
