"""Who changed what of a site's configuration, and when: written in the transaction that brings the folder into the database."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from typing import Any

import psycopg

from config.record import record
from config.site import Site
from storage.queries import queries

_SQL = queries("changes")


def record_changes(connection: psycopg.Connection[Any], site: Site, site_id: int) -> None:
    """Write how the site differs from what was brought in before, inside the caller's transaction, which has locked the site's row.

    Args:
        connection: As a member of `subak_writer`.
        site: As it is now.
        site_id: Its number.
    """
    things: list[list[object]] = [[kind, element, content] for (kind, element), content in record(site).items()]
    digest = hashlib.sha256(json.dumps(things).encode()).hexdigest()
    if connection.execute(_SQL["digest"], {"site": site_id}).fetchone() == (digest,):
        # As nearly always: a large site need not be sent and compared.
        return
    values = {"site": site_id, "by": account(), "items": json.dumps([*things, ["digest", "", digest]])}
    for name in ("begin", "record", "forget", "keep"):
        connection.execute(_SQL[name], values)


def account() -> str:
    """Whose program this is: the account of the operating system, its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}"
