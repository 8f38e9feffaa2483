"""Clips of the street with the truth beside them: `python -m subak.street.render`.

A camera's view of one approach, drawn from the simulation at several frames a second, written as video, and what
really went over its counting line. They are for measuring counters; what is drawn is simpler than any real road.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import msgspec
import numpy as np

from config.settings import load_settings
from config.site import Approach, Site, load_site
from ingest.camera.geometry import Line, Zone, ZoneKind
from ingest.camera.view import View
from ingest.contract import VehicleClass
from subak.street.assumptions import Assumptions, load_assumptions
from subak.street.network import LANE_WIDTH
from subak.street.picture import HEIGHT, WIDTH, Image, Mount, Picture
from subak.street.traffic import Seen, Traffic

REACH = 70.0
"""Metres of the approach that are drawn."""

GONE = 4.0
"""Seconds for which a vehicle that has passed the stop line is drawn on, at its last speed."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be seen.

    Attributes:
        name: Of the clip.
        junction: Where.
        approach: Along which approach.
        start: Local time of the day, HH:MM.
        seconds: How long.
        mount: How the camera hangs.
        line: Metres from the stop line to the counting line.
        demand: Times the street's usual demand.
        seed: Of the traffic.
        fps: Frames a second.
        noise: Standard deviation of the sensor's noise, grey levels.
        pumping: Part by which the exposure swings when bright vehicles fill the picture.
    """

    name: str
    junction: str
    approach: str
    start: str
    seconds: int
    mount: Mount
    line: float = 12.0
    demand: float = 1.0
    seed: int = 1
    fps: int = 10
    noise: float = 2.0
    pumping: float = 0.05


POLE = Mount(height=8.0, setback=4.0, tilt=30.0)
"""On the signal's own pole arm, 8 m up: where counting cameras are put, steep enough to see between vehicles."""

SCENES = (
    Scene("day", "sunset-patih-jelantik", "SE", "10:00", 180, POLE),
    Scene("dense", "dewa-ruci", "NW", "17:30", 180, POLE, demand=1.6),
    Scene("night", "kerobokan-lp", "NE", "21:00", 180, POLE, demand=1.6, noise=4.0, pumping=0.12),
)


class Truth(msgspec.Struct, frozen=True):
    """What really happened in a clip.

    Attributes:
        frames: How many it has.
        fps: Frames a second.
        crossings: Frame and class of each vehicle whose middle went over the line, in order.
        view: Line, zone and measured ground, as a camera's configuration has them.
    """

    frames: int
    fps: int
    crossings: tuple[tuple[int, VehicleClass], ...]
    view: View

    @property
    def by_class(self) -> dict[VehicleClass, int]:
        """Crossings by class."""
        return {name: sum(item is name for _, item in self.crossings) for name in VehicleClass}


def render(scene: Scene, out: Path, site: Site, assumptions: Assumptions | None = None) -> Truth:
    """Draw `scene` into the video `out` (its suffix tells the container) and the truth beside it, as JSON."""
    assumptions = _busier(assumptions or load_assumptions(), scene.demand)
    approach = next(item for item in site.junction[scene.junction].approaches if item.id == scene.approach)
    picture = Picture(f"{scene.name}  {site.link[approach.link].road}", len(approach.lanes), scene.mount, assumptions.classes)
    hour, minute = (int(part) for part in scene.start.split(":"))
    start = datetime(2026, 11, 24, hour, minute, tzinfo=site.zone)
    random = np.random.default_rng(scene.seed)
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"mp4v"), scene.fps, (WIDTH, HEIGHT))
    crossings: list[tuple[int, VehicleClass]] = []
    before: dict[str, float] = {}
    frames = 0
    with Traffic(site, assumptions, scene.seed, round(start.timestamp())) as traffic:
        for _ in traffic.warm_up():
            pass
        for seen in _moments(traffic, approach, scene):
            for vehicle in seen:
                middle = vehicle.distance + assumptions.classes[vehicle.vehicle].length / 2
                if before.get(vehicle.name, middle) > scene.line >= middle:
                    crossings.append((frames, vehicle.vehicle))
                before[vehicle.name] = middle
            image = picture.draw(seen, start + timedelta(seconds=frames / scene.fps))
            writer.write(_sensor(image, scene, random))
            frames += 1
    writer.release()
    truth = Truth(frames, scene.fps, tuple(crossings), view_of(scene, picture, len(approach.lanes)))
    out.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(truth)))
    return truth


