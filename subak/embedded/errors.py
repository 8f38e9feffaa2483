"""The one error of the embedded parts."""

from __future__ import annotations

from config.errors import ConfigError


class EmbeddedError(ConfigError):
    """An embedded broker or database can't start; the message says what to do about it."""
