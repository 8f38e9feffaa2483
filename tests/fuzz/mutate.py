"""How messages are damaged: by line noise, by half-written firmware, and by those who mean it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from tests.fuzz.corpus import Sent

MOST_BYTES = 1 << 21
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?")
NUMBERS = (
    *(b"-1", b"0", b"-0", b"1", b"0.5", b"100", b"100.01", b"127", b"128", b"200", b"210", b"212", b"217", b"255", b"256"),
    *(b"1e3", b"1e308", b"1e999", b"-1e999", b"NaN", b"Infinity", b"null", b"true", b'""', b"[]", b"{}"),
    *(b"65535", b"65536", b"2147483647", b"2147483648", b"4294967296", b"9007199254740992", b"9223372036854775808"),
    *(b"18446744073709551616", b"1" + b"0" * 400, b"0." + b"0" * 300 + b"1"),
)
PIECES = (
    *(
        b"\x00",
        b"\xff",
        b"\x80",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b'"',
        b"\\",
        b"\\u0000",
        b"\n",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
    ),
    *(
        b'"seq":1,',
        b'"id":"N1",',
        b"\xff\xd8\xff\xe0",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x00\x00\x00\x7f\xff\xff\xff\xff",
    ),
    *(
        b"\xd8\x1c",
        b"\xf9\x7e\x00",
        b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
        b"\x12\xff\xff\xff\xff\x0f",
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ),
    *(b"2026-02-30T08:00:00Z", b"9999-12-31T23:59:59.999999-14:00", b"0001-01-01T00:00:00+14:00"),
)


def _bits(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    for _ in range(random.randint(1, 4)):
        if payload:
            payload[random.randrange(len(payload))] ^= 1 << random.randrange(8)


def _bytes(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    if payload:
        payload[random.randrange(len(payload))] = random.randrange(256)


def _cut(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    del payload[random.randint(0, len(payload)) :]


def _remove(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    at = random.randint(0, len(payload))
    del payload[at : at + random.randint(1, 12)]


def _insert(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    at = random.randint(0, len(payload))
    payload[at:at] = random.choice(PIECES) if random.random() < 0.7 else random.randbytes(random.randint(1, 8))


def _repeat(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    at = random.randint(0, len(payload))
    piece = bytes(payload[at : at + random.randint(1, 60)])
    payload[at:at] = piece * random.choice((1, 1, 1, 2, 20))


def _splice(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    other = random.choice(others).payload
    at = random.randint(0, len(other))
    here = random.randint(0, len(payload))
    payload[here : here + random.randint(0, 40)] = other[at : at + random.randint(1, 80)]


def _number(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    found = list(_NUMBER.finditer(payload))
    if found:
        match = random.choice(found)
        payload[match.start() : match.end()] = random.choice(NUMBERS)
    else:
        _bytes(random, payload, others)


def _nest(random: Random, payload: bytearray, others: Sequence[Sent]) -> None:
    at = random.randint(0, len(payload))
    opened = random.choice((b"[", b'{"a":', b"\x81", b"\xa1\x61a", b"\x12\x7f"))
    payload[at:at] = opened * random.choice((2, 20, 500, 5_000))


Mutation = Callable[[Random, bytearray, Sequence[Sent]], None]

USUAL: tuple[Mutation, ...] = (_number, _number, _number, _bits, _bytes, _cut, _remove, _insert, _repeat, _splice)


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, -2, 2, 5, 37, 99, 100, 101, 200, 201, 210, 212, 217, 218, 254, 255, 256, 300, 301, 3600),
    *(0.5, 0.001, -0.001, 1e-300, 1e300, 33.25, 100.01, 211.5, 65_535, 65_536, 2**31, 2**32, 2**53, 2**53 + 1, 2**63, 2**64),
    *("", "N1", "N9", "north", "north_kerb", "online", "1,2,3", "-1", "NaN", "\0", "\ud800", "x" * 300, [], {}, [[]], [None]),
    *("2026-11-24T08:00:00+08:00", "2026-11-24T08:00:00", "1999-12-31T23:59:59Z", "2026-11-25T08:00:11+08:00", "yesterday"),
)


def _grown(random: Random, tree: Any, others: Sequence[Sent]) -> Any:
    """A copy of the tree in which one value, anywhere, is another one, gone, or there twice."""
    if isinstance(tree, dict) and tree and random.random() < 0.85:
        copy = dict(tree)
        key = random.choice(list(copy))
        chance = random.random()
        if chance < 0.08:
            del copy[key]
        elif chance < 0.12:
            copy[random.choice(("seq", "fault", "volume", "x", "", key + "s"))] = copy[key]
        else:
            copy[key] = _grown(random, copy[key], others)
        return copy
    if isinstance(tree, list) and tree and random.random() < 0.85:
        items = list(tree)
        at = random.randrange(len(items))
        chance = random.random()
        if chance < 0.08:
            del items[at]
        elif chance < 0.16:
            items.insert(random.randint(0, len(items)), items[at])
        else:
            items[at] = _grown(random, items[at], others)
        return items
    chance = random.random()
    if isinstance(tree, int | float) and not isinstance(tree, bool) and chance < 0.5:
        return random.choice((tree + 1, tree - 1, -tree, tree * 2, tree / 2, tree * 1000, tree + 0.5))
    if chance < 0.6:
        return random.choice(others).tree
    return random.choice(VALUES)


def mutated(random: Random, messages: Sequence[Sent]) -> Sent:
    """One of the messages, damaged: in half of the cases as bytes, else as what they mean.

    Args:
        random: The only source of chance: the same seed gives the same damage.
        messages: Of one dialect.
    """
    topic, payload, received_us, tree, encode = random.choice(messages)
    chance = random.random()
    if chance < 0.05:
        topic = random.choice(messages).topic
    elif chance < 0.07:
        topic = _topic(random, topic)
    elif chance < 0.08:
        received_us = random.choice((0, -(2**62), 2**62, received_us - 86_400_000_000, received_us + 400 * 86_400_000_000))
    if encode is not None and random.random() < 0.5:
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            tree = _grown(random, tree, messages)
        # What the dialect's own encoder refuses is damaged as bytes instead.
        with suppress(Exception):
            return Sent(topic, encode(tree), received_us)
    damaged = bytearray(payload)
    for _ in range(random.choice((1, 1, 1, 1, 2, 2, 3, 6))):
        (_nest if random.random() < 0.004 else random.choice(USUAL))(random, damaged, messages)
    if random.random() < 0.00002:
        damaged += bytes(MOST_BYTES)
    return Sent(topic, bytes(damaged), received_us)


def _topic(random: Random, topic: str) -> str:
    levels = topic.split("/")
    at = random.randrange(len(levels))
    what = random.randrange(4)
    if what == 0:
        del levels[at]
    elif what == 1:
        levels.insert(at, random.choice(("", "x", "+", "#", "\0", "\ud800", "a" * 300)))
    elif what == 2:
        levels[at] = random.choice(("", "x", "status", "presence", "DBIRTH", "🚦"))
    else:
        levels += levels[at:]
    return "/".join(levels)
