"""Events of a log as the records that MQTT brings, in messages of a size that a transaction takes well.

The key of an imported event is made of the event alone: a number below zero that holds code and parameter, and its place among equal
events of the log. So a copy of the file, another format of it, or an export that overlaps it gives the same keys, and adds
nothing. Numbers of messages are never below zero, so an event that also came over MQTT has another key: both rows are kept, and the
measures, which take events as a set of (time, code, parameter), count it once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ingest.door import Admission, Disposition
from ingest.feeds.times import impossible
from ingest.logs import Part
from ingest.readings import SignalEvent
from ingest.topics import Stream

EVENTS_MOST = 500  # in one message, as in the contract of `events`
_BITS = 32  # of a parameter, which may be below zero


def key_of(code: int, parameter: int) -> int:
    """The number that stands in place of a message's: below zero, one a code and parameter."""
    return -1 - (code << _BITS | parameter % (1 << _BITS))


def keyed(part: Part) -> list[tuple[int, int, int, int]]:
    """(time_us, place among equal events, code, parameter), in order of time; equal times in the order of the log."""
    seen: dict[tuple[int, int, int], int] = {}
    found: list[tuple[int, int, int, int]] = []
    order = np.argsort(part.time_us, kind="stable")
    for event in zip(part.time_us[order].tolist(), part.code[order].tolist(), part.parameter[order].tolist(), strict=True):
        place = seen.get(event, 0)
        seen[event] = place + 1
        found.append((event[0], place, event[1], event[2]))
    return found


def split(part: Part, received_us: int) -> tuple[list[list[tuple[int, int, int, int]]], list[str]]:
    """The events that can be believed, in messages; and what is wrong with the others.

    Args:
        part: Events of one device.
        received_us: When they are imported.
    """
    good: list[tuple[int, int, int, int]] = []
    wrong: dict[str, int] = {}
    for event in keyed(part):
        problem = impossible(event[0], received_us)
        if problem is None:
            good.append(event)
        else:
            wrong[problem[0].value] = wrong.get(problem[0].value, 0) + 1
    messages = [good[start : start + EVENTS_MOST] for start in range(0, len(good), EVENTS_MOST)]
    return messages, [f"{count:,} events are not taken: {reason}" for reason, count in sorted(wrong.items())]


def admissions(
    device: int, messages: list[list[tuple[int, int, int, int]]], received_us: Iterator[int], future_tolerance_us: int
) -> Iterator[tuple[int, Admission]]:
    """Messages as the door would admit them, each with its own time of receipt.

    Args:
        device: Number of the controller.
        messages: As `split` makes them.
        received_us: Times of receipt, never twice the same.
        future_tolerance_us: As in the settings.
    """
    for events in messages:
        at_us = next(received_us)
        records = [
            SignalEvent(
                device, time_us, key_of(code, parameter), place, code, parameter, time_us - at_us > future_tolerance_us, at_us
            )
            for time_us, place, code, parameter in events
        ]
        yield at_us, Admission(device, Stream.EVENTS, None, events[0][0], list(records), [], Disposition.ADMITTED)
