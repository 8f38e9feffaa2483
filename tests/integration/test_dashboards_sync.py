"""`subak dashboards push|diff|pull` against Grafana's API: twice is once, and every refusal says what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.errors import ConfigError
from dashboards.grafana.build import PROVISIONING
from subak.dashboards import diff, pull, push
from subak.embedded.ports import LOOPBACK, free_port
from tests.support.grafanas import ADMIN, EDITOR, VIEWER, FakeGrafana, serving

DATABASE = "postgresql://subak_grafana:s%C3%A9cret@db:5432/subak?sslmode=require"


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGrafana]:
    with serving() as found:
        monkeypatch.setenv("SUBAK_GRAFANA_URL", found.url)
        monkeypatch.setenv("SUBAK_GRAFANA_TOKEN", ADMIN)
        monkeypatch.setenv("SUBAK_GRAFANA_DATABASE_URL", DATABASE)
        yield found


def test_the_second_push_changes_nothing(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == push()
    assert 18 == len(grafana.boards)
    assert {"subak-id", "subak-en"} == set(grafana.folders)
    assert "sécret" == grafana.sources["subak"]["secureJsonData"]["password"]
    assert "require" == grafana.sources["subak"]["jsonData"]["sslmode"]
    grafana.written.clear()
    capsys.readouterr()

    assert 0 == push()
    assert [] == grafana.written
    assert "everything is as it should be\n" == capsys.readouterr().out
    assert 0 == diff()


def test_only_what_somebody_changed_is_sent(grafana: FakeGrafana, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    push()
    board = grafana.boards["subak-wall-id"]["dashboard"]
    board["panels"][0]["title"] = "Peta saya"
    board["version"] += 1
    grafana.folders["subak-en"].update(title="Mine", version=4)
    grafana.written.clear()
    capsys.readouterr()

    assert 1 == diff()
    assert "changed board subak-wall-id\n    panels[0].title: 'Peta saya' → 'Jaringan" in capsys.readouterr().out
    pull(into=tmp_path)
    assert "Peta saya" == json.loads((tmp_path / "subak-wall-id.json").read_text(encoding="utf-8"))["panels"][0]["title"]
    push()
    assert ["PUT /api/folders/subak-en", "POST subak-wall-id"] == grafana.written
    assert 0 == diff()


def test_an_editor_may_push_where_the_data_source_is_there(grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch) -> None:
    grafana.sources["subak"] = {"uid": "subak", "name": "Subak", "type": "grafana-postgresql-datasource"}
    monkeypatch.setenv("SUBAK_GRAFANA_TOKEN", EDITOR)
    monkeypatch.delenv("SUBAK_GRAFANA_DATABASE_URL")

    assert 0 == push()


def test_a_token_from_a_file(grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{ADMIN}\n", encoding="utf-8")
    monkeypatch.delenv("SUBAK_GRAFANA_TOKEN")
    monkeypatch.setenv("SUBAK_GRAFANA_TOKEN_FILE", str(tmp_path / "token"))

    assert 0 == push()
    assert grafana.boards


class TestRefusals:
    def fails(self) -> str:
        with pytest.raises(ConfigError) as caught:
            push()
        assert "token-" not in str(caught.value), "a secret in an error"
        return str(caught.value)

    def test_401(self, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SUBAK_GRAFANA_TOKEN", "token-expired")

        assert "401" in (said := self.fails())
        assert "wrong or has expired" in said

    def test_403(self, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SUBAK_GRAFANA_TOKEN", VIEWER)

        assert "403" in (said := self.fails())
        assert "role Editor" in said

    def test_409_of_a_data_source(self, grafana: FakeGrafana) -> None:
        grafana.sources["other"] = {"uid": "other", "name": "Subak", "type": "x"}

        assert "409" in (said := self.fails())
        assert "under another uid" in said

    def test_412_of_a_title(self, grafana: FakeGrafana) -> None:
        push()
        grafana.boards["mine"] = grafana.boards.pop("subak-wall-id")

        assert "412" in (said := self.fails())
        assert "title is in the folder under another uid" in said

    def test_412_of_a_version(self, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch) -> None:
        push()
        grafana.boards["subak-wall-id"]["dashboard"]["title"] = "Mine"
        save = grafana._save

        def late(body: dict[str, object]) -> tuple[int, dict[str, object]]:
            grafana.boards["subak-wall-id"]["dashboard"]["version"] += 1
            return save(body)

        monkeypatch.setattr(grafana, "_save", late)

        assert "412" in (said := self.fails())
        assert "push again" in said

    def test_502(self, grafana: FakeGrafana) -> None:
        grafana.broken = True

        assert "502" in self.fails()

    def test_nobody_listens(self, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SUBAK_GRAFANA_URL", f"http://{LOOPBACK}:{free_port()}")

        assert "cannot be reached" in self.fails()

    @pytest.mark.parametrize(("name", "value"), [("URL", ""), ("TOKEN", ""), ("URL", "grafana:3000")])
    def test_settings(self, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        monkeypatch.setenv(f"SUBAK_GRAFANA_{name}", value)

        assert f"SUBAK_GRAFANA_{name}" in self.fails()

    def test_no_data_source_and_no_url(self, grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SUBAK_GRAFANA_DATABASE_URL")

        assert "SUBAK_GRAFANA_DATABASE_URL" in self.fails()

    def test_an_empty_folder(self, grafana: FakeGrafana, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="holds no board"):
            push(folder=tmp_path)


def test_provisioning_names_the_same_uids() -> None:
    text = (PROVISIONING / "datasources/subak.yaml").read_text(encoding="utf-8")

    assert "uid: subak\n" in text
    assert "type: grafana-postgresql-datasource\n" in text
    assert "folderUid: subak-id" in (PROVISIONING / "dashboards/subak.yaml").read_text(encoding="utf-8")
