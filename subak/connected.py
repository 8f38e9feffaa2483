"""One connection for a command that a person gave, with an error that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from config.errors import ConfigError
from config.settings import load_settings


@contextmanager
def connected() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection to SUBAK_DATABASE_URL; every statement is a transaction.

    Raises:
        ConfigError: The database cannot be reached, has no Subak in it, or does not let this user.
    """
    try:
        with psycopg.connect(load_settings().database_url.get_secret_value(), autocommit=True) as connection:
            yield connection
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable) as error:
        raise ConfigError(f"SUBAK_DATABASE_URL: {' '.join(str(error).split())}") from error
