"""The meter of one controller: events in, rows out, and a state that survives restarts.

The unit of work is the whole bin: a feed that ends inside a bin only keeps its events, the feed that passes the end of the bin
(and the few seconds of `lag` after it, for what is known late) gives out all of its rows. What must be remembered across bins is
remembered as events: the last of each kind, those of cycles that are not over, those of intervals that are open.
"""

from __future__ import annotations

import msgspec
import numpy as np

from config.thresholds.signals import SignalParameters
from processors.signals import measures
from processors.signals.chunk import Chunk, microseconds
from processors.signals.configuration import History
from processors.signals.events import DAY_US, NOTHING, US, Events, Ints
from processors.signals.rows import Cycle, Rows

BIN_US = 900 * US
HOUR_US = 3600 * US
CHUNK_EVENTS = 2_000_000
"""A chunk ends with the bin in which it gets this many events: bounds memory, changes no row."""


class _State(msgspec.Struct, frozen=True):
    bin_us: int
    until_us: int
    done_us: int
    last_event_us: int
    time: bytes
    code: bytes
    parameter: bytes
    windows: bytes
    recent: bytes


class Meter:
    """All measures of one controller.

    Attributes:
        until_us: Events before it are known.
        done_us: The rows of bins before it have been given out.
    """

    def __init__(self, history: History, parameters: SignalParameters, start_us: int, bin_us: int = BIN_US) -> None:
        """A meter that knows nothing yet.

        Args:
            history: Detectors of the controller.
            parameters: Thresholds.
            start_us: Begin of a bin.
            bin_us: Length of a bin; divides a day.

        Raises:
            ValueError: `start_us` is not the begin of a bin.
        """
        if start_us % bin_us or DAY_US % bin_us:
            raise ValueError(f"a meter starts at the begin of a bin that divides a day, got {start_us} and {bin_us}")
        self._history = history
        self._parameters = parameters
        self._bin_us = bin_us
        self.until_us = self.done_us = self._last_event_us = start_us
        self._held = NOTHING
        self._windows: Ints = np.zeros((0, 2), dtype=np.int64)
        # Numbers of events of the bins of an hour, less one bin.
        self._recent: Ints = np.zeros(max(HOUR_US // bin_us, 1) - 1, dtype=np.int64)

    @classmethod
    def restore(cls, history: History, parameters: SignalParameters, state: bytes) -> Meter:
        """The meter that gave this state.

        Raises:
            msgspec.DecodeError: The bytes are not a state.
        """
        saved = msgspec.msgpack.decode(state, type=_State)
        meter = cls(history, parameters, saved.done_us, saved.bin_us)
        meter.until_us, meter._last_event_us = saved.until_us, saved.last_event_us
        columns = (np.frombuffer(column, dtype=np.int64) for column in (saved.time, saved.code, saved.parameter))
        meter._held = Events(*columns)
        meter._windows = np.frombuffer(saved.windows, dtype=np.int64).reshape(-1, 2)
        meter._recent = np.frombuffer(saved.recent, dtype=np.int64)
        return meter

    def state(self) -> bytes:
        """Everything a meter needs to go on; the same bytes however the events were cut."""
        held = self._held.canonical()
        saved = _State(
            bin_us=self._bin_us,
            until_us=self.until_us,
            done_us=self.done_us,
            last_event_us=self._last_event_us,
            time=held.time_us.tobytes(),
            code=held.code.tobytes(),
            parameter=held.parameter.tobytes(),
            windows=self._windows.tobytes(),
            recent=self._recent.tobytes(),
        )
        return msgspec.msgpack.encode(saved)

    def feed(self, events: Events, until_us: int) -> Rows:
        """Take the events of [self.until_us, until_us), in any order, and give out the rows that are final now.

        Raises:
            ValueError: An event lies outside that span: its bin would be wrong without a word.
        """
        if len(events) and (events.time_us.min() < self.until_us or events.time_us.max() >= until_us):
            raise ValueError(
                f"events must lie in [{self.until_us}, {until_us}), got {events.time_us.min()} to {events.time_us.max()}"
            )
        self._held += events
        self.until_us = max(until_us, self.until_us)
        rows = Rows()
        while (end := self._next_end()) > self.done_us:
            rows += self._step(end)
        return rows

    def finish(self) -> Rows:
        """The rows of all bins, when nothing comes any more; the meter is at the end of its bin then."""
        rows = Rows()
        end = -(-self.until_us // self._bin_us) * self._bin_us
        while self.done_us < end:
            change = self._history.next_change(self.done_us, self._bin_us)
            rows += self._step(end if change is None else min(end, change))
        self.until_us = end
        return rows

    def preview(self) -> Rows:
        """The rows of the bin that is not over, as far as they can be told; the state stays."""
        if self.until_us <= self.done_us:
            return Rows()
        chunk = self._chunk(
            self._held.canonical(), self.done_us + self._bin_us * -(-(self.until_us - self.done_us) // self._bin_us)
        )
        chunk.quality = ["partial"] * len(chunk.quality)
        return measures.rows(chunk)

    def ahead(self) -> list[Cycle]:
        """Cycles of the bin that is not over which are over themselves; the state stays.

        Their times and figures are final, their quality is when the bin is over.
        """
        if self.until_us <= self.done_us:
            return []
        end_us = self.done_us + self._bin_us * -(-(self.until_us - self.done_us) // self._bin_us)
        chunk = self._chunk(self._held.canonical(), end_us)
        told = Rows()
        measures.cycles.rows(chunk, told)
        red_us = microseconds(self._parameters.red_time.value)
        return [cycle for cycle in told.cycles if cycle.end_us + red_us <= self.until_us]

    def _next_end(self) -> int:
        """End of the last whole bin that may be given out with what comes before it."""
        lag = measures.lag_us(self._history.at(self.done_us), self._parameters)
        end = (self.until_us - lag) // self._bin_us * self._bin_us
        change = self._history.next_change(self.done_us, self._bin_us)
        if change is not None:
            end = min(end, change)
        if end > self.done_us and len(self._held) > CHUNK_EVENTS:
            self._held = self._held.canonical()
            full = int(self._held.time_us[CHUNK_EVENTS])
            end = min(end, max(full // self._bin_us * self._bin_us, self.done_us + self._bin_us))
        return end

    def _chunk(self, events: Events, end_us: int) -> Chunk:
        span = (self.done_us, end_us, self._bin_us)
        configuration = self._history.at(self.done_us)
        return Chunk(
            events, span, configuration, self._parameters, self._windows, self._last_event_us, self._recent, self.until_us
        )

    def _step(self, end_us: int) -> Rows:
        held = self._held.canonical()
        lag = measures.lag_us(self._history.at(self.done_us), self._parameters)
        seen = int(np.searchsorted(held.time_us, end_us + lag))
        chunk = self._chunk(held.where(slice(0, seen)), end_us)
        rows = measures.rows(chunk)
        kept = measures.keep(chunk)
        kept[chunk.now :] = True
        self._held = chunk.events.where(kept) + held.where(slice(seen, len(held)))
        self._last_event_us = chunk.last_event_us
        self.done_us = end_us
        self._recent = chunk.recent[len(chunk.recent) - len(self._recent) :].astype(np.int64)
        oldest = int(self._held.time_us[0]) if len(self._held) else end_us
        self._windows = self._still_open(chunk.windows, min(oldest, end_us))
        return rows

    def _still_open(self, windows: Ints, oldest_us: int) -> Ints:
        """Windows that an open interval can touch, cut at the oldest event that is kept."""
        left = windows[windows[:, 1] > oldest_us].copy()
        left[:, 0] = np.maximum(left[:, 0], oldest_us)
        return left
