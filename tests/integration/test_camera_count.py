"""`subak camera count` on the clips beside the project: what people counted, what both detectors count, and bad files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.shared import shared_data


def count(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "subak.cli", "camera", "count", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def total(answer: dict[str, dict[str, dict[str, int]]], direction: str) -> int:
    return sum(answer["crossings"][direction].values())


def test_cars_from_above_while_the_exposure_pumps() -> None:
    done = count(str(shared_data("clips", "car-detection.mp4")), "--line", "768,216,0,216", "--json")
    answer = json.loads(done.stdout)

    assert (377, "background") == (answer["frames"], answer["detector"])
    assert [("backward", 207), ("backward", 333), ("forward", 80), ("forward", 209)] == sorted(
        (event["direction"], nearest(event["frame"], (80, 207, 209, 333))) for event in answer["events"]
    )
    assert {"SM": 0, "MP": 2, "KS": 0, "BB": 0, "TB": 0, "KTB": 0} == answer["crossings"]["forward"]


def nearest(frame: int, known: tuple[int, ...]) -> int:
    """The known frame within 8 of `frame` (0.6 s), or `frame` itself."""
    close = min(known, key=lambda item: abs(item - frame))
    return close if abs(close - frame) <= 8 else frame


@pytest.mark.parametrize(
    ("line", "direction", "least", "most"),
    [
        # 17 (16 to 17) from left to right, 9 (8 to 11) from right to left.
        ("320,300,320,140", "forward", 16, 18),
        ("320,95,320,0", "backward", 8, 10),
    ],
)
def test_two_directions_from_the_side(line: str, direction: str, least: int, most: int) -> None:
    done = count(str(shared_data("clips", "side-view.mp4")), "--line", line, "--json")
    answer = json.loads(done.stdout)

    assert least <= total(answer, direction) <= most
    assert 0 == total(answer, "backward" if direction == "forward" else "forward")


def test_a_model_counts_the_same_road() -> None:
    clip, model = shared_data("clips", "side-view.mp4"), shared_data("models", "yolox_nano.onnx")
    done = count(str(clip), "--line", "320,300,320,140", "--line", "320,95,320,0", "--model", str(model), "--json")
    answer = json.loads(done.stdout)

    assert "yolox_nano" == answer["detector"]
    assert 15 <= total(answer, "forward") <= 18
    assert 8 <= total(answer, "backward") <= 10
    assert {"line1", "line2"} == {event["line"] for event in answer["events"]}


def test_a_file_that_is_no_video_is_one_clear_line(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.write_bytes(b"")
    text.write_text("not a video" * 100)

    for file, reason in ((empty, "the file is empty"), (text, "OpenCV cannot open it"), (tmp_path / "none.mp4", "no such file")):
        done = count(str(file), "--line", "0,0,10,10")
        assert 2 == done.returncode
        assert reason in done.stderr
        assert 1 == len(done.stderr.strip().splitlines())


def test_a_file_cut_off_in_the_middle_counts_what_it_holds_or_says_why(tmp_path: Path) -> None:
    whole = shared_data("clips", "side-view.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    done = count(str(cut), "--line", "320,300,320,140", "--json")

    if done.returncode == 0:
        assert 0 < json.loads(done.stdout)["frames"] < 480
    else:
        assert "OpenCV cannot open it" in done.stderr


def test_a_hostile_file_kills_the_decoder_and_not_the_command(tmp_path: Path) -> None:
    # OpenCV 5.0 aborts the process on a raw AVI of 48 by 48 pixels; 4.12 reads it.
    file = tmp_path / "raw.avi"
    file.write_bytes(raw_avi(48, 48, frames=30))
    done = count(str(file), "--line", "24,0,24,48", "--json")

    if done.returncode == 0:
        assert msgspec.json.decode(done.stdout)["frames"] > 0
    else:
        assert 2 == done.returncode
        assert "raw.avi" in done.stderr


def test_a_wrong_model_is_named(tmp_path: Path) -> None:
    clip, model = tmp_path / "clip.mp4", tmp_path / "model.onnx"
    clip.write_bytes(b"x")
    model.write_bytes(b"\x08\x07not a model")
    done = count(str(clip), "--line", "0,0,10,10", "--model", str(model))

    assert 2 == done.returncode
    assert "model.onnx" in done.stderr
    assert "onnxruntime" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--line", "1,2,3"), "x1,y1,x2,y2"),
        (("--line", "1,2,1,2"), "both points are the same"),
        (("--line", "1,2,3,nan"), "outside any picture"),
        (("--line", "0,0,9,9", "--roi", "5,5,0,3"), "no part of a picture"),
        ((), "give at least one line"),
    ],
)
def test_a_line_that_is_none_is_refused(arguments: tuple[str, ...], reason: str) -> None:
    done = count("clip.mp4", *arguments)

    assert 2 == done.returncode
    assert reason in done.stderr


def raw_avi(width: int, height: int, frames: int) -> bytes:
    """An uncompressed AVI (BI_RGB, 24 bit), as some cameras export it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)

    def number(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "little") for value in values)

    size = width * height * 3
    main = number(40_000, size * 25, 0, 16, frames, 0, 1, size, width, height, 0, 0, 0, 0)
    stream = (
        b"vidsDIB " + number(0, 0, 0, 1, 25, 0, frames, size, 0, 0) + width.to_bytes(4, "little") + height.to_bytes(4, "little")
    )
    form = number(40, width, height) + b"\x01\0\x18\0" + number(0, size, 0, 0, 0, 0)
    header = chunk(
        b"LIST", b"hdrl" + chunk(b"avih", main) + chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", form))
    )
    movie = chunk(b"LIST", b"movi" + b"".join(chunk(b"00db", bytes([n]) * size) for n in range(frames)))
    body = b"AVI " + header + movie
    return b"RIFF" + len(body).to_bytes(4, "little") + body
