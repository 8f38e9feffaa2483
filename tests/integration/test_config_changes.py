"""What was changed in the site folder: recorded with the site, in its transaction, on every level."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.record import flat, record
from config.site import Site, load_site
from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.macros import Window
from dashboards.grafana.queries import Purpose, boards, of_board
from dashboards.grafana.run import ask
from storage.changes import account, record_changes
from storage.migrate import migrate
from storage.site import save_site
from tests.support.databases import Database
from tests.support.pipelines import SITE, TIMEZONE

CHANGES = "SELECT kind, element, change, fields FROM analytics.config_changes ORDER BY changed_at, kind, element"


@pytest.fixture
def connection(database: Database) -> Any:
    with psycopg.connect(database.url, autocommit=True) as opened:
        if database.level == "community":
            opened.execute("CREATE EXTENSION timescaledb")
        migrate(opened, TIMEZONE)
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the site's folder, to edit."""
    return Path(shutil.copytree(SITE.path, tmp_path / "site"))


def edited(folder: Path, name: str, before: str, after: str) -> Site:
    """The site after an edit of one of its files."""
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    return load_site(folder)


def test_each_change_of_the_folder_is_told_once(connection: Any, folder: Path) -> None:
    save_site(connection, SITE)
    assert [("site", "badung", "begun", [])] == connection.execute(CHANGES).fetchall()
    save_site(connection, load_site(folder))
    assert 1 == len(connection.execute(CHANGES).fetchall())

    edited(folder, "rules.yaml", "rules: {}", "rules: {queue: {off: while the road is dug up}}")
    site = edited(folder, "signs.yaml", "rows: 3", "rows: 2")
    fewer = Site.model_validate({**site.model_dump(), "corridors": site.corridors[1:], "applications": site.applications[:-1]})
    save_site(connection, fewer)
    save_site(connection, fewer)

    assert [
        ("corridor", SITE.corridors[0].id, "removed", []),
        ("file", "rules.yaml", "changed", ["rules", "rules.queue.off"]),
        ("sensor", SITE.applications[-1].id, "removed", []),
        ("sign", SITE.signs[0].id, "changed", ["rows"]),
    ] == connection.execute(CHANGES).fetchall()[1:]
    save_site(connection, site)
    assert {("corridor", "added"), ("sensor", "added")} == set(
        connection.execute("SELECT kind, change FROM analytics.config_changes WHERE change = 'added'").fetchall()
    )
    assert [(account(),)] == connection.execute("SELECT DISTINCT changed_by FROM analytics.config_changes").fetchall()
    assert [({"off": "while the road is dug up"},)] == connection.execute(
        "SELECT jsonb_build_object('off', after -> 'rules.queue.off') FROM analytics.config_changes WHERE kind = 'file'"
    ).fetchall()

    # The boards mark it, in words.
    now = datetime.now(UTC)
    for path, board in boards(PROVISIONING):
        if path.parent.name == "en" and path.stem == "wall":
            (query,) = [q for q in of_board(path, board) if q.purpose is Purpose.ANNOTATION and "hanges" in q.name]
            answer = ask(connection, query.sql, {"site": "badung"}, Window(now - timedelta(hours=1), now + timedelta(minutes=1)))
            assert 2 == len(answer.rows)
            told = f"file rules.yaml changed: rules, rules.queue.off; sensor {SITE.applications[-1].id} removed; sign"
            assert told in answer.rows[0][1]


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_a_sync_that_fails_tells_of_no_change(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    save_site(connection, SITE)
    fewer = Site.model_validate({**SITE.model_dump(), "corridors": ()})

    def cut_off(*arguments: Any) -> None:
        record_changes(*arguments)
        raise ConnectionError

    monkeypatch.setattr("storage.site.record_changes", cut_off)
    with pytest.raises(ConnectionError):
        save_site(connection, fewer)

    assert [("site", "badung", "begun", [])] == connection.execute(CHANGES).fetchall()
    assert (len({c.id for c in SITE.corridors}),) == connection.execute(
        "SELECT count(DISTINCT corridor) FROM analytics.corridors"
    ).fetchone()


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_a_file_that_is_wrong_stops_nothing(connection: Any, folder: Path) -> None:
    save_site(connection, SITE)
    (folder / "calendar.yaml").write_text("occasions: [", encoding="utf-8")

    save_site(connection, load_site(folder))

    (row,) = connection.execute(
        "SELECT element, fields, after ->> 'unreadable' FROM analytics.config_changes WHERE kind = 'file'"
    )
    assert ("calendar.yaml", True) == (row[0], "unreadable" in row[1])
    assert "flow" in row[2]


def test_lines_are_named_and_a_password_is_not_told() -> None:
    camera = next(camera for camera in SITE.cameras if camera.lanes)
    content = record(SITE)["camera", camera.id]

    assert camera.lanes[0].lane == content[f"lanes.{camera.lanes[0].id}.lane"]
    assert {"source": "rtsp://10.0.0.7:554/main", "by": "a@b"} == flat(
        {"source": "rtsp://viewer:s3cret@10.0.0.7:554/main", "by": "a@b"}
    )
    assert {"a.b": 1, "list": [1, 2], "lanes.N1.line": [[0, 1], [2, 3]], "lanes.N1.id": "N1", "empty": []} == flat(
        {"a": {"b": 1}, "list": [1, 2], "lanes": [{"id": "N1", "line": [[0, 1], [2, 3]]}], "empty": []}
    )
