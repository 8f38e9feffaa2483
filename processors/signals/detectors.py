"""When detectors were on, when they are not to be believed, and how missing edges are repaired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from processors.quality import suspect
from processors.signals.chunk import FAR, Chunk, microseconds
from processors.signals.configuration import Detector
from processors.signals.events import DETECTOR_OFF, DETECTOR_ON, DETECTOR_RESTORED, Flags, Ints

FAULTS = (84, 85, 86, 87, 88)


@dataclass(frozen=True, slots=True)
class Presence:
    """When a channel was on.

    A missing edge is repaired as in atspm: of two ON in a row the first ended at the second when they are at most `rapid_repair`
    (2 s) apart, else half-way; of two OFF in a row the second began half-way; an OFF at the very begin has no length.

    Attributes:
        on: Begins, rising.
        off: End of each; `FAR` when it is still on.
        told: When each end was known: later than `off` where it was put half-way.
        known_from: First event; before it nothing is known.
        put: Edges that were put half-way.
        put_told: The event that told each of them.
    """

    on: Ints
    off: Ints
    told: Ints
    known_from: int
    put: Ints
    put_told: Ints


def presence(chunk: Chunk, channel: int, until_us: int) -> Presence:
    """When a channel was on, as far as is known from events before `until_us`."""
    ons, offs = (
        one[: np.searchsorted(one, until_us)]
        for one in (chunk.seen(DETECTOR_ON, channel, until_us), chunk.seen(DETECTOR_OFF, channel, until_us))
    )
    empty = np.zeros(0, dtype=np.int64)
    if not len(ons) + len(offs):
        return Presence(empty, empty, empty, int(FAR), empty, empty)
    t = np.concatenate((offs, ons))
    is_on = np.concatenate((np.zeros(len(offs), dtype=np.bool_), np.ones(len(ons), dtype=np.bool_)))
    order = np.lexsort((is_on, t))
    t, is_on = t[order], is_on[order]
    following, follows_on = np.append(t[1:], FAR), np.append(is_on[1:], False)
    gap = following - t
    # An ON lasts to the next OFF, or is cut by the next ON; an OFF before another OFF hides a presence of half the gap.
    lost_off = is_on & follows_on
    lost_off[-1] = False
    lost_on = ~is_on & ~follows_on
    lost_on[-1] = False
    rapid = gap <= microseconds(chunk.parameters.rapid_repair.value)
    half = following - gap // 2
    end = np.where(lost_off & ~rapid, half, following)
    begin = np.concatenate((t[is_on], half[lost_on]))
    off = np.concatenate((end[is_on], following[lost_on]))
    # That a presence was hidden before a second OFF is known afterwards only: it is never stuck.
    told = np.concatenate((following[is_on], half[lost_on]))
    order = np.lexsort((off, begin))
    put = (lost_off & ~rapid) | lost_on
    return Presence(begin[order], off[order], told[order], int(t[0]), half[put], following[put])


def stuck(chunk: Chunk, seen: Presence) -> tuple[Ints, Ints]:
    """Moments from which presences are too long, and when the channel said something again; told when it is so, not before."""
    since = seen.on + microseconds(chunk.parameters.stuck_on.value)
    long = seen.told > since
    return since[long], seen.told[long]


def faults(chunk: Chunk, channel: int) -> tuple[Ints, Ints]:
    """Begins and ends of faults that the controller itself reported (84 to 88, until 83)."""
    begins = np.sort(np.concatenate([chunk.times(code, channel) for code in FAULTS]))
    ends = chunk.times(DETECTOR_RESTORED, channel)
    return begins, np.append(ends, FAR)[np.searchsorted(ends, begins)]


def covers(begins: Ints, ends: Ints, first: Ints, last: Ints) -> Flags:
    """Which spans [first, last) some interval overlaps; few intervals."""
    found = np.zeros(len(first), dtype=np.bool_)
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        found |= (begin < last) & (end > first)
    return found


def soundness(chunk: Chunk, detectors: Iterable[Detector]) -> dict[int, str]:
    """Quality of the bins in which one of the detectors is stuck on or in fault."""
    ends = chunk.starts + chunk.bin_us
    found: dict[int, str] = {}
    for channel in sorted({detector.number for detector in detectors}):
        hidden = covers(*stuck(chunk, presence(chunk, channel, chunk.end_us)), chunk.starts, ends)
        found.update(dict.fromkeys(np.flatnonzero(hidden).tolist(), suspect("stuck_on")))
        broken = covers(*faults(chunk, channel), chunk.starts, ends)
        found.update(dict.fromkeys(np.flatnonzero(broken).tolist(), suspect("fault")))
    return found


def keep_faults(chunk: Chunk) -> Flags:
    """Faults and restorations in cycles that are not told, and the last of each channel before."""
    index = chunk.of(*FAULTS, DETECTOR_RESTORED)
    longest = chunk.parameters.cycle_longest.value + chunk.parameters.offset_window.value
    return chunk.keep_since(index, chunk.par[index], chunk.end_us - microseconds(longest))
