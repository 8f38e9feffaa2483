"""The site folder's names become numbers in the dimensions."""

from __future__ import annotations

from typing import Any

import psycopg

from config.site import Site
from ingest.registry import Registry
from storage.changes import record_changes
from storage.queries import queries
from storage.topology import save_topology

_SQL = queries("site")


def save_site(connection: psycopg.Connection[Any], site: Site) -> Registry:
    """Bring the dimensions up to the site folder and return the registry of its numbers.

    What has left the folder is marked inactive; its history stays. How it differs from before is recorded in the same transaction.
    """
    places = {
        (junction.id, lane.id): (approach, lane, position)
        for junction in site.junctions
        for approach in junction.approaches
        for position, lane in enumerate(approach.lanes, 1)
    }
    counters = [(c.id, c.junction, [(d.id, d.lane) for d in c.lanes]) for c in site.controllers] + [
        (c.id, c.junction, [(v.id, v.lane) for v in c.lanes]) for c in site.cameras
    ]
    with connection.transaction():
        general = site.general
        site_id = _number(connection, "save_site", (general.site, general.title, general.timezone))
        devices = {
            d.id: _number(
                connection,
                "save_device",
                (
                    site_id,
                    d.kind.value,
                    d.id,
                    d.name,
                    d.junction,
                    *(d.position or (None, None)),
                    None if d.period is None else round(d.period * 1000),
                    d.dialect,
                ),
            )
            for d in site.devices
        }
        rows: dict[tuple[str, str], tuple[object, ...]] = {}
        for device, junction, codes in counters:
            for code, lane_id in codes:
                approach, lane, position = places[junction, lane_id]
                rows[device, code] = (devices[device], code, junction, approach.id, approach.link, lane.id, position)
        lanes = dict(zip(rows, _numbers(connection, "save_lane", list(rows.values())), strict=True))
        metrics = {m.name: _number(connection, "save_metric", (m.name, m.unit, m.title)) for m in site.metrics}
        connection.execute(_SQL["retire_devices"], (site_id, list(devices.values())))
        connection.execute(_SQL["retire_lanes"], (site_id, list(lanes.values())))
        save_topology(connection, site, site_id, devices)
        record_changes(connection, site, site_id)
    return Registry.build(site, devices, lanes, metrics)


def _numbers(connection: psycopg.Connection[Any], name: str, rows: list[tuple[object, ...]]) -> list[int]:
    """As `_number` for many rows, without a round trip each."""
    numbers: list[int] = []
    with connection.cursor() as cursor:
        cursor.executemany(_SQL[name], rows, returning=True)
        while rows:
            numbers += [int(number) for (number,) in cursor.fetchall()]
            if not cursor.nextset():
                break
    return numbers


def _number(connection: psycopg.Connection[Any], name: str, values: tuple[object, ...]) -> int:
    row = connection.execute(_SQL[name], values).fetchone()
    assert row is not None  # noqa: S101 - RETURNING always returns
    return int(row[0])
