"""The measures, one module each: what it means (docstring), its units, its rows in a chunk, and what it must remember."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from config.thresholds.signals import SignalParameters
from processors.signals.chunk import Chunk, microseconds
from processors.signals.configuration import Configuration
from processors.signals.events import Flags
from processors.signals.measures import (
    actuations,
    approach_delay,
    approach_speed,
    approach_volume,
    arrivals,
    communications,
    coordination,
    cycles,
    detector_health,
    green_time,
    has_data,
    pedestrians,
    phase_wait,
    preemption,
    split_failures,
    split_monitor,
    splits,
    terminations,
    timeline,
    turning_counts,
    yellow_red,
)
from processors.signals.rows import Rows

MEASURES: dict[str, ModuleType] = {
    module.__name__.rsplit(".", 1)[1]: module
    for module in (
        has_data,
        actuations,
        arrivals,
        split_failures,
        splits,
        split_monitor,
        terminations,
        yellow_red,
        pedestrians,
        phase_wait,
        coordination,
        preemption,
        timeline,
        cycles,
        communications,
        approach_volume,
        approach_delay,
        approach_speed,
        turning_counts,
        green_time,
        detector_health,
    )
}
"""Name to module."""

UNITS: dict[tuple[str, str], str] = {
    (measure, name): unit for measure, module in MEASURES.items() for name, unit in module.UNITS.items()
}
"""Unit of every figure, by measure and name."""


def lag_us(configuration: Configuration, parameters: SignalParameters) -> int:
    """How long after the end of a bin its rows are known: latency of detectors, and actuations around a begin of red."""
    latency = max((-detector.shift_us for detector in configuration.detectors), default=0)
    return max(latency, microseconds(parameters.offset_window.value), microseconds(parameters.clock_window.value))


def rows(chunk: Chunk) -> Rows:
    """All rows that fall due in a chunk."""
    given = Rows()
    for module in MEASURES.values():
        module.rows(chunk, given)
    return given


def keep(chunk: Chunk) -> Flags:
    """Mark the events that rows of later chunks can depend on."""
    mask = np.zeros(len(chunk.t), dtype=np.bool_)
    for module in MEASURES.values():
        if hasattr(module, "keep"):
            mask |= module.keep(chunk)
    return mask
