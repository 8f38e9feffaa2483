"""The demo as its user sees it: one command, numbers, one JSON line, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import until

READY = "Ctrl-C ends everything."
FIELDS = {
    "received", "stored", "duplicate", "rejected", "bins", "devices_online", "last_bin_age_s", "ledger_balanced", "bins_verified",
}  # fmt: skip


GRAFANA = f"""#!{sys.executable}
import json, os, pathlib, signal, sys, psycopg
g = os.environ
where = dict(host=g["SUBAK_GRAFANA_DATABASE_HOST"], dbname=g["SUBAK_GRAFANA_DATABASE_NAME"], user=g["SUBAK_GRAFANA_DATABASE_USER"])
with psycopg.connect(**where) as connection:
    lanes = connection.execute("SELECT count(*) FROM analytics.lanes").fetchone()[0]
    raw = connection.execute("SELECT has_schema_privilege('subak', 'USAGE')").fetchone()[0]
folder = pathlib.Path(g["GF_PATHS_DATA"])
folder.mkdir(parents=True)
(folder / "new").write_text(json.dumps({{"arguments": sys.argv[1:], "lanes": lanes, "raw": raw}}))
(folder / "new").rename(folder / "seen")
signal.pause()
"""


def fake_grafana(folder: Path) -> str:
    """A PATH with a program in place of Grafana that looks at the database as Grafana would, and stays."""
    program = folder / "grafana" / "bin" / "grafana"
    for path in (program, folder / "grafana" / "conf" / "defaults.ini"):
        path.parent.mkdir(parents=True)
        path.write_text(GRAFANA, encoding="utf-8")
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


class Demo:
    """One `subak demo`, whose processes can be found by a mark in their environment."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._mark = f"SUBAK_TEST_MARK={uuid.uuid4()}"
        name, _, value = self._mark.partition("=")
        self._error = folder / "demo.err"
        with self._error.open("ab") as error:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "subak.cli", "demo", "--state", str(folder / "state"), *arguments],
                env={**os.environ, name: value, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=error,
                text=True,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._error.read_text(encoding="utf-8")

    @property
    def processes(self) -> list[str]:
        """Commands of what still runs of it."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and self._mark.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found

    def wait_ready(self) -> None:
        until(lambda: READY in self.said or self.process.poll() is not None, 60, what="a demo that is ready")
        assert READY in self.said, self.said


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    made: list[Demo] = []
    yield made
    for demo in made:
        if demo.process.poll() is None:
            demo.process.kill()
        demo.process.communicate()


@pytest.mark.timeout(180)
def test_it_ends_by_itself_with_one_line_that_holds(server_folder: Path, demos: list[Demo]) -> None:
    demo = Demo(server_folder, "--faults", "--cameras", SUBAK_DEMO_SECONDS="15")
    demos.append(demo)
    output, _ = demo.process.communicate(timeout=150)

    summary = json.loads(output.splitlines()[-1])
    assert FIELDS == set(summary)
    assert (0, True, True) == (demo.process.returncode, summary["ledger_balanced"], summary["bins_verified"])
    assert summary["received"] == summary["stored"] + summary["duplicate"] + summary["rejected"]
    assert min(summary[name] for name in ("stored", "duplicate", "rejected", "bins", "devices_online")) > 0
    assert summary["last_bin_age_s"] < 30
    cameras = (server_folder / "state" / "logs" / "cameras.log").read_text(encoding="utf-8")
    assert "cameras.started" in cameras
    assert "Traceback" not in cameras
    assert [] == demo.processes


@pytest.mark.timeout(180)
def test_ctrl_c_ends_everything_within_5_s(server_folder: Path, demos: list[Demo]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = Demo(server_folder, "--port", str(port), PATH=fake_grafana(server_folder))
        demos.append(demo)
        demo.wait_ready()
        assert f"port {port} is taken" in demo.said

    looked = server_folder / "state" / "grafana" / "data" / "seen"
    until(looked.exists, 20, what="the program in place of Grafana")
    seen = json.loads(looked.read_text(encoding="utf-8"))
    assert ["server", "--homepath", str(server_folder / "grafana")] == seen["arguments"]
    assert (True, False) == (seen["lanes"] > 0, seen["raw"])

    began = time.monotonic()
    os.killpg(demo.process.pid, signal.SIGINT)
    assert 0 == demo.process.wait(10)
    assert time.monotonic() - began < 5
    assert [] == demo.processes


@pytest.mark.timeout(180)
def test_killed_it_takes_its_parts_along_and_starts_again_on_what_they_left(server_folder: Path, demos: list[Demo]) -> None:
    demo = Demo(server_folder)
    demos.append(demo)
    demo.wait_ready()
    demo.process.kill()
    until(lambda: not demo.processes, 10, what="no process left")

    again = Demo(server_folder, SUBAK_DEMO_SECONDS="3")
    demos.append(again)
    output, _ = again.process.communicate(timeout=100)
    summary = json.loads(output.splitlines()[-1])
    assert (True, True) == (summary["ledger_balanced"], summary["bins_verified"])


def test_a_wrong_number_of_seconds_is_said(server_folder: Path, demos: list[Demo]) -> None:
    demo = Demo(server_folder, SUBAK_DEMO_SECONDS="soon")
    demos.append(demo)
    assert 2 == demo.process.wait(20)
    assert "SUBAK_DEMO_SECONDS: must be a number of seconds above 0, got 'soon'" in demo.said
