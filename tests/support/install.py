"""Installs what the tests need from outside Python: `make parts`, or `python -m tests.support.install`.

As root: mosquitto, Chromium with its driver, debootstrap, Node.js and GStreamer's RTSP server by apt (the last about 35 s, once), and a
folder of Debian 13 with TimescaleDB by debootstrap (about 35 s, 450 MB, once; not with apt even on Debian 13, where the package would
start a server on port 5432 of the developer's machine). With npm: TimescaleDB Community in WebAssembly. What can't be installed is said
and left to the tests, which skip it with the reason, or fail under `CI=true`: this program ends with status 0 all the same.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.support.community import PGLITE_FOLDER, PGLITE_SOURCES
from tests.support.databases import DEBIAN_FOLDER, POSTGRES_MAJOR, TIMESCALE_LIBRARY
from tests.support.grafanas import GRAFANA_TYPES_FOLDER, GRAFANA_TYPES_SOURCES
from tests.support.parts import UnavailableError, cache_folder
from tests.support.streams import rtsp_is_there

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Debian package to a program that it brings.
APT_PACKAGES: Final[Mapping[str, str]] = {
    "mosquitto": "mosquitto",
    "chromium": "chromium",
    "chromium-driver": "chromedriver",
    "debootstrap": "debootstrap",
    "nodejs": "node",
    "npm": "npm",
}
# A camera: GStreamer's RTSP server and H.264, for Debian's own Python.
RTSP_PACKAGES: Final = (
    *("python3-gi", "gir1.2-gst-rtsp-server-1.0"),
    *("gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-ugly"),
)
DEBIAN_RELEASE: Final = "trixie"
DEBIAN_PACKAGES: Final = f"postgresql-{POSTGRES_MAJOR},postgresql-{POSTGRES_MAJOR}-timescaledb"
SYSTEM_PATH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def main() -> None:
    """Install what is missing; one install at a time on a machine."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "install.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _apt()
        _timescale_apache()
        _timescale_community()
        _grafana_types()


def _apt() -> None:
    missing = [package for package, program in APT_PACKAGES.items() if shutil.which(program, path=SYSTEM_PATH) is None]
    try:
        rtsp_is_there()
    except UnavailableError:
        missing += RTSP_PACKAGES
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        _say(f"not installed, which takes root and apt: {' '.join(missing)}")
        return
    _say(f"apt-get install {' '.join(missing)}")
    # Debian starts a server with its package where there is an init; the tests start their own on another port.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"]
    if not _run(["apt-get", "-qq", "update"], environment):
        return
    if not _run(["apt-get", "install", *options, *missing], environment):
        # One that the release lacks must not keep the others away.
        for package in missing:
            _run(["apt-get", "install", *options, package], environment)


def _timescale_apache() -> None:
    folder = cache_folder() / DEBIAN_FOLDER
    if (Path("/") / TIMESCALE_LIBRARY).exists() or (folder / TIMESCALE_LIBRARY).exists():
        return
    debootstrap = shutil.which("debootstrap", path=SYSTEM_PATH)
    if os.geteuid() != 0 or debootstrap is None:
        _say(f"no TimescaleDB (Apache): install postgresql-{POSTGRES_MAJOR}-timescaledb, or run this as root with debootstrap")
        return
    _say(f"Debian {DEBIAN_RELEASE} with TimescaleDB into {folder}")
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    command = [debootstrap, "--variant=minbase", f"--include={DEBIAN_PACKAGES}", DEBIAN_RELEASE, str(building), *_mirror()]
    if _run(command, {**os.environ, "PATH": SYSTEM_PATH}):
        shutil.rmtree(building / "var/cache/apt/archives", ignore_errors=True)
        building.rename(folder)
    else:
        shutil.rmtree(building, ignore_errors=True)


def _mirror() -> list[str]:
    """The mirror that this machine's own apt uses for Debian; debootstrap's own choice when there is none."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"],
        check=False,
        capture_output=True,
        text=True,
    )
    return told.stdout.split()[:1]


def _timescale_community() -> None:
    _npm(PGLITE_FOLDER, PGLITE_SOURCES, "TimescaleDB (Community)")


def _grafana_types() -> None:
    _npm(GRAFANA_TYPES_FOLDER, GRAFANA_TYPES_SOURCES, "types of Grafana's dashboards")


def _npm(name: str, sources: Path, what: str) -> None:
    folder = cache_folder() / name
    wanted = sources / "package-lock.json"
    if (folder / "package-lock.json").exists() and (folder / "package-lock.json").read_bytes() == wanted.read_bytes():
        return
    npm = shutil.which("npm")
    if npm is None:
        _say(f"no {what}: install Debian's nodejs and npm (Node.js 20 or newer)")
        return
    _say(f"npm ci into {folder}")
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    for file in ("package.json", "package-lock.json"):
        shutil.copyfile(sources / file, building / file)
    if _run([npm, "ci", "--prefix", str(building), "--no-audit", "--no-fund", "--loglevel=error"], os.environ):
        shutil.rmtree(folder, ignore_errors=True)
        building.rename(folder)
    else:
        shutil.rmtree(building, ignore_errors=True)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Run quietly; on failure print the end of what it said."""
    began = time.monotonic()
    done = subprocess.run(
        command,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode == 0:
        _say(f"  done in {time.monotonic() - began:.0f} s")
        return True
    _say(f"  failed: {' '.join(command[:3])} …\n{done.stdout.strip()[-1500:]}")
    return False


def _say(text: str) -> None:
    print(f"parts: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
