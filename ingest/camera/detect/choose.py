"""Which detector a camera has."""

from __future__ import annotations

from pathlib import Path

from config.thresholds.camera import SeeingThresholds
from ingest.camera.detect import Detector, ModelError
from ingest.camera.detect.background import Background


def detector(model: Path | None, thresholds: SeeingThresholds) -> Detector:
    """The background model, or the model in the file `model`.

    Raises:
        ModelError: The file cannot be used, or what runs it is not installed.
    """
    if model is None:
        return Background(thresholds.background, thresholds.lamps)
    try:
        from ingest.camera.detect.yolox import Yolox
    except ImportError as error:
        raise ModelError(f"a model needs {error.name}; install it with: pip install 'subak[camera]'") from None
    return Yolox(model, thresholds.model)
