"""Up to where the stored readings of every device reach.

A device-minute that begins there or later holds nothing yet: its state is complete without a look into the raw rows. At a flood, and at
every turn of a minute, that look would be a fifth of all work.
"""

from __future__ import annotations

from processors.bins import BIN_US, Key


class Reaches:
    """What is known of it; what is not known yet has to be asked for."""

    def __init__(self) -> None:
        self._until_us: dict[int, int] = {}

    def knows(self, device: int) -> bool:
        """Whether it was asked for already."""
        return device in self._until_us

    def extend(self, device: int, until_us: int) -> None:
        """Something is, or will be, stored that touches minutes before `until_us`.

        Too far is safe, as after a transaction that failed: those minutes are looked for in vain. Too near never is.
        """
        minute_us = -(-until_us // BIN_US) * BIN_US
        self._until_us[device] = max(minute_us, self._until_us.get(device, 0))

    def is_beyond(self, key: Key) -> bool:
        """Whether a device-minute is known to be empty."""
        until_us = self._until_us.get(key[0])
        return until_us is not None and key[1] >= until_us
