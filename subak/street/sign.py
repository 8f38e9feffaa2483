"""A variable message sign that obeys `command`, as logic without I/O; and how it fails when the street is told so.

The rules, in the order in which they are tried:
1. A command whose lease has ended on arrival is refused (`expired`), and so is one that the broker kept (`retained`):
   an old command never comes back after an outage.
2. A command from a clock more than a minute ahead is refused (`other`): its lease would never end.
3. MULTI that the sign cannot show is refused (`syntaxMULTI`): an unknown tag, too many pages, lines or characters.
4. The command that is on display renews its own lease; it can make it longer, never shorter.
5. Another command needs at least the priority of the one on display (a higher number wins), else it is refused
   (`priority`).
6. A command older than the last one accepted, and of no higher priority, is refused (`other`): it was overtaken.
The lease counts from the command's own time. When it ends the sign goes blank by itself (`endDuration`). A command with
empty MULTI blanks the sign and holds it blank, with its priority, until its lease ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from config.site import Kind, Sign
from ingest.contract import ActivateError, Command, Outcome, Result, SourceMode, Status
from ingest.topics import Stream
from subak.street.message import ENCODER, Message, Numbers
from subak.street.multi_crc import message_crc
from subak.street.trouble import Fault, SignDefect

STATUS_EVERY = 10
"""Seconds between two reports of an unchanged sign."""

STRAY = "UJI COBA[nl]TES"
"""What a sign shows that somebody operates at its cabinet."""

AHEAD = timedelta(seconds=60)
"""How far a command's clock may be ahead of the sign's."""

_TAG = re.compile(r"\[([^\[\]]*)\]")
_KNOWN = re.compile(
    r"(nl\d?|np|jl[1-5]|jp[1-4]|fo(\d+(,[0-9A-Fa-f]{4})?)?|pt\d*(o\d*)?|sc\d+|/sc"
    r"|c[bf](\d+(,\d+,\d+)?)?|pb(\d+(,\d+,\d+)?)?|fl(t\d+)?(o\d+)?|/fl)"
)


@dataclass(frozen=True, slots=True)
class _Shown:
    command: Command
    until: datetime


class SignDevice:
    """One sign."""

    def __init__(self, sign: Sign, zone: ZoneInfo, faults: Sequence[Fault[SignDefect]] = ()) -> None:
        """`faults`: `pixel` and `door` are reported; with `stray` somebody at the cabinet shows what nobody commanded."""
        self.id = sign.id
        self._faults = tuple(faults)
        self._failing: frozenset[SignDefect] = frozenset()
        self._sign = sign
        self._zone = zone
        self._numbers = Numbers()
        self._shown: _Shown | None = None
        self._last: Command | None = None
        self._mode = SourceMode.RESET
        self._due: datetime | None = None

    @property
    def multi(self) -> str:
        """MULTI text on display; empty when blank."""
        if SignDefect.STRAY in self._failing:
            return STRAY
        return self._shown.command.multi if self._shown else ""

    @property
    def mode(self) -> SourceMode:
        """Why it shows that."""
        return SourceMode.LOCAL if SignDefect.STRAY in self._failing else self._mode

    def tick(self, now: datetime) -> list[Message]:
        """Blank at the end of the lease; report when changed or due."""
        failing = frozenset(fault.kind for fault in self._faults if int(now.timestamp()) in fault.window)
        changed = self._end_lease(now) or failing != self._failing
        self._failing = failing
        if not changed and self._due is not None and now < self._due:
            return []
        return [self._status(now)]

    def receive(self, payload: bytes, now: datetime, *, retained: bool = False) -> list[Message]:
        """Obey or refuse one command; what cannot be read has no id to answer to and is passed over."""
        try:
            command = msgspec.json.decode(payload, type=Command)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []
        self._end_lease(now)
        error = ActivateError.EXPIRED if retained else self._objection(command, now)
        if error is None:
            self._show(command)
        outcome = Outcome.ACCEPTED if error is None else Outcome.REFUSED
        result = Result(self._numbers.take(Stream.RESULT), self._local(now), command.command, outcome, error)
        answer = self._message(Stream.RESULT, result.seq, now, ENCODER.encode(result))
        return [answer, self._status(now)] if error is None else [answer]

    def _objection(self, command: Command, now: datetime) -> ActivateError | None:
        if command.time + timedelta(seconds=command.lease_s) <= now:
            return ActivateError.EXPIRED
        if command.time > now + AHEAD:
            return ActivateError.OTHER
        if not self.can_show(command.multi):
            return ActivateError.SYNTAX
        if SignDefect.STRAY in self._failing:
            return ActivateError.LOCAL_MODE
        if self._renews(command):
            return None
        if self._shown is not None and command.priority < self._shown.command.priority:
            return ActivateError.PRIORITY
        last = self._last
        if last is not None and command.time < last.time and command.priority <= last.priority:
            return ActivateError.OTHER
        return None

    def can_show(self, multi: str) -> bool:
        """Whether the sign has the room and the tags for `multi`."""
        if not all(_KNOWN.fullmatch(tag) for tag in _TAG.findall(multi)):
            return False
        if re.search(r"[\[\]]", _TAG.sub("", multi)):
            return False
        pages = re.split(r"\[np\]", multi)
        lines = [re.split(r"\[nl\d?\]", page) for page in pages]
        return (
            len(pages) <= self._sign.pages
            and all(len(page) <= self._sign.rows for page in lines)
            and all(len(_TAG.sub("", line)) <= self._sign.columns for page in lines for line in page)
        )

    def _renews(self, command: Command) -> bool:
        return self._shown is not None and (command.command, command.multi, command.priority) == (
            self._shown.command.command,
            self._shown.command.multi,
            self._shown.command.priority,
        )

    def _show(self, command: Command) -> None:
        until = command.time + timedelta(seconds=command.lease_s)
        if self._renews(command) and self._shown is not None:
            until = max(until, self._shown.until)
            if command.time < self._shown.command.time:
                command = self._shown.command
        self._shown = _Shown(command, until)
        self._last = command
        self._mode = SourceMode.CENTRAL

    def _end_lease(self, now: datetime) -> bool:
        if self._shown is None or now < self._shown.until:
            return False
        self._shown = None
        self._mode = SourceMode.END_DURATION
        return True

    def _status(self, now: datetime) -> Message:
        self._due = now + timedelta(seconds=STATUS_EVERY)
        local = self._local(now)
        status = Status(
            seq=self._numbers.take(Stream.STATUS),
            time=local,
            multi=self.multi,
            crc=message_crc(self.multi),
            source_mode=self.mode,
            command=self._shown.command.command if self._shown and self.mode is not SourceMode.LOCAL else None,
            brightness=100.0 if 6 <= local.hour < 18 else 40.0,
            faults=["pixel_failure"] if SignDefect.PIXEL in self._failing else [],
            door_open=SignDefect.DOOR in self._failing,
            temperature_c=32.0 if 9 <= local.hour < 17 else 26.0,
        )
        return self._message(Stream.STATUS, status.seq, now, ENCODER.encode(status))

    def _message(self, stream: Stream, seq: int, now: datetime, payload: bytes) -> Message:
        return Message(self.id, Kind.VMS, stream, seq, now, now, payload)

    def _local(self, now: datetime) -> datetime:
        return now.astimezone(self._zone)
