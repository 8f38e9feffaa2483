"""Clips, detectors, truth and count: `python -m tests.benchmarks.camera_table`.

The clips beside the project (where they are) and views drawn from the street, each with both detectors. Every camera has the same
thresholds; what differs is geometry. Seeds other than the one with which thresholds were looked at: `--seed`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from config.site import load_site
from ingest.camera.geometry import Line
from ingest.camera.offline import count
from ingest.camera.view import View
from ingest.contract import VehicleClass
from subak.street.render import SCENES, render
from tests.support.shared import SHARED

SITE = Path(__file__).parents[2] / "config" / "sites" / "badung"


@dataclass(frozen=True)
class Case:
    """One line of one clip.

    Attributes:
        name: Of clip and line.
        file: Video.
        view: Geometry with that line alone.
        direction: Which way is counted.
        truth: By class; `all` where only the sum is known; empty where nothing is.
    """

    name: str
    file: Path
    view: View
    direction: str
    truth: dict[str, int]


def real() -> Iterator[Case]:
    """The clips beside the project; truth as its README gives it."""
    clips = SHARED / "clips"
    for name, file, line, direction, truth in (
        ("side-view L-R", "side-view.mp4", Line((320, 300), (320, 140)), "forward", {"all": 17, "MP": 17}),
        ("side-view R-L", "side-view.mp4", Line((320, 95), (320, 0)), "backward", {"all": 9, "MP": 9}),
        ("car-detection up", "car-detection.mp4", Line((768, 216), (0, 216)), "forward", {"all": 2, "MP": 2}),
        ("car-detection down", "car-detection.mp4", Line((768, 216), (0, 216)), "backward", {"all": 2, "MP": 2}),
        ("dense-mixed down", "dense-mixed.mp4", Line((100, 330), (700, 330)), "forward", {}),
        ("dense-mixed up", "dense-mixed.mp4", Line((100, 330), (700, 330)), "backward", {}),
    ):
        if (clips / file).is_file():
            yield Case(name, clips / file, View(lines=(line,)), direction, truth)


def drawn(folder: Path, seconds: int, seed: int) -> Iterator[Case]:
    """Views of the street, rendered into `folder`."""
    site = load_site(SITE)
    for scene in SCENES:
        file = folder / f"{scene.name}.mp4"
        truth = render(replace(scene, seconds=seconds, seed=seed), file, site)
        by_class = {name.value: number for name, number in truth.by_class.items() if number}
        yield Case(f"street {scene.name}", file, truth.view, "forward", {"all": len(truth.crossings), **by_class})
        yield Case(f"street {scene.name}, other way", file, truth.view, "backward", {"all": 0})


def tell(cases: Sequence[Case], model: Path | None) -> Table:
    """The table."""
    table = Table(title="clip x detector: truth and counted")
    for name in ("clip", "detector", "truth", "counted", "off", "truth by class", "counted by class"):
        table.add_column(name)
    for case in cases:
        for detector in (None, model) if model else (None,):
            done = count(case.file, case.view, detector)
            mine = [item for item in done.crossings if item.direction == case.direction]
            by_class = {name.value: sum(item.vehicle is name for item in mine) for name in VehicleClass}
            table.add_row(
                case.name,
                done.detector,
                str(case.truth.get("all", "not known")),
                str(len(mine)),
                f"{len(mine) - case.truth['all']:+d}" if "all" in case.truth else "",
                " ".join(f"{name} {number}" for name, number in case.truth.items() if name != "all"),
                " ".join(f"{name} {number}" for name, number in by_class.items() if number),
            )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.camera_table", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="length of the drawn clips")
    parser.add_argument("--seed", type=int, default=1, help="of the drawn traffic")
    given = parser.parse_args()
    model = SHARED / "models" / "yolox_nano.onnx"
    with tempfile.TemporaryDirectory() as folder:
        cases = [*real(), *drawn(Path(folder), given.seconds, given.seed)]
        Console(width=150).print(tell(cases, model if model.is_file() else None))


if __name__ == "__main__":
    main()
