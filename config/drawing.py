"""Lines and zones that a person drew, written into `cameras.yaml` of a site folder without losing its comments."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from config.errors import ConfigFileError
from config.site import load_site

FILE = "cameras.yaml"

Points = Sequence[tuple[float, float]]


def draw(site: Path, camera: str, size: tuple[int, int], lanes: Mapping[str, Points], zones: Mapping[str, Points]) -> None:
    """Write a camera's counting lines by lane and its new zones; what cannot be loaded afterwards is not written.

    Args:
        site: Site folder.
        camera: Name of the camera.
        size: Width and height of the picture in which it was drawn.
        lanes: Two ends by lane of the junction; a lane that is there gets another line.
        zones: Corners by name; a zone that is there gets other corners.

    Raises:
        ConfigFileError: There is no such camera, or the site would not be right with it.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 130
    yaml.indent(mapping=2, sequence=4, offset=2)
    path = site / FILE
    content = yaml.load(path.read_text(encoding="utf-8"))
    found = next((item for item in content["cameras"] if item["id"] == camera), None)
    if found is None:
        raise ConfigFileError(path, [f"there is no camera {camera!r}"])
    found["picture"] = _flow(list(size))
    for lane, points in lanes.items():
        entry = _entry(found, "lanes", lane)
        entry.setdefault("lane", lane)
        entry["line"] = _flow([_flow([round(x), round(y)]) for x, y in points])
    for zone, points in zones.items():
        entry = _entry(found, "zones", zone)
        entry["points"] = _flow([_flow([round(x), round(y)]) for x, y in points])
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "site"
        shutil.copytree(site, trial)
        with (trial / FILE).open("w", encoding="utf-8") as file:
            yaml.dump(content, file)
        try:
            load_site(trial)
        except ConfigFileError as error:
            raise ConfigFileError(path, [str(error).replace(str(trial), str(site))]) from None
        # In one step, so that nobody reads half a file.
        ready = path.with_suffix(".yaml.new")
        shutil.copyfile(trial / FILE, ready)
        ready.replace(path)


def _entry(camera: CommentedMap, kind: str, name: str) -> CommentedMap:
    items = camera.setdefault(kind, CommentedSeq())
    found = next((item for item in items if item["id"] == name), None)
    if found is None:
        found = CommentedMap({"id": name})
        found.fa.set_flow_style()
        items.append(found)
    return found


def _flow(values: list[object]) -> CommentedSeq:
    made = CommentedSeq(values)
    made.fa.set_flow_style()
    return made
