"""A small meter for tests of everything around meters: it carries state over cuts, and an early event changes later rows."""

from __future__ import annotations

import msgspec

from processors.signal_rows import SEGMENT_US
from processors.signals import Cycle, Events, Interval, Measure, Rows

RED, GREEN, YELLOW, ON, OFF = 9, 1, 8, 82, 81


class _State(msgspec.Struct):
    until_us: int
    segment_us: int
    counts: dict[int, int] = {}
    open: dict[int, int] = {}
    cycles: dict[int, list[int | None]] = {}


class CountingMeter:
    """Events of each code a segment, detectors on from 82 to 81, and cycles from one 9 to the next."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self.feeds = 0

    def feed(self, events: Events, until_us: int) -> Rows:
        """Event by event."""
        s, rows = self._state, Rows()
        self.feeds += 1
        for time_us, code, parameter in zip(
            events.time_us.tolist(), events.code.tolist(), events.parameter.tolist(), strict=True
        ):
            assert s.until_us <= time_us < until_us
            self._close(time_us, rows)
            s.counts[code] = s.counts.get(code, 0) + 1
            if code == ON:
                s.open[parameter] = time_us
            elif code == OFF and parameter in s.open:
                rows.intervals.append(
                    Interval("detector", f"detector:{parameter}", s.open.pop(parameter), time_us, repaired=False)
                )
            elif code in (GREEN, YELLOW) and parameter in s.cycles:
                s.cycles[parameter][1 if code == GREEN else 2] = time_us
            elif code == RED:
                if (cycle := s.cycles.pop(parameter, None)) is not None and cycle[0] is not None and cycle[0] < time_us:
                    rows.cycles.append(self._cycle(parameter, cycle[0], cycle[1], cycle[2], time_us))
                s.cycles[parameter] = [time_us, None, None]
        self._close(until_us, rows)
        s.until_us = until_us
        return rows

    def _cycle(self, phase: int, start_us: int, green_us: int | None, yellow_us: int | None, end_us: int) -> Cycle:
        return Cycle(
            phase, start_us, green_us, yellow_us, end_us, 30.0, "gap_out", 0.5, None, False, 1, 0, 3.5, "good", [start_us + 1_500_000], [phase]
        )  # fmt: skip

    def _close(self, time_us: int, rows: Rows) -> None:
        s = self._state
        while time_us >= s.segment_us + SEGMENT_US:
            rows.measures += [
                Measure(s.segment_us, 900, "events", f"phase:{code}", "count", float(count), "good")
                for code, count in sorted(s.counts.items())
            ]
            s.counts = {}
            s.segment_us += SEGMENT_US

    def ahead(self) -> list[Cycle]:
        """Everything is given out as soon as it is known."""
        return []

    def state(self) -> bytes:
        """All of it."""
        s = self._state
        return msgspec.json.encode(
            _State(
                s.until_us,
                s.segment_us,
                dict(sorted(s.counts.items())),
                dict(sorted(s.open.items())),
                dict(sorted(s.cycles.items())),
            )
        )


class CountingMeters:
    """Makes them; `made` counts."""

    def __init__(self) -> None:
        self.made: list[CountingMeter] = []

    def begin(self, device: int, start_us: int) -> CountingMeter:
        """Of any device."""
        self.made.append(CountingMeter(_State(start_us, start_us)))
        return self.made[-1]

    def resume(self, device: int, state: bytes) -> CountingMeter:
        """Of any device."""
        self.made.append(CountingMeter(msgspec.json.decode(state, type=_State)))
        return self.made[-1]
