"""What network cameras want to know before they show anything: user and password, by the name that the site folder uses."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from msgspec import Struct

from config.errors import ConfigError

SETTING = "SUBAK_CAMERA_CREDENTIALS"
USER, PASSWORD = "{user}", "{password}"
"""Where an address has them, when the camera wants them there; otherwise they are sent as HTTP and RTSP do."""

QUERY_WORDS = ("password=", "passwd=", "pass=", "pwd=", "psw=")


class Login(Struct, frozen=True):
    """User and password of one camera; shows neither."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Nothing that could be read in a log."""
        return "Login(…)"


def read_credentials(text: str) -> dict[str, Login]:
    """Credentials by name, from lines `NAME user:password`; empty lines and those that begin with # say nothing.

    Raises:
        ConfigError: A line is none; tells its number, never what stands in it.
    """
    found: dict[str, Login] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(" ")
        user, colon, password = rest.strip().partition(":")
        if not (user and colon and password):
            raise ConfigError(f"{SETTING}, line {number}: must be NAME user:password")
        if name in found:
            raise ConfigError(f"{SETTING}, line {number}: the name of this line stands there twice")
        found[name] = Login(user, password)
    return found


def secret_in(address: str) -> bool:
    """Whether a password seems to be written in an address."""
    parts = urlsplit(address)
    words = parts.query.lower().split("&")
    return "@" in parts.netloc or any(word.startswith(QUERY_WORDS) and not word.endswith(PASSWORD) for word in words)


def address_with(source: str, login: Login | None) -> str:
    """The address as the library that reads the stream takes it."""
    if login is None:
        return source
    user, password = quote(login.user, safe=""), quote(login.password, safe="")
    if PASSWORD in source:
        return source.replace(USER, user).replace(PASSWORD, password)
    scheme, _, rest = source.partition("://")
    return f"{scheme}://{user}:{password}@{rest}"
