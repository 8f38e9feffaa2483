"""What the measures give out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Struct


class Measure(Struct, frozen=True, gc=False):
    """One figure of one bin; unique by all but value and quality.

    Attributes:
        start_us: Begin of the bin, µs.
        period_s: Length of the bin, s.
        measure: Module that defines it.
        element: `""`, `phase:N`, `detector:N`, `preempt:N` or `code:N`.
        name: Which figure of the measure; its unit is `UNITS[measure, name]`.
        value: The figure; None when it was not observed.
        quality: See `processors.quality`.
    """

    start_us: int
    period_s: int
    measure: str
    element: str
    name: str
    value: float | None
    quality: str


class Cycle(Struct, frozen=True):
    """One cycle of a phase, from begin of red to begin of red; unique by phase and start.

    Attributes:
        phase: Phase number.
        start_us: Begin of red (end of yellow, code 9).
        green_us: Begin of green; None when its event is missing.
        yellow_us: Begin of yellow; None when its event is missing.
        end_us: Next begin of red.
        programmed_s: Split that the controller was told (codes 134 to 149), s.
        termination: `gap_out`, `max_out`, `force_off`; None when the controller told none.
        green_occupancy: Share of green with a vehicle at the stop line.
        red_occupancy: The same of the first seconds of the red that follows.
        split_failure: Both were high; None when there is no sound presence detector.
        arrivals: Vehicles at the stop line in this cycle, had there been no signal; None without an advance detector.
        arrivals_on_green: How many of them on green.
        delay_s: Sum over arrivals on red of the time to green, s.
        quality: `partial` when an edge is missing or the cycle too long to be one.
        arrivals_us: Their times, the points of the coordination diagram.
        arrival_detectors: The detector of each.
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
    quality: str
    arrivals_us: list[int]
    arrival_detectors: list[int]


class Interval(Struct, frozen=True, gc=False):
    """A state from its begin to its end; unique by kind, element and onset.

    Attributes:
        kind: What, such as `green`, `phase_call`, `preempt_dwell`, `fault_stuck_on`.
        element: Of what, as in `Measure`; `value:N` for a change to a value.
        onset_us: Begin, µs.
        end_us: End, µs.
        repaired: An edge is missing or lies in a gap, so its length is not to be trusted.
    """

    kind: str
    element: str
    onset_us: int
    end_us: int
    repaired: bool


@dataclass(slots=True)
class Rows:
    """Rows given out by one step; each row is given out once, when it is final."""

    measures: list[Measure] = field(default_factory=list)
    cycles: list[Cycle] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)

    def __iadd__(self, other: Rows) -> Rows:  # noqa: PYI034 - of this class, not of a subclass
        self.measures += other.measures
        self.cycles += other.cycles
        self.intervals += other.intervals
        return self

    def __iter__(self) -> Iterator[Measure | Cycle | Interval]:
        yield from self.measures
        yield from self.cycles
        yield from self.intervals

    def __len__(self) -> int:
        return len(self.measures) + len(self.cycles) + len(self.intervals)
