"""Trouble that somebody asks for: a device that fails, a camera that sees something, each from a second on and for a while.

What `--faults` draws by chance is in `faults`; this is chosen, so that one alert can be shown with its cause.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from config.errors import ConfigError
from config.site import Site
from subak.street.damage import DAMAGES
from subak.street.defects import CameraDefect, Defects, Window
from subak.street.faults import Delivery, Sent, Way
from subak.street.incident import Incident
from subak.street.message import Message

STOPPED_AT = 25.0
"""Metres before the stop line at which a vehicle breaks down in front of a camera: well inside its picture."""

FOR_EVER = 10**8
"""Seconds that a trouble lasts whose end was not told: years."""

_CUT = next(damage for damage in DAMAGES if damage.name == "cut")


class Sight(StrEnum):
    """What a camera is given to see."""

    STOPPED = "stopped"
    WRONG_WAY = "wrong_way"


class SignDefect(StrEnum):
    """How a sign fails."""

    PIXEL = "pixel"
    DOOR = "door"
    STRAY = "stray"


class DeviceDefect(StrEnum):
    """How any device fails; `door` is a controller's."""

    SILENT = "silent"
    GARBLED = "garbled"
    DOOR = "door"


Kind = TypeVar("Kind", bound=StrEnum)
Kind_co = TypeVar("Kind_co", bound=StrEnum, covariant=True)


@dataclass(frozen=True, slots=True)
class Fault(Generic[Kind_co]):
    """One trouble of one device.

    Attributes:
        device: Which.
        kind: What.
        window: When.
    """

    device: str
    kind: Kind_co
    window: Window


CameraFault = Fault[CameraDefect]


def fault_of(option: str, text: str, begin: int, devices: Collection[str], kinds: type[Kind]) -> Fault[Kind]:
    """Read `DEVICE:KIND[:AFTER_S[:LASTS_S]]` of a run from `begin` (Unix time).

    Raises:
        ConfigError: It has another form, or names no such device or kind.
    """
    device, _, rest = text.partition(":")
    kind, _, times = rest.partition(":")
    numbers = times.split(":") if times else []
    if device not in devices:
        raise ConfigError(f"{option} {text}: {device!r} is none of these devices: {', '.join(devices)}")
    if kind not in list(kinds) or len(numbers) > 2 or not all(number.isdecimal() for number in numbers):
        raise ConfigError(f"{option} {text}: must be DEVICE:KIND[:AFTER_S[:LASTS_S]], KIND one of {', '.join(kinds)}")
    after = int(numbers[0]) if numbers else 0
    lasts = int(numbers[1]) if len(numbers) > 1 else FOR_EVER
    return Fault(device, kinds(kind), Window(begin + after, begin + after + lasts))


@dataclass(frozen=True, slots=True)
class Troubles:
    """All that was asked for.

    Attributes:
        cameras: Spoilt pictures.
        sights: What cameras are given to see.
        signs: Of signs.
        devices: Of any device.
    """

    cameras: tuple[Fault[CameraDefect], ...] = ()
    sights: tuple[Fault[Sight], ...] = ()
    signs: tuple[Fault[SignDefect], ...] = ()
    devices: tuple[Fault[DeviceDefect], ...] = ()

    @classmethod
    def parse(
        cls,
        site: Site,
        begin: int,
        *,
        camera_fault: Sequence[str] = (),
        camera_event: Sequence[str] = (),
        sign_fault: Sequence[str] = (),
        device_fault: Sequence[str] = (),
    ) -> Troubles:
        """Read the options of `subak street`; `begin` is the Unix second at which the run begins.

        Raises:
            ConfigError: One has another form, or names no device of the site.
        """
        cameras = [camera.id for camera in site.cameras]
        signs = [sign.id for sign in site.signs]
        devices = [device.id for device in site.devices]
        found = tuple(fault_of("--device-fault", text, begin, devices, DeviceDefect) for text in device_fault)
        controllers = {controller.id for controller in site.controllers}
        for fault in found:
            if fault.kind is DeviceDefect.DOOR and fault.device not in controllers:
                raise ConfigError(
                    f"--device-fault {fault.device}:door: only a controller tells of its door; see --sign-fault for a sign's"
                )
        return cls(
            tuple(fault_of("--camera-fault", text, begin, cameras, CameraDefect) for text in camera_fault),
            tuple(fault_of("--camera-event", text, begin, cameras, Sight) for text in camera_event),
            tuple(fault_of("--sign-fault", text, begin, signs, SignDefect) for text in sign_fault),
            found,
        )

    def __iter__(self) -> Iterator[Fault[StrEnum]]:
        """Every one, as the truth tells it."""
        yield from (*self.cameras, *self.sights, *self.signs, *self.devices)

    def incidents(self, site: Site, begin: int) -> tuple[Incident, ...]:
        """Vehicles that break down in front of a camera, in the lane at the kerb, as incidents of a run from `begin`."""
        return tuple(
            Incident(_link(site, fault.device), 0, fault.window.begin - begin, fault.window.end - fault.window.begin, STOPPED_AT)
            for fault in self.sights
            if fault.kind is Sight.STOPPED
        )

    def defects(self, planned: dict[str, Defects]) -> dict[str, Defects]:
        """The defects of controllers, with the doors that are opened."""
        found = dict(planned)
        for fault in self.devices:
            if fault.kind is DeviceDefect.DOOR:
                has = found.get(fault.device, Defects())
                found[fault.device] = replace(has, door=(*has.door, fault.window))
        return found


class TroubledWay(Way):
    """The way of another, but for devices that are silent or send what nobody can read."""

    def __init__(self, site: Site, way: Way, faults: Sequence[Fault[DeviceDefect]]) -> None:
        super().__init__(site)
        self._way = way
        self._faults = [fault for fault in faults if fault.kind is not DeviceDefect.DOOR]

    def send(self, message: Message, now: int) -> list[Sent]:
        """What becomes of `message`; one that is garbled counts as not sent, and what comes instead is rubbish."""
        kind = next((f.kind for f in self._faults if f.device == message.device and now in f.window), None)
        if kind is None or message.withheld:
            return self._way.send(message, now)
        spoilt: tuple[Delivery, ...] = ()
        if kind is DeviceDefect.GARBLED:
            good = self._delivery(message, now)
            _, payload = _CUT.apply(good.topic, good.payload)
            spoilt = (replace(good, payload=payload, message=None, damage=_CUT),)
        return [Sent(replace(message, withheld=True), (*message.faults, kind.value), spoilt)]

    def rubbish(self, now: int) -> list[Delivery]:
        """As of the other."""
        return self._way.rubbish(now)

    def end(self, now: int) -> list[Sent]:
        """As of the other."""
        return self._way.end(now)


def _link(site: Site, camera: str) -> str:
    found = next(item for item in site.cameras if item.id == camera)
    return next(item.link for item in site.junction[found.junction].approaches if item.id == found.approach)
