"""Hi-res events and detector configurations for tests: of the atspm wheel, of ../shared/data, and made up."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import numpy as np

from config.thresholds.signals import SignalParameters, signal_parameters
from processors.signals import BIN_US, Configuration, Detector, Events, Function, History, Meter, Rows
from processors.signals.events import US

FUNCTIONS = {
    "Advance": Function.ADVANCE,
    "Presence": Function.PRESENCE,
    "Yellow_Red": Function.YELLOW_RED,
    "stop bar count": Function.COUNT,
    "Stopbar Count": Function.COUNT,
}
TAIL_US = 60 * US
"""More than any lag."""
NONE = Events.of(())


@cache
def parameters() -> SignalParameters:
    """The shipped ones."""
    return signal_parameters()


def wheel() -> tuple[Path, Path]:
    """Events and configuration in the atspm wheel."""
    import atspm

    folder = Path(atspm.__file__).parent / "data"
    return folder / "sample_raw_data.parquet", folder / "sample_config.parquet"


@cache
def devices(events: Path, configuration: Path) -> dict[int, tuple[Events, History]]:
    """Events and detectors by device, from files in the layout of atspm."""
    import pyarrow.parquet as pq

    table, detectors = pq.read_table(events), pq.read_table(configuration).to_pydict()
    device, code, parameter = (table[name].to_numpy() for name in ("DeviceId", "EventId", "Parameter"))
    time = table["TimeStamp"].cast("timestamp[us]").cast("int64").to_numpy()
    found = {}
    for number in np.unique(device).tolist():
        mine = device == number
        rows = zip(detectors["DeviceId"], detectors["Parameter"], detectors["Phase"], detectors["Function"], strict=True)
        known = tuple(Detector(channel, phase, FUNCTIONS[what]) for owner, channel, phase, what in rows if owner == number)
        found[number] = Events(time[mine], code[mine], parameter[mine]), History((Configuration(0, known),))
    return found


def span(events: Events) -> tuple[int, int]:
    """Begin and end of the bins of these events, the end with the lag."""
    return (
        int(events.time_us.min()) // BIN_US * BIN_US,
        (int(events.time_us.max()) // BIN_US + 1) * BIN_US + TAIL_US,
    )


def measured(events: Events, history: History) -> Rows:
    """All rows at once."""
    begin, end = span(events)
    return Meter(history, parameters(), begin).feed(events, end)


CODES = (
    *(0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 21, 22, 23, 32, 33, 43, 44, 61, 63, 64, 65, 66, 67),
    *(81, 82, 81, 82, 81, 82, 81, 82, 83, 84, 87, 90, 90, 102, 104, 105, 107, 111, 112, 113, 115),
    *(131, 132, 135, 150, 173, 174, 178, 180, 181, 301, 316, 400, 999),
)
DETECTORS = (
    Detector(1, 1, Function.ADVANCE, distance_m=120, speed_kmh=40, latency_s=0.5),
    Detector(2, 2, Function.ADVANCE, latency_s=3.2),
    Detector(3, 1, Function.PRESENCE),
    Detector(4, 1, Function.PRESENCE),
    Detector(3, 2, Function.PRESENCE),
    Detector(5, 2, Function.YELLOW_RED, latency_s=0.3),
    Detector(6, 1, Function.COUNT, movement="left"),
    Detector(7, 2, Function.SPEED, trap=8, trap_m=20),
)
BEGIN_US = 1_700_000_100 * US // BIN_US * BIN_US


def noise(seed: int, minutes: int, each_s: float) -> Events:
    """Events without any sense: every rule of repair is met, hours are missing, states stay open."""
    chance = random.Random(seed)
    rows, now = [], BEGIN_US
    while now < BEGIN_US + minutes * 60 * US:
        now += round(chance.expovariate(1 / each_s) * 10) * US // 10
        if chance.random() < 0.0005:
            now += chance.randrange(3 * 3600) * US
        code = chance.choice(CODES)
        rows.append((now, code, chance.randint(1, 8) if code in {81, 82, 83, 84, 87} else chance.randint(1, 3)))
        if chance.random() < 0.02:
            rows.append(rows[-1])
    return Events.of([row for row in rows if row[0] < BEGIN_US + minutes * 60 * US])


def noisy() -> History:
    """Detectors for `noise`, changed in the middle."""
    changed = (*DETECTORS[:-1], Detector(8, 1, Function.ADVANCE, distance_m=30, speed_kmh=30))
    return History(
        (Configuration(0, DETECTORS, pedestrians=(1,)), Configuration(BEGIN_US + 4000 * US, changed, timezone="Asia/Makassar"))
    )
