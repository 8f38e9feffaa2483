"""Approach speed: from speed traps, two detectors of one lane a known distance apart, by phase.

Each ON of the upstream detector is matched with the first ON of the downstream one after it; pairs slower than 5 or faster than
160 km/h are not one vehicle. `speed`: mean (time mean speed); `speed_p85`: 85th percentile (nearest rank); `vehicles`: how many. By the
bin of the downstream ON. A detector is the upstream end when its configuration has `trap` and `trap_m`.

Source: UDOT ATSPM 5, approach speed (there from speed sensors); HCM 7, chapter 4, time mean speed.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import FAR, Chunk
from processors.signals.configuration import Detector
from processors.signals.events import DETECTOR_ON, US, Flags, Ints
from processors.signals.rows import Rows

UNITS = {"speed": "km/h", "speed_p85": "km/h", "vehicles": "veh"}


def rows(chunk: Chunk, out: Rows) -> None:
    """Rows by phase for bins in which a vehicle passed a trap."""
    traps: dict[int, list[Detector]] = {}
    for detector in chunk.configuration.detectors:
        if detector.trap is not None:
            traps.setdefault(detector.phase, []).append(detector)
    for phase, detectors in sorted(traps.items()):
        passed = [_passed(chunk, detector) for detector in sorted(detectors, key=lambda one: one.number)]
        times, speeds = (np.concatenate(column) for column in zip(*passed, strict=True))
        which = chunk.bin(times)
        for b in np.unique(which).tolist():
            inside = np.sort(speeds[which == b])
            values = {
                "speed": float(inside.sum()) / len(inside) / 10,
                "speed_p85": float(inside[-(-85 * len(inside) // 100) - 1]) / 10,
                "vehicles": float(len(inside)),
            }
            for name, value in values.items():
                chunk.add(out, "approach_speed", f"phase:{phase}", name, {b: value})


def _passed(chunk: Chunk, detector: Detector) -> tuple[Ints, Ints]:
    """When vehicles left the trap, and how fast, in 0.1 km/h."""
    up, down = chunk.times(DETECTOR_ON, detector.number), chunk.times(DETECTOR_ON, detector.trap or 0)
    out = np.append(down, FAR)[np.searchsorted(down, up, side="right")]
    # The last vehicle before a downstream ON is the one that caused it.
    first = np.append(out[:-1] != out[1:], True) if len(out) else out > 0
    took = out - up
    p = chunk.parameters
    slow, fast = (detector.trap_m * 3.6 * US / p_kmh for p_kmh in (p.trap_slowest.value, p.trap_fastest.value))
    sound = first & chunk.fresh(out) & (took <= slow) & (took >= fast)
    return out[sound], np.rint(detector.trap_m * 36 * US / took[sound]).astype(np.int64)


def keep(chunk: Chunk) -> Flags:
    """Vehicles that may still be in a trap."""
    mask = np.zeros(len(chunk.t), dtype=np.bool_)
    index = chunk.of(DETECTOR_ON)
    for detector in chunk.configuration.detectors:
        if detector.trap is not None:
            longest = round(detector.trap_m * 3.6 * US / chunk.parameters.trap_slowest.value)
            mine = index[chunk.par[index] == detector.number]
            mask |= chunk.keep_since(mine, chunk.par[mine], chunk.end_us - longest)
    return mask
