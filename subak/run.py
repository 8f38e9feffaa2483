"""`subak run`: the pipeline and the other roles of one installation."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ProcessPoolExecutor
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path

import psycopg
import structlog
from msgspec import Struct

from config.errors import ConfigError
from config.settings import Settings, load_settings
from config.site import load_site
from config.thresholds import bin_tests
from ingest.collector import Collector, Source, wall_clock_us
from ingest.door import Admission, Door
from ingest.mqtt.address import Address
from ingest.registry import Registry
from processors.signals import UNITS
from storage.capability import Level
from storage.errors import StorageError
from storage.maintain import maintain
from storage.migrate import bring_up
from storage.reach import unreachable
from storage.runs import OtherRunError, Run, wait_for_others_to_leave
from storage.site import save_site
from storage.writer import Writer
from subak import logs
from subak.camera.crosscheck import cross_check
from subak.fanout import SHARES_MOST, Fanout, WorkerEndedError, undecided
from subak.health import serving
from subak.meters import SiteMeters
from subak.metrics import Metrics
from subak.observer import Observer
from subak.pipeline import Pipeline
from subak.watchdog import watch

log = structlog.get_logger(__name__)

MAINTAIN_EVERY_S = 900.0
LARGE_SITE_BYTES = 1_000_000


class Role(StrEnum):
    """A part of the program that may run in a process of its own."""

    COLLECTOR = "collector"
    CONSOLE = "console"


def run(
    *,
    role: Role = Role.COLLECTOR,
    site: Path | None = None,
    port: int = 8080,
    host: str = "127.0.0.1",
    collectors: int = 1,
) -> None:
    """Run one role of the program until it is told to stop (Ctrl-C or SIGTERM).

    Reads SUBAK_MQTT_URL, SUBAK_DATABASE_URL and SUBAK_SITE.

    Args:
        role: `collector` receives, processes and stores; `console` serves the operators' web page.
        site: Path of the site folder.
        port: Of the console.
        host: Address the console listens on. It asks for no password: another address than loopback is for a container whose
            port is published on loopback alone.
        collectors: Processes that share the collector's subscription, 1 to 32; more than 1 when one processor is not enough.
    """
    if not 1 <= collectors <= SHARES_MOST:
        raise ConfigError(f"--collectors: {collectors} is not allowed; allowed are 1 to {SHARES_MOST}")
    settings = load_settings(site=site)
    logs.configure()
    if role is Role.CONSOLE:
        from dashboards.console.app import serve

        serve(load_site(settings.site), settings.database_url.get_secret_value(), port, host)
        return
    try:
        asyncio.run(collect(settings, collectors))
    except (WorkerEndedError, OtherRunError) as error:
        raise SystemExit(f"subak: {error}") from None


def spare_the_garbage_collector() -> None:
    """Let it look at the hot path's objects seldom: they die by reference count.

    Measured on 100,000 one-lane messages: a third of the pipeline's time went into looking at them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


class Opened(Struct, frozen=True):
    """What the collector needs of a site and its database. The inventory itself, large for a large site, is let go.

    Attributes:
        level: Of the database.
        timezone: Of the site's days.
        registry: Numbers of its devices and lanes.
        door: That decides about its messages.
        meters: Of its signal controllers.
    """

    level: Level
    timezone: str
    registry: Registry
    door: Door
    meters: SiteMeters


class Numbered(Struct, frozen=True):
    """A site as the database numbers it, without its inventory.

    Attributes:
        name: In topics.
        level: Of the database.
        timezone: Of the site's days.
        registry: Numbers of its devices and lanes.
        meters: Of its signal controllers.
    """

    name: str
    level: Level
    timezone: str
    registry: Registry
    meters: SiteMeters


