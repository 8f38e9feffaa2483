"""The console in a real browser: what it shows is what the database holds, as soon as it holds it, and from nowhere else."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from config.site import Site
from tests.conftest import Chromium
from tests.support.consoles import Browser, ConsoleProcess, browsing
from tests.support.databases import Database, PlainServer, fresh_database
from tests.support.seeding import FAULTY, GAP, OFFLINE, SILENT, advance, seed

LANE = "atc-legian.E1"
GAPPED = "atc-dewa-ruci.E1"


class Room(NamedTuple):
    """A console, its database and a browser that looks at it."""

    console: ConsoleProcess
    database: Database
    site: Site
    browser: Browser

    def one(self, query: str, *values: object) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.database.url) as connection:
            row = connection.execute(query, values).fetchone()
        assert row is not None
        return row[0]

    def change(self, statement: str, *values: object) -> None:
        """Change rows of the database."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute(statement, values)


@pytest.fixture(scope="module")
def room(plain_server: PlainServer, chromium: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder: Path = tmp_path_factory.mktemp("console")
    with fresh_database(plain_server) as database:
        site = seed(database.url)
        console = ConsoleProcess(folder, database.url)
        try:
            console.start()
            with browsing(chromium.browser, chromium.driver, folder / "profile") as browser:
                browser.open(f"{console.url}?lane={LANE}")
                yield Room(console, database, site, browser)
        finally:
            console.kill()


@pytest.fixture
def page(room: Room) -> Browser:
    """The page as an operator finds it, loaded once for each test."""
    advance(room.database.url)
    room.browser.open(f"{room.console.url}?lane={LANE}")
    newest = room.one("SELECT max(start) FROM analytics.lane_1min WHERE device = 'atc-legian' AND detector = 'E1' AND final")
    room.browser.wait(
        lambda: room.browser.data("lane-volume-latest", "start") == newest.isoformat(), "the newest minute of the lane"
    )
    room.browser.run("window.sameLoad = true")
    return room.browser


class TestNumbers:
    def test_ledger_is_the_databases(self, room: Room, page: Browser) -> None:
        for minutes, mark in ((15, ""), (60, "-60")):
            since = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=minutes - 1)
            for term in ("received", "stored", "duplicate", "rejected", "late"):
                expected = str(room.one(f"SELECT sum({term}) FROM analytics.ledger WHERE minute >= %s", since))
                assert expected == page.data(f"ledger-{term}{mark}"), f"{term} of {minutes} min"
        assert "✔ SEIMBANG" == page.text("ledger-balance")

    def test_latest_final_minute_of_the_lane(self, room: Room, page: Browser) -> None:
        volume, start = (page.data("lane-volume-latest", name) for name in ("value", "start"))
        where = "FROM analytics.lane_1min WHERE device = 'atc-legian' AND detector = 'E1' AND final ORDER BY start DESC LIMIT 1"

        assert str(room.one(f"SELECT volume {where}")) == volume
        assert room.one(f"SELECT start {where}") == datetime.fromisoformat(start or "")
        assert str(float(room.one(f"SELECT speed {where}"))) == page.data("lane-speed-latest")

    def test_speed_of_a_link(self, room: Room, page: Browser) -> None:
        link = "sanur-to-dewa-ruci"
        expected = room.one(
            "SELECT sum(volume * speed) / sum(volume) FROM analytics.lane_1min JOIN analytics.lanes USING (lane_id)"
            " WHERE link = %s AND lanes.kind = 'atc' AND final AND start > (SELECT max(start) FROM analytics.lane_1min WHERE final) - interval '3 minutes'",
            link,
        )

        assert float(expected) == pytest.approx(float(page.data(f"link-{link}", "kmh") or "nan"), abs=0.06)

    def test_devices_that_report(self, room: Room, page: Browser) -> None:
        # One is offline by its last will, one silent for 400 s.
        page.wait(
            lambda: page.text("devices-reporting").endswith(f"{len(room.site.devices) - 2}/{len(room.site.devices)}"), "38/40"
        )

    def test_what_needs_attention_is_on_top(self, page: Browser) -> None:
        rows = page.run(
            "return [...document.querySelectorAll('[data-testid^=device-row-]')].slice(0, 3).map((r) => [r.dataset.testid, r.dataset.attention])"
        )

        assert [
            [f"device-row-{OFFLINE}", "is_offline"],
            [f"device-row-{SILENT}", "is_silent"],
            [f"device-row-{FAULTY}", "is_missing"],
        ] == rows

    def test_dead_letters_with_advice(self, page: Browser) -> None:
        assert "Isi pesan bukan JSON yang sah" in page.text("dead-letter-not_json")
        assert page.text("dead-letter-not_json").startswith("7")

    def test_dead_letters_that_were_only_counted(self, room: Room, page: Browser) -> None:
        assert not page.is_shown("dead-letters-unkept")
        minute = room.one("SELECT max(minute) FROM subak.ledger")
        room.change("UPDATE subak.ledger SET unkept = 1234 WHERE device_id = 1 AND minute = %s", minute)

        page.wait(lambda: "+ 1.234 hanya dihitung" == page.text("dead-letters-unkept"), "the count")
        room.change("UPDATE subak.ledger SET unkept = 0")


