"""`subak camera`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from config.errors import ConfigError
from ingest.camera.geometry import Line
from ingest.contract import VehicleClass

app = App(name="camera", help="Count vehicles in video.")
app.command("subak.camera.run:run", name="run", help="Count in the cameras of the site, one process a decoder.")
app.command("subak.camera.run:snapshot", name="snapshot", help="Save a camera's picture of this moment; it is logged who asked.")
app.command("subak.camera.validate:app", name="validate", help="How well a camera counts, by minutes counted by hand.")

Text = Annotated[tuple[str, ...], Parameter(negative="")]


class Event(msgspec.Struct, frozen=True):
    """One crossing in the answer of `subak camera count`; `line` only where there are several."""

    frame: int
    direction: str
    # The answer's own word.
    class_: str = msgspec.field(name="class")
    line: str | msgspec.UnsetType = msgspec.UNSET


class CountAnswer(msgspec.Struct, frozen=True):
    """The answer of `subak camera count --json`."""

    file: str
    frames: int
    detector: str
    crossings: dict[str, dict[str, int]]
    events: list[Event]
    conditions: list[str]


@app.command
def count(
    file: Path,
    *,
    line: Text = (),
    roi: str | None = None,
    model: Path | None = None,
    view: Path | None = None,
    json: bool = False,
) -> None:
    """Count the vehicles of a video file over a line, by direction and class.

    Parameters
    ----------
    file
        Video file.
    line
        x1,y1,x2,y2 in pixels of the picture. Who stands at the first point and looks to the second has a left and a right:
        forward is from left to right. May be repeated.
    roi
        Left, top, width and height of the part of the picture to look at: x,y,w,h.
    model
        YOLOX-style ONNX model; the background model otherwise.
    view
        YAML file with lines, and four measured points of the road for classes by size and speeds (docs/camera-counting.md).
    json
        One JSON object instead of a table.
    """
    try:
        from ingest.camera.offline import count as count_file
        from ingest.camera.video import VideoError
        from ingest.camera.view import View
        from subak.camera.views import parse_line, parse_roi, read_view
    except ImportError as error:
        raise ConfigError(f"cameras need {error.name}; install it with: pip install 'subak[camera]'") from None
    known = read_view(view) if view else View()
    lines = [*known.lines, *(parse_line(text, f"line{index}") for index, text in enumerate(line, 1))]
    if not lines:
        raise ConfigError("--line: give at least one line as x1,y1,x2,y2, or a --view with lines")
    whole = msgspec.structs.replace(known, lines=tuple(lines), roi=parse_roi(roi) if roi else known.roi)
    try:
        done = count_file(file, whole, model)
    except VideoError as error:
        raise ConfigError(str(error)) from error
    if done.frames and known.size is None and (outside := _outside(whole.lines, done.size)):
        raise ConfigError(f"--line: {outside} lies outside the picture of {done.size[0]} x {done.size[1]} pixels")
    several = len(lines) > 1
    crossings = {direction: {name.value: 0 for name in VehicleClass} for direction in ("forward", "backward")}
    events = []
    for item in done.crossings:
        crossings[item.direction.value][item.vehicle.value] += 1
        events.append(Event(item.frame, item.direction.value, item.vehicle.value, item.line if several else msgspec.UNSET))
    answer = CountAnswer(str(file), done.frames, done.detector, crossings, events, _conditions(done.blinded, whole.pixels, model))
    if json:
        print(msgspec.json.encode(answer).decode())
    else:
        _print(answer)


def _outside(lines: Sequence[Line], size: tuple[int, int]) -> str | None:
    for item in lines:
        if all(not (0 <= x <= size[0] and 0 <= y <= size[1]) for x, y in (item.first, item.second)):
            return f"{item.first[0]:g},{item.first[1]:g},{item.second[0]:g},{item.second[1]:g}"
    return None


def _conditions(blinded: int, pixels: Sequence[object], model: Path | None) -> list[str]:
    found = []
    if blinded:
        found.append(f"exposure: {blinded} frames not used")
    if model is None and not pixels:
        found.append("classes: by relative size, the ground was not measured")
    return found


def _print(answer: CountAnswer) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{answer.file}: {answer.frames} frames, {answer.detector}")
    table.add_column("direction")
    for name in VehicleClass:
        table.add_column(name.value, justify="right")
    table.add_column("all", justify="right")
    for direction, classes in answer.crossings.items():
        table.add_row(direction, *(str(classes[name.value]) for name in VehicleClass), str(sum(classes.values())))
    console = Console()
    console.print(table)
    for condition in answer.conditions:
        console.print(condition)
