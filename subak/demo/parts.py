"""The processes of the demo, in the order they start, and how each is told to end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import IO

from subak.embedded.child import Child

# Nothing may outlast Ctrl-C by more than 5 s: street, pipeline, console, database and broker share that.
PATIENCE_S = 1.5
SUBAK = (sys.executable, "-m", "subak.cli")


class Part:
    """One command as a child process that writes its log into a file.

    Attributes:
        name: For people.
        log: Where it writes.
    """

    def __init__(
        self, name: str, arguments: list[str], environment: dict[str, str], folder: Path, program: tuple[str, ...] = SUBAK
    ) -> None:
        """Start it; `subak` itself unless another program is given."""
        self.name = name
        self.log = folder / f"{name}.log"
        self._output: IO[bytes] = self.log.open("ab")
        self._child = Child([*program, *arguments], output=self._output, env={**os.environ, **environment})

    @property
    def has_failed(self) -> bool:
        """It ended without being told to."""
        return not self._child.is_running

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])

    def drop(self) -> None:
        """End it at once: for a part that holds nothing, so that the others have the time."""
        self._child.kill()
        self._output.close()

    def end(self) -> None:
        """Tell it to end; insist after a while."""
        self._child.end((signal.SIGTERM, PATIENCE_S))
        self._output.close()
