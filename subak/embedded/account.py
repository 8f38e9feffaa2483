"""The unprivileged account that PostgreSQL runs under when we are root, which it refuses to serve."""

from __future__ import annotations

import os
import pwd
import stat
import struct
import subprocess
from pathlib import Path

from subak.embedded.errors import EmbeddedError

NAME = "subak-postgres"

# A POSIX access control list as Linux keeps it in an extended attribute: version, then (tag, permissions, id) sorted by tag.
_ACL = "system.posix_acl_access"
_ACL_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_SEARCH = 1
_NO_ID = 0xFFFF_FFFF


def service_account(folder: Path) -> pwd.struct_passwd | None:
    """The account to run PostgreSQL under on `folder`: None, our own, unless we are root.

    Then it is the one that the folder belongs to already, else a system account, made when missing.

    Raises:
        EmbeddedError: The account can't be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        owner = folder.stat().st_uid
        if owner != 0:
            return pwd.getpwuid(owner)
    except (FileNotFoundError, KeyError):
        pass
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", NAME]
    try:
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        why = made.stderr.strip()
    except OSError as error:
        why = str(error)
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        msg = (
            f"PostgreSQL does not run as root, and the account {NAME} can't be made ({why}): "
            f"run as another user, or make it with `{' '.join(command)}`"
        )
        raise EmbeddedError(msg) from None


def let_through(account: pwd.struct_passwd, *targets: Path) -> list[Path]:
    """Let `account`, and nobody else, pass through the closed folders above `targets` (a checkout under /root, say).

    It gets the search permission alone, by an access control list, so the folders stay closed to everyone else and can't be
    listed by the account either. (`chmod o+x` would open them to every account of the machine.)

    Returns:
        The folders whose access control list was changed.

    Raises:
        EmbeddedError: The file system has no such lists.
    """
    opened = []
    for target in targets:
        if _reaches(account, target):
            continue
        for folder in reversed(target.resolve().parents):
            if _reaches(account, folder / "."):
                continue
            try:
                _grant_search(folder, account.pw_uid)
            except OSError as error:
                msg = (
                    f"PostgreSQL runs under the account {account.pw_name}, which can't pass through {folder} ({error.strerror}): "
                    f"use another folder, run as another user, or `chmod o+x {folder}`"
                )
                raise EmbeddedError(msg) from error
            opened.append(folder)
    return opened


def _reaches(account: pwd.struct_passwd, path: Path) -> bool:
    """Whether `account` can search folder `path`, or execute file `path`."""
    test = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        check=False,
        cwd="/",
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
    )
    return test.returncode == 0


def _grant_search(folder: Path, uid: int) -> None:
    mode = stat.S_IMODE(folder.stat().st_mode)
    try:
        packed = os.getxattr(folder, _ACL)[len(_ACL_VERSION) :]
        entries = [_ENTRY.unpack_from(packed, at) for at in range(0, len(packed), _ENTRY.size)]
    except OSError:
        entries = [(_USER_OBJ, mode >> 6, _NO_ID), (_GROUP_OBJ, mode >> 3 & 7, _NO_ID), (_OTHER, mode & 7, _NO_ID)]
    group = next(permissions for tag, permissions, _ in entries if tag == _GROUP_OBJ)
    mask = next((permissions for tag, permissions, _ in entries if tag == _MASK), group)
    kept = [entry for entry in entries if entry[0] != _MASK and (entry[0], entry[2]) != (_USER, uid)]
    wanted = sorted([*kept, (_USER, _SEARCH, uid), (_MASK, mask | _SEARCH, _NO_ID)], key=lambda entry: (entry[0], entry[2]))
    os.setxattr(folder, _ACL, _ACL_VERSION + b"".join(_ENTRY.pack(*entry) for entry in wanted))