class TestHonesty:
    def test_a_link_without_valid_bins_is_not_green(self, room: Room, page: Browser) -> None:
        with psycopg.connect(room.database.url) as connection:
            links = connection.execute(
                "SELECT link FROM analytics.lanes GROUP BY link HAVING bool_and(device = %s)", [FAULTY]
            ).fetchall()

        assert links
        # All loops of this controller are open, and no camera counts there.
        assert {"unknown"} == {page.data(f"link-{link}", "look") for (link,) in links}

    def test_a_gap_is_not_zero(self, room: Room, page: Browser) -> None:
        page.open(f"{room.console.url}?lane={GAPPED}&lang=en")
        page.wait(lambda: page.data("lane-volume-latest", "lane") == GAPPED, "the lane")
        script = (
            "const o = getElement(document.querySelector('.chart').id.slice(1)).chart.getOption();"
            "const s = o.series.find((s) => s.name === arguments[0]).data;"
            "return s.flatMap((v, i) => (arguments[1] === (v === '-')) ? [o.xAxis[0].data[i]] : []);"
        )
        page.wait(lambda: bool(page.run(script, "Missing", False)), "the chart")
        gaps = page.run(script, "Missing", False)
        with psycopg.connect(room.database.url) as connection:
            rows = connection.execute(
                "SELECT t FROM generate_series(now() - interval '50 minutes', now() - interval '5 minutes', interval '1 minute') t WHERE NOT EXISTS"
                " (SELECT FROM analytics.lane_1min WHERE device = 'atc-dewa-ruci' AND detector = 'E1' AND start = date_trunc('minute', t))"
            ).fetchall()
        seeded = {f"{start.astimezone(room.site.zone):%H:%M}" for (start,) in rows}

        assert len(GAP) == len(seeded)
        assert seeded <= set(gaps)
        assert seeded <= set(page.run(script, "Motorcycle", True))

    def test_old_data_says_so(self, room: Room, page: Browser) -> None:
        page.wait(lambda: page.data("heartbeat", "level") == "ok", "fresh data")
        room.change("UPDATE subak.device_state SET last_received_at = now() - interval '45 seconds'")

        page.wait(lambda: page.data("heartbeat", "level") == "warn", "the warning")
        assert "DATA TUA" in page.text("heartbeat")
        room.change("UPDATE subak.device_state SET last_received_at = now() - interval '2 minutes'")
        page.wait(lambda: "DATA BERHENTI 2 m" in page.text("heartbeat"), "the alarm")

    def test_a_ledger_that_does_not_balance_says_so(self, room: Room, page: Browser) -> None:
        minute = room.one("SELECT max(minute) FROM subak.ledger")
        room.change("UPDATE subak.ledger SET received = received + 1 WHERE device_id = 1 AND minute = %s", minute)
        try:
            page.wait(lambda: "✘ TIDAK SEIMBANG: 1 sumber-menit" == page.text("ledger-balance"), "the mark")
        finally:
            room.change("UPDATE subak.ledger SET received = received - 1 WHERE device_id = 1 AND minute = %s", minute)
        page.wait(lambda: "✔ SEIMBANG" == page.text("ledger-balance"), "balance")


class TestPush:
    def test_a_changed_row_changes_the_page(self, room: Room, page: Browser, record_property: Any) -> None:
        start = page.data("lane-volume-latest", "start")
        lane = room.one("SELECT lane_id FROM analytics.lanes WHERE device = 'atc-legian' AND detector = 'E1'")
        began = time.monotonic()
        room.change(
            "UPDATE subak.lane_1min SET volume = 777, revision = revision + 1 WHERE lane_id = %s AND start = %s", lane, start
        )

        page.wait(lambda: page.text("lane-volume-latest") == "777", "the new volume")
        record_property("push_s", time.monotonic() - began)
        print(f"push: {time.monotonic() - began:.2f} s from commit to page")
        assert page.run("return window.sameLoad") is True

    def test_a_device_that_dies_goes_to_the_top(self, room: Room, page: Browser) -> None:
        room.change(
            "UPDATE subak.device_state SET presence = 'offline' WHERE device_id = (SELECT device_id FROM subak.device WHERE name = 'app-permit')"
        )
        try:
            page.wait(lambda: page.data("device-row-app-permit", "attention") == "is_offline", "the row")
            assert page.run(
                "return [...document.querySelectorAll('[data-testid^=device-row-]')].slice(0, 2).some((r) => r.dataset.testid.endsWith('app-permit'))"
            )
        finally:
            room.change(
                "UPDATE subak.device_state SET presence = 'online' WHERE device_id = (SELECT device_id FROM subak.device WHERE name = 'app-permit')"
            )
        assert page.run("return window.sameLoad") is True


