"""Waiting for a condition: a test never waits for a time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

TIMEOUT_S = 20.0
PAUSE_S = 0.02


def until(look: Callable[[], T], timeout_s: float = TIMEOUT_S, *, what: str = "the condition") -> T:
    """Look again and again until the answer is truthy, and return it.

    Raises:
        TimeoutError: It never was; tells what was seen last.
    """
    deadline = time.monotonic() + timeout_s
    while not (seen := look()):
        if time.monotonic() > deadline:
            msg = f"{what} did not come about in {timeout_s:g} s; seen last: {seen!r}"
            raise TimeoutError(msg)
        time.sleep(PAUSE_S)
    return seen


async def eventually(look: Callable[[], Awaitable[T]], timeout_s: float = TIMEOUT_S, *, what: str = "the condition") -> T:
    """As `until`, for an asynchronous look.

    Raises:
        TimeoutError: It never was; tells what was seen last.
    """
    deadline = time.monotonic() + timeout_s
    while not (seen := await look()):
        if time.monotonic() > deadline:
            msg = f"{what} did not come about in {timeout_s:g} s; seen last: {seen!r}"
            raise TimeoutError(msg)
        await asyncio.sleep(PAUSE_S)
    return seen
