"""What the measuring of a signal controller gives out, and what storage needs of whatever measures.

Times are µs since 1970-01-01 UTC. Rows are a pure function of the controller's events in their canonical order
(time, sequence number, place in the message).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from ingest.readings import US

SEGMENT_US = 15 * 60 * US
"""What is remembered is saved at these boundaries of the even clock; late events are measured again from the one before."""


class EventArrays(Struct, frozen=True):
    """Events of one controller in canonical order.

    Attributes:
        time_us: int64.
        code: int32, Indiana enumeration.
        parameter: int32.
    """

    time_us: NDArray[np.int64]
    code: NDArray[np.int32]
    parameter: NDArray[np.int32]

    def between(self, since_us: int, until_us: int) -> EventArrays:
        """Those at or after `since_us` and before `until_us`; nothing is copied."""
        first, last = np.searchsorted(self.time_us, (since_us, until_us))
        return EventArrays(self.time_us[first:last], self.code[first:last], self.parameter[first:last])

    def __len__(self) -> int:
        """How many there are."""
        return len(self.time_us)


NO_EVENTS = EventArrays(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))


class Measure(Struct, frozen=True, gc=False):
    """One figure of one measure over one period.

    Attributes:
        start_us: Begin of the period.
        period_s: Its length.
        measure: Which, as docs/signals.md names it.
        element: `phase:2`, `detector:5`; empty for the whole controller.
        name: Which figure.
        value: In the measure's unit; None is no valid observation.
        quality: good, partial, suspect(…), imputed(…) or missing(…).
    """

    start_us: int
    period_s: float
    measure: str
    element: str
    name: str
    value: float | None
    quality: str


class Cycle(Struct, frozen=True, gc=False):
    """One phase from one begin of red to the next.

    Attributes:
        phase: Its number.
        start_us: Begin of red.
        green_us: Begin of green; None when it was not seen.
        yellow_us: Begin of yellow; None when it was not seen.
        end_us: The next begin of red.
        programmed_s: Programmed split; None when the controller did not say.
        termination: gap_out, max_out, force_off or skip; None when the controller did not say.
        green_occupancy: Share of the green with the stop-bar detector occupied, 0 to 1.
        red_occupancy: Share of the first seconds of red with it occupied, 0 to 1.
        split_failure: Both above their thresholds; None when no stop-bar detector was observed.
        arrivals: Vehicles at the advance detectors; None without such a detector.
        arrivals_on_green: Of them, on green.
        delay_s: Sum of their waits for green.
        arrivals_us: When each arrived at the stop bar.
        arrival_detectors: Channel of each.
        quality: As of a measure.
    """

    phase: int
    start_us: int
    green_us: int | None
    yellow_us: int | None
    end_us: int
    programmed_s: float | None
    termination: str | None
    green_occupancy: float | None
    red_occupancy: float | None
    split_failure: bool | None
    arrivals: int | None
    arrivals_on_green: int | None
    delay_s: float | None
    arrivals_us: Sequence[int]
    arrival_detectors: Sequence[int]
    quality: str


class Interval(Struct, frozen=True, gc=False):
    """A pair of events: what began and what ended it; `repaired` when one edge stands by a rule."""

    kind: str
    element: str
    onset_us: int
    end_us: int
    repaired: bool


class Rows(Struct):
    """What became final."""

    measures: list[Measure] = field(default_factory=list)
    cycles: list[Cycle] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)


class SignalMeter(Protocol):
    """Measures one controller. However its events are cut, the same rows come out, and the same state at the same time."""

    def feed(self, events: EventArrays, until_us: int) -> Rows:
        """All events from where it stands to `until_us`; gives out what that makes final."""
        ...

    def preview(self) -> Rows:
        """What can be told of the segment that is not over; nothing changes by it."""
        ...

    def state(self) -> bytes:
        """What it must remember; equal bytes mean that the same rows follow from the same events."""
        ...
