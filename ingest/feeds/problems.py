"""From errors of the JSON decoder to named reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ingest.deadletters import dead_letter
from ingest.feeds import Decoded, Message, Route
from ingest.readings import DeadLetter, Record
from ingest.reasons import Reason

Problem = tuple[Reason, str]
"""Why a message or a part of it cannot be used, and what exactly is wrong."""

BadInput = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for payloads that are not what they should be."""

_RANGE = re.compile(r"Expected `(int|float)[^`]*` [<>]=? |(Number|Integer value) out of range")
_SHOWN = 8  # problems named in one detail


class _Numbered(msgspec.Struct):
    seq: int


_any = msgspec.json.Decoder(msgspec.Raw)
_numbered = msgspec.json.Decoder(_Numbered)


def diagnose(payload: bytes, error: Exception) -> Problem:
    """Name what is wrong with a payload that its decoder refused.

    The decoder stops at the first wrong type, which in a garbled payload is not the cause: encoding, depth and syntax
    are looked at first.
    """
    try:
        payload.decode()
    except UnicodeDecodeError as wrong:
        return Reason.NOT_UTF8, f"byte {wrong.start} is not UTF-8: {wrong.reason}"
    try:
        _any.decode(payload)
    except RecursionError:
        return Reason.TOO_DEEP, "objects or arrays are nested hundreds of levels deep"
    except msgspec.DecodeError as wrong:
        return Reason.NOT_JSON, str(wrong)
    return judge(error)


def judge(error: Exception, path: str = "$") -> Problem:
    """Name what is wrong with a value that is valid JSON and stands at `path` of its message."""
    if isinstance(error, RecursionError):
        return Reason.TOO_DEEP, f"objects or arrays are nested hundreds of levels deep - at `{path}`"
    text = str(error)
    if path != "$":
        text = text.replace("at `$", f"at `{path}", 1) if " - at `$" in text else f"{text} - at `{path}`"
    # Matched at its beginning, so that what a device wrote (an unknown field's name) cannot choose the reason.
    return (Reason.OUT_OF_RANGE if _RANGE.match(text) else Reason.WRONG_TYPE), text


def sequence(payload: bytes) -> int | None:
    """The sequence number of a refused message, so that it is not counted as lost on the way as well."""
    try:
        seq = _numbered.decode(payload).seq
    except BadInput:
        return None
    return seq if 0 <= seq <= 2**53 else None


def refused(message: Message, route: Route, problem: Problem, seq: int | None = None, time_us: int | None = None) -> Decoded:
    """Nothing of the message can be used."""
    return Decoded([], [_letter(message, route, *problem)], seq, time_us)


def outcome(
    message: Message,
    route: Route,
    records: Sequence[Record],
    problems: Sequence[Problem],
    seq: int | None,
    time_us: int | None,
) -> Decoded:
    """Records, and a partial dead letter per reason; a single whole one when there are no records."""
    if not records:
        details = _listed([detail for _, detail in problems]) or "the message holds nothing"
        reason = problems[0][0] if problems else Reason.WRONG_TYPE
        return refused(message, route, (reason, details), seq, time_us)
    by_reason: dict[Reason, list[str]] = {}
    for reason, detail in problems:
        by_reason.setdefault(reason, []).append(detail)
    dead = [_letter(message, route, reason, _listed(details), partial=True) for reason, details in by_reason.items()]
    return Decoded(list(records), dead, seq, time_us)


def _listed(details: list[str]) -> str:
    more = f"; and {len(details) - _SHOWN} more" if len(details) > _SHOWN else ""
    return "; ".join(details[:_SHOWN]) + more


def _letter(message: Message, route: Route, reason: Reason, detail: str, *, partial: bool = False) -> DeadLetter:
    return dead_letter(route.source, message.topic, message.payload, message.received_us, reason, detail, partial=partial)
