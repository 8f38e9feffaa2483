"""`subak migrate`: bring the schema and the dimensions up to this program and its site."""

from __future__ import annotations

from pathlib import Path

import psycopg
from rich.console import Console

from config.errors import ConfigError
from config.settings import load_settings
from config.site import load_site
from storage.errors import StorageError
from storage.migrate import migrate as run_migrations
from storage.site import save_site


def migrate(*, site: Path | None = None) -> None:
    """Bring the database up to this program and its site folder. Safe to repeat.

    Reads SUBAK_DATABASE_URL, which must be the owner of the database, and SUBAK_SITE.

    Args:
        site: Path of the site folder.
    """
    settings = load_settings(site=site)
    inventory = load_site(settings.site)
    tell = Console(stderr=True).print
    try:
        with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
            level = run_migrations(connection, inventory.general.timezone, tell)
            registry = save_site(connection, inventory)
    except (StorageError, psycopg.OperationalError) as error:
        raise ConfigError(f"the database cannot be migrated: {error}") from error
    tell(f"level {level}; site {inventory.name}: {len(registry)} devices, {len(registry.lanes)} lanes")
