"""From the vehicle classes of a dialect to those of PKJI: a table as data in the feed's folder, with its source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from config.files import Strict, load
from ingest.contract import VehicleClass


class VehicleTable(Strict):
    """`classes.yaml` of a feed.

    Attributes:
        source: Where the dialect's words are defined.
        recorded: When they were written down here.
        reason: Why they mean these classes of PKJI.
        classes: The dialect's word to the class; null for a vehicle that counts without a class.
    """

    source: str
    recorded: date
    reason: str
    classes: dict[str, VehicleClass | None]


def vehicle_classes(path: Path) -> Mapping[str, VehicleClass | None]:
    """The table in `path`.

    Raises:
        ConfigFileError: The file is missing or wrong.
    """
    return load(path, VehicleTable).classes
