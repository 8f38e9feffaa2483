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


class _Bins(Strict):
    tests: BinTests


def bin_tests(path: Path = Path(__file__).parent / "bins.yaml") -> BinTests:
    """The tests on bins, as shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _Bins).tests
