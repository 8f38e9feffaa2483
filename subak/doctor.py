"""`subak doctor`: can this installation work, and if not, what to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import psycopg
from msgspec import Struct
from rich.console import Console

from config.errors import ConfigError
from config.settings import Settings, load_settings
from config.site import Site, load_site
from ingest.door import Door
from ingest.mqtt.address import Address
from ingest.mqtt.receiver import ConnectionLostError, Receiver
from ingest.registry import Registry
from ingest.topics import site_filter
from storage.capability import Level, probe
from storage.migrate import migrations, pending

CLOCK_TOLERANCE_S = 2.0  # bins align to the even clock; a device's tolerance is 5 s
ANSWER_S = 5.0
DOCTOR_ID = "subak-doctor"


class Finding(Struct, frozen=True):
    """One thing looked at.

    Attributes:
        what: broker, database, schema, clock or site.
        well: It can work.
        seen: What was seen.
        advice: What to do when it is not well.
    """

    what: str
    well: bool
    seen: str
    advice: str = ""


def doctor(*, site: Path | None = None, json: bool = False) -> int:
    """Check site folder, broker, database and clock, and say what to do; exit status 1 when something is not well.

    Reads SUBAK_MQTT_URL, SUBAK_DATABASE_URL and SUBAK_SITE. Changes nothing.

    Args:
        site: Path of the site folder.
        json: Print one JSON list.
    """
    settings = load_settings(site=site)
    findings = examine(settings)
    if json:
        print(msgspec.json.encode(findings).decode())
    else:
        console = Console(highlight=False)
        for finding in findings:
            console.print(f"{'[green]well[/]    ' if finding.well else '[red]not well[/]'}  {finding.what:<9} {finding.seen}")
            if not finding.well:
                console.print(f"                    {finding.advice}")
    return 0 if all(finding.well for finding in findings) else 1


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; a part that cannot be reached hides the ones behind it."""
    found: list[Finding] = []
    inventory = _site(settings, found)
    _broker(settings, inventory, found)
    _database(settings, found)
    return found


def _site(settings: Settings, found: list[Finding]) -> Site | None:
    try:
        site = load_site(settings.site)
    except ConfigError as error:
        found.append(Finding("site", False, str(error), "correct the file, or point SUBAK_SITE at another folder"))
        return None
    found.append(Finding("site", True, f"{site.name}: {len(site.devices)} devices at {len(site.junctions)} junctions"))
    return site


def _broker(settings: Settings, site: Site | None, found: list[Finding]) -> None:
    try:
        address = Address.of(settings)
    except ConfigError as error:
        found.append(Finding("broker", False, str(error), "correct SUBAK_MQTT_URL, or SUBAK_MQTT_CA_FILE"))
        return
    try:
        asyncio.run(_subscribe(address, _filters(site)))
    except (OSError, TimeoutError, ConnectionLostError) as error:
        advice = "start the broker, or correct SUBAK_MQTT_URL; it must speak MQTT 5 and let us subscribe"
        found.append(Finding("broker", False, f"{address!r}: {error or 'no answer'}", advice))
    else:
        found.append(Finding("broker", True, f"{address!r} speaks MQTT 5 and lets us subscribe"))


def _filters(site: Site | None) -> list[str]:
    """What the collector will subscribe to; without a site, something that harms nobody."""
    return Door(Registry.for_site(site), site).topic_filters if site else [site_filter("doctor")]


async def _subscribe(address: Address, topic_filters: Sequence[str]) -> None:
    """Connect under a name of our own, so that the collector's session is left alone, and subscribe."""
    make: Callable[[], Receiver] = lambda: Receiver(  # noqa: E731 - asyncio wants a factory
        address,
        client_id=DOCTOR_ID,
        topic_filters=topic_filters,
        receive_maximum=1,
        session_expiry_s=0,
        keep_alive_s=30,
        epoch=0,
        clock_us=lambda: 0,
        on_delivery=lambda _: None,
    )
    async with asyncio.timeout(ANSWER_S):
        _, receiver = await asyncio.get_running_loop().create_connection(
            make, address.host, address.port, ssl=address.ssl_context()
        )
        try:
            await receiver.subscribed
        finally:
            await receiver.disconnect()


def _schema(connection: psycopg.Connection[tuple[object, ...]], level: Level) -> Finding:
    try:
        waiting = pending(connection, level)
    except psycopg.errors.InsufficientPrivilege as error:
        advice = "the pipeline needs a member of subak_writer (subak access database makes one); a reader is for views alone"
        return Finding("schema", False, f"{connection.info.user}: {error.diag.message_primary}", advice)
    every = len(migrations(level))
    if waiting:
        return Finding("schema", False, f"{len(waiting)} of {every} migrations have not run", "run: subak migrate, as the owner")
    return Finding("schema", True, f"all {every} migrations have run")


def _database(settings: Settings, found: list[Finding]) -> None:
    try:
        connection = psycopg.connect(settings.database_url.get_secret_value(), autocommit=True, connect_timeout=round(ANSWER_S))
    except psycopg.OperationalError as error:
        advice = "start the database, or correct SUBAK_DATABASE_URL"
        found.append(Finding("database", False, " ".join(str(error).split()), advice))
        return
    with connection:
        level = probe(connection)
        version = connection.info.server_version // 10_000
        hint = {
            Level.PLAIN: "plain PostgreSQL: native partitions, our own rollups",
            Level.APACHE: "TimescaleDB Apache: hypertables, our own rollups",
            Level.COMMUNITY: "TimescaleDB Community: continuous aggregates, columnstore",
        }[level]
        found.append(Finding("database", True, f"PostgreSQL {version}, level {level} ({hint})"))
        found.append(_schema(connection, level))
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::double precision").fetchone()
        assert row is not None  # noqa: S101 - it is one row
        apart = time.time() - float(row[0])
        advice = "set both clocks by NTP: minutes of arrival and bins of the future are judged by them"
        found.append(Finding("clock", abs(apart) <= CLOCK_TOLERANCE_S, f"{abs(apart):.1f} s apart from the database's", advice))
