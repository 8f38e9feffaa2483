"""The database of level community: TimescaleDB Community in WebAssembly under Node.js."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import IO, Final

from subak.embedded.child import Child
from subak.embedded.database import SUPERUSER
from subak.embedded.ports import LOOPBACK, free_port
from tests.support.parts import INSTALL, UnavailableError, cache_folder
from tests.support.waiting import until

START_TIMEOUT_S: Final = 60.0
PGLITE_FOLDER: Final = "pglite"
PGLITE_SOURCES: Final = Path(__file__).parent / "pglite"


class CommunityServer:
    """TimescaleDB Community in WebAssembly under Node.js: in memory, one connection at a time.

    It has one database at a time too: connecting to a name that it does not know makes an empty one and forgets the one before.
    """

    level = "community"

    def __init__(self, folder: Path) -> None:
        """Prepare a server that logs to `folder`; nothing is started yet.

        Raises:
            UnavailableError: Node.js or the npm package is not there.
        """
        self._node, self._program = _pglite()
        self._log = folder / "pglite.log"
        self._port = free_port()
        self._child: Child | None = None
        self._output: IO[bytes] | None = None

    def url_of(self, database: str) -> str:
        """libpq URL of a database, as superuser."""
        return f"postgresql://{SUPERUSER}:any@{LOOPBACK}:{self._port}/{database}?sslmode=disable"

    @property
    def pid(self) -> int:
        """Process id of Node.js."""
        assert self._child is not None, "the server is not running"
        return self._child.pid

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        if self._child is not None:
            return
        self._output = self._log.open("wb")
        self._child = Child([self._node, str(self._program), str(self._port)], output=self._output)
        try:
            until(self._answers, START_TIMEOUT_S, what=f"TimescaleDB (Community), see {self._log}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; the data goes with it."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def kill(self) -> None:
        """Refused: nothing would be left to recover.

        Raises:
            NotImplementedError: Always.
        """
        msg = "the community level runs in memory: a killed server has lost everything; use the levels plain and apache"
        raise NotImplementedError(msg)

    def _answers(self) -> bool:
        assert self._child is not None
        assert self._child.is_running, self._log.read_text(encoding="utf-8")
        try:
            socket.create_connection((LOOPBACK, self._port), timeout=1).close()
        except OSError:
            return False
        return True


def _pglite() -> tuple[str, Path]:
    node = shutil.which("node")
    if node is None:
        msg = "Node.js (node) is not installed: install Debian's nodejs and npm (Node.js 20 or newer)"
        raise UnavailableError(msg)
    folder = cache_folder() / PGLITE_FOLDER
    lock = folder / "package-lock.json"
    if not lock.exists() or lock.read_bytes() != (PGLITE_SOURCES / "package-lock.json").read_bytes():
        msg = f"the npm package of TimescaleDB Community is not in {folder}; {INSTALL}"
        raise UnavailableError(msg)
    # Node.js looks for packages beside the program.
    program = folder / "server.mjs"
    source = PGLITE_SOURCES / "server.mjs"
    if not program.exists() or program.read_bytes() != source.read_bytes():
        temporary = folder / f"server-{os.getpid()}.mjs"
        shutil.copyfile(source, temporary)
        temporary.replace(program)
    return node, program
