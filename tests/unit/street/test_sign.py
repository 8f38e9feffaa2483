"""What a sign obeys, refuses and forgets; time is told to it, so no clock runs here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from config.site import Sign
from ingest.contract import ActivateError, Command, Outcome, Result, SourceMode, Status
from ingest.topics import Stream
from subak.street.message import Message
from subak.street.multi_crc import crc16, message_crc
from subak.street.sign import STATUS_EVERY, SignDevice

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def command(name: str = "a", *, sent: float = 0, multi: str = "MACET", priority: int = 5, lease: float = 60) -> bytes:
    """A command as the dispatcher encodes it."""
    return msgspec.json.encode(Command(name, at(sent), multi, priority, lease))


@pytest.fixture
def sign() -> SignDevice:
    """A sign of three lines of fifteen characters and two pages."""
    place = Sign(id="vms-test", name="Test", link="a-to-b", position=(-8.7, 115.2), columns=15, rows=3, pages=2)
    return SignDevice(place, ZoneInfo("Asia/Makassar"))


def result(messages: list[Message]) -> tuple[Outcome, ActivateError | None]:
    """The answer among `messages`."""
    (answer,) = (item for item in messages if item.stream is Stream.RESULT)
    decoded = msgspec.json.decode(answer.payload, type=Result)
    return decoded.outcome, decoded.error


def status(messages: list[Message]) -> Status:
    """The status among `messages`."""
    (report,) = (item for item in messages if item.stream is Stream.STATUS)
    return msgspec.json.decode(report.payload, type=Status)


ACCEPTED = (Outcome.ACCEPTED, None)


def refused(error: ActivateError) -> tuple[Outcome, ActivateError]:
    """The answer to a command that is refused."""
    return Outcome.REFUSED, error


def test_starts_blank(sign: SignDevice) -> None:
    shown = status(sign.tick(NOON))
    assert (shown.multi, shown.crc, shown.source_mode, shown.command) == ("", 0, SourceMode.RESET, None)


def test_obeys_and_says_so_at_once(sign: SignDevice) -> None:
    messages = sign.receive(command(), at(1))
    assert result(messages) == ACCEPTED
    shown = status(messages)
    assert (shown.multi, shown.command, shown.source_mode) == ("MACET", "a", SourceMode.CENTRAL)
    assert shown.crc == message_crc("MACET")


def test_blanks_itself_when_the_lease_ends_counted_from_the_command(sign: SignDevice) -> None:
    sign.receive(command(lease=60), at(20))
    sign.tick(at(20))
    assert sign.multi == "MACET"
    sign.tick(at(59.9))
    assert sign.multi == "MACET"
    shown = status(sign.tick(at(60)))
    assert (shown.multi, shown.source_mode, shown.command) == ("", SourceMode.END_DURATION, None)


def test_renewing_makes_the_lease_longer_never_shorter(sign: SignDevice) -> None:
    sign.receive(command(lease=60), at(0))
    assert result(sign.receive(command(sent=50, lease=60), at(50))) == ACCEPTED
    sign.tick(at(109))
    assert sign.multi == "MACET"
    # The first command again, as a broker may deliver it twice.
    assert result(sign.receive(command(sent=50, lease=20), at(60))) == ACCEPTED
    sign.tick(at(109))
    assert sign.multi == "MACET"
    sign.tick(at(110))
    assert sign.multi == ""


# Each case: commands given before (with the moment), the command under test, its moment, the answer.
CASES = [
    ("expired on arrival", [], command(lease=60), 60, refused(ActivateError.EXPIRED)),
    ("just in time", [], command(lease=60), 59.9, ACCEPTED),
    ("from a clock far ahead", [], command(sent=61), 0, refused(ActivateError.OTHER)),
    ("lower priority", [(command("b", priority=6), 0)], command(priority=5, sent=1), 1, refused(ActivateError.PRIORITY)),
    ("same priority, newer", [(command("b"), 0)], command(sent=1), 1, ACCEPTED),
    ("same priority, older", [(command("b", sent=2), 2)], command(sent=1), 3, refused(ActivateError.OTHER)),
    ("higher priority, older", [(command("b", sent=2), 2)], command(sent=1, priority=6), 3, ACCEPTED),
    ("after the lease of a higher one", [(command("b", priority=9, lease=5), 0)], command(sent=6), 6, ACCEPTED),
    ("overtaken by one that has ended", [(command("b", sent=2, lease=5), 2)], command(sent=1), 8, refused(ActivateError.OTHER)),
    ("a blank that holds", [(command("b", multi="", priority=9), 0)], command(sent=1), 1, refused(ActivateError.PRIORITY)),
    ("unknown tag", [], command(multi="[zz]MACET"), 0, refused(ActivateError.SYNTAX)),
    ("unfinished tag", [], command(multi="MACET[nl"), 0, refused(ActivateError.SYNTAX)),
    ("too wide", [], command(multi="A" * 16), 0, refused(ActivateError.SYNTAX)),
    ("too many lines", [], command(multi="A[nl]B[nl]C[nl]D"), 0, refused(ActivateError.SYNTAX)),
    ("too many pages", [], command(multi="A[np]B[np]C"), 0, refused(ActivateError.SYNTAX)),
    ("full of tags", [], command(multi="[pt20o5][jl3][jp2][fo1]HATI-HATI[nl]MACET[np]SUNSET ROAD"), 0, ACCEPTED),
]


@pytest.mark.parametrize(("before", "given", "moment", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_answers(
    sign: SignDevice,
    before: list[tuple[bytes, float]],
    given: bytes,
    moment: float,
    expected: tuple[Outcome, ActivateError | None],
) -> None:
    for payload, second in before:
        assert result(sign.receive(payload, at(second))) == ACCEPTED
    assert result(sign.receive(given, at(moment))) == expected


def test_a_command_kept_by_the_broker_never_comes_back(sign: SignDevice) -> None:
    assert result(sign.receive(command(), at(1), retained=True)) == refused(ActivateError.EXPIRED)
    assert sign.multi == ""


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b'{"command":"a"}', b'{"command":1}'])
def test_what_cannot_be_read_is_passed_over(sign: SignDevice, payload: bytes) -> None:
    assert sign.receive(payload, NOON) == []


def test_reports_every_ten_seconds(sign: SignDevice) -> None:
    reports = [second for second in range(35) if sign.tick(at(second))]
    assert reports == [0, STATUS_EVERY, 2 * STATUS_EVERY, 3 * STATUS_EVERY]


def test_crc() -> None:
    # The check value that catalogues of CRCs give for ISO/IEC 3309.
    assert crc16(b"123456789") == 0x906E
    octets = crc16(b"MACET\x00\x00")
    assert message_crc("MACET") == (octets & 0xFF) << 8 | octets >> 8
    assert message_crc("MACET") != message_crc("MACET", beacon=True)
