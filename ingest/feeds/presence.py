"""Presence as plain text, in whatever words a dialect has for it."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.contract import Presence
from ingest.feeds import Decoded, Message, Route
from ingest.feeds.problems import refused
from ingest.readings import PresenceChange
from ingest.reasons import Reason

WORDS: Mapping[bytes, str] = {state.value.encode(): state.value for state in Presence}
"""The words of the contract, which most dialects share."""


def presence(message: Message, route: Route, words: Mapping[bytes, str] = WORDS) -> Decoded:
    """What the device says of itself.

    Args:
        message: Whose payload is one word.
        route: Of the device.
        words: The dialect's word to the contract's.
    """
    state = words.get(message.payload)
    if state is not None:
        return Decoded([PresenceChange(route.source, state, message.received_us)], [])
    try:
        text = message.payload[:100].decode()
    except UnicodeDecodeError:
        return refused(message, route, (Reason.NOT_UTF8, "the payload is not text"))
    *most, last = [word.decode() for word in words]
    return refused(
        message, route, (Reason.WRONG_TYPE, f"presence is {text!r}; allowed is the plain text {', '.join(most)} or {last}")
    )


def alive(message: Message, route: Route) -> Decoded:
    """A message that says nothing to store, but that the device is there."""
    return Decoded([PresenceChange(route.source, Presence.ONLINE.value, message.received_us)], [], route=route)
