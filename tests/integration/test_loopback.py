"""What Subak itself listens on can be reached from this machine alone: embedded parts, metrics, console."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from subak.embedded.broker import EmbeddedBroker
from subak.embedded.database import EmbeddedDatabase
from subak.health import serving
from subak.metrics import Metrics

LISTENING = "0A"
LOOPBACKS = {"0100007F", "00000000000000000000000001000000"}  # 127.0.0.1 and ::1, as /proc has them


def listens_on(pid: int) -> set[str]:
    """Addresses that a process and its children listen on."""
    inodes: set[str] = set()
    for process in (pid, *_children(pid)):
        # A child may end while we look.
        with contextlib.suppress(FileNotFoundError):
            for entry in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    inodes.update(re.findall(r"^socket:\[(\d+)\]$", str(entry.readlink())))
    found: set[str] = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


def _children(pid: int) -> list[int]:
    return [
        child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in map(int, (task / "children").read_text(encoding="ascii").split())
    ]


def test_the_embedded_broker_listens_on_loopback_alone() -> None:
    with EmbeddedBroker(port=0, v4_port=0):
        addresses = listens_on(os.getpid())
    assert addresses
    assert addresses <= LOOPBACKS


def test_the_embedded_database_listens_on_loopback_or_not_at_all(server_folder: Path) -> None:
    with EmbeddedDatabase(server_folder / "postgres") as database:
        assert listens_on(database.pid) <= LOOPBACKS


def test_metrics_are_served_on_loopback_unless_another_address_is_set() -> None:
    from config.settings import Settings

    host = Settings.model_fields["metrics_host"].default
    with serving(Metrics(), lambda: None, host, 19480):
        assert {"0100007F"} == listens_on(os.getpid())
