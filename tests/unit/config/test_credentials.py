"""Passwords of network cameras: named in the site folder, written elsewhere, shown nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.credentials import Login, address_with, read_credentials
from config.errors import ConfigError, ConfigFileError
from config.settings import DEFAULT_SITE, Settings, load_settings
from config.site import load_site
from ingest.camera.reports import Task
from ingest.camera.view import View
from ingest.mqtt.address import Address
from subak.camera.worker import Worker

PASSWORD = "Rahasia-7c1e"  # noqa: S105 - of nobody
LOGIN = Login("kamera", PASSWORD)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))


def with_source(site: Path, source: str) -> Path:
    """The first camera of the site has another source."""
    path = site / "cameras.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("source: frame\n", f"{source}\n", 1), encoding="utf-8")
    return site


@pytest.mark.parametrize(
    "source",
    [
        f"source: rtsp://kamera:{PASSWORD}@10.0.0.5/live",
        f"source: rtsp://{PASSWORD}@10.0.0.5/live",
        f"source: http://10.0.0.5/video?user=kamera&pwd={PASSWORD}",
    ],
)
def test_refused_an_address_with_a_password_and_what_to_do_is_said(site: Path, source: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        load_site(with_source(site, source))
    assert "credential: cam-dewa-ruci" in str(caught.value)
    assert "`cam-dewa-ruci user:password` into the file that SUBAK_CAMERA_CREDENTIALS_FILE names" in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    "source", [f"source: rtps://kamera:{PASSWORD}@10.0.0.5/live", f"sorce: rtsp://kamera:{PASSWORD}@10.0.0.5/"]
)
def test_an_error_about_something_else_does_not_show_it_either(site: Path, source: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        load_site(with_source(site, source))
    assert PASSWORD not in str(caught.value)
    assert "//…@10.0.0.5" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("source: frame\n    credential: gate", "only a source on the network"),
        ('source: "http://10.0.0.5/video?pwd={password}"', "credential: is missing"),
    ],
)
def test_a_credential_must_fit_its_source(site: Path, source: str, says: str) -> None:
    with pytest.raises(ConfigFileError, match=says):
        load_site(with_source(site, source))


def test_a_worker_says_which_credential_it_lacks(site: Path, tmp_path: Path) -> None:
    place = load_site(with_source(site, "source: rtsp://10.0.0.5/live\n    credential: gate"))
    address = Address.of(Settings())
    with pytest.raises(
        ConfigError, match=r"cam-dewa-ruci: credential: there is no 'gate' in SUBAK_CAMERA_CREDENTIALS; add a line"
    ):
        Worker(place, address, tmp_path, {}, ["cam-dewa-ruci"])
    cameras = Worker(place, address, tmp_path, {}, ["cam-dewa-ruci"], logins={"gate": LOGIN}).cameras
    assert LOGIN == cameras["cam-dewa-ruci"].task.login


def test_where_no_camera_wants_one_the_file_may_be_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    monkeypatch.setenv("SUBAK_CAMERA_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert {} == read_credentials(load_settings().camera_credentials.get_secret_value())


def test_the_sample_of_the_manual_is_one(site: Path, tmp_path: Path) -> None:
    manual = (Path(__file__).parents[3] / "docs" / "cameras.md").read_text(encoding="utf-8")
    (site / "cameras.yaml").write_text(manual.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    (site / "sensors.yaml").write_text("{}\n", encoding="utf-8")
    logins = read_credentials(manual.partition("```credentials\n")[2].partition("```")[0])
    (camera,) = Worker(load_site(site), Address.of(Settings()), tmp_path, {}, logins=logins).cameras.values()
    assert Login("kamera", "spaces and : are allowed") == camera.task.login
    assert ("rtsp://10.20.0.5:554/live", 10, (1280, 720)) == (camera.task.source, camera.task.fps, camera.task.view.size)


def test_credentials_are_lines() -> None:
    text = f"# gates\n\ngate kamera:{PASSWORD}\nback kamera:with space : and colon\n"
    assert {"gate": LOGIN, "back": Login("kamera", "with space : and colon")} == read_credentials(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"gate\n{PASSWORD}\n", "line 1: must be NAME user:password"),
        (f"gate {PASSWORD}", "line 1: must be NAME user:password"),
        (f"gate a:{PASSWORD}\ngate b:{PASSWORD}", "line 2: the name of this line stands there twice"),
    ],
)
def test_a_line_that_is_none_is_told_by_its_number_alone(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read_credentials(text)
    assert PASSWORD not in str(caught.value)


def test_a_login_shows_nothing_of_itself() -> None:
    task = Task("cam", "rtsp://10.0.0.5/live", View(), (), 5, 60, login=LOGIN)
    assert PASSWORD not in f"{LOGIN!r} {task!r} {task}"
    assert "kamera" not in f"{LOGIN!r} {task!r} {task}"


@pytest.mark.parametrize(
    ("source", "login", "address"),
    [
        ("rtsp://10.0.0.5/live", None, "rtsp://10.0.0.5/live"),
        ("rtsp://10.0.0.5:554/live?x=1", Login("a b", "p@/:?#%"), "rtsp://a%20b:p%40%2F%3A%3F%23%25@10.0.0.5:554/live?x=1"),
        ("http://c/v?user={user}&pwd={password}", Login("a&b", "p&q"), "http://c/v?user=a%26b&pwd=p%26q"),
    ],
)
def test_an_address_gets_them_where_the_camera_wants_them(source: str, login: Login | None, address: str) -> None:
    assert address == address_with(source, login)
