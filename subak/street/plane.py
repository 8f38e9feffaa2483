"""The local plane: positions as metres east and north of a site's centre."""

from __future__ import annotations

from math import cos, radians

from config.site import Position

METRES_PER_DEGREE = 111_320.0
"""Length of one degree of latitude on a sphere of 6 378 137 m radius; 0.6 % too long at Bali's latitude, which is far
inside the error of the site's positions."""

Point = tuple[float, float]
"""Metres east and north of the centre."""


def to_plane(position: Position, centre: Position) -> Point:
    """Project `position` on the plane that touches the earth at `centre` (equirectangular, metres)."""
    east = (position[1] - centre[1]) * METRES_PER_DEGREE * cos(radians(centre[0]))
    north = (position[0] - centre[0]) * METRES_PER_DEGREE
    return east, north
