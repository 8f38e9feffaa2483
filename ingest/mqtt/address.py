"""Broker addresses as URLs: `mqtt://[user:password@]host[:port]`, `mqtts://` with TLS."""

from __future__ import annotations

import ssl
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from config.errors import ConfigError

PORTS = {"mqtt": 1883, "mqtts": 8883}


class Address(Struct, frozen=True):
    """Where a broker is and who we are there; its `repr` hides the password."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL.

        Raises:
            ConfigError: Not such a URL; the message does not repeat it, as it may hold a password.
        """
        allowed = "SUBAK_MQTT_URL: must be mqtt://[user:password@]host[:port], or mqtts:// for TLS"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"{allowed} ({error})") from None
        if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ConfigError(allowed)
        return cls(
            host=parts.hostname,
            port=port or PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """What to check the broker's certificate with; None without TLS."""
        return ssl.create_default_context() if self.tls else None

    def __repr__(self) -> str:
        """Host and port only."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"
