"""FIWARE: units one row a value, every form of the same entity alike, and the model's own examples."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.contract import VehicleClass
from ingest.door import Admission
from ingest.feeds.fiware.decoder import VEHICLES
from ingest.readings import LaneReading
from tests.support.shared import shared_data
from tests.unit.ingest.samples import sample_door

RECEIVED = 1_795_478_701_000_000  # 2026-11-24T08:05:01+08:00
FROM, TO = "2026-11-24T08:00:00+08:00", "2026-11-24T08:05:00+08:00"
TOPIC = "fiware/badung/traffic-flow/sample"
DOOR, _ = sample_door("fiware")


def admit(message: Any, received_us: int = RECEIVED) -> Admission:
    return DOOR.admit(TOPIC, json.dumps(message).encode(), received_us)


def entity(**values: Any) -> dict[str, Any]:
    head = {"id": "flow", "type": "TrafficFlowObserved", "laneId": 1, "dateObservedFrom": FROM, "dateObservedTo": TO}
    return head | values


@pytest.mark.parametrize(
    ("occupancy", "hundredths"),
    [
        (0, 0),
        (0.0001, 1),
        (0.005, 50),  # a step of NTCIP
        (0.76, 7600),
        (0.29, 2900),  # 0.29 * 100 is 28.999999999999996
        (0.00125, 13),  # a tie of decimals, but the double nearest to it lies above
        (1, 10_000),
        (1.0, 10_000),
        (None, None),
    ],
)
def test_occupancy_is_a_share(occupancy: float | None, hundredths: int | None) -> None:
    [reading] = admit(entity(intensity=1, occupancy=occupancy)).records
    assert isinstance(reading, LaneReading)
    assert (reading.volume, reading.occupancy) == (1, hundredths)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("occupancy", 1.0001),  # percent, or a fault code of NTCIP
        ("occupancy", 212),
        ("occupancy", -1),
        ("intensity", -1),
        ("intensity", 100_001),
        ("averageVehicleSpeed", -1),
        ("averageVehicleSpeed", 301),
    ],
)
def test_what_is_no_number_of_the_model_is_refused(name: str, value: float) -> None:
    admission = admit(entity(**({"intensity": 1} | {name: value})))
    assert admission.records == []
    assert [letter.reason for letter in admission.dead] == ["out_of_range"]


FORMS = {
    "key-values": lambda e: e,
    "list": lambda e: [e],
    "notification": lambda e: {"subscriptionId": "1", "data": [e]},
    "normalised": lambda e: {k: v if k in ("id", "type") else {"type": "X", "value": v, "metadata": {}} for k, v in e.items()},
    "NGSI-LD": lambda e: {
        k: v
        if k in ("id", "type")
        else {"type": "Property", "value": {"@type": "DateTime", "@value": v} if k.startswith("date") else v}
        for k, v in e.items()
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str) -> None:
    whole = entity(intensity=97, occupancy=0.125, averageVehicleSpeed=41.5)
    assert admit(FORMS[form](whole)).records == admit(whole).records  # type: ignore[no-untyped-call]


def test_the_table_of_vehicles_has_only_classes_of_the_contract() -> None:
    assert {vehicle for vehicle in VEHICLES.values() if vehicle} == set(VehicleClass)


@pytest.mark.parametrize("name", ["TrafficFlowObserved.example.json", "TrafficFlowObserved.example.jsonld"])
def test_the_examples_of_the_model_are_read(name: str) -> None:
    example = json.loads(shared_data("fiware", name).read_text())
    [reading] = admit(example).records
    assert isinstance(reading, LaneReading)
    assert (reading.volume, reading.occupancy, reading.speed, reading.period_ms) == (197, 7600, 526, 300_000)
    assert reading.start_us == 1_481_109_000_000_000  # 2016-12-07T11:10:00Z


def test_the_table_of_vehicles_has_the_words_of_the_schema() -> None:
    schema = json.loads(shared_data("fiware", "TrafficFlowObserved.schema.json").read_text())
    [properties] = [part["properties"] for part in schema["allOf"] if "properties" in part]
    assert set(properties["vehicleType"]["enum"]) == set(VEHICLES)
