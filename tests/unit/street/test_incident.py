"""A blocked lane."""

from __future__ import annotations

from datetime import datetime

import libsumo
import pytest

from config.errors import ConfigError
from subak.street.incident import Incident
from subak.street.traffic import Traffic
from tests.unit.street.rehearsal import START, quick_assumptions, the_site

LINK = "dewa-ruci-to-sunset-patih-jelantik"


def standing() -> list[str]:
    """Broken-down vehicles on the link that stand in its lane at the kerb."""
    names = libsumo.lane.getLastStepVehicleIDs(f"{LINK}_0")
    return [name for name in names if "incident" in name and libsumo.vehicle.getSpeed(name) == 0]


def test_a_vehicle_stands_in_the_lane_for_as_long_as_told() -> None:
    start = int(datetime.fromisoformat(START).timestamp())
    assumptions = quick_assumptions()
    assumptions = assumptions.model_copy(update={"simulation": assumptions.simulation.model_copy(update={"warm_up": 0})})
    with Traffic(the_site(), assumptions, 1, start, [Incident.parse(f"{LINK}:0:5:20")]) as traffic:
        stood = []
        for second in range(40):
            traffic.step()
            if standing():
                stood.append(second)
    assert stood[0] == 5
    # It rolls the last decimetres to its place before it stands for good.
    assert set(range(10, 25)) <= set(stood)
    assert stood[-1] == 24


@pytest.mark.parametrize("text", ["", "link", f"{LINK}:0:5", f"{LINK}:kerb:5:20", f"{LINK}:0:5:20:1:1", f"{LINK}:0:5:20:near"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="LINK:LANE:AFTER_S:LASTS_S"):
        Incident.parse(text)


@pytest.mark.parametrize("text", ["nowhere:0:5:20", f"{LINK}:3:5:20", f"{LINK}:-1:5:20"])
def test_a_lane_that_the_site_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="the site has no lane"):
        Incident.parse(text).placed(the_site(), 0)
