"""What a camera costs: `make bench-camera`. Processor time, one thread, so that another load does not change the figures."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import process_time

import cv2
import msgspec
from rich.console import Console
from rich.table import Table

from config.site import load_site
from config.thresholds.camera import seeing_thresholds
from ingest.camera.detect.background import Background
from ingest.camera.detect.choose import detector
from ingest.camera.seer import Seer
from ingest.camera.video import empty_road, frames
from ingest.camera.view import View
from subak.street.render import SCENES, render
from tests.support.shared import SHARED

SITE = Path(__file__).parents[2] / "config" / "sites" / "badung"
FPS = 10


def one(file: Path, view: View, model: Path | None) -> dict[str, float]:
    """Milliseconds a frame, seconds to the first count and MB of this process."""
    thresholds = seeing_thresholds()
    begin = process_time()
    eye = detector(model, thresholds)
    seer = Seer(view, eye, thresholds)
    if isinstance(eye, Background):
        road = empty_road(file, 120)
        if road is not None:
            eye.prime(seer.cut(road))
    started = process_time()
    first = 0.0
    number = 0
    for time_us, frame in frames(file):
        seen = seer.see(frame, time_us)
        number += 1
        if seen.crossings and not first:
            first = process_time() - begin
    spent = process_time() - started
    return {
        "ms": spent / number * 1000,
        "first_s": first,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "frames": number,
    }


def main() -> None:
    """Measure each detector on each view in a process of its own, and print the table."""
    if len(sys.argv) > 1:
        cv2.setNumThreads(1)
        given = Path(sys.argv[3]) if sys.argv[3] else None
        print(json.dumps(one(Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=View), given)))
        return
    model = SHARED / "models" / "yolox_nano.onnx"
    table = Table(title="a camera of 640 x 360, decoding included")
    for name in ("view", "detector", "ms a frame", "frames/s a core", f"cameras a core at {FPS}/s", "MB", "CPU s to first count"):
        table.add_column(name, justify="right")
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        site = load_site(SITE)
        for scene in SCENES[:2]:
            file = Path(folder) / f"{scene.name}.mp4"
            truth = render(replace(scene, seconds=60), file, site)
            for path in (None, model) if model.is_file() else (None,):
                command = [sys.executable, "-m", "tests.benchmarks.camera", str(file), msgspec.json.encode(truth.view).decode()]
                done = subprocess.run([*command, str(path or "")], capture_output=True, text=True, check=True)
                found = json.loads(done.stdout)
                name = path.stem if path else "background"
                rate = 1000 / found["ms"]
                table.add_row(
                    f"street {scene.name}",
                    name,
                    f"{found['ms']:.1f}",
                    f"{rate:.0f}",
                    f"{rate / FPS:.1f}",
                    f"{found['mb']:.0f}",
                    f"{found['first_s']:.1f}",
                )
                figures[f"{scene.name}_{name}_ms"] = round(found["ms"], 2)
    Console(width=120).print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
