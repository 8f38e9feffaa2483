"""`subak demo`: broker, database, street, pipeline and console on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import psycopg
from cyclopts import Parameter
from rich.console import Console

from config.errors import ConfigError
from config.settings import load_settings
from config.site import Site, load_site
from config.thresholds import bin_tests
from ingest.collector import wall_clock_us
from ingest.readings import US
from storage.capability import Level
from storage.migrate import migrate
from storage.site import save_site
from storage.totals import Totals, totals
from storage.verify import verify_bins, verify_ledger
from subak.demo.cameras import VIEWER, admit_viewer, street_options, watched_cameras, worker_environment, worker_options
from subak.demo.grafana import HOW, find_grafana, let_it_read
from subak.demo.grafana import PORT as GRAFANA_PORT
from subak.demo.parts import Part
from subak.embedded.broker import EmbeddedBroker
from subak.embedded.database import EmbeddedDatabase
from subak.embedded.ports import free_port

STATE = Path(".subak")
CONSOLE_PORT = 8080
PREVIEW_PORT = 8090
DRAIN_MOST_S = 1.5  # for what the street's last messages need to become durable
DRAIN_QUIET_S = 0.3
HISTORY_US = 3600 * US  # late messages may have touched bins from before this run

Where = Annotated[Path, Parameter(help="Folder of the state that is kept between runs.")]


class Summary(msgspec.Struct):
    """The last line of a demo that ends by itself."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    bins: int
    devices_online: int
    last_bin_age_s: float | None
    ledger_balanced: bool
    bins_verified: bool


def demo(
    *,
    fresh: bool = False,
    faults: bool = False,
    cameras: bool = False,
    seed: int = 1,
    port: int = CONSOLE_PORT,
    site: Path | None = None,
    state: Where = STATE,
) -> int:
    """Run everything on embedded parts: no root, no Docker, nothing beyond this machine.

    SUBAK_DEMO_SECONDS=N ends it by itself after N seconds and prints one JSON line last.

    Args:
        fresh: Forget what earlier runs stored.
        faults: Make the street human: late, double, disordered and garbled messages, silent and stuck devices.
        cameras: Let `subak camera run` count in the pictures of two cameras of the street, instead of the street counting for them.
        seed: Of the street; the same seed is the same traffic.
        port: Of the console; the next free one when it is taken.
        site: Path of the site folder.
        state: Folder of the state.
    """
    tell = partial(Console(stderr=True, highlight=False).print, soft_wrap=True)
    seconds = _seconds()
    told = threading.Event()
    with _signals(told), ExitStack() as stack:
        inventory = load_site(load_settings(site=site).site)
        server = EmbeddedDatabase(state / "postgres")
        if fresh:
            tell(f"forgetting {server.folder}/")
            server.erase()
        logs = state / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        since_us = wall_clock_us()
        tell("[bold]1/5[/] database (embedded PostgreSQL) …")
        database = stack.enter_context(server)
        tell("[bold]2/5[/] schema and site …")
        level, before = _prepared(database.url, inventory, tell)
        tell("[bold]3/5[/] broker (embedded MQTT 5) …")
        broker = stack.enter_context(EmbeddedBroker())
        environment = {
            "SUBAK_DATABASE_URL": database.url,
            "SUBAK_MQTT_URL": broker.url,
            "SUBAK_SITE": str(inventory.path),
            **worker_environment(state),
        }
        tell("[bold]4/5[/] pipeline and console …")
        web = free_port(port)
        if web != port:
            tell(f"      port {port} is taken: the console is on {web}")
        start = partial(_start, stack, environment, logs)
        pipeline = start("pipeline", ["run"])
        console = start("console", ["run", "--role", "console", "--port", str(web)])
        boards = free_port(PREVIEW_PORT)
        preview = Part("preview", ["dashboards", "preview", "--port", str(boards)], environment, logs)
        stack.callback(preview.drop)
        tell("[bold]5/5[/] the simulated street drives its first minutes …")
        watched = watched_cameras(inventory) if cameras else []
        key = admit_viewer(state) if watched else None
        # Before the street, which sends the first minute's pictures all at once.
        workers = [start("cameras", worker_options(watched, state))] if watched else []
        street = start("street", street_options(watched, seed, faults=faults))
        grafana, dashboards_at = _grafana(stack, database.url, state, logs, tell)
        parts = [pipeline, console, preview, *workers, street]
        ready = _wait_for_numbers(database.url, before, parts, told)
        if ready:
            tell(f"\nset up in {time.monotonic() - began:.0f} s, {len(inventory.devices)} devices, database level {level}")
            _where(tell, inventory, web, boards, dashboards_at, database.url, broker.url, logs, key)
            _watch(database.url, seconds, parts, grafana, told, tell)
        tell("ending …")
        with psycopg.connect(database.url, autocommit=True) as connection:
            live = totals(connection)
            street.end()
            if seconds is not None and ready:
                summary = _summary(connection, inventory, before, live, since_us)
                print(msgspec.json.encode(summary).decode(), flush=True)
    return 0


