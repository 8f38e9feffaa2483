"""JSON Schema of the wire types."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from subak.contract.streams import CHANNELS, Channel

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Json = Any  # what a JSON parser gives
Schema = dict[str, Json]


def components(ref: str) -> dict[str, Schema]:
    """Schemas of all wire types by name.

    Args:
        ref: Template of references with `{name}`.
    """
    types = [channel.type for channel in CHANNELS if channel.type is not None]
    _, found = msgspec.json.schema_components(types, ref_template=ref)
    return {name: _tidy(schema) for name, schema in sorted(found.items())}


def document(channel: Channel) -> Schema:
    """The self-contained schema of one stream's payload.

    Raises:
        ValueError: The stream has no type.
    """
    if channel.type is None:
        raise ValueError(f"stream {channel.stream} has no schema: its payload is {channel.media}")
    [root], found = msgspec.json.schema_components([channel.type], ref_template="#/$defs/{name}")
    name = root["$ref"].rpartition("/")[2]
    top = _tidy(found.pop(name))
    schema: Schema = {"$schema": DIALECT, "$id": f"urn:subak:v1:{channel.stream}", **top, "title": channel.title}
    if found:
        schema["$defs"] = {key: _tidy(value) for key, value in found.items()}
    return schema


def draft_07(schema: Json) -> Json:
    """The same schema for readers of draft 7, which write the places of a tuple as `items`."""
    if isinstance(schema, list):
        return [draft_07(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: draft_07(value) for key, value in schema.items()}
    if "prefixItems" in changed:
        changed["items"] = changed.pop("prefixItems")
        changed["additionalItems"] = False
    return changed


def _tidy(schema: Json) -> Json:
    """Descriptions without the line breaks of their source."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: " ".join(inspect.cleandoc(value).split()) if key == "description" and isinstance(value, str) else _tidy(value)
        for key, value in schema.items()
    }
