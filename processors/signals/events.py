"""Hi-res events of one controller as arrays, and the codes that the measures read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

US: Final = 1_000_000
"""Microseconds a second."""
DAY_US: Final = 86_400 * US

GREEN: Final = 1
GAP_OUT: Final = 4
MAX_OUT: Final = 5
FORCE_OFF: Final = 6
GREEN_END: Final = 7
YELLOW: Final = 8
YELLOW_END: Final = 9
RED: Final = 10
WALK: Final = 21
WALK_END: Final = 22
CALL: Final = 43
CALL_END: Final = 44
OVERLAP_WALK: Final = 67
DETECTOR_OFF: Final = 81
DETECTOR_ON: Final = 82
DETECTOR_RESTORED: Final = 83
PRESS: Final = 90
PREEMPT: Final = 102
PREEMPT_END: Final = 104
EARLY_GREEN: Final = 113
LATE_GREEN: Final = 114
PATTERN: Final = 131
CYCLE_LENGTH: Final = 132
SPLIT_OF_PHASE_1: Final = 134
CLOCK: Final = 181
LAST_STANDARD: Final = 218
"""Codes above it are the vendors'."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one controller, as columns of one length.

    Attributes:
        time_us: Field time, µs since 1970 UTC.
        code: What happened; names in `config/norms/indiana.yaml`.
        parameter: To which phase, overlap, detector or value.
    """

    time_us: Ints
    code: Ints
    parameter: Ints

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int]]) -> Events:
        """Events from (µs, code, parameter)."""
        table = np.array(list(rows), dtype=np.int64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2])

    def __len__(self) -> int:
        return len(self.time_us)

    def canonical(self) -> Events:
        """The set of these events in the one order of time, code and parameter: doubles and disorder leave no trace."""
        time, code, parameter = (np.asarray(column, dtype=np.int64) for column in (self.time_us, self.code, self.parameter))
        order = np.lexsort((parameter, code, time))
        time, code, parameter = time[order], code[order], parameter[order]
        if len(time) > 1:
            fresh = np.ones(len(time), dtype=np.bool_)
            fresh[1:] = (np.diff(time) != 0) | (np.diff(code) != 0) | (np.diff(parameter) != 0)
            if not fresh.all():
                return Events(time[fresh], code[fresh], parameter[fresh])
        return Events(time, code, parameter)

    def between(self, begin_us: int, end_us: int) -> Events:
        """Events of canonical order with begin <= time < end."""
        first, last = np.searchsorted(self.time_us, (begin_us, end_us))
        return self.where(slice(int(first), int(last)))

    def where(self, chosen: slice | Flags) -> Events:
        """Some of these events."""
        return Events(self.time_us[chosen], self.code[chosen], self.parameter[chosen])

    def __add__(self, other: Events) -> Events:
        if not len(other):
            return self
        if not len(self):
            return other
        return Events(
            np.concatenate((self.time_us, other.time_us)),
            np.concatenate((self.code, other.code)),
            np.concatenate((self.parameter, other.parameter)),
        )


NOTHING: Final = Events.of(())
