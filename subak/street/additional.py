"""What SUMO is started with: its options, vehicle types and detectors."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from config.site import Approach, Detector, Junction, Site
from ingest.contract import VehicleClass
from subak.street.assumptions import Assumptions, SimulationAssumption
from subak.street.network import lane_of

_ALIGNMENT = {VehicleClass.SM: "arbitrary", VehicleClass.KTB: "right"}
"""Where in its lane a class likes to ride; SUMO's `right` is the kerb, on roads that keep left too."""


def command_of(network: Path, additional: Path, assumptions: Assumptions, seed: int) -> list[str]:
    """SUMO's command line for a network and the file of `write_additional`."""
    return [
        "sumo",
        f"--net-file={network}",
        f"--additional-files={additional}",
        f"--seed={seed}",
        "--step-length=1",
        f"--lateral-resolution={assumptions.simulation.lateral_resolution}",
        f"--time-to-teleport={assumptions.simulation.teleport_after}",
        "--max-depart-delay=60",
        "--xml-validation=never",
        "--no-step-log",
        "--no-warnings",
        "--duration-log.disable",
    ]


def write_additional(path: Path, site: Site, assumptions: Assumptions) -> None:
    """Vehicle types and detectors, as SUMO reads them; detectors watch and change nothing."""
    root = ET.Element("additional")
    for name, item in assumptions.classes.items():
        two_wheeled = name in (VehicleClass.SM, VehicleClass.KTB)
        attributes = {
            "id": name.value,
            "vClass": item.shape,
            "length": str(item.length),
            "width": str(item.width),
            "height": str(item.height),
            "speedFactor": f"normc({item.speed_factor},0.1,{item.speed_factor * 0.7:.3f},{item.speed_factor * 1.3:.3f})",
            "minGap": "0.8" if two_wheeled else "1.8",
            "minGapLat": "0.2" if two_wheeled else "0.4",
            "latAlignment": _ALIGNMENT.get(name, "center"),
        }
        if two_wheeled:
            attributes |= {"lcPushy": "0.6", "lcAssertive": "2", "maxSpeedLat": "1.5"}
        if item.top_speed is not None:
            attributes["maxSpeed"] = f"{item.top_speed / 3.6:.3f}"
        ET.SubElement(root, "vType", attributes)
    for controller in site.controllers:
        junction = site.junction[controller.junction]
        for detector in controller.detectors:
            length = _length(detector, assumptions.simulation)
            ET.SubElement(
                root,
                "inductionLoop",
                id=f"{controller.id}/{detector.id}",
                lane=lane_of(approach_of(junction, detector.lane), detector.lane),
                pos=f"{_before_end(detector, length)}",
                length=str(length),
                period="86400",
                file="NUL",
                friendlyPos="true",
            )
    ET.ElementTree(root).write(path, encoding="utf-8")


def _length(detector: Detector, simulation: SimulationAssumption) -> float:
    return simulation.presence_length if detector.function == "presence" else simulation.loop_length


def _before_end(detector: Detector, length: float) -> float:
    """Where it begins, in metres from the end of its lane, so negative; a presence zone ends at its distance."""
    if detector.function == "presence":
        return -(detector.distance + length + 0.1)
    return -max(detector.distance, length + 0.1)


def approach_of(junction: Junction, lane: str) -> Approach:
    """The approach that a lane belongs to.

    Raises:
        StopIteration: None; the site's check has seen to it that there is one.
    """
    return next(item for item in junction.approaches if lane in {one.id for one in item.lanes})
