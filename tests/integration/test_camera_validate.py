"""`subak camera validate` on a real database: choose minutes, fill the form as a person would, read the accuracy."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.errors import ConfigError
from config.settings import DEFAULT_SITE
from config.site import load_site
from storage.migrate import migrate
from storage.site import save_site
from subak.camera.validate import plan, report
from tests.support.databases import Database

SITE = load_site(DEFAULT_SITE)
CAMERA = SITE.cameras[0]
LANE = CAMERA.lanes[0].id
FROM = datetime(2026, 11, 23, 16, tzinfo=UTC)  # midnight at the site
TO = FROM + timedelta(days=1)

pytestmark = pytest.mark.parametrize("database", ["plain"], indirect=True)


@pytest.fixture(autouse=True)
def counts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first camera has counted on one lane: 10 motorcycles and 2 cars a minute, and nothing valid in the first hour."""
    monkeypatch.setenv("SUBAK_DATABASE_URL", database.url)
    with psycopg.connect(database.url, autocommit=True) as connection:
        migrate(connection, SITE.general.timezone)
        save_site(connection, SITE)
        for day in (FROM, TO):
            connection.execute("SELECT subak.ensure_day(%s)", [day.date()])
        connection.execute(
            "INSERT INTO subak.lane_1min (lane_id, start, readings, covered_ms, volume, occupancy_sum, occupancy_ms, speed_sum,"
            " speed_volume, sm, mp, ks, bb, tb, ktb, quality, final, revised_at)"
            " SELECT lane_id, minute, 1, 60000, CASE WHEN valid THEN 12 END, 0, 0, 0, 0, CASE WHEN valid THEN 10 END,"
            " CASE WHEN valid THEN 2 END, CASE WHEN valid THEN 0 END, CASE WHEN valid THEN 0 END, CASE WHEN valid THEN 0 END, NULL,"
            " CASE WHEN valid THEN 'good' ELSE 'missing(camera:covered)' END, true, now()"
            " FROM analytics.lanes, generate_series(%s, %s - interval '1 minute', interval '1 minute') AS minute,"
            " LATERAL (SELECT minute >= %s + interval '1 hour' AS valid) AS v WHERE device = %s AND detector = %s",
            [FROM, TO, FROM, CAMERA.id, LANE],
        )


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], Any]:
    """The JSON that a command printed."""
    return lambda: json.loads(capsys.readouterr().out)


def fill(form: Path, count: Callable[[int, dict[str, str]], dict[str, str]]) -> None:
    """Fill the rows of a form in place."""
    with form.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row | count(index, row) for index, row in enumerate(reader)]
    with form.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(reader.fieldnames or ()))
        writer.writeheader()
        writer.writerows(rows)


def seen(sm: int, mp: int) -> dict[str, str]:
    return {"SM": str(sm), "MP": str(mp), "KS": "0", "BB": "0", "TB": "0", "KTB": "0"}


def test_the_form_holds_day_and_night_and_only_minutes_with_counts(tmp_path: Path, told: Callable[[], Any]) -> None:
    form = tmp_path / "form.csv"
    plan(CAMERA.id, since=FROM, until=TO, out=form, json=True)
    summary = told()
    assert (23 * 60, 60) == (summary["of"], summary["without_counts"])
    with form.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for half in ("day", "night"):
        of_half = [datetime.fromisoformat(row["minute"]) for row in rows if row["half"] == half]
        assert summary["minutes"][half] == len(of_half) > 100
        assert all((6 <= moment.hour <= 18) == (half == "day") for moment in of_half if moment.hour not in {5, 6, 18})
    assert all(datetime.fromisoformat(row["minute"]) >= FROM + timedelta(hours=1) for row in rows)


def test_the_report_compares_by_class_and_half_of_the_day(tmp_path: Path, told: Callable[[], Any]) -> None:
    form = tmp_path / "form.csv"
    plan(CAMERA.id, since=FROM, until=TO, out=form, margin=0.1, json=True)
    told()
    # At night the camera doubles motorcycles: 5 passed where it counted 10. One row stays empty.
    fill(form, lambda index, row: {} if index == 0 else seen(5 if row["half"] == "night" else 10, 2))
    report(form, json=True)
    found = told()
    assert (1, 0) == (found["not_counted"], found["without_counts"])
    figures = found["accuracy"]
    assert 1.0 == figures["day"]["all"]["accuracy"] == figures["day"]["SM"]["accuracy"] == figures["night"]["MP"]["accuracy"]
    assert figures["night"]["SM"]["accuracy"] == pytest.approx(0.0)
    assert figures["night"]["all"]["accuracy"] == pytest.approx(1 - 5 / 7)
    assert figures["all"]["all"]["accuracy"] < 1
    # A class of which the camera tells nothing is left out; one that never passed has no accuracy.
    assert "KTB" not in figures["day"]
    assert figures["day"]["BB"]["accuracy"] is None
    report(form)


def test_a_minute_whose_counts_are_gone_is_left_out_and_told(database: Database, tmp_path: Path, told: Callable[[], Any]) -> None:
    form = tmp_path / "form.csv"
    plan(CAMERA.id, since=FROM, until=TO, out=form, margin=0.2, json=True)
    rows = sum(told()["minutes"].values())
    fill(form, lambda index, row: seen(10, 2))
    with psycopg.connect(database.url) as connection:
        connection.execute("DELETE FROM subak.lane_1min WHERE start < %s", [FROM + timedelta(hours=12)])
    report(form, json=True)
    found = told()
    assert 0 < found["without_counts"] < rows
    assert rows == found["without_counts"] + found["accuracy"]["all"]["all"]["minutes"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("minute,lane\n", "no column camera"),
        ("{head}\n2026-11-24T08:00+08:00,{camera},x,day,1,,0,0,0,0,\n", r"form.csv:2: MP is ''; write a whole number"),
        ("{head}\n2026-11-24T08:00+08:00,{camera},x,day,-1,0,0,0,0,0,\n", "SM is '-1'"),
        ("{head}\n2026-11-24T08:00,{camera},x,day,1,0,0,0,0,0,\n", "has lost its offset"),
        ("{head}\nyesterday,{camera},x,day,1,0,0,0,0,0,\n", "no RFC 3339 time"),
        ("{head}\n" + "2026-11-24T08:00+08:00,{camera},x,day,1,0,0,0,0,0,\n" * 2, "form.csv:3: this lane-minute stands twice"),
        ("{head}\n", "this one names none"),
        ("{head}\n2026-11-24T08:00+08:00,other,x,day,1,0,0,0,0,0,\n", "no camera other in the site folder"),
    ],
)
def test_a_form_that_cannot_be_read_says_where_and_why(tmp_path: Path, content: str, complaint: str) -> None:
    form = tmp_path / "form.csv"
    form.write_text(content.format(head="minute,camera,lane,half,SM,MP,KS,BB,TB,KTB,note", camera=CAMERA.id), encoding="utf-8")
    with pytest.raises(ConfigError, match=complaint):
        report(form)


def test_a_form_with_work_in_it_is_not_overwritten(tmp_path: Path) -> None:
    form = tmp_path / "form.csv"
    form.write_text("hours of work", encoding="utf-8")
    with pytest.raises(ConfigError, match="give another name"):
        plan(CAMERA.id, since=FROM, until=TO, out=form)
    assert form.read_text(encoding="utf-8") == "hours of work"


def test_no_counts_is_an_error_that_names_what_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is its worker running"):
        plan(CAMERA.id, since=FROM - timedelta(days=9), until=FROM - timedelta(days=8), out=tmp_path / "form.csv")
