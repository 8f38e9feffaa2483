"""What the generated documents say of each stream beyond its type."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from config.site import Kind
from ingest import contract
from ingest.feeds import native
from ingest.topics import ROOT, STREAMS, Stream

CASES = Path(native.__file__).parent / "cases"


class Direction(StrEnum):
    """Seen from Subak."""

    IN = "in"
    OUT = "out"


class Channel(Struct, frozen=True):
    """One stream as documented.

    Attributes:
        type: Wire type of its payload; None for a picture.
        case: Golden case of the native feed whose payload is the example; None where there is nothing to show.
        qos: MQTT quality of service to publish with.
    """

    stream: Stream
    title: str
    type: type[Any] | None
    case: str | None
    direction: Direction = Direction.IN
    qos: int = 1
    retain: bool = False
    media: str = "application/json"

    @property
    def kinds(self) -> list[Kind]:
        """Kinds of device that have the stream."""
        return [kind for kind, streams in STREAMS.items() if self.stream in streams]

    @property
    def address(self) -> str:
        """The topic, with parameters in braces."""
        kinds = self.kinds
        kind = kinds[0].value if len(kinds) == 1 else "{kind}"
        return f"{ROOT}/{{site}}/{kind}/{{device}}/{self.stream}"

    @property
    def example(self) -> dict[str, Any] | str | None:
        """The payload of its golden case: an object, a text, or None."""
        if self.case is None:
            return None
        case = json.loads((CASES / f"{self.case}.json").read_text(encoding="utf-8"))
        example: dict[str, Any] | str = case["payload"] if "payload" in case else case["payload_text"]
        return example


CHANNELS = (
    Channel(Stream.DETECTORS, "Detector readings", contract.Detectors, "detectors_usual"),
    Channel(Stream.EVENTS, "Hi-res events", contract.Events, "events_usual"),
    Channel(Stream.COUNTS, "Camera counts", contract.Counts, "counts_usual"),
    Channel(Stream.HEALTH, "Camera health", contract.Health, "health_usual"),
    Channel(Stream.FRAME, "Camera frame", None, None, qos=0, media="image/jpeg"),
    Channel(Stream.STATUS, "Sign status", contract.Status, "status_usual"),
    Channel(Stream.COMMAND, "Sign command", contract.Command, "command_usual", direction=Direction.OUT),
    Channel(Stream.RESULT, "Sign result", contract.Result, "result_refused"),
    Channel(Stream.METRICS, "Metrics", contract.Metrics, "metrics_usual"),
    Channel(Stream.PRESENCE, "Presence", contract.Presence, "presence_online", retain=True, media="text/plain"),
)
"""Every stream, in the order of the documents."""
