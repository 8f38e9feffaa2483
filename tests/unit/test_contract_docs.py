"""The documents of the contract say what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from config.errors import ConfigError
from ingest.reasons import Reason
from ingest.topics import STREAMS, Stream
from subak.contract import asyncapi, contract
from subak.contract.command import DOCS
from subak.contract.streams import CHANNELS, Direction

BY_STREAM = {channel.stream: channel for channel in CHANNELS}


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "$ref":
                yield part
            else:
                yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def resolve(document: dict[str, Any], reference: str) -> object:
    assert reference.startswith("#/")
    here: Any = document
    for key in reference[2:].split("/"):
        here = here[key]
    return here


def test_the_committed_documents_are_up_to_date() -> None:
    with pytest.raises(SystemExit) as end:
        contract(check=True)
    assert end.value.code == 0, "run: subak contract"


def test_check_names_the_stale_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "contract.md").write_text((DOCS / "contract.md").read_text())
    contract(docs=tmp_path)
    stale, left = tmp_path / "schema" / "counts.json", tmp_path / "schema" / "gone.json"
    stale.write_text("{}")
    left.write_text("{}")
    with pytest.raises(SystemExit) as end:
        contract(check=True, docs=tmp_path)
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert f"{stale} is not what ingest/contract.py says; run: subak contract" in said
    assert f"{left} belongs to no stream" in said
    contract(docs=tmp_path)
    with pytest.raises(SystemExit) as end:
        contract(check=True, docs=tmp_path)
    assert end.value.code == 0


def test_a_missing_marker_is_named(tmp_path: Path) -> None:
    (tmp_path / "contract.md").write_text("nothing here")
    with pytest.raises(ConfigError, match="markers of the generated part topics are missing"):
        contract(docs=tmp_path)


def test_every_stream_of_every_kind_has_a_channel() -> None:
    document = asyncapi.document()
    covered = {
        (kind, channel.stream)
        for channel in CHANNELS
        for kind in channel.kinds
        if document["channels"][channel.stream.value]["address"].endswith(f"/{channel.stream}")
    }
    assert covered == {(kind, stream) for kind, streams in STREAMS.items() for stream in streams}
    assert len(CHANNELS) == len(Stream)


def test_only_commands_go_out() -> None:
    assert [channel.stream for channel in CHANNELS if channel.direction is Direction.OUT] == [Stream.COMMAND]


def test_only_presence_is_retained() -> None:
    assert [channel.stream for channel in CHANNELS if channel.retain] == [Stream.PRESENCE]


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = YAML(typ="safe").load((DOCS / "asyncapi.yaml").read_text())
    assert document == msgspec.to_builtins(asyncapi.document())
    found = list(references(document))
    assert len(found) > 20
    for reference in found:
        assert resolve(document, reference)


def test_the_parameters_of_every_address_are_declared() -> None:
    for channel in asyncapi.document()["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])


@pytest.mark.parametrize("path", sorted((DOCS / "schema").glob("*.json")), ids=lambda path: path.stem)
def test_every_reference_of_a_schema_leads_somewhere(path: Path) -> None:
    schema = json.loads(path.read_text())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for reference in references(schema):
        assert resolve(schema, reference)


def test_every_example_of_the_prose_decodes() -> None:
    examples = re.findall(r"```(json|text) (\w+)\n(.*?)\n```", (DOCS / "contract.md").read_text(), re.DOTALL)
    assert {stream for _, stream, _ in examples} == {c.stream.value for c in CHANNELS if c.type is not None}
    for language, stream, text in examples:
        kind = BY_STREAM[Stream(stream)].type
        assert kind is not None
        payload = text if language == "json" else json.dumps(text)
        msgspec.json.decode(payload, type=kind)


def test_every_example_of_the_asyncapi_document_decodes() -> None:
    for stream, message in asyncapi.document()["components"]["messages"].items():
        kind = BY_STREAM[Stream(stream)].type
        for example in message.get("examples", []):
            assert kind is not None
            msgspec.convert(example["payload"], kind)


def test_every_reason_is_explained() -> None:
    prose = (DOCS / "contract.md").read_text()
    for reason in Reason:
        assert f"| `{reason}` | {reason.advice} |" in prose
