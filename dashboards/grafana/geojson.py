"""The site's roads as GeoJSON: the ground of every map, so that no tiles are fetched."""

from __future__ import annotations

import base64
import json

from config.site import Site


def roads(site: Site) -> str:
    """A FeatureCollection (RFC 7946) with one LineString a link."""
    features = [
        {
            "type": "Feature",
            "id": link.id,
            "properties": {"link": link.id, "road": link.road, "lanes": link.lanes},
            "geometry": {"type": "LineString", "coordinates": [[longitude, latitude] for latitude, longitude in site.line(link)]},
        }
        for link in site.links
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1) + "\n"


def roads_url(site: Site) -> str:
    """The same within the address: a dashboard pushed to a Grafana whose files we cannot reach still has its roads."""
    lines = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[b, a] for a, b in line]}}
        for line in _lines(site)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": lines}, separators=(",", ":"))
    return f"data:application/geo+json;base64,{base64.b64encode(text.encode()).decode()}"


def _lines(site: Site) -> list[list[tuple[float, float]]]:
    """Each road once: its two directions lie on each other."""
    found: dict[tuple[tuple[float, float], ...], None] = {}
    for link in site.links:
        line = tuple(site.line(link))
        if line[::-1] not in found:
            found[line] = None
    return [list(line) for line in found]
