"""The attributes of traffic counts (S0201 to S0208 of the signal exchange list for traffic lights): one detector or all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ingest.contract import VehicleClass
from ingest.feeds.counts import CLASSES, UNCLASSIFIED, ClassCounts
from ingest.fixedpoint import OCCUPANCY_DIGITS, SPEED_DIGITS
from ingest.reasons import Reason

NO_DATA = -1  # "if no data could be measured (e.g. detector fault)"
FAULT = "detector_fault"
MOST = {"vehicles": 65_535, "speed": 300, "occupancy": 100}
KINDS = ("P", "PS", "L", "LS", "B", "SP", "MC", "C")  # of S0204 and S0208; F, pedestrians, are no vehicles
_MOST_OF_KIND = 65_535
_SUFFIXES = {"vehicles": ("sum",), "speed": ("avg", "average"), "occupancy": ("avg", "average")}


class UnusableError(Exception):
    """Values that cannot be true, or cannot be read."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


class Counted(Struct, frozen=True):
    """What one detector counted; values as in `ingest.readings.LaneReading`."""

    volume: int | None
    occupancy: int | None
    speed: int | None
    classes: ClassCounts
    fault: str | None


def counted(values: Mapping[str, Any], table: Mapping[str, VehicleClass | None]) -> Counted:
    """The values of one detector (S0201 to S0204, or several of them in one channel).

    Args:
        values: Attribute to integer; an aggregated attribute may carry its function (`vehicles.sum`, `speed.avg`).
        table: Vehicle kind to class.

    Raises:
        UnusableError: No attribute of traffic counts, or a value that is no integer in its range.
    """
    found = {name: _integer(name, value) for name, value in _attributes(values).items()}
    if not found:
        raise UnusableError(Reason.WRONG_TYPE, "values hold no vehicles, speed, occupancy or classes")
    volume = found.get("vehicles")
    kinds = {kind: found[kind] for kind in KINDS if kind in found}
    complete = len(kinds) == len(KINDS) and NO_DATA not in kinds.values()
    if volume is None and kinds:
        if complete:
            volume = sum(kinds.values())
        elif NO_DATA in kinds.values():
            volume = NO_DATA
        else:
            raise UnusableError(Reason.INCOMPLETE_COUNT, f"only {', '.join(kinds)} are counted, without vehicles")
    # No count, or nothing at all that could be measured.
    if NO_DATA in (volume, *(() if volume is not None else found.values())):
        return Counted(None, None, None, UNCLASSIFIED, FAULT)
    speed, occupancy = found.get("speed"), found.get("occupancy")
    return Counted(
        volume,
        None if occupancy is None or occupancy == NO_DATA else occupancy * 10**OCCUPANCY_DIGITS,
        None if speed is None or speed == NO_DATA else speed * 10**SPEED_DIGITS,
        _classes(kinds, table) if kinds and NO_DATA not in kinds.values() else UNCLASSIFIED,
        None,
    )


def per_detector(values: Mapping[str, Any], table: Mapping[str, VehicleClass | None]) -> dict[int, Counted]:
    """The values of all detectors (S0205 to S0208): comma-separated, the n-th is that of detector logic n.

    Raises:
        UnusableError: As `counted`, or lists of different length.
    """
    lists = {name: _list(name, value) for name, value in _attributes(values).items()}
    lengths = {len(items) for items in lists.values()}
    if len(lengths) > 1:
        shown = ", ".join(f"{name} {len(items)}" for name, items in lists.items())
        raise UnusableError(Reason.WRONG_TYPE, f"the lists are of different length: {shown}")
    if not lengths:
        raise UnusableError(Reason.WRONG_TYPE, "values hold no vehicles, speed, occupancy or classes")
    return {index + 1: counted({name: items[index] for name, items in lists.items()}, table) for index in range(lengths.pop())}


def _attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are read, without the function of an aggregation; a maximum, say, is no mean."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        base, dot, function = name.partition(".")
        if (base in _SUFFIXES or base in KINDS) and (not dot or function in _SUFFIXES.get(base, ("sum",))):
            found[base] = value
    return found


def _integer(name: str, value: Any) -> int:  # noqa: ANN401 - CBOR before it is known what it is
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnusableError(Reason.WRONG_TYPE, f"{name} is no integer")
    most = MOST.get(name, _MOST_OF_KIND)
    if not NO_DATA <= value <= most:
        shown = f"{value}" if abs(value) < 10**9 else "far off"
        raise UnusableError(Reason.OUT_OF_RANGE, f"{name} is {shown}; possible are 0 to {most}, and -1 for no data")
    return value


def _list(name: str, value: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        raise UnusableError(Reason.WRONG_TYPE, f"{name} is no comma-separated list of integers")
    try:
        return [int(item) for item in value.split(",")]
    except ValueError:
        raise UnusableError(Reason.WRONG_TYPE, f"{name} is no comma-separated list of integers") from None


def _classes(kinds: Mapping[str, int], table: Mapping[str, VehicleClass | None]) -> ClassCounts:
    counts = dict.fromkeys(CLASSES, 0)
    for kind, count in kinds.items():
        vehicle = table.get(kind)
        if vehicle is not None:
            counts[vehicle] += count
    sm, mp, ks, bb, tb, ktb = (counts[vehicle] for vehicle in CLASSES)
    return sm, mp, ks, bb, tb, ktb
