"""The generated parts of docs/contract.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from config.faults import load_occupancy_faults
from config.site import Metric
from ingest.reasons import Reason
from subak.contract.schemas import Schema, document
from subak.contract.streams import CHANNELS, Direction


def parts(metrics: tuple[Metric, ...]) -> dict[str, str]:
    """Markdown by the name of its marker."""
    return {
        "topics": topics(),
        "messages": messages(),
        "faults": faults(),
        "metrics": metrics_table(metrics),
        "reasons": reasons(),
    }


def topics() -> str:
    """One line a stream."""
    rows = []
    for channel in CHANNELS:
        schema = channel.media if channel.type is None else f"[{channel.stream}](schema/{channel.stream}.json)"
        direction = "device → Subak" if channel.direction is Direction.IN else "Subak → device"
        kinds = ", ".join(f"`{kind}`" for kind in channel.kinds)
        retained = "yes" if channel.retain else "no"
        rows.append((f"`{channel.address}`", kinds, direction, str(channel.qos), retained, schema))
    return table(("topic", "kinds", "direction", "QoS", "retained", "payload"), rows)


def messages() -> str:
    """A section a message: its fields and an example."""
    sections = []
    told: set[str] = set()
    for channel in CHANNELS:
        if channel.type is None:
            continue
        schema = document(channel)
        lines = [f"### `{channel.stream}`: {channel.title.lower()}", "", _sentence(schema.get("description", "")), ""]
        if "properties" in schema:
            lines += [_fields(schema, schema), ""]
        for name, part in schema.get("$defs", {}).items():
            if name not in told and "enum" not in part:
                told.add(name)
                shape = ", an array of three" if "prefixItems" in part else ""
                lines += [f"**{name}**{shape}: {_sentence(part.get('description', ''))}", ""]
                lines += [_fields(part, schema), ""] if "properties" in part else []
        if isinstance(channel.example, dict):
            text = json.dumps(channel.example, ensure_ascii=False)
            lines += [f"```json {channel.stream}", text, "```", ""]
        elif channel.example is not None:
            lines += [f"```text {channel.stream}", str(channel.example), "```", ""]
        sections.append("\n".join(lines).rstrip())
    return "\n\n".join(sections)


def faults() -> str:
    """Occupancy values that are faults."""
    rows = [(str(code), f"`{name}`") for code, name in sorted(load_occupancy_faults().items())]
    return table(("occupancy", "stored as fault"), rows)


def metrics_table(metrics: tuple[Metric, ...]) -> str:
    """Metrics that may be reported."""
    rows = [
        (f"`{m.name}`", m.title, m.unit, ", ".join(f"`{kind}`" for kind in m.kinds), f"{m.low:,.15g} to {m.high:,.15g}")
        for m in metrics
    ]
    return table(("metric", "meaning", "unit (UCUM)", "kinds", "possible"), rows)


def reasons() -> str:
    """Reasons of dead letters and what to do."""
    return table(("reason", "what it means and what to do"), [(f"`{reason}`", reason.advice) for reason in Reason])


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _fields(part: Schema, root: Schema) -> str:
    required = part.get("required", [])
    rows = []
    for name, field in part["properties"].items():
        kind, note = _type(field, root)
        rows.append((f"`{name}`", kind, "yes" if name in required else "", note))
    return table(("field", "type", "required", "meaning"), rows)


def _type(field: Schema, root: Schema) -> tuple[str, str]:
    """Type in words, and the description with it."""
    choices: list[Schema] = field.get("anyOf", [field])
    words, notes = [], [field.get("description", "")]
    for choice in choices:
        if "$ref" in choice:
            words.append(_referred(choice["$ref"], root))
        elif choice["type"] == "array":
            words.append(f"array of {_type(choice['items'], root)[0]}")
        else:
            words.append(_scalar(choice))
        notes.append(choice.get("description", "") if choice is not field else "")
    return " or ".join(words), " ".join(note for note in notes if note)


def _scalar(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "RFC 3339 time"
    word = str(schema["type"])
    if "maxLength" in schema:
        return f"{word} of {schema.get('minLength', 0)} to {schema['maxLength']:,} characters"
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    if low is None:
        return word
    above = "above " if "exclusiveMinimum" in schema else ""
    return f"{word} {above}{low:,} to {schema['maximum']:,}" if "maximum" in schema else f"{word} from {above}{low:,}"


def _referred(reference: str, root: Schema) -> str:
    name = reference.rpartition("/")[2]
    target: dict[str, Any] = root.get("$defs", {}).get(name, {})
    if "enum" in target:
        return "one of " + ", ".join(f"`{value}`" for value in target["enum"])
    return name


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) or not text else f"{text}."
