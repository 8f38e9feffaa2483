"""Whether a camera still agrees with the loop beside it: loops miss motorcycles, cameras fail at night, and either may drift.

Pure. The ratio of the rolling window is held against the usual one of the same half of the day, since a loop that always
misses a tenth of the motorcycles is no news.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from config.thresholds.agreement import AgreementThresholds
from processors.alerts import Audience, Blind, Finding, Severity

RULE = "camera:drift"


class Agreement(Struct, frozen=True):
    """A lane by loop and by camera over the rolling window.

    Attributes:
        camera: Device number of the camera.
        lane: Lane of the junction.
        quarters: Good quarters of an hour in the window.
        loop_volume: Vehicles by the loop in them.
        camera_volume: Vehicles by the camera in them.
        daylight: day or night, of the newest quarter.
        usual: Ratio over the history of the same half of the day; None while there is too little.
    """

    camera: int
    lane: str
    quarters: int
    loop_volume: int
    camera_volume: int
    daylight: str
    usual: float | None


def geh(one: float, other: float) -> float:
    """GEH statistic of two hourly flows (DMRB volume 12, section 2, part 1, 4.4.40); below 5 is a good match."""
    return math.sqrt(2 * (one - other) ** 2 / (one + other)) if one + other > 0 else 0.0


def drifts(lanes: Sequence[Agreement], t: AgreementThresholds) -> tuple[list[Finding], set[Blind]]:
    """Lanes on which camera and loop no longer agree, and cameras that cannot be judged now."""
    found: list[Finding] = []
    blind: set[Blind] = set()
    for lane in lanes:
        if lane.quarters < t.least.value or lane.loop_volume < t.volume.value:
            blind.add((RULE, lane.camera))
            continue
        usual = lane.usual or 1.0
        ratio = lane.camera_volume / lane.loop_volume
        off = abs(ratio / usual - 1) * 100
        hours = lane.quarters / 4
        match = geh(lane.camera_volume / hours, lane.loop_volume * usual / hours)
        if off <= t.drift_clear.value or match < t.geh.value:
            continue
        found.append(
            Finding(
                rule=RULE,
                device=lane.camera,
                element=f"lane:{lane.lane}",
                audience=Audience.TECHNICIAN,
                severity=Severity.WARNING,
                value=round(off, 1),
                threshold=t.drift.value,
                detail=(
                    f"the camera counts {ratio:.2f} of the loop over {hours:g} h by {lane.daylight}, usual is {usual:.2f}"
                    f" (GEH {match:.1f}): look at the camera's lines and at the loop"
                ),
                holding=off <= t.drift.value,
            )
        )
    return found, blind
