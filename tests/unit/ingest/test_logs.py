"""Logs of controllers: every format, whole and damaged."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from ingest.logs import Log, LogError, Part, decode
from ingest.logs.records import keyed, split
from tests.support import logs
from tests.support.logs import BEGIN, Event
from tests.support.shared import shared_data

WITA = ZoneInfo("Asia/Makassar")
DENVER = ZoneInfo("America/Denver")


def read(part: Part, zone: ZoneInfo = WITA) -> list[Event]:
    """Events as the controller's clock showed them."""
    return [
        (
            (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).astimezone(zone).replace(tzinfo=None),
            code,
            parameter,
        )
        for time_us, code, parameter in zip(part.time_us.tolist(), part.code.tolist(), part.parameter.tolist(), strict=True)
    ]


def parquet(found: list[Event], zone: str | None = None) -> bytes:
    buffer = io.BytesIO()
    times = pa.array([time for time, _, _ in found], pa.timestamp("ms", tz=zone))
    table = pa.table(
        {"TimeStamp": times, "DeviceId": [7] * len(found), "EventId": [e[1] for e in found], "Parameter": [e[2] for e in found]}
    )
    pq.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "form", "part", "called"),
    [
        (logs.asc3(logs.events(200)), "Econolite ASC/3", "", "10.0.0.7"),
        (logs.packed(logs.asc3(logs.events(200))), "Econolite ASC/3", "", "10.0.0.7"),
        (logs.maxtime(logs.events(200)), "MaxTime XML", "", "10.0.0.7"),
        (logs.csv(logs.events(200)), "CSV", "atc-legian", None),
        (logs.csv(logs.events(200), None), "CSV", "", "log"),
        (logs.csv(logs.events(200), offset="+08:00"), "CSV", "atc-legian", None),
        (logs.csv(logs.events(200)).replace(b",", b";"), "CSV", "atc-legian", None),
        (parquet(logs.events(200)), "Parquet", "7", None),
    ],
)
def test_every_format_gives_the_same_events(content: bytes, form: str, part: str, called: str | None) -> None:
    log = decode("log.any", content, WITA)
    assert form == log.form
    assert () == log.problems
    assert logs.events(200) == read(log.parts[part])
    assert called is None or called in log.called


def test_the_tenths_of_a_long_log_begin_again() -> None:
    found = logs.events(1000, every_s=30.0)
    assert found == read(decode("long.dat", logs.asc3(found), WITA).parts[""])


def test_disorder_and_doubles_are_kept_as_they_are() -> None:
    found = logs.events(20)
    mixed = [found[3], found[0], found[0], *found[5:], found[1]]
    for content in (logs.asc3(mixed), logs.maxtime(mixed)):
        assert mixed == read(decode("log", content, WITA).parts[""])
    keys = keyed(decode("log", logs.asc3(mixed), WITA).parts[""])
    assert sorted(keys) == sorted(set(keys))
    assert len(mixed) == len(keys)


def test_unknown_codes_are_kept() -> None:
    found = [(BEGIN, 250, 3), (BEGIN, 4711, 70_000), (BEGIN, 400, -1)]
    assert found == read(decode("log.csv", logs.csv(found), WITA).parts["atc-legian"])
    assert found == read(decode("log.xml", logs.maxtime(found), WITA).parts[""])


@pytest.mark.parametrize(
    ("content", "kept", "problem"),
    [
        (logs.asc3(logs.events(50))[:-3], 49, "the last 1 bytes are no whole record"),
        (logs.packed(logs.asc3(logs.events(5000)))[:-40], None, "is cut off: the compressed data has no end"),
        (logs.maxtime(logs.events(50))[:-120], 49, "is cut off: its last tag is missing"),
        (
            logs.maxtime(logs.events(50)).replace(b'EventTypeID="82" Parameter="2"', b'EventTypeID="8\xff" Parameter="2"', 1),
            49,
            "no whole event",
        ),
        (logs.maxtime(logs.events(50)).replace(b"11-24-2026", b"13-24-2026", 1), 49, "is no date and time"),
        (logs.csv(logs.events(50)).replace(b",82,2,", b",eighty,2,", 1), 49, "line 3: invalid literal"),
        (logs.csv(logs.events(50)).replace(b",82,2,", b",82\n", 1), 49, "too few columns"),
        (logs.csv(logs.events(50)).replace(b",82,2,", b",-82,2,", 1), 49, "-82 is outside 0 to 65535"),
    ],
)
def test_the_rest_of_a_damaged_file_is_kept(content: bytes, kept: int | None, problem: str) -> None:
    log = decode("log", content, WITA)
    assert any(problem in told for told in log.problems), log.problems
    assert len(log) == kept if kept is not None else 0 < len(log) < 5000


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"hello world\n", "is no controller log"),
        (b"\x00\x01\xff\xfe" * 99, "neither a controller log nor text"),
        (b"PAR1 and then nothing", "a damaged Parquet file"),
        (logs.csv(logs.events(3)).replace(b"EventId", b"Whatever"), "no column for code"),
        (logs.asc3(logs.events(9)).replace(b"Phases in use", b"Phasen"), "missing or cut off"),
        (logs.asc3(logs.events(9)).replace(b"Beginning:,11/24/2026", b"Beginning:,tomorrow"), "not by a date and time"),
        (logs.asc3(logs.events(9)).replace(b"Beginning:,11/24/2026", b"Beginning:,11/54/2026"), "no date and time"),
        (logs.maxtime([]), "without any event"),
        (b"\x78\x9c\x00", "is cut off"),
        (logs.packed(bytes(300 << 20)), "more than 256 MiB"),
    ],
)
def test_what_is_no_log_is_refused_with_a_reason(content: bytes, problem: str) -> None:
    with pytest.raises(LogError, match=problem):
        decode("log", content, WITA)


