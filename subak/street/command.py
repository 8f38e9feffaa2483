"""`subak street`."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from config.errors import ConfigError
from config.settings import load_settings
from config.site import load_site
from ingest.mqtt.address import Address


def street(
    *,
    site: Path | None = None,
    mqtt_url: str | None = None,
    seed: int = 1,
    speed: float = 1.0,
    start: datetime | None = None,
    duration: int | None = None,
    faults: bool = False,
    truth: Path | None = None,
    frames: bool = True,
    incident: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    camera_fps: int = 1,
    camera: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    camera_fault: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    camera_event: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    sign_fault: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    device_fault: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    quiet: bool = False,
) -> None:
    """Run the simulated street: traffic, signals, cameras, signs and sensors as real MQTT clients.

    The same seed and start give the same readings. The run begins on the whole minute before the start.

    Parameters
    ----------
    site
        Site folder; SUBAK_SITE otherwise.
    mqtt_url
        Broker (MQTT 5), mqtt://[user:password@]host[:port]; SUBAK_MQTT_URL otherwise.
    seed
        Of everything random.
    speed
        Simulated seconds a second. 0: as fast as possible, waiting for the broker so that nothing is dropped.
    start
        Simulated start, RFC 3339; without an offset it is the site's time. Now, when left out.
    duration
        Simulated seconds after which the street ends by itself.
    faults
        Make it human: late, double, disordered and garbled messages, broken loops, a silent device, a reboot, a wrong clock.
    truth
        Folder for what really happened, as Parquet (docs/street.md).
    frames
        Whether cameras send pictures.
    incident
        Block a lane: LINK:LANE:AFTER_S:LASTS_S[:BEFORE_END_M], lanes counted from the kerb from 0; in the middle of the link, or so
        many metres before its stop line, where the queue reaches its detectors within minutes. May be repeated.
    camera_fps
        Pictures a second of each camera. With more than 1, cameras count nothing themselves: `subak camera run` does.
    camera
        The camera that --camera-fps is for, when it is not for all; the others go on counting by themselves. May be repeated.
    camera_fault
        Spoil a camera: CAMERA:KIND[:AFTER_S[:LASTS_S]], KIND one of frozen, turned, covered, slow. May be repeated.
    camera_event
        Let a camera see something, CAMERA:KIND[:AFTER_S[:LASTS_S]]: stopped (a car breaks down in the lane at the kerb; the camera
        tells after 120 s, which no red light lasts) or wrong_way (motorcycles ride against the traffic). May be repeated.
    sign_fault
        Let a sign fail, SIGN:KIND[:AFTER_S[:LASTS_S]]: pixel (it reports failed pixels), door (an open cabinet) or stray (somebody at
        the cabinet shows a text that nobody commanded; commands are refused meanwhile). May be repeated.
    device_fault
        Let a device fail, DEVICE:KIND[:AFTER_S[:LASTS_S]]: silent (connected, but it says nothing), garbled (what it sends is cut
        off, so nobody can read it) or door (a controller logs the alarm of its open cabinet). May be repeated.
    quiet
        No progress on stderr.
    """
    if speed < 0:
        raise ConfigError(f"--speed: {speed} is below 0; 1 is real time, 0 as fast as possible")
    if duration is not None and duration <= 0:
        raise ConfigError(f"--duration: {duration} is not above 0 seconds")
    settings = load_settings(site=site, mqtt_url=mqtt_url)
    place = load_site(settings.site)
    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=place.zone)
    try:
        from subak.street.clock import Clock
        from subak.street.incident import Incident
        from subak.street.run import Options, Street
        from subak.street.trouble import Troubles
    except ImportError as error:
        raise ConfigError(f"the street needs {error.name}; install it with: pip install 'subak[street]'") from None
    if not 1 <= camera_fps <= 30:
        raise ConfigError(f"--camera-fps: {camera_fps} is not allowed; allowed are 1 to 30")
    clock = Clock.of(start, speed)
    names = [item.id for item in place.cameras]
    unknown = sorted(set(camera) - set(names))
    if unknown:
        raise ConfigError(f"--camera {unknown[0]}: is no camera; allowed are {', '.join(names)}")
    troubles = Troubles.parse(
        place, clock.begin, camera_fault=camera_fault, camera_event=camera_event, sign_fault=sign_fault, device_fault=device_fault
    )
    options = Options(
        address=Address.of(settings),
        seed=seed,
        clock=clock,
        duration=duration,
        faults=faults,
        truth=truth,
        frames=frames,
        incidents=tuple(Incident.parse(text) for text in incident),
        camera_fps=dict.fromkeys(camera or names, camera_fps),
        troubles=troubles,
        quiet=quiet,
    )

    async def run() -> None:
        running = Street(place, options)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, running.stop)
        await running.run()

    asyncio.run(run())
