"""The feeds there are: one folder of `ingest/feeds` a dialect, loaded when a site speaks it."""

from __future__ import annotations

from importlib import import_module

from config.dialects import dialects
from config.errors import ConfigError
from ingest.feeds import Feed


def feed_of(dialect: str) -> Feed:
    """The feed of a dialect of `config/dialects.yaml`: `FEED` of `ingest.feeds.<dialect>.decoder`.

    Raises:
        ConfigError: There is no such dialect, or a package that its decoder needs is not installed.
    """
    if dialect not in dialects():
        raise ConfigError(f"no feed for dialect {dialect!r}; dialects are {', '.join(sorted(dialects()))}")
    try:
        found = import_module(f"ingest.feeds.{dialect}.decoder").FEED
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"dialect {dialect!r} needs the package {error.name}, which is not installed: pip install 'subak[{dialect}]'"
        ) from error
    assert isinstance(found, Feed)  # noqa: S101 - a test loads them all
    return found
