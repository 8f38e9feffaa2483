"""`subak deadletters`: what could not become facts, why, and what to do with it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config.errors import ConfigError
from config.settings import load_settings
from ingest.mqtt.address import Address
from ingest.mqtt.publisher import RefusedError, publishing
from ingest.mqtt.receiver import ConnectionLostError
from ingest.reasons import Reason
from ingest.topics import Stream
from storage.deadletters import Choice, Connection, Letter, find, mark, payload
from storage.deadletters import purge as throw_away
from subak.connected import connected

app = App(name="deadletters", help="List, show, send again (after a fix) and throw away what could not become facts.")

CLIENT_ID = "subak-redrive"
MOST = 10_000  # in one go
HEX_SHOWN = 256  # bytes of a payload that is not text

Since = Annotated[str | None, Parameter(help="Received since: 30m, 12h, 7d ago, or an RFC 3339 time.")]
ReasonName = Annotated[str | None, Parameter(help="Of this reason.")]
DeviceName = Annotated[str | None, Parameter(help="Of this device; '(unknown)' for topics that are nobody's.")]

_AGO = re.compile(r"^(\d+)(m|h|d)$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
# What speaks of the moment it was sent: an old command must never reach a sign, nor an old presence pass for the present one.
_OF_ITS_MOMENT = (Stream.COMMAND, Stream.PRESENCE)


@app.command(name="list")
def list_(
    *, reason: ReasonName = None, device: DeviceName = None, since: Since = None, most: int = 50, json: bool = False
) -> None:
    """List dead letters, the newest first.

    Args:
        reason: Of this reason.
        device: Of this device.
        since: Received since.
        most: That many at most.
        json: Print one JSON list.
    """
    with connected() as connection:
        letters = find(connection, _choice(reason, device, since), most)
    if json:
        print(msgspec.json.encode(letters).decode())
        return
    if not letters:
        print("no dead letters")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("number", "received (UTC)", "device", "reason", "detail", "sent again"):
        table.add_column(heading, overflow="fold")
    for letter in letters:
        again = f"{letter.redriven} times" if letter.redriven else ""
        row = (str(letter.number), f"{letter.received_at:%Y-%m-%d %H:%M:%S}", letter.device, letter.reason, letter.detail, again)
        table.add_row(*map(escape, row))
    Console(highlight=False).print(table)
    if len(letters) == most:
        print(f"the newest {most}; --most shows more")


@app.command
def show(number: int, *, json: bool = False) -> None:
    """Show one dead letter with its payload: JSON indented, other text as it is, anything else in hexadecimal.

    Args:
        number: As `list` shows it.
        json: Print one JSON object; the payload in Base64.
    """
    with connected() as connection:
        letter = _one(connection, number)
        content = payload(connection, number)
    if json:
        print(msgspec.json.encode({**msgspec.structs.asdict(letter), "payload": content}).decode())
        return
    advice = Reason(letter.reason).advice if letter.reason in set(Reason) else ""
    print(f"{letter.topic}\nreceived {letter.received_at:%Y-%m-%d %H:%M:%S.%f} UTC from {letter.device}")
    print(f"{letter.reason}{' (in part: the rest was stored)' if letter.partial else ''}: {letter.detail}")
    print(f"{advice}")
    if letter.redriven_at is not None:
        print(f"sent again {letter.redriven} times, last {letter.redriven_at:%Y-%m-%d %H:%M:%S} UTC")
    print(f"payload of {letter.size} bytes{'' if letter.is_whole else f', {letter.kept} kept'}:")
    print(readable(content))


@app.command
def redrive(
    *numbers: int,
    reason: ReasonName = None,
    device: DeviceName = None,
    since: Since = None,
    again: bool = False,
    yes: bool = False,
) -> int:
    """Publish kept messages again, the oldest first, after what was wrong has been put right.

    The collector receives them as any message: the ledger counts them as received again, and what was stored of a message in
    part comes as known. Connects by SUBAK_MQTT_URL, as a user that may publish for devices (`subak-redrive`). Commands and
    presences are never sent again, nor payloads of which only a part is kept. Exit status 1 when one could not be sent.

    Args:
        numbers: These; or a choice by reason, device and time.
        reason: Of this reason.
        device: Of this device.
        since: Received since.
        again: Those too that were sent again before.
        yes: Do not ask.
    """
    settings = load_settings()
    address = Address.of(settings)
    with connected() as connection:
        letters = find(connection, _some(numbers, _choice(reason, device, since)), MOST)[::-1]
        wanted, left = _sendable(letters, again=again)
        for letter, why in left:
            print(f"{letter.number}: not sent: {why}")
        if not wanted:
            print("nothing to send")
            return 1 if left else 0
        if not numbers:
            _ask(f"Publish {len(wanted)} messages again at {address!r}?", yes=yes)
        sent = asyncio.run(_send(connection, address, wanted))
    print(f"{sent} of {len(letters)} messages published again")
    return 0 if sent == len(letters) else 1


@app.command
def purge(
    *numbers: int,
    reason: ReasonName = None,
    device: DeviceName = None,
    older_than: Annotated[str | None, Parameter(help="Received before: 30m, 12h, 7d ago, or an RFC 3339 time.")] = None,
    yes: bool = False,
) -> None:
    """Throw dead letters away. The ledger goes on counting them, as rejected and not kept.

    Args:
        numbers: These; or a choice by reason, device and age.
        reason: Of this reason.
        device: Of this device.
        older_than: Received before.
        yes: Do not ask.
    """
    choice = msgspec.structs.replace(_choice(reason, device, None), until=_moment(older_than, "--older-than"))
    with connected() as connection:
        gone = 0
        letters = find(connection, _some(numbers, choice), MOST)
        if not letters:
            print("nothing to purge")
            return
        more = " at least" if len(letters) == MOST else ""
        _ask(f"Throw away{more} {len(letters)} dead letters for good?", yes=yes)
        while letters:
            gone += throw_away(connection, [letter.number for letter in letters])
            letters = find(connection, _some(numbers, choice), MOST)
    print(f"{gone} dead letters thrown away")


def readable(content: bytes) -> str:
    """A payload for a person: JSON indented, other text as it is, anything else as the first bytes in hexadecimal."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return _hexadecimal(content)
    try:
        return msgspec.json.format(content, indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        plain = text.replace("\n", "").replace("\t", "").replace("\r", "")
        return text if plain.isprintable() else _hexadecimal(content)


def _hexadecimal(content: bytes) -> str:
    lines = [f"{at:06x}  {content[at : at + 16].hex(' ')}" for at in range(0, min(len(content), HEX_SHOWN), 16)]
    return "\n".join([*lines, *(["…"] if len(content) > HEX_SHOWN else [])])


def _sendable(letters: Sequence[Letter], *, again: bool) -> tuple[list[Letter], list[tuple[Letter, str]]]:
    wanted: list[Letter] = []
    left: list[tuple[Letter, str]] = []
    for letter in letters:
        if letter.topic.rpartition("/")[2] in _OF_ITS_MOMENT:
            left.append((letter, "it speaks of the moment at which it was sent"))
        elif not letter.is_whole:
            left.append((letter, f"only {letter.kept} of its {letter.size} bytes are kept"))
        elif letter.redriven and not again:
            left.append((letter, "it was sent again before; --again does it once more"))
        else:
            wanted.append(letter)
    return wanted, left


async def _send(connection: Connection, address: Address, letters: Sequence[Letter]) -> int:
    """Publish one after the other and mark each; an end in between can send one twice, which the pipeline recognises."""
    sent = 0
    try:
        async with publishing(address, CLIENT_ID) as publisher:
            for letter in letters:
                try:
                    await publisher.publish(letter.topic, payload(connection, letter.number))
                except RefusedError as error:
                    print(f"{letter.number}: not sent: {error}")
                    continue
                mark(connection, letter.number)
                sent += 1
    except (OSError, TimeoutError, ConnectionLostError) as error:
        raise ConfigError(
            f"{sent} of {len(letters)} messages published again, then broker {address!r}: {error or 'no answer'}"
        ) from error
    return sent


def _some(numbers: Sequence[int], choice: Choice) -> Choice:
    """Either some by number, or a choice that says something."""
    if numbers and choice != Choice():
        raise ConfigError("give numbers or a choice (--reason, --device and a time), not both")
    if not numbers and choice == Choice():
        raise ConfigError("give numbers, or a choice by --reason, --device or a time")
    return Choice(numbers=list(numbers)) if numbers else choice


def _choice(reason: str | None, device: str | None, since: str | None) -> Choice:
    if reason is not None and reason not in set(Reason):
        raise ConfigError(f"--reason {reason}: no such reason; reasons are {', '.join(Reason)}")
    return Choice(reason=reason, device=device, since=_moment(since, "--since"))


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    if ago := _AGO.match(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} {text}: must be 30m, 12h or 7d, or a time such as 2026-11-24T08:00+08:00") from None
    if moment.tzinfo is None:
        raise ConfigError(f"{option} {text}: the time needs an offset, such as +08:00 or Z")
    return moment


def _one(connection: Connection, number: int) -> Letter:
    found = find(connection, Choice(numbers=[number]), 1)
    if not found:
        raise ConfigError(f"there is no dead letter {number} (any more)")
    return found[0]


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nobody is here to be asked; --yes goes on without asking")
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ConfigError("nothing was done")
