"""The console as the real program in a process of its own, and a browser that writes down whom it called."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from subak.embedded.ports import LOOPBACK, free_port
from tests.support.waiting import until

START_TIMEOUT_S = 30.0
CHROMIUM_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--window-size=1920,1080",
)


class ConsoleProcess:
    """`subak run --role console` on a free port that outlives its process.

    Attributes:
        url: Where its page is.
    """

    def __init__(self, folder: Path, database_url: str) -> None:
        self._log = folder / "console.log"
        self._port = free_port()
        self._environment = {**os.environ, "SUBAK_DATABASE_URL": database_url}
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self.url = f"http://{LOOPBACK}:{self._port}/"

    @property
    def log(self) -> str:
        """What it has printed so far, over all its starts."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it serves."""
        self._output = self._log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "subak.cli", "run", "--role", "console", "--port", str(self._port)],
            env=self._environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        try:
            until(self._serves, START_TIMEOUT_S, what="the console's page")
        except BaseException:
            self.kill()
            raise

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the console ended: {self.log}"
        try:
            urllib.request.urlopen(self.url, timeout=5).close()  # noqa: S310 - http, on loopback
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to end; its status and the seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(number)
        status = self._process.wait(20)
        self._forget()
        return status, time.monotonic() - began

    def kill(self) -> None:
        """End it at once. Safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None


class Browser:
    """A headless Chromium, and the elements of a page by their `data-testid`."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver: Any = driver

    def open(self, url: str) -> None:
        """Load a page and wait until it is connected to its server."""
        self.driver.get(url)
        until(lambda: self.run("return window.did_handshake === true"), 30, what="the page's connection")

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def text(self, test_id: str) -> str:
        """Text of an element; empty when it is not there."""
        return cast("str", self.run(f"return document.querySelector('[data-testid=\"{test_id}\"]')?.innerText ?? ''"))

    def data(self, test_id: str, name: str = "value") -> str | None:
        """A `data-…` attribute of an element; None when it has none."""
        return cast(
            "str | None", self.run(f"return document.querySelector('[data-testid=\"{test_id}\"]')?.getAttribute('data-{name}')")
        )

    def is_shown(self, test_id: str) -> bool:
        """Whether an element is there and takes room."""
        return bool(
            self.run(
                f"return !!document.querySelector('[data-testid=\"{test_id}\"]')?.offsetParent || !!document.querySelector('[data-testid=\"{test_id}\"]')?.getClientRects().length"
            )
        )

    def click(self, test_id: str) -> None:
        """Click an element, one of a drawing too."""
        self.run(
            "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))",
            self.driver.find_element(By.CSS_SELECTOR, f'[data-testid="{test_id}"]'),
        )

    def wait(self, look: Callable[[], bool], what: str, timeout_s: float = 20) -> None:
        """Wait for something to be seen."""
        until(look, timeout_s, what=what)

    def hosts(self) -> set[str]:
        """Hosts that were called since the last time this was asked, over HTTP and web sockets."""
        called: set[str] = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            parameters = message["params"]
            url = parameters.get("url", "") if message["method"] == "Network.webSocketCreated" else ""
            if message["method"] == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
            # The browser's own pages (chrome://) are inside it, as is data: and blob:.
            if urlsplit(url).scheme in {"http", "https", "ws", "wss"}:
                called.add(urlsplit(url).hostname or url)
        return called

    def errors(self) -> list[str]:
        """What the page complained of since the last time this was asked."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}]


@contextmanager
def browsing(browser: str, driver: str, profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (*CHROMIUM_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
