"""What a batch of messages means, once it is known which of them are new: ledger, sequences, device state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from ingest.door import Admission, Disposition
from ingest.readings import LaneReading, PresenceChange
from processors.ledger import Ledger
from processors.sequence import SequenceState, Stream, follow

UNKNOWN = 0  # source of messages that belong to no known device


class Heard:
    """What a batch brought from one device.

    Attributes:
        received_us: When it was last heard.
        event_us: Its latest field time that is not in the future; None when it brought none.
        presence: What it last said of itself.
        presence_us: When it said so.
    """

    __slots__ = ("event_us", "presence", "presence_us", "received_us")

    def __init__(self) -> None:
        self.received_us = 0
        self.event_us: int | None = None
        self.presence: str | None = None
        self.presence_us: int | None = None

    def after(self, earlier: Heard | None) -> Heard:
        """Both together; this one came later."""
        if earlier is not None:
            self.received_us = max(self.received_us, earlier.received_us)
            self.event_us = max(self.event_us or 0, earlier.event_us or 0) or None
            if self.presence is None:
                self.presence, self.presence_us = earlier.presence, earlier.presence_us
        return self


class Intake(Struct):
    """The effect of one batch.

    Attributes:
        ledger: Counts by source and minute.
        sequences: Streams whose sequence moved.
        heard: Devices that were heard.
    """

    ledger: Ledger
    sequences: dict[Stream, SequenceState]
    heard: dict[int, Heard]


class Presences:
    """What every device last said of itself; tells changes from repetitions."""

    def __init__(self, known: Mapping[int, str]) -> None:
        self._state = dict(known)

    def changes(self, admissions: Sequence[tuple[int, PresenceChange]]) -> list[tuple[int, PresenceChange]]:
        """Those that change what was said before, each with the index it came with; nothing is remembered yet."""
        state: dict[int, str] = {}
        found = []
        for index, change in admissions:
            if state.get(change.device, self._state.get(change.device)) != change.state:
                state[change.device] = change.state
                found.append((index, change))
        return found

    def remember(self, changes: Sequence[tuple[int, PresenceChange]]) -> None:
        """These were stored."""
        for _, change in changes:
            self._state[change.device] = change.state


def take_in(
    admissions: Sequence[Admission],
    received_us: Sequence[int],
    new: Sequence[bool],
    sequences: Mapping[Stream, SequenceState],
    closed_until_us: Callable[[int], int],
) -> Intake:
    """Account for a batch.

    Args:
        admissions: The door's answers, in order of receipt.
        received_us: When each message was received.
        new: Whether storage took the message as new; meaningless where the door rejected it.
        sequences: Where all sequences stand before the batch; not changed.
        closed_until_us: Up to where the bins of a device are final.
    """
    ledger = Ledger()
    moved: dict[Stream, SequenceState] = {}
    heard: dict[int, Heard] = {}
    for admission, at_us, is_new in zip(admissions, received_us, new, strict=True):
        source = admission.source
        entry = ledger.entry(source, at_us)
        entry.received += 1
        device = heard.get(source)
        if device is None:
            device = heard[source] = Heard()
        device.received_us = max(device.received_us, at_us)
        if admission.disposition is Disposition.REJECTED:
            entry.rejected += 1
        elif is_new:
            entry.stored += 1
            _note(device, admission)
            first = admission.records[0]
            if type(first) is LaneReading and first.start_us < closed_until_us(source):
                entry.late += 1
        else:
            entry.duplicate += 1
            continue
        if admission.stream is None or (admission.seq is None and not admission.numbers):
            continue
        stream = (source, str(admission.stream))
        for seq in admission.numbers or (admission.seq,):
            before = moved.get(stream) or sequences.get(stream)
            step = follow(before, seq, admission.time_us if admission.time_us is not None else _time_of(before))  # type: ignore[arg-type]
            moved[stream] = step.state
            if step.lost or step.recovered:
                entry.lost += step.lost
                entry.recovered += step.recovered
    heard.pop(UNKNOWN, None)
    return Intake(ledger, moved, heard)


def _time_of(state: SequenceState | None) -> int:
    return 0 if state is None else state.time_us


def _note(device: Heard, admission: Admission) -> None:
    # Where a message says several things, presence is the last of them.
    record = admission.records[-1]
    if type(record) is PresenceChange:
        device.presence = record.state
        device.presence_us = record.received_us
        return
    time_us = admission.time_us
    if time_us is not None and not record.future and (device.event_us is None or time_us > device.event_us):  # type: ignore[union-attr]
        device.event_us = time_us
