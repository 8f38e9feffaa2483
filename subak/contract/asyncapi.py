"""The contract as an AsyncAPI 3.0 document."""

from __future__ import annotations

from typing import Any

from config.site import Kind
from subak.contract.schemas import components, draft_07
from subak.contract.streams import CHANNELS, Channel, Direction

VERSION = "1.0.0"  # of the contract; its major number is the v1 of the topics

_PARAMETERS = {
    "site": {"description": "Name of the site, as in its site.yaml.", "examples": ["badung"]},
    "device": {"description": "Name of the device, as in the site folder.", "examples": ["atc-dewa-ruci"]},
    "kind": {"description": "What the device is.", "enum": [kind.value for kind in Kind]},
}


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:subak:v1",
        "info": {
            "title": "Subak device contract",
            "version": VERSION,
            "description": "What devices of a city's streets publish, and what signs are told. Prose: docs/contract.md.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.stream.value: _channel(channel) for channel in CHANNELS},
        "operations": {_operation_name(channel): _operation(channel) for channel in CHANNELS},
        "components": {
            "parameters": _PARAMETERS,
            "messages": {channel.stream.value: _message(channel) for channel in CHANNELS},
            "schemas": draft_07(components("#/components/schemas/{name}")),
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    names = [name for name in _PARAMETERS if f"{{{name}}}" in channel.address]
    return {
        "address": channel.address,
        "title": channel.title,
        "messages": {channel.stream.value: {"$ref": f"#/components/messages/{channel.stream}"}},
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in names},
    }


def _operation_name(channel: Channel) -> str:
    verb = "send" if channel.direction is Direction.OUT else "receive"
    return f"{verb}{channel.stream.value.capitalize()}"


def _operation(channel: Channel) -> dict[str, Any]:
    return {
        "action": "send" if channel.direction is Direction.OUT else "receive",
        "channel": {"$ref": f"#/channels/{channel.stream}"},
        "messages": [{"$ref": f"#/channels/{channel.stream}/messages/{channel.stream}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}},
    }


def _message(channel: Channel) -> dict[str, Any]:
    message: dict[str, Any] = {"name": channel.stream.value, "title": channel.title, "contentType": channel.media}
    if channel.type is None:
        # Binary: AsyncAPI describes it by content type; the schema only says that it is opaque.
        message["summary"] = "One JPEG picture. Pixels end at the door: only arrival and size are stored."
        message["payload"] = {"type": "string", "contentMediaType": channel.media}
    else:
        message["payload"] = {"$ref": f"#/components/schemas/{channel.type.__name__}"}
    if channel.case is not None:
        message["examples"] = [{"name": channel.case, "payload": channel.example}]
    return message