def view_of(scene: Scene, picture: Picture, lanes: int) -> View:
    """The configuration that an installer would measure for this camera: forward is towards it."""
    road = lanes * LANE_WIDTH
    # From the median to the kerb, which lie left and right in the picture; a little over both, as one draws it.
    first, second = picture.project(scene.line, road + 0.6, 0), picture.project(scene.line, -0.6, 0)
    corners = [(scene.line - 6, 0.0), (scene.line - 6, road), (scene.line + 10, road), (scene.line + 10, 0.0)]
    pixels = tuple(picture.project(distance, lateral, 0) for distance, lateral in corners)
    zone = Zone("approach", pixels, ZoneKind.QUEUE, heading=(picture.project(20, road / 2, 0), picture.project(4, road / 2, 0)))
    return View(
        lines=(Line(first, second, scene.approach),),
        zones=(zone,),
        size=(WIDTH, HEIGHT),
        pixels=pixels,
        metres=tuple((lateral, distance) for distance, lateral in corners),
    )


def _moments(traffic: Traffic, approach: Approach, scene: Scene) -> Iterator[list[Seen]]:
    """Vehicles at each frame: between two seconds of the simulation they move evenly."""
    last = _by_name(traffic.seen(approach, REACH))
    leaving: dict[str, tuple[Seen, float]] = {}
    for _ in range(scene.seconds):
        traffic.step()
        now = _by_name(traffic.seen(approach, REACH))
        for name, vehicle in last.items():
            # Near the stop line: it drove on. Farther up it was lifted out of a jam, or changed to another road.
            if name not in now and vehicle.distance < vehicle.speed + 8:
                leaving[name] = (vehicle, 0.0)
        for step in range(scene.fps):
            part = (step + 1) / scene.fps
            seen: list[Seen] = []
            for name, after in now.items():
                earlier = last.get(name)
                from_distance = earlier.distance if earlier else after.distance + after.speed
                from_lateral = earlier.lateral if earlier else after.lateral
                seen.append(
                    replace(
                        after,
                        distance=from_distance + (after.distance - from_distance) * part,
                        lateral=from_lateral + (after.lateral - from_lateral) * part,
                    )
                )
            for vehicle, age in leaving.values():
                distance = vehicle.distance - max(vehicle.speed, 3.0) * (age + part)
                if distance > -scene.mount.setback + 1:
                    seen.append(replace(vehicle, distance=distance))
            yield sorted(seen, key=lambda item: -item.distance)
        leaving = {name: (vehicle, age + 1) for name, (vehicle, age) in leaving.items() if age + 1 < GONE}
        last = now


def _by_name(seen: Sequence[Seen]) -> Mapping[str, Seen]:
    return {vehicle.name: vehicle for vehicle in seen}


def _sensor(image: Image, scene: Scene, random: np.random.Generator) -> Image:
    """Exposure that answers to what is bright, and noise."""
    bright = float(image.mean())
    gain = 1 - scene.pumping * (bright - 90) / 90
    noise = random.normal(0, scene.noise, image.shape[:2]).astype(np.float32)[:, :, None]
    taken: Image = np.clip(image * np.float32(gain) + noise, 0, 255).astype(np.uint8)
    return taken


def _busier(assumptions: Assumptions, times: float) -> Assumptions:
    entering = {limit: flow * times for limit, flow in assumptions.entering_per_lane.items()}
    return assumptions.model_copy(update={"entering_per_lane": entering})


def main() -> None:
    """Write the clips and say what is in them."""
    parser = argparse.ArgumentParser(prog="python -m subak.street.render", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the clips go")
    parser.add_argument(
        "--scene", action="append", choices=[scene.name for scene in SCENES], help="only this one; may be repeated"
    )
    parser.add_argument("--seconds", type=int, help="length of each clip; 180 when left out")
    parser.add_argument("--seed", type=int, help="of the traffic")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    site = load_site(load_settings().site)
    for scene in SCENES:
        if given.scene and scene.name not in given.scene:
            continue
        wanted = replace(scene, seconds=given.seconds or scene.seconds, seed=given.seed or scene.seed)
        out = given.folder / f"{scene.name}.mp4"
        truth = render(wanted, out, site)
        print(f"{out}: {truth.frames} frames;", ", ".join(f"{name} {count}" for name, count in truth.by_class.items()))


if __name__ == "__main__":
    main()
