"""The signals of a junction in a real browser: what the page says is what the views hold, and gaps are gaps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Chromium
from tests.support.consoles import Browser, ConsoleProcess, browsing
from tests.support.databases import Database, PlainServer, fresh_database
from tests.support.seeding import seed

JUNCTION = "dewa-ruci"
CYCLE_S, GREEN_AT_S, YELLOW_AT_S = 90, 50, 86
GAP = range(8, 10)  # cycles ago that nobody saw
SECOND = timedelta(seconds=1)


def seed_signals(url: str) -> None:
    """Half an hour of two phases of the first controller: 19 cycles less a gap, every fifth of phase 2 a split failure."""
    now = datetime.now(UTC).replace(microsecond=0)
    with psycopg.connect(url, autocommit=True) as connection:
        device = connection.execute(
            "SELECT device_id FROM subak.device WHERE junction = %s AND kind = 'atc'", [JUNCTION]
        ).fetchone()
        assert device is not None
        for phase in (2, 4):
            for back in set(range(19)) - set(GAP):
                start = now - 40 * SECOND - (back + 1) * CYCLE_S * SECOND
                seconds = [5, 20, 55, 60, 70, 88]
                connection.execute(
                    "INSERT INTO subak.signal_cycle VALUES"
                    " (%s, %s, %s, %s, %s, %s, 42, %s, 0.9, 0.5, %s, 6, 3, 71.0, %s, %s, %s, %s, 0, now())",
                    [
                        device[0], phase, start, start + GREEN_AT_S * SECOND, start + YELLOW_AT_S * SECOND, start + CYCLE_S * SECOND,
                        ("gap_out", "max_out", "force_off", None)[back % 4], phase == 2 and back % 5 == 0,
                        [s * 1000 for s in seconds], [1] * len(seconds), "partial" if back == 3 else "good", start,
                    ],
                )  # fmt: skip
        connection.execute(
            "INSERT INTO subak.signal_progress VALUES (%s, %s, %s, NULL, NULL)",
            [device[0], now - 3600 * SECOND, now - 40 * SECOND],
        )
        for seq, (code, phase, ago) in enumerate([(9, 2, 40), (1, 4, 35)]):
            connection.execute(
                "INSERT INTO subak.signal_event VALUES (%s, %s, %s, 0, %s, %s, false, now())",
                [device[0], now - ago * SECOND, seq, code, phase],
            )


@pytest.fixture(scope="module")
def page(
    plain_server: PlainServer, chromium: Chromium, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Browser, Database, str]]:
    folder: Path = tmp_path_factory.mktemp("signals")
    with fresh_database(plain_server) as database:
        seed(database.url)
        seed_signals(database.url)
        console = ConsoleProcess(folder, database.url)
        try:
            console.start()
            with browsing(chromium.browser, chromium.driver, folder / "profile") as browser:
                browser.open(f"{console.url}signals?junction={JUNCTION}&lang=en")
                browser.wait(lambda: browser.text("phase-2-on_green") == "50 %", "the figures")
                yield browser, database, console.url
        finally:
            console.kill()


def drawn(browser: Browser, phase: int, name: str) -> int:
    """Items that the chart of a phase really got in the series of that name."""
    script = (
        "const dom = document.querySelector(`[data-testid=phase-${arguments[0]}] .nicegui-echart`);"
        " const vue = getElement(parseInt(dom.id.slice(1))); return vue.chart.getOption().series.filter((s) => s.name === arguments[1])"
        ".reduce((n, s) => n + s.data.length, 0)"
    )
    return int(browser.run(script, phase, name))


def test_figures_are_those_of_the_views(page: tuple[Browser, Database, str]) -> None:
    browser, database, _ = page
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE split_failure), count(*), count(*) FILTER (WHERE quality = 'good')"
            " FROM analytics.signal_cycles WHERE junction = %s AND phase = 2",
            [JUNCTION],
        ).fetchone()
    assert row is not None
    failures, cycles, good = row

    assert f"{failures}/{cycles}" == browser.text("phase-2-failures")
    assert f"{good}/{cycles}" == browser.text("phase-2-good_cycles")
    assert "Gap-out 4" in browser.text("phase-2-ends")
    assert "–" == browser.text("phase-6-on_green")  # nothing observed is not 0 %


def test_what_is_drawn(page: tuple[Browser, Database, str]) -> None:
    browser = page[0]

    assert (17, 17, 51, 51, 4) == tuple(
        drawn(browser, 2, name)
        for name in ("Green", "Programmed split", "Arrival on green", "Arrival on red/yellow", "Split failure")
    )
    assert 4 == drawn(browser, 2, "Missing\u200b")  # two spans, in both charts: what nobody saw, and before the first cycle
    assert "green" == browser.data("phase-4-aspect", "aspect")
    assert "ok" == browser.data("measured-until", "level")


def test_indonesian(page: tuple[Browser, Database, str]) -> None:
    browser, _, url = page
    browser.open(f"{url}signals?junction={JUNCTION}")
    browser.wait(lambda: browser.text("phase-2-on_green") == "50 %", "the figures")

    assert "Hijau" in browser.text("phase-4-aspect")
    assert [] == browser.errors()
    assert {"127.0.0.1"} == browser.hosts()
    if path := os.environ.get("SUBAK_TEST_PICTURE"):
        browser.driver.save_screenshot(path)
