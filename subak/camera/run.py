"""`subak camera run` and `subak camera snapshot`."""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from config.credentials import read_credentials
from config.errors import ConfigError
from config.settings import load_settings
from config.site import load_site
from ingest.camera.asking import Wish, ask
from ingest.mqtt.address import Address
from subak import logs
from subak.camera.door import KEYS_FILE, read_keys

STATE = Path(".subak") / "cameras"
KEY = "SUBAK_CAMERA_KEY"


def run(
    *cameras: str,
    site: Path | None = None,
    mqtt_url: str | None = None,
    state: Annotated[Path, Parameter(help="Folder of reference views, the door's socket and the audit of snapshots.")] = STATE,
) -> None:
    """Count in the cameras of the site that have a source, until told to stop; one process a decoder.

    Reads SUBAK_MQTT_URL, SUBAK_SITE, SUBAK_CAMERA_HEALTH_S (seconds between two health reports), SUBAK_CAMERA_CREDENTIALS_FILE (users
    and passwords of network cameras) and SUBAK_CAMERA_KEYS_FILE (who may ask for snapshots; nobody without it).

    Args:
        cameras: Names of the cameras; all with a source when none is given.
        site: Path of the site folder.
        mqtt_url: Broker (MQTT 5), mqtt://[user:password@]host[:port].
        state: Folder of the state.
    """
    settings = load_settings(site=site, mqtt_url=mqtt_url)
    place = load_site(settings.site)
    logs.configure()
    try:
        import cv2  # noqa: F401 - told here, not by a decoder
    except ImportError as error:
        raise ConfigError(f"the camera worker needs {error.name}; install it with: pip install 'subak[camera]'") from None
    from subak.camera.worker import Worker
    from subak.run import until_told

    keys = read_keys(os.environ.get(KEYS_FILE))
    logins = read_credentials(settings.camera_credentials.get_secret_value())
    worker = Worker(place, Address.of(settings), state, keys, cameras, logins=logins, health_every_s=settings.camera_health_s)
    asyncio.run(until_told(worker.run()))


def snapshot(
    camera: str,
    *,
    by: str,
    out: Path | None = None,
    state: Annotated[Path, Parameter(help="The worker's --state folder.")] = STATE,
) -> None:
    """Save the picture of this moment, for a person with the right; the request is logged by the worker either way.

    The person's key is read from SUBAK_CAMERA_KEY.

    Args:
        camera: Its name.
        by: Who asks.
        out: File to write, CAMERA.jpg otherwise.
        state: The worker's folder.
    """
    key = os.environ.get(KEY, "")
    if not key:
        raise ConfigError(f"{KEY}: is not set; it holds the key of {by}")
    answer = asyncio.run(ask(state, Wish(camera, by, key)))
    if answer.refused:
        raise ConfigError(answer.refused)
    path = out or Path(f"{camera}.jpg")
    path.write_bytes(base64.b64decode(answer.jpeg))
    print(path)
