"""The site folder's map becomes tables: junctions, links, corridors, signs and what is upstream of what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import psycopg

from config.site import Site
from config.thresholds import topology_thresholds
from config.topology import length_m, upstream_signs
from storage.queries import queries

_SQL = queries("topology")
_TABLES: Final = ("junction", "approach", "link", "corridor", "upstream_sign")


def save_topology(connection: psycopg.Connection[Any], site: Site, site_id: int, devices: Mapping[str, int]) -> None:
    """Bring the topology up to the site folder, inside the caller's transaction.

    Args:
        connection: As a member of `subak_writer`.
        site: The site.
        site_id: Its number.
        devices: Numbers of its devices by name.
    """
    rows: dict[str, list[list[object]]] = {
        "junction": [[j.id, j.name, *j.position] for j in site.junctions],
        "approach": [[j.id, a.id, a.link, a.phase] for j in site.junctions for a in j.approaches],
        "link": [
            [x.id, x.start, x.end, x.road, x.lanes, x.speed_limit, round(length_m(line), 1), line]
            for x in site.links
            for line in (site.line(x),)
        ],
        "corridor": [[c.id, c.title, link, position] for c in site.corridors for position, link in enumerate(c.links, 1)],
        "upstream_sign": [
            [u.junction, u.approach, devices[u.sign], u.distance_m, u.hops]
            for u in upstream_signs(site, topology_thresholds().sign_reach.value)
        ],
    }
    connection.execute(_SQL["lock_site"], (*site.general.centre, site_id))
    for table in _TABLES:
        connection.execute(_SQL[f"clear_{table}"], (site_id,))
        connection.execute(_SQL[f"fill_{table}"], (site_id, json.dumps(rows[table])))
    connection.execute(
        _SQL["save_signs"], (json.dumps([[devices[s.id], s.link, s.columns, s.rows, s.pages] for s in site.signs]),)
    )
