"""Ways to spoil a good message, one for each kind of bad input that the pipeline must name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ingest.topics import Stream

DETECTORS = frozenset({Stream.DETECTORS})
ANY = frozenset({Stream.DETECTORS, Stream.EVENTS, Stream.HEALTH, Stream.METRICS})

Spoil = Callable[[str, bytes], tuple[str, bytes]]
"""From topic and payload to topic and payload."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One kind of damage.

    Attributes:
        name: As in the truth.
        streams: Streams whose messages it spoils.
        apply: Spoils one message.
    """

    name: str
    streams: frozenset[Stream]
    apply: Spoil


def _payload(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda topic, payload: (topic, change(payload))


def _replace(old: bytes, new: bytes) -> Spoil:
    return _payload(lambda payload: payload.replace(old, new, 1))


def _unknown_device(topic: str, payload: bytes) -> tuple[str, bytes]:
    levels = topic.split("/")
    levels[-2] = "atc-nowhere"
    return "/".join(levels), payload


DAMAGES: tuple[Damage, ...] = (
    Damage("cut", ANY, _payload(lambda payload: payload[: len(payload) * 2 // 3])),
    Damage("wrong_type", DETECTORS, _replace(b'"volume":', b'"volume":"many","was":')),
    Damage("nan", DETECTORS, _replace(b'"occupancy":', b'"occupancy":NaN,"was":')),
    Damage(
        "negative_volume", DETECTORS, _payload(lambda payload: re.sub(rb'"volume":(\d+|null)', b'"volume":-3', payload, count=1))
    ),
    Damage("not_utf8", ANY, _payload(lambda payload: payload[:8] + b"\xff\xfe" + payload[8:])),
    Damage("unknown_device", ANY, _unknown_device),
    Damage("unknown_lane", DETECTORS, _replace(b'"lanes":[{"id":"', b'"lanes":[{"id":"nowhere-')),
    Damage("level_too_many", ANY, lambda topic, payload: (f"{topic}/more", payload)),
    Damage("empty", ANY, _payload(lambda _: b"")),
)
"""In the order in which they take turns."""
