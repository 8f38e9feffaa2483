"""Norms as data: code lists and factors, each with its source and date."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.files import Strict, load

EVENT_CODES = Path(__file__).parent / "indiana.yaml"


class _EventCodes(Strict):
    source: str
    recorded: date
    reason: str
    codes: dict[Annotated[int, Field(ge=0, le=65535)], str]


def event_codes(path: Path = EVENT_CODES) -> dict[int, str]:
    """Names of the hi-res event codes of signal controllers (Indiana enumerations).

    Raises:
        ConfigFileError: The file is missing or wrong.
    """
    return load(path, _EventCodes).codes
