"""An hour of plausible facts, written straight into the tables: what a console shows when no street is at hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from config.settings import DEFAULT_SITE
from config.site import Site, load_site
from storage.migrate import migrate
from storage.site import save_site

MINUTE = timedelta(minutes=1)
GAP = range(20, 24)  # minutes ago in which the lanes of the first controller had no bin
FAULTY = "atc-canggu"  # its newest minutes are missing(detector:open_loop)
SILENT = "wifi-legian"
OFFLINE = "vms-sunset"
_INSERT_BIN: Final = (
    "INSERT INTO subak.lane_1min VALUES (%s, %s, 6, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0, %s, %s, 0, now())"
)
LETTERS = {"not_json": 7, "unknown_lane": 3, "out_of_range": 2}


def seed(url: str, now: datetime | None = None, minutes: int = 60) -> Site:
    """Migrate a database and fill it up to `now` (the wall clock's); the same minute gives the same numbers.

    The bins end with the minute before last; the last one is there and not final.
    """
    site = load_site(DEFAULT_SITE)
    now = now or datetime.now(UTC)
    current = now.replace(second=0, microsecond=0)
    with psycopg.connect(url, autocommit=True) as connection:
        migrate(connection, site.general.timezone)
        save_site(connection, site)
        for day in {(current - back * MINUTE).date() for back in (-1, 0, minutes)}:
            connection.execute("SELECT subak.ensure_day(%s)", [day])
        lanes = connection.execute("SELECT lane_id, device, from_kerb FROM analytics.lanes ORDER BY lane_id").fetchall()
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT_BIN, list(_bins(lanes, site.controllers[0].id, current, minutes)))
            devices = connection.execute("SELECT device_id, device FROM analytics.devices ORDER BY device_id").fetchall()
            cursor.executemany(
                "INSERT INTO subak.device_state VALUES (%s, %s, %s, %s, %s)",
                [(number, *_state(name, now)) for number, name in devices],
            )
            # What a ledger may count besides is none here.
            columns = [
                row[0]
                for row in cursor.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = 'subak.ledger'::regclass AND attnum > 0"
                )
            ]
            cursor.executemany(
                f"INSERT INTO subak.ledger ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
                [
                    [
                        {"device_id": number, "minute": current - back * MINUTE, **_ledger(number, back)}.get(column, 0)
                        for column in columns
                    ]
                    for number, _ in devices
                    for back in range(minutes)
                ],
            )
            cursor.executemany(
                "INSERT INTO subak.dead_letter (received_at, device_id, topic, payload, size, reason, detail, partial)"
                " VALUES (%s, 1, 'subak/v1/badung/atc/atc-legian/detectors', '', 0, %s, '', false)",
                [(now - index * MINUTE, reason) for reason, count in LETTERS.items() for index in range(count)],
            )
    return site


def advance(url: str, now: datetime | None = None) -> None:
    """Let time have gone on in a seeded database: the minutes since are there, and the devices that report were heard."""
    now = now or datetime.now(UTC)
    current = now.replace(second=0, microsecond=0)
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        lanes = connection.execute("SELECT lane_id, device, from_kerb FROM analytics.lanes ORDER BY lane_id").fetchall()
        since = connection.execute("SELECT max(start) FROM subak.lane_1min WHERE final").fetchone()
        assert since is not None
        cursor.executemany(
            _INSERT_BIN
            + " ON CONFLICT (lane_id, start) DO UPDATE SET covered_ms = excluded.covered_ms, quality = excluded.quality, final = excluded.final",
            list(_bins(lanes, "", current, (current - since[0]) // MINUTE - 1)),
        )
        cursor.execute(
            "UPDATE subak.device_state SET last_received_at = %s WHERE device_id NOT IN (SELECT device_id FROM subak.device WHERE name = ANY(%s))",
            [now, [SILENT, OFFLINE]],
        )


def _bins(lanes: list[tuple[Any, ...]], gap: str, current: datetime, minutes: int) -> Iterator[tuple[Any, ...]]:
    for lane, device, from_kerb in lanes:
        for back in range(minutes, 0, -1):
            start = current - back * MINUTE
            if device == gap and back in GAP:
                continue
            phase = start.timestamp() / 60
            cars = round(5 + 3 * math.sin(phase / 9 + lane))
            bikes = round(9 + 5 * math.sin(phase / 7 + lane) + 2 * from_kerb)
            volume, speed = cars + bikes, round(280 + 130 * math.sin(phase / 23 + lane / 5))
            final, covered, quality = back > 1, 60_000, "good"
            if device == FAULTY and back < 10:
                yield (lane, start, 0, None, 0, 0, 0, 0, None, None, None, "missing(detector:open_loop)", final)
                continue
            if back == 1 or (lane + int(phase)) % 17 == 0:
                covered, quality = 50_000, "partial"
            yield (
                *(lane, start, covered, volume, volume * 45 * covered, covered, speed * volume, volume),
                *(bikes, cars, 0, quality, final),
            )


def _state(name: str, now: datetime) -> tuple[datetime, datetime, str, datetime]:
    heard = now - timedelta(seconds=400 if name in {SILENT, OFFLINE} else 1)
    return heard, heard, "offline" if name == OFFLINE else "online", now - 90 * MINUTE


def _ledger(number: int, back: int) -> dict[str, int]:
    stored, duplicate, rejected = 6 + number % 3, int((number + back) % 11 == 0), int((number * back) % 37 == 1)
    return {
        "received": stored + duplicate + rejected,
        "stored": stored,
        "duplicate": duplicate,
        "rejected": rejected,
        "late": int(back % 29 == 5),
        "lost": int((number + back) % 53 == 0),
    }
