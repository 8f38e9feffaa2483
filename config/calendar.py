"""Days on which traffic is not as usual, from the site folder, with where they come from."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from config.errors import ConfigFileError
from config.files import Strict, load

SITE_FILE = "calendar.yaml"


class Span(Strict):
    """A time from one day to another, by the site's clock.

    Attributes:
        first: Day it begins.
        last: Day it ends.
        begins: Time of the first day; midnight when left out.
        ends: Time of the last day; the end of it when left out.
        source: Where that stands.
    """

    first: date
    last: date
    begins: time = time(0)
    ends: time | None = None
    source: str

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first or (self.last == self.first and self.ends is not None and self.ends <= self.begins):
            raise ValueError("ends before it begins")
        return self


class Occasion(Strict):
    """What recurs, with its dates.

    Attributes:
        title: In Indonesian and English.
        mutes: Audiences that are not told of alerts during it.
        reason: Why not.
        spans: When it is.
    """

    title: dict[str, str]
    mutes: tuple[str, ...] = ()
    reason: str = ""
    spans: tuple[Span, ...]


class Calendar(Strict):
    """`calendar.yaml`."""

    occasions: dict[str, Occasion] = Field(default_factory=dict)


AUDIENCES = ("vms", "technician", "pipeline")


def load_calendar(folder: Path) -> Calendar:
    """The calendar of a site folder; empty when it has none.

    Raises:
        ConfigFileError: The file does not fit.
    """
    path = folder / SITE_FILE
    if not path.exists():
        return Calendar()
    calendar = load(path, Calendar)
    problems = [
        f"occasions.{name}.mutes: {audience!r} is no audience; allowed are {', '.join(AUDIENCES)}"
        for name, occasion in calendar.occasions.items()
        for audience in occasion.mutes
        if audience not in AUDIENCES
    ]
    if problems:
        raise ConfigFileError(path, problems)
    return calendar
