"""The topic grammar `subak/v1/{site}/{kind}/{device}/{stream}`."""

from __future__ import annotations

from enum import StrEnum

from config.site import Kind

ROOT = "subak/v1"


class Stream(StrEnum):
    """The last level of a topic."""

    DETECTORS = "detectors"
    EVENTS = "events"
    COUNTS = "counts"
    HEALTH = "health"
    FRAME = "frame"
    STATUS = "status"
    COMMAND = "command"
    RESULT = "result"
    METRICS = "metrics"
    PRESENCE = "presence"


STREAMS: dict[Kind, frozenset[Stream]] = {
    Kind.ATC: frozenset({Stream.DETECTORS, Stream.EVENTS, Stream.METRICS, Stream.PRESENCE}),
    Kind.CCTV: frozenset({Stream.COUNTS, Stream.HEALTH, Stream.FRAME, Stream.METRICS, Stream.PRESENCE}),
    Kind.VMS: frozenset({Stream.STATUS, Stream.COMMAND, Stream.RESULT, Stream.METRICS, Stream.PRESENCE}),
    Kind.NET: frozenset({Stream.METRICS, Stream.PRESENCE}),
    Kind.WIFI: frozenset({Stream.METRICS, Stream.PRESENCE}),
    Kind.APP: frozenset({Stream.METRICS, Stream.PRESENCE}),
}
"""Which streams a device of each kind may have."""


def topic(site: str, kind: Kind, device: str, stream: Stream) -> str:
    """The topic of one stream of one device."""
    return f"{ROOT}/{site}/{kind}/{device}/{stream}"


def site_filter(site: str) -> str:
    """The topic filter of everything a site sends, well formed or not."""
    return f"{ROOT}/{site}/#"
