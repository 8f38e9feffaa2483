"""Drawing on a camera's picture in a real browser: with the right alone, and what is drawn is what the site folder then says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import aiomqtt
import msgspec
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from config.site import load_site
from tests.conftest import Chromium
from tests.support.brokers import Mosquitto
from tests.support.cameras import FPS, camera_site, drive_past, jpeg, worker
from tests.support.consoles import Browser, ConsoleProcess, browsing
from tests.support.databases import PlainServer, fresh_database
from tests.support.pipelines import Program
from tests.support.waiting import until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def street(broker: Mosquitto) -> Iterator[None]:
    """A camera that publishes its pictures."""
    pictures, over = list(drive_past(20)), Event()

    async def publish() -> None:
        async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            index = 0
            while not over.is_set():
                payload = jpeg(pictures[index % len(pictures)], datetime.now(UTC))
                await client.publish("subak/v1/badung/cctv/cam-test/frame", payload, qos=0)
                index += 1
                await asyncio.sleep(1 / FPS)

    thread = Thread(target=lambda: asyncio.run(publish()))
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return camera_site(tmp_path, {"cam-test": {"source": "frame"}})


@pytest.fixture
def working(broker: Mosquitto, street: None, site: Path, tmp_path: Path) -> Iterator[Program]:
    keys = tmp_path / "keys"
    keys.write_text(f"wayan {hashlib.sha256(b'secret').hexdigest()}\n")
    with worker(tmp_path, site, broker.url, SUBAK_CAMERA_KEYS_FILE=str(keys)) as program:
        yield program


@pytest.fixture
def page(
    working: Program, plain_server: PlainServer, chromium: Chromium, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Browser, str]]:
    monkeypatch.setenv("SUBAK_SITE", str(site))
    monkeypatch.setenv("SUBAK_CAMERA_STATE", str(tmp_path / "state"))
    with fresh_database(plain_server) as database:
        console = ConsoleProcess(tmp_path, database.url)
        try:
            console.start()
            with browsing(chromium.browser, chromium.driver, tmp_path / "profile") as browser:
                yield browser, f"{console.url}cameras?camera=cam-test"
        finally:
            console.kill()


def fill(browser: Browser, name: str, text: str) -> None:
    field = browser.driver.find_element(By.CSS_SELECTOR, f'input[data-testid="{name}"], [data-testid="{name}"] input')
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text)
    field.send_keys(Keys.TAB)


def click_at(browser: Browser, x: float, y: float) -> None:
    """Click where the picture has the pixel (x, y)."""
    browser.run(
        "const image = document.querySelector('[data-testid=picture] img'); image.scrollIntoView({block: 'center'});"
        " const box = image.getBoundingClientRect();"
        " const at = {clientX: box.left + arguments[0] * box.width / 640, clientY: box.top + arguments[1] * box.height / 360};"
        " image.dispatchEvent(new MouseEvent('click', {bubbles: true, ...at}))",
        x,
        y,
    )


def shapes(browser: Browser, kind: str) -> int:
    return int(browser.run("return document.querySelectorAll(`[data-testid=picture] svg ${arguments[0]}`).length", kind))


def test_a_line_and_a_zone_are_drawn_and_saved(page: tuple[Browser, str], site: Path, tmp_path: Path) -> None:
    browser, url = page
    browser.open(f"{url}&lang=en")
    fill(browser, "who", "wayan")
    fill(browser, "key", "guess")
    browser.click("take")
    browser.wait(lambda: "has no right" in browser.text("trouble"), "the refusal")
    assert not browser.run("return (document.querySelector('[data-testid=picture] img')?.src ?? '').startsWith('data:')")

    fill(browser, "key", "secret")

    def taken() -> bool:
        browser.click("take")
        return bool(browser.run("return document.querySelector('[data-testid=picture] img')?.naturalWidth === 640"))

    until(taken, 60, what="the picture")
    click_at(browser, 300, 220)
    browser.wait(lambda: shapes(browser, "circle") == 2, "the first point, beside the arrow of the line that is there")
    click_at(browser, 420, 230)
    browser.wait(lambda: "lane E1" in browser.text("drawn"), "the line")

    browser.driver.find_element(By.XPATH, "//*[@data-testid='tool']//button[contains(., 'Zone')]").click()
    for count, (x, y) in enumerate([(200, 250), (440, 250), (400, 160), (260, 160)], 1):
        click_at(browser, x, y)
        browser.wait(lambda wanted=count: shapes(browser, "circle") >= wanted + 1, "a corner")  # type: ignore[misc]
    browser.click("close")
    browser.wait(lambda: "zone queue" in browser.text("drawn"), "the zone")
    browser.click("live")
    browser.wait(lambda: shapes(browser, "rect.track") > 0, "a vehicle that is followed", 60)
    browser.driver.save_screenshot(str(tmp_path / "cameras.png"))
    browser.click("save")
    browser.wait(lambda: "cameras.yaml" in browser.text("drawn"), "the word that it is saved")

    camera = next(item for item in load_site(site).cameras if item.id == "cam-test")
    assert camera.lanes[0].line is not None
    for found, wanted in zip(camera.lanes[0].line, [(300, 220), (420, 230)], strict=True):
        assert found == pytest.approx(wanted, abs=3)
    assert ["queue"] == [zone.id for zone in camera.zones]
    assert 4 == len(camera.zones[0].points)
    assert {"127.0.0.1"} == browser.hosts()
    audit = [msgspec.json.decode(line) for line in (tmp_path / "state" / "snapshots.jsonl").read_bytes().splitlines()]
    assert ["snapshot", "tracks"] == sorted({entry["what"] for entry in audit})
    assert {("wayan", False), ("wayan", True)} == {(entry["by"], entry["granted"]) for entry in audit}
