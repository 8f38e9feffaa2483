"""What a camera costs: `make bench-camera`. Processor time, one thread, so that another load does not change the figures."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from config.site import load_site
from subak.street.render import SCENES, render
from tests.support.shared import SHARED

SITE = Path(__file__).parents[2] / "config" / "sites" / "badung"
FPS = 10

CAMERAS = {"background": 12.0, "yolox_nano": 5.0}
"""Goals: cameras a core at 10 frames/s."""

MEMORY = 150.0
"""Goal: MB a camera."""


def main() -> None:
    """Measure each detector on each view in a process of its own, and print the table."""
    model = SHARED / "models" / "yolox_nano.onnx"
    table = Table(title="one camera of 640 x 360, decoding included; in brackets the part of the goal that is reached")
    for name in (
        "view",
        "detector",
        "ms a frame",
        "frames/s a core",
        f"cameras a core at {FPS}/s",
        "MB (PSS)",
        "MB (peak RSS)",
        "CPU s to ready",
        "CPU s to first count",
        "s from passage to count",
    ):
        table.add_column(name, justify="right")
    figures: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        site = load_site(SITE)
        for scene in SCENES:
            file = Path(folder) / f"{scene.name}.mp4"
            truth = render(replace(scene, seconds=60, seed=2), file, site)
            for path in (None, model) if model.is_file() else (None,):
                command = [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.camera_one",
                    str(file),
                    msgspec.json.encode(truth.view).decode(),
                ]
                done = subprocess.run([*command, str(path or "")], capture_output=True, text=True, check=True)
                found = json.loads(done.stdout)
                name = path.stem if path else "background"
                rate = 1000 / found["ms"]
                table.add_row(
                    f"street {scene.name}",
                    name,
                    f"{found['ms']:.1f}",
                    f"{rate:.0f}",
                    f"{rate / FPS:.1f} ({rate / FPS / CAMERAS[name]:.2f})",
                    f"{found['pss']:.0f}",
                    f"{found['peak']:.0f} ({MEMORY / found['peak']:.2f})",
                    f"{found['ready_s']:.1f}",
                    *("counts none" if found[key] is None else f"{found[key]:.1f}" for key in ("first_s", "delay_s")),
                )
                figures |= {
                    f"{scene.name}_{name}_{key}": value if value is None else round(value, 2) for key, value in found.items()
                }
    Console(width=150).print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
