"""The way back, for golden cases and for those who build an edge node: protobuf's JSON form to a payload."""

from __future__ import annotations

from google.protobuf import json_format

from ingest.feeds.sparkplug.payload import Payload


def encode(value: object) -> bytes:
    """`{"timestamp": …, "seq": …, "metrics": [{"name": …, "doubleValue": …}]}` as protobuf."""
    return bytes(json_format.ParseDict(value, Payload()).SerializeToString())
