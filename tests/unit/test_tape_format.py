"""A tape gives back what it was given, and up to the break when it was broken."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subak.tape.format import VERSION, Frame, Header, TapeError, TapeReader, TapeWriter, survey

HEADER = Header(VERSION, 1_795_478_400_000_000, "subak/v1/+/#")

frames = st.lists(
    st.builds(
        Frame,
        received_us=st.integers(0, 2**62),
        topic=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
        qos=st.integers(0, 2),
        retain=st.booleans(),
        payload=st.binary(max_size=300),
    ),
    max_size=20,
)


def write(path: Path, messages: list[Frame], *, flush_every: int = 5) -> None:
    with TapeWriter(path, HEADER) as tape:
        for index, frame in enumerate(messages):
            tape.write(frame)
            if index % flush_every == 0:
                tape.flush()


def some(count: int) -> list[Frame]:
    return [
        Frame(1_000_000 * index, f"subak/v1/x/{index}", index % 3, index % 2 == 0, bytes([index]) * index)
        for index in range(count)
    ]


@settings(deadline=None)
@given(messages=frames)
def test_round_trip(messages: list[Frame]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tape"
        write(path, messages)
        reader = TapeReader(path)
        assert reader.header == HEADER
        assert list(reader) == messages
        assert reader.damage == ""


def test_survey(tmp_path: Path) -> None:
    path = tmp_path / "tape"
    write(path, some(7))
    assert (survey(path).messages, survey(path).first_us, survey(path).last_us) == (7, 0, 6_000_000)


def test_what_was_flushed_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "tape"
    tape = TapeWriter(path, HEADER)
    messages = some(20)
    for frame in messages[:12]:
        tape.write(frame)
    tape.flush()
    for frame in messages[12:]:
        tape.write(frame)  # never flushed: lost
    reader = TapeReader(path)
    assert list(reader) == messages[:12]
    assert "tail is missing" in reader.damage
    tape.close()


def test_a_tape_cut_anywhere_gives_a_beginning_of_its_messages(tmp_path: Path) -> None:
    path, messages = tmp_path / "tape", some(20)
    write(path, messages, flush_every=3)
    whole = path.read_bytes()
    cut, seen = tmp_path / "cut", set()
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        try:
            reader = TapeReader(cut)
        except TapeError:
            continue
        got = list(reader)
        assert got == messages[: len(got)]
        assert reader.damage
        seen.add(len(got))
    assert {1, 4, 19} <= seen


def test_a_damaged_tape_never_raises_past_its_header(tmp_path: Path) -> None:
    path, messages = tmp_path / "tape", some(30)
    write(path, messages)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            reader = TapeReader(path)
        except TapeError:
            continue
        assert len(list(reader)) <= len(messages)


def test_a_tape_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "tape"
    path.write_bytes(b"precious")
    with pytest.raises(TapeError, match="exists; a tape is never written over"):
        TapeWriter(path, HEADER)
    assert path.read_bytes() == b"precious"


def test_other_files_are_no_tapes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(TapeError, match="is not a file; record one with: subak record"):
        TapeReader(path)
    for content in (b"", b"hello", bytes(100)):
        path.write_bytes(content)
        with pytest.raises(TapeError, match="is not a Subak tape"):
            TapeReader(path)


def test_a_tape_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tape"
    TapeWriter(path, Header(VERSION + 1, 0, "#")).close()
    with pytest.raises(TapeError, match=f"is a tape of version {VERSION + 1}; this program reads {VERSION}"):
        TapeReader(path)
