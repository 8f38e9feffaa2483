"""`subak import` on real databases: every event once, whatever it is imported from and how often, and the ledger balances."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from config.errors import ConfigError
from config.settings import DEFAULT_SITE, load_settings
from ingest.logs import decode
from subak.importing import Importer, import_
from subak.run import open_site
from tests.support import logs
from tests.support.databases import Database
from tests.support.logs import BEGIN
from tests.support.pipelines import SITE, Bench, verified
from tests.support.shared import shared_data

Run = Callable[..., list[dict[str, Any]]]
COUNT = 1500


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The default site, whose controller at Legian is called 10.0.0.7 in logs."""
    folder = tmp_path / "site"
    shutil.copytree(DEFAULT_SITE, folder)
    file = folder / "controllers.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("  - id: atc-legian\n", "  - id: atc-legian\n    logs: [10.0.0.7, '7']\n"), encoding="utf-8")
    return folder


@pytest.fixture
def run(
    database: Database, site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Imports contents under names; what the command printed, a row a file."""
    monkeypatch.setenv("SUBAK_DATABASE_URL", database.url)

    def imports(*files: tuple[str, bytes], status: int = 0, **options: Any) -> list[dict[str, Any]]:
        paths = []
        for name, content in files:
            paths.append(tmp_path / name)
            paths[-1].write_bytes(content)
        assert status == import_(*paths, site=site, json=True, **options)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return imports


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)
def test_every_event_is_there_once_and_the_ledger_balances(database: Database, run: Run) -> None:
    found = logs.events(COUNT)
    whole = logs.asc3(found)
    late = BEGIN + timedelta(seconds=300)
    overlap = [event for event in logs.events(COUNT + 100) if event[0] >= late]
    results = run(
        ("a.dat", whole),
        ("a.dat", whole),
        ("copy under another name.dat", whole),
        ("a.datZ", logs.packed(whole)),
        ("a.xml", logs.maxtime(found)),
        ("a.csv", logs.csv(found, "7")),
        ("b.dat", logs.asc3(overlap, late)),
    )
    assert [COUNT, 0, 0, 0, 0, 0, 100] == [result["new"] for result in results]
    assert [{"atc-legian": COUNT}] * 6 == [result["events"] for result in results[:6]]
    assert [(COUNT + 100, COUNT + 100)] == rows(
        database.url,
        "SELECT count(*), count(DISTINCT (time, code, parameter)) FROM analytics.signal_events WHERE device = 'atc-legian'",
    )
    ledger, _ = verified(database.url)
    assert [] == ledger.differences
    assert 4 == ledger.stored
    assert ledger.received == ledger.stored + ledger.duplicate
    # Its history does not make it alive.
    assert [(None,)] == rows(database.url, "SELECT last_received_at FROM analytics.devices WHERE device = 'atc-legian'")


@pytest.mark.parametrize("database", ["plain"], indirect=True)
async def test_events_that_also_came_live_are_one_set(database: Database) -> None:
    """Both rows are kept, and stay apart: by their number, below zero when imported."""
    bench = Bench(database.url)
    found = logs.events(20)
    payload = {"seq": 3, "events": [[f"{time.isoformat()}+08:00", code, parameter] for time, code, parameter in found]}
    await bench.send(msgspec.json.encode(payload), topic=f"subak/v1/{bench.registry.site}/atc/atc-legian/events")
    await bench.close()
    settings = load_settings(database_url=database.url)
    opened = open_site(settings)
    importer = Importer(settings, opened, "badung")
    part = decode("a.csv", logs.csv(found, offset="+08:00"), SITE.zone).parts["atc-legian"]
    counts: list[int] = []
    stored = await importer.store({"atc-legian": part}, counts.append)
    await importer.close()
    assert (20, [20]) == (stored.new, counts)
    assert [(40, 20, 20)] == bench.rows(
        "SELECT count(*)::int, count(DISTINCT (time, code, parameter))::int, (count(*) FILTER (WHERE seq < 0))::int FROM analytics.signal_events"
    )
    assert [] == bench.verify()[0].differences


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_what_cannot_be_used_is_told_and_the_rest_is_stored(database: Database, run: Run) -> None:
    results = run(
        ("cut.dat", logs.asc3(logs.events(50))[:-2]),
        ("nothing.dat", b"what is this\n"),
        ("stranger.dat", logs.asc3(logs.events(50), called="10.9.9.9")),
        ("7.csv", logs.csv([*logs.events(50), (BEGIN.replace(year=1999), 1, 1)], None)),
        status=1,
    )
    assert [49, 0, 0, 1] == [result["new"] for result in results]
    assert "no whole record" in results[0]["problems"][0]
    assert "is no controller log" in results[1]["refused"]
    assert "10.9.9.9" in results[2]["refused"]
    assert "add what the log calls it to `logs`" in results[2]["refused"]
    assert ["atc-legian: 1 events are not taken: time_too_old"] == results[3]["problems"]
    (forced,) = run(("stranger.dat", logs.asc3(logs.events(50), called="10.9.9.9")), device="atc-berawa")
    assert ({"atc-berawa": 50}, 50) == (forced["events"], forced["new"])
    assert verified(database.url)[0].balanced


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_the_files_of_real_controllers_are_stored_event_by_event(database: Database, run: Run) -> None:
    owners = {
        "4895_ECON_10.210.8.179_2024_02_21_1115.dat": ("atc-legian", 1914),
        "ECON_10.205.17.215_2024_02_21_1115.dat": ("atc-berawa", 1168),
        "maxtime.xml": ("atc-canggu", 3001),
    }
    for name, (owner, count) in owners.items():
        content = shared_data("controller-files", name).read_bytes()
        results = [run((file, content), device=owner, timezone="America/Denver")[0] for file in (name, f"copy of {name}")]
        again = [result["new"] for result in results]
        assert "events older than 90 days" in results[0]["note"]
        # Equal events of one tenth are several events, and stay so.
        assert [count, 0] == again
    stored = rows(database.url, "SELECT device, count(*)::int FROM analytics.signal_events GROUP BY device ORDER BY device")
    assert sorted(owners.values()) == stored
    assert [] == verified(database.url)[0].differences


@pytest.mark.parametrize("database", ["plain"], indirect=True)
def test_wrong_options_are_named(database: Database, run: Run) -> None:
    with pytest.raises(ConfigError, match="at least one file"):
        run()
    with pytest.raises(ConfigError, match="no such controller"):
        run(("a.csv", b"x"), device="atc-nowhere")
    with pytest.raises(ConfigError, match="not an IANA time zone"):
        run(("a.csv", b"x"), timezone="Bali")
