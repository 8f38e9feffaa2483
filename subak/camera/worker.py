"""The camera worker: a supervisor for every camera with a source, one line to the broker, and a local door for people with the right."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from config.cameras import FRAME
from config.credentials import SETTING, Login
from config.errors import ConfigError
from config.site import Camera as SiteCamera
from config.site import Kind, Site
from config.thresholds.camera_health import camera_health
from ingest.camera.geometry import Line as CountingLine
from ingest.camera.geometry import Zone, ZoneKind
from ingest.camera.publish import Line, Messages
from ingest.camera.reports import Counted, CountedLane, Happened, Task
from ingest.camera.supervisor import Camera
from ingest.camera.view import View
from ingest.mqtt.address import Address
from ingest.topics import Stream, topic
from subak.camera.door import Door, Keys

log = structlog.get_logger(__name__)

DRAIN_S = 3.0
FILES_OVER_S = 30.0


class Worker:
    """Cameras of one site.

    Attributes:
        cameras: By name.
    """

    def __init__(
        self,
        site: Site,
        address: Address,
        state: Path,
        keys: Keys,
        only: Sequence[str] = (),
        *,
        logins: Mapping[str, Login] | None = None,
        health_every_s: float = 10.0,
    ) -> None:
        """Take over the cameras.

        Args:
            site: The site, read.
            address: Broker.
            state: Folder of reference views, the door's socket and its audit.
            keys: Who may see pictures.
            only: Names of the cameras to work on; all that have a source when empty.
            logins: Users and passwords by the name that a camera's `credential` has.
            health_every_s: Seconds between two reports of a camera whose condition stays.

        Raises:
            ConfigError: A camera of `only` is unknown or has no source, a credential is missing, or there is nothing to do.
        """
        logins = logins or {}
        known = {camera.id: camera for camera in site.cameras}
        for name in only:
            if name not in known or known[name].source is None:
                raise ConfigError(f"{name}: is no camera with a source in {site.path / 'cameras.yaml'}")
        chosen = [camera for camera in site.cameras if camera.source is not None and (not only or camera.id in only)]
        if not chosen:
            raise ConfigError(f"{site.path / 'cameras.yaml'}: no camera has a source, so there is nothing to count")
        for camera in chosen:
            if camera.credential is not None and camera.credential not in logins:
                raise ConfigError(
                    f"{site.path / 'cameras.yaml'}: {camera.id}: credential: there is no {camera.credential!r} in {SETTING};"
                    f" add a line `{camera.credential} user:password` to the file that {SETTING}_FILE names"
                )
        file = camera_health()
        self._messages = Messages(site.name, site.zone, dict(file.worth))
        self.cameras = {
            camera.id: Camera(
                task_of(camera, site.path, state, logins.get(camera.credential or "")),
                file.health,
                self._heard,
                self._changed,
            )
            for camera in chosen
        }
        self._frames = {
            topic(site.name, Kind.CCTV, camera.id, Stream.FRAME): self.cameras[camera.id]
            for camera in chosen
            if camera.source == FRAME
        }
        self._health_every_s = health_every_s
        self._line = Line(address, f"subak-cameras-{site.name}", list(self._frames))
        self._door = Door(state, keys, self.cameras)

    async def run(self) -> None:
        """Work until cancelled, or until every camera is a file that has been read."""
        line = asyncio.create_task(self._line.run(self._frames))
        others = [asyncio.create_task(self._report()), asyncio.create_task(self._door.serve())]
        decoders = [asyncio.create_task(camera.run()) for camera in self.cameras.values()]
        log.info("cameras.started", cameras=len(decoders), frames_from_broker=len(self._frames))
        every = asyncio.gather(*decoders)
        tasks: list[asyncio.Future[Any]] = [line, *others, every]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            await self._drain(FILES_OVER_S)
        finally:
            for task in (*decoders, *others):
                task.cancel()
            await asyncio.gather(every, *others, return_exceptions=True)
            await self._drain(DRAIN_S)
            line.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await line

    async def _drain(self, patience_s: float) -> None:
        """Let the broker have what waits."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._line.idle.wait(), patience_s)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._health_every_s)
            for camera in self.cameras.values():
                if camera.is_known:
                    self._send_health(camera, [])

    def _send_health(self, camera: Camera, events: list[Happened]) -> None:
        self._line.send(*self._messages.health(camera, camera.now_us, events))

    def _heard(self, camera: Camera, report: Counted | Happened) -> None:
        if isinstance(report, Counted):
            if report.lanes:
                self._line.send(*self._messages.counts(camera.task.camera, report))
        else:
            self._send_health(camera, [report])

    def _changed(self, camera: Camera) -> None:
        log.info("camera.condition", camera=camera.task.camera, condition=camera.sight.value, detail=camera.detail)
        self._send_health(camera, [])


def task_of(camera: SiteCamera, site: Path, state: Path, login: Login | None = None) -> Task:
    """What the decoder of a camera works on.

    Args:
        camera: As in the site folder; with a source.
        site: The site folder, from which paths of models and files count.
        state: Folder of the reference views.
        login: What the source wants to know.
    """
    source = camera.source or FRAME
    if source.startswith("file:") and not source.startswith("file:/"):
        source = f"file:{site / source.removeprefix('file:')}"
    lines = [(lane.id, lane.line) for lane in camera.lanes] + [(line.id, line.line) for line in camera.lines]
    occupied = {zone.lane: zone.id for zone in camera.zones if zone.lane is not None}
    return Task(
        camera=camera.id,
        source=source,
        view=View(
            lines=tuple(CountingLine(stroke[0], stroke[1], name) for name, stroke in lines if stroke is not None),
            zones=tuple(Zone(zone.id, zone.points, ZoneKind(zone.kind), zone.heading) for zone in camera.zones),
            size=camera.picture,
            pixels=camera.ground.pixels if camera.ground else (),
            metres=camera.ground.metres if camera.ground else (),
        ),
        lanes=tuple(CountedLane(lane.id, lane.direction, occupied.get(lane.id)) for lane in camera.lanes),
        fps=camera.fps,
        period_s=camera.period,
        model=None if camera.model is None else str(camera.model if camera.model.is_absolute() else site / camera.model),
        reference=str(state / f"{camera.id}.view.npz"),
        login=login,
    )