class TestUse:
    def test_a_click_on_a_link_shows_its_lane(self, room: Room, page: Browser) -> None:
        page.click("link-sanur-to-dewa-ruci")

        page.wait(lambda: page.data("lane-volume-latest", "lane") == "atc-dewa-ruci.E1", "the lane")
        assert "lane=atc-dewa-ruci.E1" in page.driver.current_url

    def test_a_click_on_a_junction_shows_a_lane_of_it(self, page: Browser) -> None:
        page.click("mark-atc-berawa")

        page.wait(lambda: (page.data("lane-volume-latest", "lane") or "").startswith("atc-berawa."), "the lane")

    def test_a_board_links_to_its_junction(self, room: Room, page: Browser) -> None:
        page.open(f"{room.console.url}?junction=canggu&lang=en")

        page.wait(lambda: (page.data("lane-volume-latest", "lane") or "").startswith("atc-canggu."), "the lane")

    def test_map_by_age(self, page: Browser) -> None:
        page.click("map-mode-age")

        page.wait(lambda: page.data("link-sanur-to-dewa-ruci", "look") in {"fresh", "ageing"}, "the looks")
        assert "Segar" in page.text("map")

    def test_filter_by_kind(self, page: Browser) -> None:
        page.click("kind-vms")

        page.wait(
            lambda: (
                {"vms"}
                == set(page.run("return [...document.querySelectorAll('[data-testid^=device-row-]')].map((r) => r.dataset.kind)"))
            ),
            "the filter",
        )

    def test_english(self, room: Room, page: Browser) -> None:
        page.click("language-en")

        page.wait(lambda: "✔ BALANCED" == page.text("ledger-balance"), "English")
        assert "en" == page.run("return document.documentElement.lang")
        page.wait(lambda: page.data("lane-volume-latest", "lane") == LANE, "the same lane")

    def test_clock_is_the_sites(self, room: Room, page: Browser) -> None:
        page.wait(lambda: page.text("clock") != "", "the clock")
        shown = datetime.strptime(page.text("clock"), "%H:%M:%S").time()  # noqa: DTZ007 - a time of day
        here = datetime.now(room.site.zone)

        assert abs((datetime.combine(here.date(), shown, here.tzinfo) - here).total_seconds()) < 3


class TestAlone:
    def test_nothing_but_this_machine_is_called(self, room: Room, page: Browser) -> None:
        page.click("map-mode-age")

        assert {"127.0.0.1"} == page.hosts()

    def test_the_page_complains_of_nothing(self, room: Room, page: Browser) -> None:
        page.errors()
        room.browser.open(room.console.url)
        page.wait(lambda: page.text("lane-volume-latest") not in {"", "–"}, "the page")
        for test_id in ("map-mode-age", "link-sanur-to-dewa-ruci", "kind-cctv"):
            page.click(test_id)

        assert [] == page.errors()


class TestOutage:
    def test_database_away_and_back(self, room: Room, page: Browser) -> None:
        page.wait(lambda: not page.is_shown("database-away"), "a page without alarm")
        volume = page.text("lane-volume-latest")

        room.database.kill_server()
        try:
            page.wait(lambda: "BASIS DATA TIDAK TERJANGKAU sejak" in page.text("database-away"), "the alarm")
            # The last figures stay, under the alarm.
            assert volume == page.text("lane-volume-latest")
        finally:
            room.database.start_server()

        page.wait(lambda: not page.is_shown("database-away"), "recovery")
        advance(room.database.url)
        page.wait(lambda: page.data("heartbeat", "level") == "ok", "fresh data")
        assert page.run("return window.sameLoad") is True

    def test_a_console_that_came_before_its_database(self, room: Room, page: Browser, tmp_path: Path) -> None:
        room.database.kill_server()
        early = ConsoleProcess(tmp_path, room.database.url)
        try:
            early.start()
            page.open(f"{early.url}?lane={LANE}")
            page.wait(lambda: "BASIS DATA BELUM TERJANGKAU" in page.text("database-away"), "the alarm")
            assert page.is_shown("heartbeat-none")
            room.database.start_server()

            page.wait(lambda: page.data("lane-volume-latest", "lane") == LANE, "the figures")
            assert not page.is_shown("heartbeat-none")
            assert "page.failed" not in early.log
        finally:
            early.kill()
            room.database.start_server()

    def test_console_away_and_back(self, room: Room, page: Browser) -> None:
        status, took_s = room.console.stop(signal.SIGTERM)
        print(f"stop: {took_s:.2f} s with an open page")
        try:
            page.wait(lambda: "SAMBUNGAN KE KONSOL TERPUTUS sejak" in page.text("connection-lost"), "the alarm")
            heard = page.text("heartbeat")
            # Ages go on growing without a server.
            page.wait(lambda: page.text("heartbeat") != heard, "ageing")
        finally:
            room.console.start()

        assert 0 == status
        page.wait(
            lambda: page.data("lane-volume-latest", "lane") == LANE and not page.is_shown("connection-lost"), "the page", 60
        )
        assert "Traceback" not in room.console.log
        assert "page.failed" not in room.console.log


def test_says_which_port_is_taken(room: Room, tmp_path: Path) -> None:
    second = ConsoleProcess(tmp_path, room.database.url)
    second._port = int(room.console.url.rstrip("/").rpartition(":")[2])

    with pytest.raises(AssertionError, match=r"--port \d+ on 127.0.0.1: cannot be used"):
        second.start()
