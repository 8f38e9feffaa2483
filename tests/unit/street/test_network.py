"""The committed road network fits the site folder, lane by lane."""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ET

import pytest

from config.errors import ConfigError
from subak.street.network import connections, lane_of, network_path
from tests.unit.street.rehearsal import the_site


@pytest.fixture(scope="module")
def network() -> ET.Element:
    with gzip.open(network_path(the_site())) as file:
        return ET.parse(file).getroot()


def test_every_link_is_an_edge_with_its_lanes_and_limit(network: ET.Element) -> None:
    edges = {edge.get("id"): edge for edge in network.findall("edge") if edge.get("function") != "internal"}
    site = the_site()
    assert set(edges) == set(site.link)
    for link in site.links:
        lanes = edges[link.id].findall("lane")
        assert len(lanes) == link.lanes
        for lane in lanes:
            assert float(lane.get("speed", "0")) == pytest.approx(link.speed_limit / 3.6, abs=0.01)


def test_every_lane_of_an_approach_leads_somewhere(network: ET.Element) -> None:
    leading = {f"{item.get('from')}_{item.get('fromLane')}" for item in network.findall("connection")}
    for junction in the_site().junctions:
        for approach in junction.approaches:
            for index, lane in enumerate(approach.lanes):
                assert lane_of(approach, lane.id) == f"{approach.link}_{index}"
                assert lane_of(approach, lane.id) in leading


def test_the_ways_through_are_those_that_the_site_allows(network: ET.Element) -> None:
    built = {
        (item.get("from"), item.get("fromLane"), item.get("to"), item.get("toLane"))
        for item in network.findall("connection")
        if not str(item.get("from")).startswith(":")
    }
    site = the_site()
    wanted = {
        (way.source, str(way.source_lane), way.target, str(way.target_lane))
        for junction in site.junctions
        for way in connections(site, junction)
    }
    assert built == wanted


def test_every_junction_has_a_traffic_light(network: ET.Element) -> None:
    assert {light.get("id") for light in network.findall("tlLogic")} == set(the_site().junction)


def test_traffic_keeps_left(network: ET.Element) -> None:
    assert network.get("lefthand") == "true"


def test_kerb_lanes_turn_left_and_outer_lanes_right() -> None:
    site = the_site()
    ways = list(connections(site, site.junction["dewa-ruci"]))
    turns = {(way.source_lane, way.movement) for way in ways if way.source == "sanur-to-dewa-ruci"}
    assert turns == {(0, "left"), (0, "through"), (1, "through"), (2, "through"), (2, "right")}


def test_a_site_without_a_network_says_how_to_make_one() -> None:
    site = the_site()
    other = site.model_copy(update={"general": site.general.model_copy(update={"site": "elsewhere"})})
    with pytest.raises(ConfigError, match=r"python -m subak\.street\.network"):
        network_path(other)
