"""Broker addresses as URLs: `mqtt://[user:password@]host[:port]`, `mqtts://` with TLS."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from config.errors import ConfigError
from config.settings import Settings

PORTS = {"mqtt": 1883, "mqtts": 8883}


class Address(Struct, frozen=True):
    """Where a broker is and who we are there; its `repr` hides the password.

    Attributes:
        host: Name or number; with TLS the broker's certificate must be for it.
        port: TCP port.
        tls: Whether the connection is encrypted and the broker proves who it is.
        username: As the broker knows us.
        password: Of the user.
        ca_file: Certificates of the authorities to trust, PEM; None trusts those that the machine trusts.
    """

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None
    ca_file: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> Address:
        """The broker that the settings name.

        Raises:
            ConfigError: The URL is none, or there are no certificates in SUBAK_MQTT_CA_FILE.
        """
        address = cls.parse(settings.mqtt_url.get_secret_value(), settings.mqtt_ca_file)
        try:
            address.ssl_context()
        except OSError as error:
            # Also what OpenSSL says of a file that is not PEM.
            raise ConfigError(f"SUBAK_MQTT_CA_FILE: {settings.mqtt_ca_file}: {error.strerror or error}") from None
        return address

    @classmethod
    def parse(cls, url: str, ca_file: Path | None = None) -> Address:
        """Read a URL.

        Raises:
            ConfigError: Not such a URL; the message does not repeat any of it, as it may hold a password.
        """
        allowed = "SUBAK_MQTT_URL: must be mqtt://[user:password@]host[:port], or mqtts:// for TLS"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ConfigError(f"{allowed}; special characters of a password are percent-encoded") from None
        if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ConfigError(allowed)
        return cls(
            host=parts.hostname,
            port=port or PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            ca_file=ca_file,
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """What to check the broker's certificate and name with; None without TLS.

        Raises:
            OSError: The file of certificates cannot be read, or holds none.
        """
        return ssl.create_default_context(cafile=self.ca_file) if self.tls else None

    def __repr__(self) -> str:
        """Host and port only."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """As `repr`; the one of msgspec shows every field."""
        return [("broker", repr(self))]
