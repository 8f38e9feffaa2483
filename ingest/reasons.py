"""Why a message, or a part of one, could not become facts: the `reason` of a dead letter."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A named reason; `advice` says what a technician should do about it."""

    advice: str

    def __new__(cls, value: str, advice: str = "") -> Self:
        """Make a member whose value is the stored word and which carries its advice."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.advice = advice
        return member

    UNKNOWN_TOPIC = "unknown_topic", "The topic is not of the form subak/v1/{site}/{kind}/{device}/{stream}."
    UNKNOWN_SITE = "unknown_site", "The topic names another site; check the device's configuration or SUBAK_SITE."
    UNKNOWN_DEVICE = "unknown_device", "No such device in the site folder; add it there or correct the device's name."
    UNKNOWN_STREAM = "unknown_stream", "The device's kind has no such stream; see docs/contract.md."
    UNKNOWN_LANE = "unknown_lane", "The device has no such lane in the site folder; add it there or correct the lane's name."
    UNKNOWN_METRIC = (
        "unknown_metric",
        "The metric is not in config/metrics.yaml for this kind of device; add it there or correct its name.",
    )
    UNKNOWN_ALIAS = (
        "unknown_alias",
        "Nobody told what the alias stands for, as when Subak started after the edge node's birth; ask the edge node for a rebirth (Node Control/Rebirth).",
    )
    STALE_DEATH = (
        "stale_death",
        "The last will of a session that the edge node has replaced since; nothing to do, unless it comes often (two clients with one id).",
    )
    EMPTY_PAYLOAD = "empty_payload", "The message has no payload (a cleared retained message has none)."
    NOT_UTF8 = "not_utf8", "The payload is not UTF-8 text."
    NOT_JSON = "not_json", "The payload is not valid JSON: cut off, garbled, or NaN and Infinity, which JSON has not."
    NOT_CBOR = "not_cbor", "The payload is not valid CBOR: cut off, garbled, or in another encoding such as JSON."
    NOT_PROTOBUF = (
        "not_protobuf",
        "The payload is not a valid Sparkplug B payload: cut off, garbled, or in another encoding such as JSON.",
    )
    TOO_DEEP = "too_deep", "The payload is nested too deeply to be a message of ours."
    TOO_LARGE = "too_large", "The payload is larger than any message of ours; only its beginning was kept."
    WRONG_TYPE = "wrong_type", "A field is missing or has the wrong type; the detail names it."
    OUT_OF_RANGE = "out_of_range", "A value cannot be true (negative volume, occupancy above 100); the detail names it."
    INCOMPLETE_COUNT = (
        "incomplete_count",
        "The message counts one type of vehicle alone, which is not the lane's volume; send all types of a lane and period in one message.",
    )
    TIME_IN_FUTURE = "time_in_future", "The device's clock is more than a day ahead; set it."
    TIME_TOO_OLD = "time_too_old", "The time is before 2000, as after a lost clock battery; set the device's clock."
    NOT_AN_IMAGE = "not_an_image", "A frame must be one JPEG picture."
    DECODER_FAULT = "decoder_fault", "The decoder itself failed, which is a fault of Subak: report it with this payload."
    STORAGE_REFUSED = "storage_refused", "The database refused a value that the door let through: report it with this payload."
