"""Clips, detectors, truth and count: `python -m tests.benchmarks.camera_table`.

The clips beside the project (where they are) and views drawn from the street, each with both detectors. Every camera has the same
thresholds; what differs is geometry. Thresholds were looked at with seeds 1 and 11, never with those counted here by default.
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


Passage = tuple[int, VehicleClass]
"""Frame and class."""

NEAR = 12
"""Frames within which a count may be that of a passage."""

OTHER_CLASS = 6
"""Frames that a count of the right class may be farther away than one of a wrong class."""


@dataclass(frozen=True)
class Case:
    """One line of one clip.

    Attributes:
        name: Of clip and line.
        file: Video.
        view: Geometry with that line alone.
        direction: Which way is counted.
        truth: By class; `all` where only the sum is known; empty where nothing is.
        passages: Frame and class of each vehicle that passed, where that is known.
    """

    name: str
    file: Path
    view: View
    direction: str
    truth: dict[str, int]
    passages: tuple[Passage, ...] = ()


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
        file = folder / f"{scene.name}-{seed}.mp4"
        truth = render(replace(scene, seconds=seconds, seed=seed), file, site)
        by_class = {name.value: number for name, number in truth.by_class.items() if number}
        name = f"street {scene.name}, seed {seed}"
        yield Case(name, file, truth.view, "forward", {"all": len(truth.crossings), **by_class}, truth.crossings)


def match(truth: Sequence[Passage], counted: Sequence[Passage]) -> tuple[int, int, int]:
    """How many were missed, counted though nothing passed, and counted in the wrong class: nearest in time, same class first."""
    pairs = sorted(
        (abs(one[0] - two[0]) + (0 if one[1] is two[1] else OTHER_CLASS), i, j)
        for i, one in enumerate(truth)
        for j, two in enumerate(counted)
        if abs(one[0] - two[0]) <= NEAR
    )
    mine: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in mine and j not in mine.values():
            mine[i] = j
    wrong = sum(truth[i][1] is not counted[j][1] for i, j in mine.items())
    return len(truth) - len(mine), len(counted) - len(mine), wrong


def tell(cases: Sequence[Case], model: Path | None) -> Table:
    """The table."""
    table = Table(title="clip x detector: truth and counted")
    for name in (
        "clip",
        "detector",
        "truth",
        "counted",
        "off",
        "missed / none there / wrong class",
        "other way",
        "truth by class",
        "counted by class",
    ):
        table.add_column(name)
    for case in cases:
        for detector in (None, model) if model else (None,):
            done = count(case.file, case.view, detector)
            mine = [item for item in done.crossings if item.direction == case.direction]
            by_class = {name.value: sum(item.vehicle is name for item in mine) for name in VehicleClass}
            passages = [(item.frame, item.vehicle) for item in mine]
            table.add_row(
                case.name,
                done.detector,
                str(case.truth.get("all", "not known")),
                str(len(mine)),
                f"{len(mine) - case.truth['all']:+d}" if "all" in case.truth else "",
                " / ".join(map(str, match(case.passages, passages))) if case.passages else "",
                str(len(done.crossings) - len(mine)) if case.passages else "",
                " ".join(f"{name} {number}" for name, number in case.truth.items() if name != "all"),
                " ".join(f"{name} {number}" for name, number in by_class.items() if number),
            )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.camera_table", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="length of the drawn clips")
    parser.add_argument("--seed", type=int, action="append", help="of the drawn traffic; 2 when left out; may be repeated")
    given = parser.parse_args()
    model = SHARED / "models" / "yolox_nano.onnx"
    with tempfile.TemporaryDirectory() as folder:
        cases = [*real(), *(case for seed in given.seed or (2,) for case in drawn(Path(folder), given.seconds, seed))]
        Console(width=150).print(tell(cases, model if model.is_file() else None))


if __name__ == "__main__":
    main()
