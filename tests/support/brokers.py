"""A real mosquitto for tests, set up as an installation should be (docs/architecture.md), on a free loopback port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import IO

from subak.embedded.child import Child
from subak.embedded.ports import LOOPBACK, free_port
from tests.support.parts import INSTALL, UnavailableError
from tests.support.waiting import until

START_TIMEOUT_S = 10.0

_CONFIG = """\
listener {port} {host}
allow_anonymous true

# Never the broker's limits: the client bounds what is in flight by its receive maximum.
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true

persistence true
persistence_location {folder}/
{extra}
# Not stdout, which reaches a file only in blocks.
log_dest file {folder}/mosquitto.log
log_type error
log_type warning
log_type notice
log_type information
connection_messages true
"""


def mosquitto_program() -> str:
    """Path of mosquitto.

    Raises:
        UnavailableError: It is not installed.
    """
    # Debian keeps it in /usr/sbin, which is not on every user's path.
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if program is None:
        msg = f"mosquitto is not installed; {INSTALL}"
        raise UnavailableError(msg)
    return program


def mosquitto_version() -> str:
    """`mosquitto 2.0.11`, as it calls itself."""
    told = subprocess.run([mosquitto_program(), "-h"], check=False, capture_output=True, text=True).stdout
    return " ".join(told.split()[:3]).replace("version ", "")


class Mosquitto:
    """One mosquitto on a port and a persistence folder that outlive its process.

    It writes its persistence at `stop`; `kill` loses what came since, as a power cut would (`autosave_interval` and
    `autosave_on_changes` in `extra` bound that).

    Attributes:
        port: Its port on loopback, the same after every `start`.
    """

    def __init__(self, folder: Path, extra: str = "") -> None:
        """Prepare a broker on `folder`, with `extra` lines of configuration; nothing is started yet."""
        self._extra = extra
        self._program = mosquitto_program()
        self._folder = folder
        self.port = free_port()
        self._child: Child | None = None
        self._output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:port`."""
        return f"mqtt://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id; a stopped broker has none (AssertionError)."""
        assert self._child is not None, "the broker is not running"
        return self._child.pid

    @property
    def log(self) -> str:
        """What it has logged so far, over all its starts."""
        logs = [self._folder / name for name in ("mosquitto.log", "output.log")]
        return "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs if log.exists())

    def start(self) -> None:
        """Start it on the same port and persistence and wait until it takes connections."""
        if self._child is not None:
            return
        config = self._folder / "mosquitto.conf"
        # Started by root it would become the user mosquitto, who can't write here.
        extra = f"user root\n{self._extra}" if os.geteuid() == 0 else self._extra
        config.write_text(_CONFIG.format(port=self.port, host=LOOPBACK, folder=self._folder, extra=extra), encoding="utf-8")
        self._output = (self._folder / "output.log").open("ab")
        self._child = Child([self._program, "-c", str(config)], output=self._output)
        try:
            until(self._answers, START_TIMEOUT_S, what=f"mosquitto on port {self.port}")
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop it properly (SIGTERM): it writes its persistence. Safe to call twice."""
        if self._child is not None:
            self._child.end()
        self._forget()

    def kill(self) -> None:
        """End it at once (SIGKILL). Safe to call twice."""
        if self._child is not None:
            self._child.kill()
        self._forget()

    def _forget(self) -> None:
        self._child = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def _answers(self) -> bool:
        assert self._child is not None
        assert self._child.is_running, f"mosquitto ended: {self.log}"
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        except OSError:
            return False
        return True