def _prepared(url: str, site: Site, tell: Callable[..., None]) -> tuple[Level, Totals]:
    """Bring schema and site up to this program; the database's level, and the totals of earlier runs."""
    with psycopg.connect(url, autocommit=True) as connection:
        level = migrate(connection, site.general.timezone, lambda line: tell(f"      {line}"))
        save_site(connection, site)
        return level, totals(connection)


def _start(stack: ExitStack, environment: dict[str, str], logs: Path, name: str, arguments: list[str]) -> Part:
    part = Part(name, arguments, environment, logs)
    stack.callback(part.end)
    return part


def _seconds() -> float | None:
    text = os.environ.get("SUBAK_DEMO_SECONDS")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise ConfigError(f"SUBAK_DEMO_SECONDS: must be a number of seconds above 0, got {text!r}")
    return seconds


@contextmanager
def _signals(told: threading.Event) -> Iterator[None]:
    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check(parts: list[Part]) -> None:
    for part in parts:
        if part.has_failed:
            raise ConfigError(f"the {part.name} ended by itself; its log {part.log} closes with:\n{part.last_words}")


def _wait_for_numbers(url: str, before: Totals, parts: list[Part], told: threading.Event) -> bool:
    """Wait until the first bin of this run is stored; False when told to end."""
    with psycopg.connect(url, autocommit=True) as connection:
        while not told.wait(0.25):
            _check(parts)
            now = totals(connection)
            if now.bins > before.bins:
                return True
    return False


def _grafana(stack: ExitStack, database_url: str, state: Path, logs: Path, tell: Callable[..., None]) -> tuple[Part | None, str]:
    """Start the Grafana of this machine, if there is one, and say where it is or how to add one."""
    found = find_grafana()
    if found is None:
        return None, HOW
    port = free_port(GRAFANA_PORT)
    tell(f"      {found.program} is here: Grafana starts on port {port}")
    with psycopg.connect(database_url, autocommit=True) as connection:
        let_it_read(connection)
    environment = found.environment(state, port, database_url)
    part = Part("grafana", found.arguments(), environment, logs, program=(str(found.program),))
    stack.callback(part.end)
    return part, f"http://127.0.0.1:{port}   dashboards and alert rules, to look at"


def _where(
    tell: Callable[..., None],
    site: Site,
    web: int,
    boards: int,
    grafana: str,
    database: str,
    broker: str,
    logs: Path,
    key: str | None,
) -> None:
    tell(f"\n  [bold]console[/]   http://127.0.0.1:{web}   {site.general.title}, live")
    if key is not None:
        tell(f"  cameras   http://127.0.0.1:{web}/cameras   what they see: name {VIEWER}, key {key}")
    tell(f"  boards    http://127.0.0.1:{boards}   the Grafana dashboards, previewed")
    tell(f"  grafana   {grafana}")
    tell(f"  database  {database}   (schema analytics)")
    tell(f"  broker    {broker}   (subak/v1/{site.name}/#)")
    tell(f"  logs      {logs}/\n\nCtrl-C ends everything.\n")


def _watch(
    url: str,
    seconds: float | None,
    parts: list[Part],
    grafana: Part | None,
    told: threading.Event,
    tell: Callable[..., None],
) -> None:
    end = None if seconds is None else time.monotonic() + seconds
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            left = 10.0 if end is None else min(10.0, end - time.monotonic())
            if left <= 0 or told.wait(left):
                return
            _check(parts)
            if grafana is not None and grafana.has_failed:
                tell(f"grafana ended by itself; its log {grafana.log} closes with:\n{grafana.last_words}\nthe rest goes on")
                grafana = None
            now = totals(connection)
            tell(
                f"{now.received} received = {now.stored} stored + {now.duplicate} duplicate + {now.rejected} rejected;"
                f" {now.bins} bins, {now.devices_online} devices online"
            )


def _summary(
    connection: psycopg.Connection[tuple[object, ...]], site: Site, before: Totals, live: Totals, since_us: int
) -> Summary:
    """The figures of this run, once what the street sent last is durable, checked from the rows.

    Args:
        connection: Autocommit on.
        site: The site folder, read.
        before: Totals before this run.
        live: Totals while the street still ran; afterwards its devices are off.
        since_us: When this run began.
    """
    now = totals(connection)
    quiet_since = began = time.monotonic()
    while time.monotonic() - quiet_since < DRAIN_QUIET_S and time.monotonic() - began < DRAIN_MOST_S:
        time.sleep(0.05)
        newer = totals(connection)
        if newer.received != now.received:
            quiet_since = time.monotonic()
        now = newer
    return Summary(
        received=now.received - before.received,
        stored=now.stored - before.stored,
        duplicate=now.duplicate - before.duplicate,
        rejected=now.rejected - before.rejected,
        bins=now.bins - before.bins,
        devices_online=live.devices_online,
        last_bin_age_s=live.last_bin_age_s,
        ledger_balanced=verify_ledger(connection, since_us).balanced,
        bins_verified=verify_bins(connection, bin_tests(), site.general.timezone, since_us - HISTORY_US).verified,
    )
