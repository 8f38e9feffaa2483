"""The database's disk is full: what cannot be written waits at the broker, and nothing is lost when there is room again."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeBroker, temporary_folder
from tests.support.databases import Database, PlainServer, fresh_database
from tests.support.rig import Rig
from tests.support.waiting import until

SIZE_MB = 320
WAITING = 500  # messages, more than a second of the street


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own that can be filled."""
    with temporary_folder() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=755", "tmpfs", str(folder)],
            check=False,
            capture_output=True,
            text=True,
        )
        if mounted.returncode != 0:
            pytest.skip(f"a file system of its own needs root and the right to mount: {mounted.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all room there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(2**20))
    return filler


@pytest.mark.timeout(240)
def test_a_full_disk_loses_nothing(tmp_path: Path, small_disk: Path, make_broker: MakeBroker, plain_database: Database) -> None:
    server = PlainServer(small_disk / "postgres")
    server.start()
    try:
        with fresh_database(server) as database, Rig(tmp_path, make_broker(), database, plain_database, seed=7) as rig:
            filler = fill(small_disk)
            until(lambda: "No space left on device" in rig.pipeline.log, 60, what="a pipeline that cannot write")
            # Half-empty pages may still take a small batch; what finds no room waits at the broker.
            until(lambda: len(rig.unstored()) > WAITING, 60, what="messages that wait")

            filler.unlink()
            # A server that could not write its log has ended itself.
            database.start_server()
            rig.flowing()
            rig.settle()
            rig.check()
            rig.check_against_an_undisturbed_run()
    finally:
        server.stop()
