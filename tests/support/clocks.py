"""A wall clock that a test steps, for a real program and all its processes."""

from __future__ import annotations

import struct
from pathlib import Path

FOLDER = Path(__file__).parent / "stepped"


class SteppedClock:
    """How far the wall clock of some programs is off; takes effect at once.

    Attributes:
        environment: For the programs.
        offset_s: Seconds ahead of the machine's clock.
    """

    def __init__(self, file: Path) -> None:
        """Make it, not off.

        Args:
            file: That the programs look into; is made.
        """
        self._file = file
        self.environment = {"PYTHONPATH": str(FOLDER), "TEST_CLOCK_FILE": str(file)}
        file.write_bytes(bytes(8))
        self.offset_s = 0

    def step(self, offset_s: int) -> None:
        """Be so far off from now on."""
        # In place: the programs have the file in their memory.
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", offset_s * 10**9))
        self.offset_s = offset_s
