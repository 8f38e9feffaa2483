"""What is damaged: the messages of all golden cases, so that a new dialect is fuzzed as soon as it has some."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from tests.unit.ingest.cases import CASES, payload_of, read, received_us
from tests.unit.ingest.samples import DIALECTS

Encode = Callable[[Any], bytes]


class Sent(NamedTuple):
    """One message as it was sent.

    Attributes:
        tree: Its payload before it was encoded, where the case has that.
        encode: From such a tree to a payload.
    """

    topic: str
    payload: bytes
    received_us: int
    tree: Any = None
    encode: Encode | None = None


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def _sent(case: dict[str, Any], dialect: str, at_us: int) -> Sent:
    tree, encode = None, None
    if "payload" in case:
        tree, encode = case["payload"], _json
    elif "payload_encoded" in case:
        tree, encode = case["payload_encoded"], import_module(f"ingest.feeds.{dialect}.encode").encode
    return Sent(case["topic"], payload_of(case, dialect), at_us, tree, encode)


def corpus(dialect: str) -> list[Sent]:
    """Every message of the dialect's cases, and what came before them."""
    found = []
    for path in CASES:
        if path.parent.parent.name == dialect:
            case = read(path)
            found += [_sent(each, dialect, received_us(case)) for each in (*case.get("before", ()), case)]
    return found


def corpora() -> dict[str, list[Sent]]:
    """Messages by dialect."""
    return {dialect: corpus(dialect) for dialect in DIALECTS}
