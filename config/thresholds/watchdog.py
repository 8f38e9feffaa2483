"""What the watchdog calls a fault; see `watchdog.yaml`."""

from __future__ import annotations

from pathlib import Path

from config.files import Strict, load
from config.thresholds import Threshold

FILE = Path(__file__).parent / "watchdog.yaml"


class WatchdogThresholds(Strict):
    """All thresholds of the watchdog; units in the file."""

    repeat: Threshold
    clear_after: Threshold
    look_back: Threshold
    pipeline_silent: Threshold
    comm_loss: Threshold
    comm_loss_periods: Threshold
    clock_drift: Threshold
    clock_drift_clear: Threshold
    clock_spread: Threshold
    events_missing: Threshold
    minutes_missing: Threshold
    minutes_missing_clear: Threshold
    low_count: Threshold
    low_count_clear: Threshold
    low_count_least: Threshold
    low_count_weeks: Threshold
    low_count_weeks_least: Threshold
    night_from: Threshold
    night_until: Threshold
    pedestrian_calls: Threshold
    pedestrian_calls_clear: Threshold
    pedestrian_held: Threshold
    terminations_share: Threshold
    terminations_share_clear: Threshold
    terminations_least: Threshold


class _File(Strict):
    watchdog: WatchdogThresholds


def watchdog_thresholds(path: Path = FILE) -> WatchdogThresholds:
    """As shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _File).watchdog
