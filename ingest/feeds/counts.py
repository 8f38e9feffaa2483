"""What feeds that count have in common: building lane readings, and keeping the good lanes beside a bad one."""

from __future__ import annotations

from ingest.contract import VehicleClass
from ingest.feeds import Context, Decoded, Message, Route
from ingest.feeds.problems import Problem, outcome
from ingest.feeds.times import impossible
from ingest.readings import LaneReading
from ingest.reasons import Reason

CLASSES = tuple(VehicleClass)
ClassCounts = tuple[int | None, int | None, int | None, int | None, int | None, int | None]
"""Vehicles by `CLASSES`."""

UNCLASSIFIED: ClassCounts = (None, None, None, None, None, None)
MOST_VEHICLES = 100_000  # of one lane and period, as in the contract


def counts_of(vehicle: VehicleClass | None) -> ClassCounts:
    """Class counts of one vehicle; all zero when its class cannot be told."""
    sm, mp, ks, bb, tb, ktb = (int(vehicle is each) for each in CLASSES)
    return sm, mp, ks, bb, tb, ktb


class Gathering:
    """The lanes of one message, of one or several periods, until it is clear which of them can be believed.

    Attributes:
        problems: What is wrong so far.
    """

    def __init__(self, message: Message, route: Route, context: Context) -> None:
        """Begin with nothing."""
        self._message = message
        self._route = route
        self._context = context
        self._found: dict[tuple[int, int], LaneReading | Problem] = {}
        self.problems: list[Problem] = []

    def add(
        self,
        lane: int | None,
        name: str,
        start_us: int,
        period_ms: int,
        seq: int,
        *,
        volume: int | None = None,
        occupancy: int | None = None,
        speed: int | None = None,
        classes: ClassCounts = UNCLASSIFIED,
        fault: str | None = None,
    ) -> None:
        """One lane over one period; what cannot be believed becomes a problem.

        Args:
            lane: Lane number; None when the site folder has no such lane.
            name: Of the lane, for people.
            start_us: Begin of the period.
            period_ms: Milliseconds covered; 0 for an instant, which covers no time.
            seq: Part of the row's key.
            volume: Vehicles.
            occupancy: 0.01 %.
            speed: 0.1 km/h.
            classes: Vehicles by `CLASSES`.
            fault: Why there is no observation; the other values are dropped then.
        """
        received_us = self._message.received_us
        key = (lane or 0, start_us)
        problem: Problem | None
        if lane is None:
            problem = Reason.UNKNOWN_LANE, f"lane {name} is not in the site folder"
        elif key in self._found:
            # Which of the two is true cannot be known, so neither is stored.
            self._found[key] = Reason.OUT_OF_RANGE, f"lane {name} stands in the message more than once for one period"
            return
        else:
            problem = impossible(start_us, received_us) or _unbelievable(name, volume, classes)
        if problem is not None:
            if lane is None:
                self.problems.append(problem)
            else:
                self._found[key] = problem
            return
        if fault is not None:
            volume = occupancy = speed = None
            classes = UNCLASSIFIED
        future = start_us + period_ms * 1000 - received_us > self._context.future_tolerance_us
        assert lane is not None  # noqa: S101 - else there is a problem
        self._found[key] = LaneReading(
            lane, start_us, seq, period_ms, volume, occupancy, speed, *classes, fault, future, received_us
        )

    def wrong(self, reason: Reason, detail: str) -> None:
        """A part of the message that cannot be used."""
        self.problems.append((reason, detail))

    def decoded(self, seq: int | None, time_us: int | None, numbers: tuple[int, ...] = ()) -> Decoded:
        """Everything gathered."""
        good = [item for item in self._found.values() if isinstance(item, LaneReading)]
        self.problems.extend(item for item in self._found.values() if not isinstance(item, LaneReading))
        self.problems = list(dict.fromkeys(self.problems))  # a time that is wrong is wrong for every lane
        if good and not self.problems:
            return Decoded(list(good), [], seq, time_us, numbers)
        made = outcome(self._message, self._route, good, self.problems, seq, time_us)
        return Decoded(made.records, made.dead, seq, time_us, numbers)


def _unbelievable(name: str, volume: int | None, classes: ClassCounts) -> Problem | None:
    if volume is not None and not 0 <= volume <= MOST_VEHICLES:
        return Reason.OUT_OF_RANGE, f"lane {name}: volume {volume} is not 0 to {MOST_VEHICLES}"
    total = sum(count or 0 for count in classes)
    if volume is not None and total > volume:
        return Reason.OUT_OF_RANGE, f"lane {name}: the classes add up to {total}, more than the volume {volume}"
    return None
