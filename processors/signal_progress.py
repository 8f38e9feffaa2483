"""How far a controller is measured, and what a late event asks to be measured again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from processors.signal_rows import SEGMENT_US


class Progress(Struct, frozen=True):
    """How far one controller is measured.

    Attributes:
        begun_us: Begin of its first segment; the measuring knows nothing of what was before.
        done_us: Its events before this are measured.
        redo_from_us: Events came late; from here on it is measured again.
        redo_until_us: The latest of those events: nobody may stop before it.
    """

    begun_us: int
    done_us: int
    redo_from_us: int | None = None
    redo_until_us: int | None = None


def segment_of(time_us: int) -> int:
    """Begin of the segment that holds a time."""
    return time_us // SEGMENT_US * SEGMENT_US


def with_events(progress: Progress | None, times_us: Sequence[int]) -> Progress:
    """After new events at `times_us`, in any order; the same object when they lie ahead of what is measured."""
    earliest = min(times_us)
    if progress is None:
        begin = segment_of(earliest)
        return Progress(begin, begin)
    late = [time for time in times_us if time < progress.done_us]
    if not late:
        return progress
    begun = min(progress.begun_us, segment_of(earliest))
    since = earliest if progress.redo_from_us is None else min(progress.redo_from_us, earliest)
    until = max(late) if progress.redo_until_us is None else max(progress.redo_until_us, *late)
    return replace(progress, begun_us=begun, redo_from_us=since, redo_until_us=until)


def pieces(since_us: int, until_us: int, done_us: int) -> Iterator[tuple[int, int]]:
    """A span cut where segments begin, and where what is measured for the first time begins."""
    begin = since_us
    while begin < until_us:
        end = min(segment_of(begin) + SEGMENT_US, until_us)
        if begin < done_us < end:
            end = done_us
        yield begin, end
        begin = end
