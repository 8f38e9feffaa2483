"""A site folder is right as a whole, or its error names file, line, key, value and what is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.errors import ConfigError, ConfigFileError
from config.settings import DEFAULT_SITE, load_settings
from config.site import load_site
from config.thresholds import bin_tests


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped site to spoil."""
    return Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))


def spoil(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_the_shipped_site_has_what_the_first_regency_needs() -> None:
    site = load_site(DEFAULT_SITE)

    assert len(site.junctions) >= 10
    assert len(site.cameras) >= 4
    assert len(site.signs) >= 4
    assert len(site.network_links) >= 6
    assert len(site.access_points) >= 6
    assert len(site.applications) >= 4
    assert {lane.id for j in site.junctions for a in j.approaches for lane in a.lanes} >= {
        detector.lane for controller in site.controllers for detector in controller.detectors
    }
    assert "approximate" in site.general.note


CASES = [
    # An unknown key is an error, not a silent wish.
    ("site.yaml", "timezone:", "time_zone:", "time_zone: Extra inputs are not permitted"),
    ("site.yaml", "Asia/Makassar", "Asia/Badung", "allowed are names such as Asia/Makassar"),
    # A key that stands twice.
    ("site.yaml", "title:", "site: other\ntitle:", 'found duplicate key "site"'),
    # Not YAML at all.
    ("site.yaml", "title: Kabupaten", "title: [Kabupaten", "line"),
    (
        "junctions.yaml",
        "link: sanur-to-dewa-ruci",
        "link: sanur-to-nowhere",
        "'sanur-to-nowhere' is no link of roads.yaml; allowed are",
    ),
    ("junctions.yaml", "link: sanur-to-dewa-ruci", "link: dewa-ruci-to-sanur", "ends at gate-sanur, not here"),
    ("junctions.yaml", "id: E1,", "id: E2,", "'E2' stands 2 times; names must be unique"),
    ("junctions.yaml", "phase: 2", "phase: 99", "phase: Input should be less than or equal to 16, got 99"),
    ("roads.yaml", "start: gate-airport", "start: gate-moon", "'gate-moon' is no junction and no gate"),
    ("roads.yaml", "lanes: 3", "lanes: many", "lanes: Input should be a valid integer"),
    ("controllers.yaml", "junction: dewa-ruci", "junction: dewi-ruci", "'dewi-ruci' is no junction"),
    ("controllers.yaml", "lane: E1,", "lane: Z9,", "'Z9' is no lane of dewa-ruci; allowed: E1"),
    ("controllers.yaml", "period: 10", "period: 0", "period: Input should be greater than 0, got 0"),
    ("cameras.yaml", "approach: E", "approach: Q", "'Q' is no approach of dewa-ruci"),
    ("signs.yaml", "link: airport-to-bypass-kuta", "link: airport", "'airport' is no link of roads.yaml"),
    ("sensors.yaml", "serves: [atc-bypass-kuta", "serves: [atc-nowhere", "'atc-nowhere' is no device of the site"),
]


@pytest.mark.parametrize(("file", "before", "after", "message"), CASES)
def test_a_spoilt_folder_is_refused_with_file_and_reason(folder: Path, file: str, before: str, after: str, message: str) -> None:
    spoil(folder, file, before, after)

    with pytest.raises(ConfigFileError) as refused:
        load_site(folder)

    assert folder / file == refused.value.path
    assert message in str(refused.value)


def test_the_line_is_named(folder: Path) -> None:
    spoil(folder, "junctions.yaml", "phase: 2", "phase: 99")
    number = (folder / "junctions.yaml").read_text(encoding="utf-8").split("\n").index("        phase: 99") + 1

    with pytest.raises(ConfigFileError, match=f"line {number}: "):
        load_site(folder)


def test_every_problem_of_a_file_is_told_at_once(folder: Path) -> None:
    spoil(folder, "junctions.yaml", "phase: 2", "phase: 99")
    spoil(folder, "junctions.yaml", "phase: 4", "phase: 98")

    with pytest.raises(ConfigFileError) as refused:
        load_site(folder)

    assert 2 == len(refused.value.problems)


def test_a_missing_file_and_a_missing_folder_are_told(folder: Path) -> None:
    (folder / "signs.yaml").unlink()
    with pytest.raises(ConfigFileError, match=r"signs\.yaml: cannot be read: No such file"):
        load_site(folder)
    with pytest.raises(ConfigFileError, match="SUBAK_SITE must name a site folder"):
        load_site(folder / "nowhere")


def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBAK_RECEIVE_MAXIMUM", "secret")

    with pytest.raises(ConfigError, match="SUBAK_RECEIVE_MAXIMUM: Input should be a valid integer") as refused:
        load_settings()

    assert "secret" not in str(refused.value)


def test_every_threshold_has_unit_source_and_date() -> None:
    for name, threshold in bin_tests():
        assert threshold.unit, name
        assert threshold.source, name
        assert threshold.date, name