def test_an_hour_that_comes_twice_and_one_that_never_comes() -> None:
    """Denver set its clocks back on 2026-11-01 at 02:00 and forward on 2026-03-08 at 02:00."""
    night = datetime(2026, 11, 1, 0, 30)  # noqa: DTZ001 - of a controller's clock
    local = [night + timedelta(minutes=15 * step) for step in range(6)]
    local += [night + timedelta(minutes=30 + 15 * step) for step in range(6)]
    part = decode("log.csv", logs.csv([(time, 1, 2) for time in local]), DENVER).parts["atc-legian"]
    steps = [later - earlier for earlier, later in zip(part.time_us.tolist(), part.time_us.tolist()[1:], strict=False)]
    assert [15 * 60 * 1_000_000] * len(steps) == steps

    spring = [(datetime(2026, 3, 8, hour, 30), 1, 2) for hour in (1, 2, 3)]  # noqa: DTZ001 - as above
    for content in (logs.csv(spring), logs.maxtime(spring), parquet(spring)):
        log = decode("log", content, DENVER)
        assert 2 == len(log)
        assert any(
            "do not exist in America/Denver" in told or "does not exist in America/Denver" in told for told in log.problems
        )
    with pytest.raises(LogError, match="does not exist in America/Denver; give --timezone"):
        decode("log.dat", logs.asc3([], spring[1][0]), DENVER)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", logs.asc3([])[:-1], logs.maxtime([])[:300], b"time,code,parameter\n", b"\x78\x9c", b"PAR1"]),
)
def test_whatever_the_bytes_a_log_or_a_reason_comes_out(content: bytes, head: bytes) -> None:
    try:
        found: Log | str = decode("log", head + content, WITA)
    except ConfigError as error:
        found = str(error)
    assert isinstance(found, Log) or found


def test_a_copy_another_format_and_an_overlap_have_the_same_keys() -> None:
    found = logs.events(400)
    found += found[:10]
    whole = set(keyed(decode("a.dat", logs.asc3(found), WITA).parts[""]))
    assert 410 == len(whole)
    assert whole == set(keyed(decode("b.xml", logs.maxtime(found), WITA).parts[""]))
    late = BEGIN + timedelta(seconds=40)
    overlap = keyed(decode("c.dat", logs.asc3([e for e in found if e[0] >= late], late), WITA).parts[""])
    assert set(overlap) <= whole


def test_times_that_cannot_be_are_told_and_the_rest_is_taken() -> None:
    found = [(BEGIN, 1, 2), (datetime(1999, 1, 1), 1, 2), (datetime(2030, 1, 1), 1, 2)]  # noqa: DTZ001 - of a controller's clock
    part = decode("log.csv", logs.csv(found), WITA).parts["atc-legian"]
    messages, wrong = split(part, int(part.time_us[0]))
    assert [1] == [len(message) for message in messages]
    assert ["1 events are not taken: time_in_future", "1 events are not taken: time_too_old"] == wrong


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        (
            "4895_ECON_10.210.8.179_2024_02_21_1115.dat",
            1914,
            ("2024-02-21T11:15:01.000", 81, 29),
            ("2024-02-21T11:28:41.600", 43, 3),
        ),
        ("ECON_10.205.17.215_2024_02_21_1115.dat", 1168, ("2024-02-21T11:15:02.200", 10, 2), ("2024-02-21T11:28:15.400", 43, 4)),
        ("maxtime.xml", 3001, ("2024-07-22T13:33:19.300", 4, 1), ("2024-07-22T13:56:28.200", 44, 6)),
    ],
)
def test_the_files_of_real_controllers(name: str, count: int, first: tuple[str, int, int], last: tuple[str, int, int]) -> None:
    log = decode(name, shared_data("controller-files", name).read_bytes(), DENVER)
    assert () == log.problems
    assert count == len(log)
    found = read(log.parts[""], DENVER)
    shown = [(time.isoformat(timespec="milliseconds"), code, parameter) for time, code, parameter in (found[0], found[-1])]
    assert [first, last] == shown
