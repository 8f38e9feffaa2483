"""Parameters of the signal measures; see `signals.yaml`."""

from __future__ import annotations

from pathlib import Path

from config.files import Strict, load
from config.thresholds import Threshold


class SignalParameters(Strict):
    """Every number that the signal measures of `processors.signals` depend on; units and reasons stand in `signals.yaml`."""

    sub_bin_min: Threshold
    sub_bin_events: Threshold
    red_time: Threshold
    green_occupancy: Threshold
    red_occupancy: Threshold
    rapid_repair: Threshold
    stuck_on: Threshold
    cycle_longest: Threshold
    offset_window: Threshold
    offset_step: Threshold
    clearance_longest: Threshold
    open_longest: Threshold
    silence_day: Threshold
    silence_evening: Threshold
    silence_night: Threshold
    clock_window: Threshold
    press_gap: Threshold
    volume_linear: Threshold
    volume_square: Threshold
    volume_least: Threshold
    preempt_recovery: Threshold
    assumed_cycle: Threshold
    skip_cycles: Threshold
    skip_cycles_priority: Threshold
    saturation_headway: Threshold
    trap_slowest: Threshold
    trap_fastest: Threshold
    known_days: Threshold


class _File(Strict):
    signals: SignalParameters


def signal_parameters(path: Path = Path(__file__).parent / "signals.yaml") -> SignalParameters:
    """The parameters of the signal measures, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _File).signals
