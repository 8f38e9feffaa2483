"""Names of the faults that devices report in place of a number."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.files import Strict, load

OCCUPANCY_FAULTS = Path(__file__).parent / "norms" / "ntcip1202_faults.yaml"

FaultName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class OccupancyFaults(Strict):
    """Occupancy values that are fault codes.

    Attributes:
        source: Norm and object that define them.
        recorded: When they were written down here.
        reason: Why they are used.
        faults: Code to name; codes lie above 100, where no occupancy can be.
    """

    source: str
    recorded: date
    reason: str
    faults: dict[Annotated[int, Field(gt=100)], FaultName]


def load_occupancy_faults(path: Path = OCCUPANCY_FAULTS) -> dict[int, str]:
    """Fault code to name.

    Raises:
        ConfigFileError: The file is missing or wrong.
    """
    return load(path, OccupancyFaults).faults
