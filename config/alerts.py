"""`alerts.yaml` of a site: known faults that nobody need be told of, each with a reason and a day on which that ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from config.files import Strict, load

FILE = "alerts.yaml"


class Ignored(Strict):
    """Faults that are recorded and not announced; `rule`, `device` and `element` may hold `*` and `?`.

    Attributes:
        rule: `watchdog:detector_fault`, `camera:*`.
        device: Name of a device; `*` also means faults of no device.
        element: Part of the device, `detector:5`; by default every one.
        reason: Shown beside each alert that it silences.
        until: Last day, local, on which it is ignored: nothing is ignored for ever.
    """

    rule: Annotated[str, Field(pattern=r"^[a-z0-9_*?-]+:[a-z0-9_.*?-]+$")]
    device: Annotated[str, Field(min_length=1, max_length=64)]
    element: Annotated[str, Field(min_length=1, max_length=64)] = "*"
    reason: Annotated[str, Field(min_length=3, max_length=200)]
    until: date


class Alerts(Strict):
    """The whole file."""

    ignored: tuple[Ignored, ...] = ()

    def reason(self, rule: str, device: str, element: str, now: datetime, zone: ZoneInfo) -> str | None:
        """Why a fault is not announced at `now` (aware); None when it is.

        Args:
            rule: As in the alert.
            device: Its name, empty when there is none.
            element: As in the alert.
            now: The present.
            zone: Of the site's days.
        """
        for entry in self.ignored:
            end = datetime.combine(entry.until + timedelta(days=1), time(), zone).astimezone(UTC)
            if (
                now < end
                and fnmatchcase(rule, entry.rule)
                and fnmatchcase(device, entry.device)
                and fnmatchcase(element, entry.element)
            ):
                return entry.reason
        return None


def load_alerts(site: Path) -> Alerts:
    """The ignore list of a site folder; empty when it has none.

    Raises:
        ConfigFileError: The file does not fit.
    """
    path = site / FILE
    return load(path, Alerts) if path.exists() else Alerts()
