"""Where the demo looks for a Grafana, and what it tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from subak.demo.grafana import PROVISIONING, Grafana, find_grafana


def install(folder: Path, *, whole: bool = True) -> Path:
    program = folder / "bin" / "grafana"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    if whole:
        (folder / "conf").mkdir()
        (folder / "conf" / "defaults.ini").touch()
    return program


def test_without_one_on_path_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_grafana() is None


def test_its_folder_is_found_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = install(tmp_path / "grafana-12.4.0")
    link = tmp_path / "path" / "grafana"
    link.parent.mkdir()
    link.symlink_to(program)
    monkeypatch.setenv("PATH", str(link.parent))
    found = find_grafana()
    assert Grafana(link, tmp_path / "grafana-12.4.0") == found


def test_one_without_its_folder_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(install(tmp_path / "lost", whole=False).parent))
    monkeypatch.setattr("subak.demo.grafana.PACKAGED", tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="link `grafana` on PATH"):
        find_grafana()


def test_it_listens_on_loopback_keeps_its_state_with_the_demos_and_reads_as_a_reader(tmp_path: Path) -> None:
    settings = Grafana(Path("grafana"), Path("home")).environment(
        tmp_path, 3001, "postgresql://owner@/subak?host=%2Frun%2Fsubak&port=5432"
    )
    assert ("127.0.0.1", "3001") == (settings["GF_SERVER_HTTP_ADDR"], settings["GF_SERVER_HTTP_PORT"])
    assert all(Path(settings[f"GF_PATHS_{name}"]).is_relative_to(tmp_path) for name in ("DATA", "LOGS", "PLUGINS"))
    assert str(PROVISIONING) == settings["GF_PATHS_PROVISIONING"]
    assert ("/run/subak", "subak", "subak_grafana") == tuple(
        settings[f"SUBAK_GRAFANA_DATABASE_{name}"] for name in ("HOST", "NAME", "USER")
    )
    assert "Viewer" == settings["GF_AUTH_ANONYMOUS_ORG_ROLE"]


def test_a_database_on_a_port_is_named_with_it(tmp_path: Path) -> None:
    settings = Grafana(Path("grafana"), Path("home")).environment(tmp_path, 3000, "postgresql://x@127.0.0.1:5433/traffic")
    assert ("127.0.0.1:5433", "traffic") == (settings["SUBAK_GRAFANA_DATABASE_HOST"], settings["SUBAK_GRAFANA_DATABASE_NAME"])
