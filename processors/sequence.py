"""Gaps in sequence numbers: what was sent and has not arrived, per stream of a device.

A gap counts as lost upstream when it opens; a late message that fills it counts as recovered. A number that falls back
with a later field time is a reboot, not disorder.
"""

from __future__ import annotations

from msgspec import Struct

MOST_GAPS = 64  # open gaps remembered per stream; older ones stay lost
REBOOT_JUMP = 100_000  # a jump further than this is a new numbering, not a loss

Stream = tuple[int, str]
"""A device and the name of one of its streams."""


class SequenceState(Struct, frozen=True):
    """Where one stream stands.

    Attributes:
        last: Highest number of the present numbering.
        time_us: Field time of that message.
        missing: Open gaps as (first, last), ascending.
    """

    last: int
    time_us: int
    missing: tuple[tuple[int, int], ...] = ()


class Step(Struct, frozen=True):
    """What one message meant for its stream.

    Attributes:
        state: The stream afterwards.
        lost: Numbers that were skipped.
        recovered: Whether it filled an open gap.
    """

    state: SequenceState
    lost: int = 0
    recovered: bool = False


def follow(state: SequenceState | None, seq: int, time_us: int) -> Step:
    """One new message (never a duplicate) with number `seq` and field time `time_us`."""
    if state is None:
        return Step(SequenceState(seq, time_us))
    if seq == state.last + 1:
        return Step(SequenceState(seq, time_us, state.missing))
    if seq > state.last:
        skipped = seq - state.last - 1
        if time_us < state.time_us:
            # A straggler of the numbering before a reboot.
            return Step(state)
        if skipped > REBOOT_JUMP:
            return Step(SequenceState(seq, time_us))
        missing = (*state.missing, (state.last + 1, seq - 1))[-MOST_GAPS:]
        return Step(SequenceState(seq, time_us, missing), lost=skipped)
    for index, (first, last) in enumerate(state.missing):
        if first <= seq <= last:
            rest = tuple(gap for gap in ((first, seq - 1), (seq + 1, last)) if gap[0] <= gap[1])
            missing = state.missing[:index] + rest + state.missing[index + 1 :]
            return Step(SequenceState(state.last, state.time_us, missing[-MOST_GAPS:]), recovered=True)
    if time_us > state.time_us:
        return Step(SequenceState(seq, time_us))
    return Step(state)