def number_site(settings: Settings) -> Numbered:
    """Read and check the site folder, then bring the database up to it.

    Raises:
        ConfigError: The folder is wrong, or the database cannot be used as it stands.
    """
    site = load_site(settings.site)
    timezone = site.general.timezone
    try:
        with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
            level = bring_up(connection, timezone)
            registry = save_site(connection, site)
    except (StorageError, psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        raise ConfigError(f"SUBAK_DATABASE_URL: {error}") from error
    return Numbered(site.name, level, timezone, registry, SiteMeters.of(site, {entry.name: entry.number for entry in registry}))


def open_site(settings: Settings) -> Opened:
    """`number_site`, and the door.

    A large folder is read by a process of its own, whose memory goes with it: that of 100,000 lanes takes 500 MB, their numbers 20.

    Raises:
        ConfigError: As `number_site`.
    """
    if settings.site.is_dir() and sum(file.stat().st_size for file in settings.site.glob("*.yaml")) > LARGE_SITE_BYTES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as reader:
            numbered = reader.submit(number_site, settings).result()
    else:
        numbered = number_site(settings)
    door = Door(numbered.registry, numbered, future_tolerance_s=settings.future_tolerance_s)
    return Opened(numbered.level, numbered.timezone, numbered.registry, door, numbered.meters)


def pipeline_of(
    settings: Settings,
    opened: Opened,
    source: Source,
    *,
    name: str,
    processes: int = 1,
    observer: Observer | None = None,
    devices: Collection[int] | None = None,
    hears: bool = True,
) -> Pipeline:
    """The pipeline of a site, or of some devices of it, in one of so many processes; see `Pipeline` for the other arguments."""
    database_url = settings.database_url.get_secret_value()
    alone = Run(settings.client_id, processes)
    return Pipeline(
        name=name,
        source=source,
        redact=opened.door.redact,
        registry=opened.registry,
        tests=bin_tests(),
        meters=opened.meters,
        connect=lambda: Writer.connect(database_url, opened.level, opened.timezone, UNITS, alone),
        batch_messages=settings.batch_messages,
        batch_delay_s=settings.batch_delay_s,
        dead_letters_per_minute=settings.dead_letters_per_minute,
        transaction_most_s=settings.transaction_most_s,
        lateness_s=settings.lateness_s,
        idle_s=settings.idle_s,
        signal_step_s=settings.signal_step_s,
        signals_kept_days=settings.retention_days.get("signal_event", 0),
        clock_us=wall_clock_us,
        observer=observer,
        devices=devices,
        hears=hears,
    )


def _collector(settings: Settings, door: Door, admit: Callable[[str, bytes, int], Admission]) -> Collector:
    return Collector(
        Address.of(settings),
        client_id=settings.client_id,
        topic_filters=door.topic_filters,
        admit=admit,
        receive_maximum=settings.receive_maximum,
        session_expiry_s=settings.session_expiry_s,
        keep_alive_s=settings.keep_alive_s,
    )


async def collect(settings: Settings, collectors: int = 1) -> None:
    """Collector, processors and writer, until SIGINT or SIGTERM.

    Args:
        settings: Of this process.
        collectors: Processes that work on the messages; with 1 it is this one.

    Raises:
        ConfigError: As `open_site`.
        WorkerEndedError: One of several processes ended by itself.
        OtherRunError: A collector of this name is at work with another number of processes.
    """
    database_url = settings.database_url.get_secret_value()
    opened = open_site(settings)
    with psycopg.connect(database_url, autocommit=True) as connection:
        wait_for_others_to_leave(connection, Run(settings.client_id, collectors))
    metrics = Metrics()
    if collectors == 1:
        collector = _collector(settings, opened.door, opened.door.admit)
        pipeline = pipeline_of(settings, opened, collector, name=settings.client_id, observer=metrics)
        metrics.watch(collector, pipeline.lags_s)
        roles = [collector.run(), pipeline.run()]
    else:
        collector = _collector(settings, opened.door, undecided)
        metrics.watch(collector, list)
        fanout = Fanout(
            collector=collector,
            door=opened.door,
            shares=collectors,
            site=settings.site,
            receive_maximum=settings.receive_maximum,
            observer=metrics,
            told=metrics.told,
        )
        roles = [fanout.run()]
    spare_the_garbage_collector()
    with serving(metrics, lambda: unreachable(database_url), settings.metrics_host, settings.metrics_port):
        await until_told(
            *roles,
            _maintain(database_url, opened.level, settings.retention_days, metrics),
            watch(settings.site, database_url),
            cross_check(settings.site, database_url),
        )


async def _maintain(database_url: str, level: Level, retention_days: Mapping[str, int], metrics: Metrics) -> None:
    """Partitions ahead, retention and late rollups, every quarter of an hour; a failure is told and tried again."""

    def once() -> dict[str, int]:
        with psycopg.connect(database_url, autocommit=True) as connection:
            return maintain(connection, level, retention_days)

    while True:
        try:
            dropped = await asyncio.to_thread(once)
            metrics.maintained(well=True)
            if dropped:
                log.info("retention.dropped", **dropped)
        except psycopg.Error as error:
            metrics.maintained(well=False)
            log.warning("maintenance.failed", error=str(error), again_in_s=MAINTAIN_EVERY_S)
        await asyncio.sleep(MAINTAIN_EVERY_S)


async def until_told(*roles: Coroutine[object, object, None]) -> None:
    """Run coroutines until SIGINT or SIGTERM, or until one of them fails, which ends the others."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    tasks = [asyncio.ensure_future(role) for role in roles]
    stop = asyncio.ensure_future(told.wait())
    await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
