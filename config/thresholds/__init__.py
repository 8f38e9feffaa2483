"""Thresholds as data: every number carries unit, source and date."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from config.files import Strict, load


class Threshold(Strict):
    """One number with its provenance."""

    value: float
    unit: str
    source: str
    date: date


class BinTests(Strict):
    """The tests on a 1-minute lane bin; see `bins.yaml`."""

    locked_on: Threshold
    speed_high: Threshold
    volume_high: Threshold
    edge: Threshold


class ConsoleThresholds(Strict):
    """What the operators' console calls old, silent and slow; see `console.yaml`."""

    data_old: Threshold
    data_stopped: Threshold
    silent_periods: Threshold
    silent_least: Threshold
    loss_share: Threshold
    minute_late: Threshold
    link_window: Threshold
    link_stale: Threshold
    link_fresh: Threshold
    speed_free: Threshold
    speed_slow: Threshold
    speed_dense: Threshold
    pulse_lost: Threshold
    signals_old: Threshold


class ValidationThresholds(Strict):
    """How many minutes are counted by hand; see `validation.yaml`."""

    spread: Threshold
    least: Threshold
    draws: Threshold


class TopologyThresholds(Strict):
    """How far topology reaches; see `topology.yaml`."""

    sign_reach: Threshold


class UsualThresholds(Strict):
    """What the usual of a lane, weekday and quarter of an hour is made of; see `topology.yaml`."""

    weeks: Threshold
    good_minutes: Threshold


class _Topology(Strict):
    topology: TopologyThresholds
    usual: UsualThresholds


class _Bins(Strict):
    tests: BinTests


class _Console(Strict):
    console: ConsoleThresholds


class _Validation(Strict):
    validation: ValidationThresholds


def bin_tests(path: Path = Path(__file__).parent / "bins.yaml") -> BinTests:
    """The tests on bins, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _Bins).tests


def console_thresholds(path: Path = Path(__file__).parent / "console.yaml") -> ConsoleThresholds:
    """What the console calls old, silent and slow, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _Console).console


def validation_thresholds(path: Path = Path(__file__).parent / "validation.yaml") -> ValidationThresholds:
    """How many minutes are counted by hand, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _Validation).validation


def topology_thresholds(path: Path = Path(__file__).parent / "topology.yaml") -> TopologyThresholds:
    """How far topology reaches, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _Topology).topology


def usual_thresholds(path: Path = Path(__file__).parent / "topology.yaml") -> UsualThresholds:
    """What the usual is made of, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _Topology).usual
