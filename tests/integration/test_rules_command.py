"""`subak rules` as a person and as a program uses it, on a database with an hour of facts."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.errors import ConfigError
from subak.cli import app
from subak.rules.command import backtest_, check, explain
from tests.support.databases import Database
from tests.support.seeding import OFFLINE, SILENT, seed


@pytest.fixture
def now() -> datetime:
    """The moment of the test: the commands ask by the wall clock, and tests are read long before the last one runs."""
    return datetime.now(UTC)


@pytest.fixture
def url(plain_database: Database, now: datetime) -> str:
    """A database seeded up to now."""
    seed(plain_database.url, now)
    return plain_database.url


def test_check_asks_every_rule_and_tells_what_is_beyond(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(database_url=url, as_json_=True)

    rows = {row["rule"]: row for row in json.loads(capsys.readouterr().out)}
    assert {""} == {row["problem"] for row in rows.values()}
    assert 2 == rows["device-silent"]["beyond"]
    assert 0 == rows["ledger"]["beyond"]


def test_backtest_as_json_table_and_pictures(url: str, now: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = now - timedelta(minutes=4)
    found: dict[str, dict[str, object]] = {}
    pictures = [tmp_path / "alerts.png", tmp_path / "alerts.svg"]
    for picture in pictures:
        backtest_("device-silent", "ledger", from_=start, to=now, database_url=url, as_json_=True, picture=picture)
        found = {result["rule"]: result for result in json.loads(capsys.readouterr().out)}
    assert (0, 0) == (found["ledger"]["fired"], found["ledger"]["short"])
    # The ledger of the seed goes on to the last minute for every device, so history knows of no silence; now two are silent.
    assert found["device-silent"]["series"] == 40
    assert pictures[0].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in pictures[1].read_bytes()

    backtest_("device-silent", from_=start, to=now, database_url=url)
    assert "under 2 min" in " ".join(capsys.readouterr().out.split())


def test_explain_gives_thresholds_with_sources_and_says_which_series_fire(
    url: str, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    explain("device-silent", at=now, database_url=url, sql=True)

    told = capsys.readouterr().out
    assert "must hold: 30 s (our judgement, a reconnect, 2026-11-24)" in told
    assert "FROM analytics.devices" in told
    lines = [line for line in told.splitlines() if SILENT in line or OFFLINE in line]
    assert [True, True] == ["fires" in line for line in lines]


WRONG = [
    (["backtest", "--from", "2026-11-24T10:00", "--to", "2026-11-24T09:00"], "is not after --from"),
    (["backtest", "qeue", "--from", "2026-11-24T10:00"], "qeue: no such rule, or switched off at this site; there are queue"),
    (["backtest", "queue", "--from", "2026-11-24T10:00", "--picture", "x.bmp"], "must end in .png, .svg or .pdf"),
    (["explain", "queue", "--database-url", "postgresql://127.0.0.1:1/x"], "the database does not answer"),
]


@pytest.mark.parametrize(("arguments", "expected"), WRONG)
def test_what_cannot_be_done_is_told_in_one_line(arguments: list[str], expected: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(expected)):
        app(["rules", *arguments])


def test_a_rule_that_fails_is_named_and_the_others_are_asked(
    plain_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database without our schema."""
    with pytest.raises(SystemExit):
        check(database_url=plain_database.url, as_json_=True)

    rows = json.loads(capsys.readouterr().out)
    assert 13 == len(rows)
    assert all("rule " + row["rule"] in row["problem"] for row in rows)


def test_no_picture_without_a_format(url: str, now: datetime, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must end in"):
        backtest_(from_=now, to=now + timedelta(minutes=1), database_url=url, picture=tmp_path / "x")
