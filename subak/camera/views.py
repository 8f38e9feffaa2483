"""Lines and views from a person's text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.errors import ConfigError
from config.files import Strict, load
from ingest.camera.geometry import Line, Zone, ZoneKind
from ingest.camera.view import View

Pixel = tuple[float, float]


class _Line(Strict):
    id: str
    line: tuple[float, float, float, float]


class _Zone(Strict):
    id: str
    points: Annotated[tuple[Pixel, ...], Field(min_length=3)]
    kind: ZoneKind = ZoneKind.PRESENCE
    heading: tuple[Pixel, Pixel] | None = None


class _Ground(Strict):
    pixel: Pixel
    metre: Pixel


class _View(Strict):
    size: tuple[int, int] | None = None
    lines: tuple[_Line, ...] = ()
    zones: tuple[_Zone, ...] = ()
    ground: Annotated[tuple[_Ground, ...], Field(max_length=4)] = ()
    roi: tuple[float, float, float, float] | None = None


def read_view(path: Path) -> View:
    """The view in a YAML file.

    Raises:
        ConfigFileError: The file does not fit.
    """
    found = load(path, _View)
    if len(found.ground) not in (0, 4):
        raise ConfigError(f"{path}: ground: needs four measured points, has {len(found.ground)}")
    return View(
        lines=tuple(_checked(item.line, item.id, f"{path}: lines: {item.id}") for item in found.lines),
        zones=tuple(Zone(item.id, item.points, item.kind, item.heading) for item in found.zones),
        size=found.size,
        pixels=tuple(item.pixel for item in found.ground),
        metres=tuple(item.metre for item in found.ground),
        roi=found.roi,
    )


def parse_line(text: str, name: str) -> Line:
    """A line from `x1,y1,x2,y2`.

    Raises:
        ConfigError: It is none.
    """
    return _checked(_four(text, "--line", "x1,y1,x2,y2"), name, f"--line: {text!r}")


def parse_roi(text: str) -> tuple[float, float, float, float]:
    """A part of the picture from `x,y,w,h`.

    Raises:
        ConfigError: It is none.
    """
    x, y, width, height = _four(text, "--roi", "x,y,w,h")
    if x < 0 or y < 0 or width < 1 or height < 1:
        raise ConfigError(f"--roi: {text!r} is no part of a picture; give left, top, width and height in pixels")
    return x, y, width, height


def _checked(four: tuple[float, float, float, float], name: str, where: str) -> Line:
    x0, y0, x1, y1 = four
    if (x0, y0) == (x1, y1):
        raise ConfigError(f"{where}: both points are the same; a line needs two")
    return Line((x0, y0), (x1, y1), name)


def _four(text: str, option: str, form: str) -> tuple[float, float, float, float]:
    try:
        a, b, c, d = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"{option}: {text!r} is not {form}") from None
    if not all(abs(value) < 1e6 for value in (a, b, c, d)):
        raise ConfigError(f"{option}: {text!r} has a number outside any picture")
    return a, b, c, d
