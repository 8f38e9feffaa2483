"""One stretch of whole bins of one controller, with what several measures need of it.

Every measure reads a chunk and gives out the rows that fall due in it. A row depends only on events up to its due time, and
`Meter` keeps those older events that a later row can depend on; so it does not matter how many bins a chunk has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from config.thresholds.signals import SignalParameters
from processors.quality import GOOD, PARTIAL
from processors.signals.configuration import Configuration
from processors.signals.events import CLOCK, LAST_STANDARD, US, Events, Flags, Ints
from processors.signals.rows import Measure, Rows

FAR = np.int64(2**62)
"""Later than any time."""


def microseconds(seconds: float) -> int:
    """Seconds as µs."""
    return round(seconds * US)


class Chunk:
    """Events and bins of [begin, end), the older events that still matter, and those of `lag` after the end.

    Attributes:
        begin_us: Begin of the first bin.
        end_us: End of the last bin.
        bin_us: Length of a bin.
        until_us: Events before it are known; before the end only in a preview, whose last bin cannot be judged yet.
        t: Times of all events, in canonical order with `code` and `par`.
        code: Their codes.
        par: Their parameters.
        configuration: What was true in it.
        parameters: Thresholds.
        counts: Number of events of each bin.
        recent: The same, with the bins of nearly an hour before.
        windows: (begin, end) rows of stretches in which the log cannot be trusted, merged and in order.
        now: Number of events before the end.
        after_us: How long after the end of a bin its rows are given out.
        known: Number of events before that moment of the last bin.
    """

    def __init__(
        self,
        events: Events,
        span: tuple[int, int, int],
        configuration: Configuration,
        parameters: SignalParameters,
        windows: Ints,
        last_event_us: int,
        recent: Ints,
        until_us: int,
    ) -> None:
        self.until_us = until_us
        self.begin_us, self.end_us, self.bin_us = span
        self.t, self.code, self.par = events.time_us, events.code, events.parameter
        self.events = events
        self.configuration = configuration
        self.parameters = parameters
        self.now = int(np.searchsorted(self.t, self.end_us))
        self.first = int(np.searchsorted(self.t, self.begin_us))
        self.after_us = microseconds(parameters.offset_window.value)
        self.known = int(np.searchsorted(self.t, self.end_us + self.after_us))
        self.starts: Ints = np.arange(self.begin_us, self.end_us, self.bin_us, dtype=np.int64)
        self.open_longest_us = microseconds(parameters.open_longest.value * 86_400)
        self._by_code = np.argsort(self.code[: self.now], kind="stable")
        sorted_codes = self.code[: self.now][self._by_code]
        self._codes, self._code_first = np.unique(sorted_codes, return_index=True)
        self._code_end = np.append(self._code_first[1:], len(sorted_codes))
        self._slot = {int(code): slot for slot, code in enumerate(self._codes)}
        self._cache: dict[tuple[int, ...], Ints] = {}
        # Of one code, in the order of `of`: asked for by every channel and bin.
        self._columns: dict[int, tuple[Ints, Ints]] = {}
        self.counts = np.bincount(self._bin(self.t[self.first : self.now]), minlength=len(self.starts))
        self.recent = np.concatenate((recent, self.counts))
        self._earlier_event_us = last_event_us
        self.complete = self._complete()
        self.quality: list[str] = [GOOD if whole else PARTIAL for whole in self.complete]
        self.last_event_us = max(last_event_us, int(self.t[self.now - 1]) if self.now > self.first else last_event_us)
        self.windows = self._windows(windows, last_event_us)

    def _bin(self, times: Ints) -> Ints:
        return (times - self.begin_us) // self.bin_us

    def _complete(self) -> Flags:
        """Bins of which every sub-bin has enough events of standard codes (`has_data`)."""
        sub_us = microseconds(self.parameters.sub_bin_min.value * 60)
        standard = self.code[self.first : self.now] <= LAST_STANDARD
        count = max(1, self.bin_us // sub_us)
        sub = (self.t[self.first : self.now][standard] - self.begin_us) * count // self.bin_us
        enough = np.bincount(sub, minlength=len(self.starts) * count) >= self.parameters.sub_bin_events.value
        return np.asarray(enough[: len(self.starts) * count].reshape(-1, count).all(axis=1))

    def _windows(self, earlier: Ints, last_event_us: int) -> Ints:
        """Incomplete bins, silences longer than usual for the hour, and the moments around a clock update."""
        found = [earlier]
        lacking = ~self.complete & (self.starts + self.bin_us <= self.until_us)
        if lacking.any():
            begins = self.starts[lacking]
            found.append(np.stack((begins, begins + self.bin_us), axis=1))
        times = np.append(last_event_us, self.t[self.first : self.now])
        gaps = np.diff(times)
        silences = np.flatnonzero(gaps > microseconds(self.parameters.silence_day.value))
        if len(silences):
            begins, ends = times[silences], times[silences + 1]
            longer = ends - begins > np.array([self._silence_us(int(begin)) for begin in begins])
            found.append(np.stack((begins[longer], ends[longer]), axis=1))
        around = microseconds(self.parameters.clock_window.value)
        clock = self.t[self.first :][self.code[self.first :] == CLOCK]
        clock = clock[clock < self.end_us + around]
        if len(clock):
            found.append(np.stack((clock - around, clock + around), axis=1))
        return merged(np.concatenate(found))

    def _silence_us(self, begin_us: int) -> int:
        hour = datetime.fromtimestamp(begin_us / US, UTC).astimezone(ZoneInfo(self.configuration.timezone)).hour
        p = self.parameters
        longest = p.silence_day if 6 <= hour < 21 else p.silence_evening if hour == 5 or 21 <= hour < 23 else p.silence_night
        return microseconds(longest.value)

    def last_before(self, time_us: int) -> int:
        """Time of the last event before a moment of the chunk."""
        found = int(np.searchsorted(self.t, time_us))
        return int(self.t[found - 1]) if found > self.first else self._earlier_event_us

    def of(self, *codes: int) -> Ints:
        """Indices of the events before the end with these codes, in the order of parameter, time, code."""
        found = self._cache.get(codes)
        if found is None:
            slots = [self._slot[code] for code in codes if code in self._slot]
            parts = [self._by_code[self._code_first[slot] : self._code_end[slot]] for slot in slots]
            index = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
            found = self._cache[codes] = index[np.lexsort((index, self.par[index]))]
        return found

    def fresh(self, times: Ints) -> Flags:
        """Which times lie in the chunk."""
        return np.asarray((times >= self.begin_us) & (times < self.end_us))

    def bin(self, times: Ints) -> Ints:
        """Number of the bin of each time within the chunk."""
        return self._bin(times)

    def parameters_of(self, *codes: int) -> Ints:
        """Distinct parameters of these codes."""
        return np.unique(self.par[self.of(*codes)])

    def times(self, code: int, parameter: int) -> Ints:
        """Times of one code and parameter, rising."""
        columns = self._columns.get(code)
        if columns is None:
            index = self.of(code)
            columns = self._columns[code] = self.par[index], self.t[index]
        parameters, times = columns
        first, last = np.searchsorted(parameters, (parameter, parameter + 1))
        return times[first:last]

    def seen(self, code: int, parameter: int, until_us: int) -> Ints:
        """As `times`, with those after the end of the chunk and before `until_us`, at most the lag later."""
        rest = slice(self.now, int(np.searchsorted(self.t, until_us)))
        late = self.t[rest][(self.code[rest] == code) & (self.par[rest] == parameter)]
        return np.append(self.times(code, parameter), late) if len(late) else self.times(code, parameter)

    def ahead(self, *codes: int) -> Ints:
        """As `of`, with the events that are known when the rows of the last bin are given out."""
        late = np.flatnonzero(np.isin(self.code[self.now : self.known], codes)) + self.now
        if not len(late):
            return self.of(*codes)
        index = np.append(self.of(*codes), late)
        return np.asarray(index[np.lexsort((index, self.par[index]))])

    def given(self, times: Ints) -> Ints:
        """When the rows of the bins of these times are given out, µs: what is known later does not count."""
        return np.asarray((times // self.bin_us + 1) * self.bin_us + self.after_us)

    def untrusted(self, onsets: Ints, ends: Ints) -> Flags:
        """Which intervals touch a window in which the log cannot be trusted."""
        if not len(self.windows):
            return np.zeros(len(onsets), dtype=np.bool_)
        last = np.searchsorted(self.windows[:, 0], ends) - 1
        return np.asarray((last >= 0) & (self.windows[np.maximum(last, 0), 1] > onsets))

    def count(self, rows: Rows, measure: str, element: str, name: str, *codes: int, zeros: bool = False) -> None:
        """Give out the number of events of some codes by bin and parameter."""
        index = self.of(*codes)
        known = self.parameters_of(*codes) if zeros else None
        index = index[index >= self.first]
        self.tally(rows, measure, element, name, self.par[index], self.t[index], known)

    def tally(
        self, rows: Rows, measure: str, element: str, name: str, elements: Ints, times: Ints, known: Ints | None = None
    ) -> None:
        """Give out how many times fall into each bin, by element; of `known` elements also the zeros of bins with events."""
        ids = np.unique(elements) if known is None else np.union1d(np.unique(elements), known)
        if not len(ids):
            return
        table = np.zeros((len(ids), len(self.starts)), dtype=np.int64)
        np.add.at(table, (np.searchsorted(ids, elements), self.bin(times)), 1)
        shown = table > 0 if known is None else (table > 0) | (self.counts > 0)[None, :]
        self.table(rows, measure, element, name, ids, table.astype(np.float64), shown)

    def table(
        self, rows: Rows, measure: str, element: str, name: str, ids: Sequence[int] | Ints, values: np.ndarray, shown: Flags
    ) -> None:
        """Give out a table element x bin where it is shown."""
        period = self.bin_us // US
        starts = self.starts.tolist()
        which, when = np.nonzero(shown)
        names = [f"{element}:{number}" for number in ids]
        rows.measures += [
            Measure(starts[b], period, measure, names[e], name, value, self.quality[b])
            for e, b, value in zip(which.tolist(), when.tolist(), values[shown].tolist(), strict=True)
        ]

    def add(self, rows: Rows, measure: str, element: str, name: str, values: dict[int, float | None], quality: str = "") -> None:
        """Give out values by number of bin."""
        period = self.bin_us // US
        rows.measures += [
            Measure(self.begin_us + b * self.bin_us, period, measure, element, name, value, quality or self.quality[b])
            for b, value in values.items()
        ]

    def mean(self, rows: Rows, measure: str, element: str, name: str, times: Ints, values: np.ndarray) -> None:
        """Give out the mean of the values of each bin that has any."""
        for b in np.unique(self.bin(times)).tolist():
            inside = values[self.bin(times) == b]
            # Integers add up the same in any order; a mean of them is one division.
            self.add(rows, measure, element, name, {b: float(inside.sum()) / len(inside)})

    def keep_since(self, index: Ints, groups: Ints, since: Ints | int) -> Flags:
        """Mark events from `since` on and the last one before it of each group; `index` is sorted by group, then time."""
        mask = np.zeros(len(self.t), dtype=np.bool_)
        if not len(index):
            return mask
        t = self.t[index]
        older = t < since
        last = older.copy()
        last[:-1] &= ~(older[1:] & (groups[1:] == groups[:-1]))
        mask[index[(~older | last) & (t >= self.end_us - self.open_longest_us)]] = True
        return mask

    def keep_last(self, *codes: int) -> Flags:
        """Mark the last event of each parameter."""
        index = self.of(*codes)
        return self.keep_since(index, self.par[index], self.end_us)


def merged(windows: Ints) -> Ints:
    """Windows in order of their begin, those that touch as one."""
    if len(windows) < 2:
        return windows
    windows = windows[np.lexsort((windows[:, 1], windows[:, 0]))]
    ends = np.maximum.accumulate(windows[:, 1])
    new = np.append(True, windows[1:, 0] > ends[:-1])
    return np.stack((windows[new, 0], ends[np.append(np.flatnonzero(new)[1:] - 1, len(windows) - 1)]), axis=1)
