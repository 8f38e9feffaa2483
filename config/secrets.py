"""Secrets out of files, as Docker (`/run/secrets/…`) and systemd (`LoadCredential=`) hand them over.

`SUBAK_MQTT_URL_FILE` names a file that holds what would else stand in `SUBAK_MQTT_URL`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from config.errors import ConfigError

PREFIX = "SUBAK_"
SUFFIX = "_FILE"


def secrets_from_files(names: Iterable[str], environment: Mapping[str, str], optional: Collection[str] = ()) -> dict[str, str]:
    """Read those secrets that the environment names a file for.

    Args:
        names: Settings that are secret, in lower case.
        environment: Of the process.
        optional: Those of them whose file may be empty.

    Returns:
        The secrets by setting; an end of line after the secret is not part of it.

    Raises:
        ConfigError: A file cannot be read or is empty, or the secret stands in the environment as well. Names the
            variable and the file, never what is in it.
    """
    found: dict[str, str] = {}
    for name in names:
        plain = PREFIX + name.upper()
        variable = plain + SUFFIX
        path = environment.get(variable)
        if not path:
            continue
        if environment.get(plain):
            raise ConfigError(f"{variable}: {plain} is set too; set one of them")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            raise ConfigError(f"{variable}: {path}: {reason}") from None
        secret = text.rstrip("\r\n")
        if not secret.strip() and name not in optional:
            raise ConfigError(f"{variable}: {path}: is empty; it must hold the value of {plain}")
        found[name] = secret
    return found
