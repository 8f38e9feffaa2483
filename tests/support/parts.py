"""The parts that tests need from outside (brokers, databases, a browser), and the book of what could be had.

A test of a part that can't be had is skipped with the reason; the book's closing summary tells which parts were tested and which
were not, and under `CI=true` a missing part fails the run: a green run that tested half is a lie.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

MOSQUITTO: Final = "broker mosquitto"
CHROMIUM: Final = "browser chromium"
RTSP: Final = "camera server rtsp"
LEVELS: Final = ("plain", "apache", "community")

INSTALL: Final = "`make parts`, best as root, installs it"


class UnavailableError(Exception):
    """A part can't be had on this machine; the message says why and what would help."""


def level_part(level: str) -> str:
    """The book's name of a database level."""
    return f"database level {level}"


ALL_PARTS: Final = (MOSQUITTO, *(level_part(level) for level in LEVELS), CHROMIUM, RTSP)


@dataclass
class Book:
    """Which parts this run tested and which it could not.

    Attributes:
        tested: Part to what stood for it.
        missing: Part to the reason why its tests were skipped.
    """

    tested: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def getting(self, part: str) -> Iterator[None]:
        """Around what gets hold of `part`: when it is unavailable, the test is skipped and the reason kept."""
        if part in self.missing:
            pytest.skip(f"no {part}: see the closing summary")
        try:
            yield
        except UnavailableError as error:
            self.missing[part] = str(error)
            pytest.skip(f"no {part}: {error}")
        except Exception as error:
            # Found but broken: this test fails, the next ones need not wait for it again.
            self.missing[part] = f"did not start: {error}"
            raise

    def lines(self) -> list[str]:
        """The closing summary, a line a part."""
        untouched = [part for part in ALL_PARTS if part not in self.tested and part not in self.missing]
        return [
            *(f"tested      {part}: {stood}" for part, stood in sorted(self.tested.items())),
            *(f"NOT TESTED  {part}: {why}" for part, why in sorted(self.missing.items())),
            *(f"not asked   {part}: no selected test needs it" for part in untouched),
        ]

    @property
    def is_failure(self) -> bool:
        """Whether this run must fail for what it missed."""
        return bool(self.missing) and is_ci()


BOOK_KEY: Final = pytest.StashKey[Book]()


def is_ci() -> bool:
    """Whether nothing may be skipped."""
    return os.environ.get("CI", "").lower() == "true"


def cache_folder() -> Path:
    """Where big parts are kept between runs and checkouts: `$XDG_CACHE_HOME/subak`, else `~/.cache/subak`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "subak"
