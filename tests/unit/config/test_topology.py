"""What lies before what, along the roads."""

from __future__ import annotations

from itertools import pairwise

import pytest

from config.settings import DEFAULT_SITE
from config.site import Site, load_site
from config.topology import distance_m, length_m, remaining_m, upstream_signs

SITE = load_site(DEFAULT_SITE)
FAR = 6000.0


def upstream(site: Site, junction: str, approach: str, reach_m: float = FAR) -> list[tuple[str, int]]:
    return [(u.sign, u.hops) for u in upstream_signs(site, reach_m) if (u.junction, u.approach) == (junction, approach)]


def test_a_degree_of_latitude_is_111_km() -> None:
    assert distance_m((-8.0, 115.0), (-9.0, 115.0)) == pytest.approx(111_195, abs=1)
    assert length_m([(-8.0, 115.0), (-8.5, 115.0), (-9.0, 115.0)]) == pytest.approx(111_195, abs=1)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        # Beside the middle of the first part; what is beside the line does not count.
        ((-8.005, 115.001), 1667.9),
        # Before its beginning, and behind its end.
        ((-7.9, 115.0), 2223.9),
        ((-8.1, 115.0), 0.0),
    ],
)
def test_what_remains_is_measured_along_the_line(position: tuple[float, float], expected: float) -> None:
    assert remaining_m([(-8.0, 115.0), (-8.01, 115.0), (-8.02, 115.0)], position) == pytest.approx(expected, abs=0.1)


def test_a_sign_on_the_approach_itself_comes_first() -> None:
    assert upstream(SITE, "dewa-ruci", "E")[0] == ("vms-sanur", 0)


def test_signs_farther_up_the_road_are_found_through_junctions() -> None:
    # Airport, Bypass Kuta, Dewa Ruci: the sign before Kuta speaks to those who come from the south.
    assert ("vms-bypass-utara", 1) in upstream(SITE, "dewa-ruci", "S")
    assert ("vms-bypass-utara", 2) in upstream(SITE, "sunset-patih-jelantik", "SE")


def test_nobody_turns_round_in_a_junction() -> None:
    # The sign stands on the other direction of the very road.
    assert "vms-sanur" not in {sign for sign, _ in upstream(SITE, "bypass-kuta", "S")}


def test_a_sign_out_of_reach_is_not_named() -> None:
    near = {u.sign: u.distance_m for u in upstream_signs(SITE, FAR) if (u.junction, u.approach) == ("dewa-ruci", "S")}
    assert near["vms-bypass-utara"] > 1000

    assert "vms-bypass-utara" not in {sign for sign, _ in upstream(SITE, "dewa-ruci", "S", near["vms-bypass-utara"] - 1)}


def test_a_roundabout_way_ends() -> None:
    assert all(u.distance_m <= 50_000 for u in upstream_signs(SITE, 50_000))


def test_the_nearest_is_the_first_of_each_approach() -> None:
    found = upstream_signs(SITE, FAR)
    for before, after in pairwise(found):
        if (before.junction, before.approach) == (after.junction, after.approach):
            assert before.distance_m <= after.distance_m
