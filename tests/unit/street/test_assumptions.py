"""What the street assumes, and what it demands of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigFileError
from ingest.contract import VehicleClass
from subak.street.assumptions import FILE, load_assumptions


def test_motorcycles_are_most_of_the_traffic() -> None:
    assert load_assumptions().classes[VehicleClass.SM].share >= 0.6


def test_activity_follows_the_profile_between_the_middles_of_hours() -> None:
    assumptions = load_assumptions()
    profile = assumptions.profile
    assert assumptions.activity(17.5) == pytest.approx(profile[17])
    assert assumptions.activity(18.0) == pytest.approx((profile[17] + profile[18]) / 2)
    assert assumptions.activity(0.0) == pytest.approx((profile[23] + profile[0]) / 2)


# Each case: what is changed in the file, and what the error must name.
CASES = [
    ("shares that do not add up", ("share: 0.722", "share: 0.5"), "add up to"),
    ("unknown key", ("nearness:", "farness:"), "farness"),
    ("half a day", ("profile: [0.24, ", "profile: ["), "profile"),
]


@pytest.mark.parametrize(("change", "named"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert change[0] in text
    wrong = tmp_path / "traffic.yaml"
    wrong.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigFileError, match=named):
        load_assumptions(wrong)
