"""Files that hold secrets: readable by their owner alone from the first byte on."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from config.errors import ConfigError

PASSWORD_BYTES = 24  # 192 bits of chance, 32 characters that need no quoting in a URL or a shell


def write_secret(path: Path, text: str) -> None:
    """Write a file with mode 0600, in place of what was there.

    Raises:
        ConfigError: It cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - a mode from the start
            file.write(text)
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def secret_folder(path: Path) -> Path:
    """A folder that its owner alone may enter.

    Raises:
        ConfigError: It cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    return path


def keep_or_make(folder: Path, user: str, *, renew: bool) -> tuple[str, bool]:
    """The password of a user: the one in `folder`, or a new one, which is put there.

    Returns:
        The password, and whether it is new.
    """
    path = folder / f"{user}.password"
    if not renew and path.exists():
        kept = path.read_text(encoding="utf-8").strip()
        if kept:
            return kept, False
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    write_secret(path, f"{password}\n")
    return password, True
