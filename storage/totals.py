"""The few figures that say at a glance how a running system does."""

from __future__ import annotations

from typing import Any

import psycopg
from msgspec import Struct

from storage.queries import queries

_SQL = queries("totals")


class Totals(Struct, frozen=True):
    """Figures over everything the database holds.

    Attributes:
        received: Messages, as the next three.
        bins: 1-minute lane bins with a valid observation.
        devices_online: Devices that last said they are online.
        last_bin_age_s: Seconds since a bin of the last ten minutes last took in an observation; None when none did.
    """

    received: int
    stored: int
    duplicate: int
    rejected: int
    bins: int
    devices_online: int
    last_bin_age_s: float | None


def totals(connection: psycopg.Connection[Any]) -> Totals:
    """Read them."""
    row = connection.execute(_SQL["totals"]).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return Totals(*row)
