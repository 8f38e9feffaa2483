"""All devices of the site together, without any connection: traffic in, messages out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from config.errors import ConfigError
from config.site import Kind, Site
from subak.street.assumptions import Assumptions
from subak.street.camera import REACH, CameraDevice, View
from subak.street.controller import ControllerDevice
from subak.street.defects import SOUND, Defects
from subak.street.loop import LoopSecond
from subak.street.message import Message
from subak.street.sensor import SensorDevice
from subak.street.sign import SignDevice
from subak.street.traffic import Second, Seen, Traffic
from subak.street.trouble import Sight, Troubles
from subak.street.watching import riders


class Field:
    """The devices of one run."""

    def __init__(
        self,
        site: Site,
        assumptions: Assumptions,
        traffic: Traffic,
        *,
        seed: int,
        frames: bool,
        defects: Mapping[str, Defects] | None = None,
        camera_fps: Mapping[str, int] = MappingProxyType({}),
        troubles: Troubles | None = None,
    ) -> None:
        """Make every device of the site.

        Args:
            site: The site.
            assumptions: About traffic.
            traffic: The simulation.
            seed: Of everything random.
            frames: Whether cameras send their pictures.
            defects: By controller.
            camera_fps: Pictures a second by camera, one where none is said; with more than one it leaves counting to `subak camera run`.
            troubles: What was asked for.

        Raises:
            ConfigError: A device of the site cannot be simulated.
        """
        self._traffic = traffic
        troubles = troubles or Troubles()
        self._against = [fault for fault in troubles.sights if fault.kind is Sight.WRONG_WAY]
        self._junctions = {controller.id: controller.junction for controller in site.controllers}
        self._controllers = [
            ControllerDevice(
                controller,
                site.junction[controller.junction],
                traffic.programs[controller.junction],
                site.zone,
                (defects or {}).get(controller.id, SOUND),
                seed,
            )
            for controller in site.controllers
        ]
        self._cameras = [
            CameraDevice(
                view,
                assumptions.classes,
                site.zone,
                frames=frames,
                fps=camera_fps.get(view.camera.id, 1),
                faults=[fault for fault in troubles.cameras if fault.device == view.camera.id],
            )
            for view in _views(site)
        ]
        self._sensors = [
            SensorDevice(sensor, kind, assumptions.activity, site.zone, seed)
            for kind, sensors in (
                (Kind.NET, site.network_links),
                (Kind.WIFI, site.access_points),
                (Kind.APP, site.applications),
            )
            for sensor in sensors
        ]
        self._signs = {
            sign.id: SignDevice(sign, site.zone, [fault for fault in troubles.signs if fault.device == sign.id])
            for sign in site.signs
        }

    def second(self, second: Second) -> Iterator[Message]:
        """Messages that the second gives rise to."""
        by_controller: dict[str, dict[str, LoopSecond]] = {controller: {} for controller in self._junctions}
        for (controller, detector), seen in second.loops.items():
            by_controller[controller][detector] = seen
        for device in self._controllers:
            yield from device.second(second.start, by_controller[device.id], second.intervals[self._junctions[device.id]])
        for camera in self._cameras:
            yield from camera.second(second.start, self._seen(camera, second.start))
        for sensor in self._sensors:
            yield from sensor.second(second.start)
        now = datetime.fromtimestamp(second.start + 1, UTC)
        for sign in self._signs.values():
            yield from sign.tick(now)

    def _seen(self, camera: CameraDevice, start: int) -> list[Seen]:
        """What is in view of a camera at the end of the second, the farthest first, with those who come against the traffic."""
        seen = self._traffic.seen(camera.approach, REACH)
        for fault in self._against:
            if fault.device == camera.id and start in fault.window:
                seen += riders(start + 1, fault.window.begin)
        return sorted(seen, key=lambda item: (-item.distance, item.name))

    def command(self, sign: str, payload: bytes, *, retained: bool) -> list[Message]:
        """Give a command to a sign at the simulation's time; returns its answer."""
        return self._signs[sign].receive(payload, datetime.fromtimestamp(self._traffic.now, UTC), retained=retained)


def _views(site: Site) -> Iterator[View]:
    for camera in site.cameras:
        for approach in site.junction[camera.junction].approaches:
            if approach.id == camera.approach:
                yield View(camera, approach, site.link[approach.link])
                break
        else:
            raise ConfigError(f"{camera.id}: {camera.junction} has no approach {camera.approach!r}")
