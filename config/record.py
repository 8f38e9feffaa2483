"""What a site's configuration says, thing by thing and key by key: compared when it is brought into the database, so that a change is seen.

Passwords are in none of it: of an address with one, user and password are left out, and `contacts.yaml` is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config import thresholds
from config.files import Strict
from config.site import Site

SHIPPED: Final = Path(thresholds.__file__).parent
SITE_FILES: Final = ("rules.yaml", "messages.yaml", "calendar.yaml", "alerts.yaml")
Content = dict[str, Any]


def record(site: Site) -> dict[tuple[str, str], Content]:
    """Everything that a site is configured with, by kind and name; the keys of a content are paths such as `detectors.N1.distance`."""
    kinds: tuple[tuple[str, Iterable[Strict]], ...] = (
        ("link", site.links),
        ("junction", site.junctions),
        ("corridor", site.corridors),
        ("controller", site.controllers),
        ("camera", site.cameras),
        ("sign", site.signs),
        ("sensor", (*site.network_links, *site.access_points, *site.applications)),
    )
    found = {("site", site.name): flat(site.general.model_dump(mode="json"))}
    for kind, things in kinds:
        for thing in things:
            content = flat(thing.model_dump(mode="json"))
            found[kind, str(content["id"])] = content
    for name in SITE_FILES:
        if (site.path / name).is_file():
            found["file", name] = _file(site.path / name)
    for path in sorted(SHIPPED.glob("*.yaml")):
        found["thresholds", path.stem] = _file(path)
    return found


def flat(value: Mapping[str, Any]) -> Content:
    """Nested values by their paths; a list of things with an `id` is walked by their ids, any other list is one value."""
    return dict(_leaves(value, ""))


def _leaves(value: object, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        parts = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, (list, tuple)) and value and all(isinstance(one, Mapping) and "id" in one for one in value):
        parts = [(str(one["id"]), one) for one in value]
    else:
        yield path, _without_password(value) if isinstance(value, str) else value
        return
    for key, inner in parts:
        yield from _leaves(inner, f"{path}.{key}" if path else key)


def _without_password(text: str) -> str:
    if "://" not in text or "@" not in text:
        return text
    parts = urlsplit(text)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _file(path: Path) -> Content:
    """A YAML file as it stands, right or wrong: whoever reads it for use says what is wrong with it."""
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, OSError, UnicodeDecodeError) as error:
        return {"unreadable": str(error).partition("\n")[0]}
    plain = json.loads(json.dumps(content, default=str))
    return flat(plain) if isinstance(plain, dict) else {"": plain}
