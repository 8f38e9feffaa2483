"""1-minute lane bins from readings of any period.

A bin is a pure function of the readings that touch it: sums of integers, so their order does not matter. The state of one
device and minute can be rebuilt from raw rows at any time (`load`), which is what happens after a restart, after a
transaction that failed, and when a late reading touches a minute that is no longer held.

Rules:
    A reading no longer than a bin counts whole in the bin of its start. If it reaches more than `edge` seconds beyond
    that bin, the bin is suspect(edge).
    A reading longer than a bin is divided over the minutes it overlaps, in proportion and so that its total is kept
    exactly; those bins are imputed(split).
    A reading with a fault and no volume covers nothing; its word names the missing element. A fault beside a volume is a
    doubt: the minute is suspect(fault), whatever else is in it.
    A reading of no length is one moment: its vehicles count, and say nothing about the time around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from config.thresholds import BinTests
from ingest.readings import OCCUPANCY_SCALE, SPEED_SCALE, US, LaneReading
from processors.quality import GOOD, PARTIAL, imputed, missing, suspect

BIN_MS = 60_000
BIN_US = 60 * US

Key = tuple[int, int]
"""A device and the begin of a minute, µs."""


class LaneBin(Struct, frozen=True, gc=False):
    """One lane over one minute.

    Attributes:
        lane: Lane number.
        start_us: Begin of the minute.
        readings: Readings that touch it, faulty ones too.
        covered_ms: Milliseconds with a valid count.
        volume: Vehicles; None when nothing valid was observed.
        occupancy_sum: Σ occupancy (0.01 %) x milliseconds.
        occupancy_ms: Milliseconds with a valid occupancy.
        speed_sum: Σ speed (0.1 km/h) x vehicles.
        speed_volume: Vehicles with a speed.
        sm: Motorcycles; the six classes are None when no reading had classes.
        mp: Cars and light vehicles.
        ks: Medium vehicles.
        bb: Large buses.
        tb: Large trucks.
        ktb: Non-motorised.
        quality: See `processors.quality`.
        final: The watermark has passed the bin.
    """

    lane: int
    start_us: int
    readings: int
    covered_ms: int
    volume: int | None
    occupancy_sum: int
    occupancy_ms: int
    speed_sum: int
    speed_volume: int
    sm: int | None
    mp: int | None
    ks: int | None
    bb: int | None
    tb: int | None
    ktb: int | None
    quality: str
    final: bool


class _Sums:
    """What is known of one lane and minute; every field is a commutative sum, maximum or minimum."""

    __slots__ = (
        "classes",
        "covered_ms",
        "doubt",
        "edge",
        "fault",
        "future",
        "occupancy_ms",
        "occupancy_sum",
        "readings",
        "speed_sum",
        "speed_volume",
        "split",
        "volume",
    )

    def __init__(self) -> None:
        self.readings = 0
        self.covered_ms = 0
        self.volume = 0
        self.occupancy_sum = 0
        self.occupancy_ms = 0
        self.speed_sum = 0
        self.speed_volume = 0
        self.classes: list[int] | None = None
        self.fault: str | None = None
        self.doubt: str | None = None
        self.future = False
        self.edge = False
        self.split = False

    def add(self, reading: LaneReading, start_us: int, edge_us: int) -> None:
        """Add the part of a reading that belongs to the minute at `start_us`."""
        self.readings += 1
        if reading.future:
            self.future = True
        volume = reading.volume
        if reading.fault is not None:
            if volume is None:
                self.fault = reading.fault if self.fault is None else min(self.fault, reading.fault)
            else:
                self.doubt = reading.fault if self.doubt is None else min(self.doubt, reading.fault)
        period = reading.period_ms
        if period <= BIN_MS:
            if reading.start_us + period * 1000 > start_us + BIN_US + edge_us:
                self.edge = True
            part = period
            share = _whole
        else:
            self.split = True
            first = max(0, (start_us - reading.start_us) // 1000)
            last = min(period, (start_us + BIN_US - reading.start_us) // 1000)
            part = last - first

            def share(total: int) -> int:
                return total * last // period - total * first // period

        if reading.occupancy is not None:
            self.occupancy_sum += reading.occupancy * part
            self.occupancy_ms += part
        if volume is None:
            return
        mine = share(volume)
        self.covered_ms += part
        self.volume += mine
        if reading.speed is not None:
            self.speed_sum += reading.speed * mine
            self.speed_volume += mine
        if reading.sm is not None:
            classes = self.classes
            if classes is None:
                classes = self.classes = [0, 0, 0, 0, 0, 0]
            classes[0] += share(reading.sm)
            classes[1] += share(reading.mp or 0)
            classes[2] += share(reading.ks or 0)
            classes[3] += share(reading.bb or 0)
            classes[4] += share(reading.tb or 0)
            classes[5] += share(reading.ktb or 0)


def _whole(total: int) -> int:
    return total


class _Minute:
    """All lanes of one device in one minute."""

    __slots__ = ("changed", "lanes", "touched_us")

    def __init__(self) -> None:
        self.lanes: dict[int, _Sums] = {}
        self.changed: set[int] = set()
        self.touched_us = 0


class Binner:
    """Bins of all devices; holds the minutes that are being filled."""

    def __init__(self, lanes: Mapping[int, Sequence[int]], tests: BinTests) -> None:
        """Make an empty binner.

        Args:
            lanes: Lane numbers of every device that counts.
            tests: Tests that make a bin suspect.
        """
        self._lanes = {device: tuple(numbers) for device, numbers in lanes.items()}
        self._device = {lane: device for device, numbers in lanes.items() for lane in numbers}
        self._held: dict[Key, _Minute] = {}
        self._edge_us = round(tests.edge.value * US)
        self._locked_on = round(tests.locked_on.value * OCCUPANCY_SCALE)
        self._speed_high = round(tests.speed_high.value * SPEED_SCALE)
        self._volume_high = round(tests.volume_high.value)

    def keys(self, reading: LaneReading) -> list[Key]:
        """The device-minutes a reading touches."""
        device = self._device[reading.lane]
        first = reading.start_us - reading.start_us % BIN_US
        if reading.period_ms <= BIN_MS:
            return [(device, first)]
        return [(device, minute) for minute in range(first, reading.start_us + reading.period_ms * 1000, BIN_US)]

    def touched(self, readings: Iterable[LaneReading]) -> dict[Key, list[LaneReading]]:
        """The readings by the device-minutes they touch."""
        found: dict[Key, list[LaneReading]] = {}
        device_of = self._device
        for reading in readings:
            if reading.period_ms > BIN_MS:
                for key in self.keys(reading):
                    found.setdefault(key, []).append(reading)
                continue
            key = (device_of[reading.lane], reading.start_us - reading.start_us % BIN_US)
            group = found.get(key)
            if group is None:
                found[key] = [reading]
            else:
                group.append(reading)
        return found

    def lanes(self, device: int) -> Sequence[int]:
        """Lane numbers of a device."""
        return self._lanes[device]

    def holds(self, key: Key) -> bool:
        """Whether the state of `key` is complete here, so that new readings can simply be added."""
        return key in self._held

    def load(self, key: Key, readings: Iterable[LaneReading], now_us: int) -> None:
        """Rebuild the state of `key` from all readings that touch it."""
        self._held[key] = _Minute()
        self.add(key, readings, now_us)

    def add(self, key: Key, readings: Iterable[LaneReading], now_us: int) -> None:
        """Add readings that touch `key`, which is held, and are new to it."""
        minute = self._held[key]
        minute.touched_us = now_us
        lanes, changed, start_us, edge_us = minute.lanes, minute.changed, key[1], self._edge_us
        for reading in readings:
            lane = reading.lane
            sums = lanes.get(lane)
            if sums is None:
                sums = lanes[lane] = _Sums()
            sums.add(reading, start_us, edge_us)
            changed.add(lane)

    def bins(self, key: Key, *, final: bool) -> list[LaneBin]:
        """The bins of `key` to store: all lanes of the device when final, else those that changed since the last call."""
        minute = self._held[key]
        lanes: Iterable[int] = self._lanes[key[0]] if final else minute.changed
        found = [self._bin(lane, key[1], minute, final=final) for lane in lanes]
        minute.changed.clear()
        return found

    def forget(self, keys: Iterable[Key]) -> None:
        """Drop the state of `keys`, as after a transaction that failed; the next touch rebuilds it from raw rows."""
        for key in keys:
            self._held.pop(key, None)

    def evict(self, before_us: int) -> None:
        """Drop what was not touched since `before_us`; bounds memory, changes no result."""
        self.forget([key for key, minute in self._held.items() if minute.touched_us < before_us])

    def _bin(self, lane: int, start_us: int, minute: _Minute, *, final: bool) -> LaneBin:
        sums = minute.lanes.get(lane)
        if sums is None:
            element = "lane" if minute.lanes else "device"
            return LaneBin(lane, start_us, 0, 0, None, 0, 0, 0, 0, None, None, None, None, None, None, missing(element), final)
        sm, mp, ks, bb, tb, ktb = sums.classes or (None, None, None, None, None, None)
        return LaneBin(
            lane,
            start_us,
            sums.readings,
            sums.covered_ms,
            sums.volume if sums.covered_ms or sums.volume else None,
            sums.occupancy_sum,
            sums.occupancy_ms,
            sums.speed_sum,
            sums.speed_volume,
            sm,
            mp,
            ks,
            bb,
            tb,
            ktb,
            self._quality(sums),
            final,
        )

    def _quality(self, sums: _Sums) -> str:
        """The worst that is true: missing, suspect, imputed, partial, good."""
        if sums.covered_ms == 0 and sums.volume == 0:
            return missing(f"detector:{sums.fault}" if sums.fault else "detector")
        if sums.future:
            return suspect("clock")
        if sums.covered_ms > BIN_MS:
            return suspect("overlap")
        if sums.edge:
            return suspect("edge")
        if sums.doubt is not None:
            return suspect(sums.doubt)
        if sums.volume == 0 and sums.occupancy_ms >= BIN_MS and sums.occupancy_sum >= self._locked_on * sums.occupancy_ms:
            return suspect("locked_on")
        if sums.speed_volume and sums.speed_sum > self._speed_high * sums.speed_volume:
            return suspect("speed_high")
        if sums.volume > self._volume_high:
            return suspect("volume_high")
        if sums.split:
            return imputed("split")
        return GOOD if sums.covered_ms == BIN_MS else PARTIAL
