"""Fixtures for all tests: real brokers, databases of the three levels, a browser, and the closing summary of what was tested."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.access import Authority, GuardedBroker
from tests.support.brokers import Mosquitto, mosquitto_version
from tests.support.community import CommunityServer
from tests.support.databases import (
    ApacheServer,
    Database,
    PlainServer,
    fresh_database,
    server_version,
)
from tests.support.parts import BOOK_KEY, CHROMIUM, INSTALL, LEVELS, MOSQUITTO, Book, UnavailableError, level_part
from tests.support.pipelines import SITE

MakeBroker = Callable[..., Mosquitto]


class Chromium(NamedTuple):
    """Paths of a headless browser and its driver, for Selenium."""

    browser: str
    driver: str


def pytest_configure(config: pytest.Config) -> None:
    """Open the book of parts."""
    config.stash[BOOK_KEY] = Book()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell which parts were tested and which were not."""
    book = config.stash[BOOK_KEY]
    terminalreporter.section("parts tested")
    for line in book.lines():
        terminalreporter.write_line(line, red=line.startswith("NOT"))
    if book.is_failure:
        terminalreporter.write_line("FAILED: under CI=true every part must be there", red=True, bold=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under CI=true a missing part fails the run."""
    if session.config.stash[BOOK_KEY].is_failure and session.exitstatus in {
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    }:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def book(pytestconfig: pytest.Config) -> Book:
    """The book of parts of this run."""
    return pytestconfig.stash[BOOK_KEY]


@pytest.fixture(scope="session")
def mosquitto(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One mosquitto for the whole run, shared: for tests that use topics and client ids of their own."""
    with book.getting(MOSQUITTO):
        broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    book.tested[MOSQUITTO] = mosquitto_version()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def guarded(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """The broker as it is shipped, one for the whole run: for tests that clear what they leave."""
    with book.getting("certificates (openssl)"):
        folder = tmp_path_factory.mktemp("guarded")
        Authority(folder / "probe")
    with book.getting(MOSQUITTO):
        broker = GuardedBroker(folder, SITE.path)
    with broker.running():
        book.tested[MOSQUITTO] = mosquitto_version()
        yield broker


@pytest.fixture
def make_broker(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeBroker]:
    """Makes started mosquittos that end with the test; an argument adds lines of configuration."""
    made: list[Mosquitto] = []

    def make(extra: str = "") -> Mosquitto:
        with book.getting(MOSQUITTO):
            broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"), extra)
        made.append(broker)
        broker.start()
        book.tested[MOSQUITTO] = mosquitto_version()
        return broker

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(make_broker: MakeBroker) -> Mosquitto:
    """A mosquitto of the test's own (it starts in a few hundredths of a second)."""
    return make_broker()


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder for the data of an embedded database.

    Not `tmp_path`: every pytest that starts closes the folders above it to other accounts, and PostgreSQL runs under another one
    when we are root.
    """
    with temporary_folder() as folder:
        yield folder


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of its own, not below pytest's."""
    with tempfile.TemporaryDirectory(prefix="subak-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def plain_server(book: Book) -> Iterator[PlainServer]:
    """The embedded PostgreSQL, one for the whole run."""
    part = level_part("plain")
    with temporary_folder() as folder:
        server = PlainServer(folder / "postgres")
        with book.getting(part):
            server.start()
        book.tested[part] = f"{server_version(server)} (embedded wheel)"
        yield server
        server.stop()


@pytest.fixture(scope="session")
def apache_server(book: Book) -> Iterator[ApacheServer]:
    """Debian's PostgreSQL with TimescaleDB (Apache), one for the whole run."""
    part = level_part("apache")
    with book.getting(part):
        server = ApacheServer()
    try:
        with book.getting(part):
            server.start()
        book.tested[part] = f"{server_version(server)} with TimescaleDB"
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def community_server(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommunityServer]:
    """TimescaleDB Community in WebAssembly, one process for the whole run."""
    part = level_part("community")
    with book.getting(part):
        server = CommunityServer(tmp_path_factory.mktemp("community"))
    try:
        with book.getting(part):
            server.start()
            version = server_version(server)
        book.tested[part] = f"{version} with TimescaleDB, in WebAssembly"
        yield server
    finally:
        server.stop()


@pytest.fixture
def plain_database(plain_server: PlainServer) -> Iterator[Database]:
    """A fresh, empty database of level plain; its server can be killed and started again."""
    with fresh_database(plain_server) as database:
        yield database


@pytest.fixture
def apache_database(apache_server: ApacheServer) -> Iterator[Database]:
    """A fresh, empty database of level apache; its server can be killed and started again."""
    with fresh_database(apache_server) as database:
        yield database


@pytest.fixture
def community_database(community_server: CommunityServer) -> Iterator[Database]:
    """A fresh, empty database of level community: in memory, one connection at a time."""
    with fresh_database(community_server) as database:
        yield database


@pytest.fixture(params=LEVELS)
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh, empty database of each level in turn.

    `@pytest.mark.parametrize("database", ["plain", "apache"], indirect=True)` chooses levels.
    """
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture(scope="session")
def chromium(book: Book) -> Chromium:
    """Debian's Chromium and its driver."""
    with book.getting(CHROMIUM):
        browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
        if browser is None or driver is None:
            msg = f"chromium or chromedriver is not installed; {INSTALL}"
            raise UnavailableError(msg)
        told = subprocess.run([browser, "--version"], check=False, capture_output=True, text=True).stdout
    book.tested[CHROMIUM] = " ".join(told.split()[:2]) or browser
    return Chromium(browser, driver)
