"""What must hold for every answer of the door."""

from __future__ import annotations

from msgspec.structs import asdict

from ingest.door import Admission, Disposition
from ingest.readings import Record
from ingest.reasons import Reason

REASONS = frozenset(reason.value for reason in Reason)
INT64 = 2**63
INT32 = 2**31
_LARGE = frozenset({"start_us", "time_us", "received_us", "seq"})
_SPAN = 300_000 * 365 * 86_400 * 1_000_000  # µs on either side of 1970 that a database's time can hold, by far


def faults(admission: Admission, payload: bytes) -> list[str]:
    """What is wrong with an answer; nothing, if the door is sound."""
    found = _faults(admission, payload)
    for other in admission.also:
        if other.also:
            found.append("parts of parts")
        found += _faults(other, payload)
    return found


def _faults(admission: Admission, payload: bytes) -> list[str]:
    found = []
    records, dead = admission.records, admission.dead
    if not records and not dead:
        found.append("neither a record nor a dead letter")
    if (admission.disposition is Disposition.ADMITTED) is not bool(records):
        found.append(f"{admission.disposition} with {len(records)} records")
    if not records and [letter.partial for letter in dead] != [False]:
        found.append("a rejected message has one whole dead letter")
    if records and not all(letter.partial for letter in dead):
        found.append("a whole dead letter beside records")
    for letter in dead:
        if letter.reason not in REASONS:
            found.append(f"reason {letter.reason!r}")
        if letter.reason == Reason.DECODER_FAULT:
            found.append(f"the decoder failed: {letter.detail}")
        if letter.size != len(payload):
            found.append("a wrong size")
        if not 0 < len(letter.detail) <= 500 or not letter.detail.isprintable() or not letter.topic.isprintable():
            found.append("a detail or topic that cannot be shown")
        if len(letter.payload) > 1 << 20:
            found.append("too much of the payload kept")
    found += [fault for record in records for fault in _unstorable(record)]
    for number in (admission.seq, *admission.numbers):
        if number is not None and not 0 <= number < INT64:
            found.append(f"sequence number {number}")
    return found


def _unstorable(record: Record) -> list[str]:
    """Values that a database column would refuse."""
    found = []
    for name, value in asdict(record).items():
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, int):
            most = INT64 if name in _LARGE else INT32
            if not -most <= value < most or (name in ("start_us", "time_us") and abs(value) > _SPAN):
                found.append(f"{type(record).__name__}.{name} is {value}")
        elif isinstance(value, str) and ("\0" in value or not value.isprintable()):
            found.append(f"{type(record).__name__}.{name} is {value!r}")
        elif isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
            found.append(f"{type(record).__name__}.{name} is NaN")
    return found
