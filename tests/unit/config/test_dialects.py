"""What a site says of dialects is checked when it is read: file, key and what is allowed, before anything is connected to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.dialects import dialects
from config.errors import ConfigFileError
from config.settings import DEFAULT_SITE
from config.site import load_site

FIRST = "  - id: atc-dewa-ruci\n"
SENSOR = "id: net-kuta,"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_one_line_of_a_site_makes_a_device_speak_another_dialect(site: Path) -> None:
    edit(site / "controllers.yaml", FIRST, f"{FIRST}    dialect: ntcip\n    address: {{gateway: gw-1, controller: 17}}\n")
    device = load_site(site).devices[0]
    assert (device.id, device.dialect, device.address) == ("atc-dewa-ruci", "ntcip", {"gateway": "gw-1", "controller": 17})


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("dialect: ntcpi", "'ntcpi' is no dialect; allowed are native, ntcip, radar, fiware, frigate, rsmp4, sparkplug"),
        ("dialect: frigate", "'frigate' is not spoken by kind atc; allowed are native, ntcip, radar, fiware, rsmp4, sparkplug"),
        ("dialect: ntcip", "address.gateway: is missing; dialect ntcip finds the device by it"),
        (
            "dialect: ntcip\n    address: {gateway: g, controller: 1, camera: x}",
            "address.camera: is no key of dialect ntcip for kind atc; allowed: gateway, controller",
        ),
        ("address: {gateway: g}", "address.gateway: is no key of dialect native for kind atc; allowed: none"),
        ("dialect: radar\n    address: {device: +}", "address.device"),
        ("dialect: rsmp4\n    address: {node: 'a/#'}", "address.node"),
        ("dialect: rsmp4\n    address: {node: /a}", "address.node"),
    ],
)
def test_mistakes_are_named(site: Path, lines: str, problem: str) -> None:
    edit(site / "controllers.yaml", FIRST, f"{FIRST}    {lines}\n")
    with pytest.raises(ConfigFileError) as error:
        load_site(site)
    assert error.value.path == site / "controllers.yaml"
    assert problem in str(error.value)


def test_sensors_have_their_own_file(site: Path) -> None:
    edit(site / "sensors.yaml", SENSOR, f"{SENSOR} dialect: sparkplug,")
    with pytest.raises(ConfigFileError) as error:
        load_site(site)
    assert [problem.split(":")[0] for problem in error.value.problems] == ["net-kuta.address.group", "net-kuta.address.edge"]
    assert error.value.path == site / "sensors.yaml"


def test_two_detectors_of_one_number(site: Path) -> None:
    edit(site / "controllers.yaml", "number: 2, ", "number: 1, ")
    with pytest.raises(ConfigFileError, match=r"atc-dewa-ruci\.detectors, number: '1' stands 2 times"):
        load_site(site)


def test_native_is_spoken_by_every_kind() -> None:
    assert list(dialects()["native"]) == ["atc", "cctv", "vms", "net", "wifi", "app"]
