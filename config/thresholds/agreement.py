"""When a camera and the loop beside it no longer agree; see `agreement.yaml`."""

from __future__ import annotations

from pathlib import Path

from config.files import Strict, load
from config.thresholds import Threshold


class AgreementThresholds(Strict):
    """Of the rolling comparison of a lane by loop and by camera."""

    quarters: Threshold
    least: Threshold
    volume: Threshold
    history: Threshold
    history_least: Threshold
    drift: Threshold
    drift_clear: Threshold
    geh: Threshold


class _Agreement(Strict):
    agreement: AgreementThresholds


def agreement_thresholds(path: Path = Path(__file__).parent / "agreement.yaml") -> AgreementThresholds:
    """As shipped or from another file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    return load(path, _Agreement).agreement
