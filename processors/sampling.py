"""A budget for dead letters: a device that floods us with garbage must not fill the disk that others need.

Of every source, reason and minute of arrival the first few dead letters are kept; of the rest only the number, exactly,
in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.readings import DeadLetter
from processors.ledger import MINUTE_US, Ledger

_Key = tuple[int, str, int]


class DeadLetterBudget:
    """How many dead letters of each source and reason this minute has kept."""

    def __init__(self, per_minute: int) -> None:
        """Make it empty.

        Args:
            per_minute: Dead letters kept of one source and reason in one minute.
        """
        self._per_minute = per_minute
        self._kept: dict[_Key, int] = {}

    def choose(self, letters: Iterable[DeadLetter], ledger: Ledger) -> tuple[list[DeadLetter], dict[_Key, int]]:
        """Choose what to keep and count the rest in `ledger`; nothing is remembered until `remember`.

        Returns:
            The letters to keep, and how many are kept by key.
        """
        chosen: list[DeadLetter] = []
        counts: dict[_Key, int] = {}
        for letter in letters:
            key = (letter.source, letter.reason, letter.received_us // MINUTE_US)
            count = counts.get(key)
            if count is None:
                count = self._kept.get(key, 0)
            if count < self._per_minute:
                counts[key] = count + 1
                chosen.append(letter)
            elif letter.partial:
                ledger.entry(letter.source, letter.received_us).unkept_partial += 1
            else:
                ledger.entry(letter.source, letter.received_us).unkept += 1
        return chosen, counts

    def remember(self, counts: dict[_Key, int]) -> None:
        """What was chosen is committed; minutes long past are forgotten."""
        self._kept.update(counts)
        if counts:
            newest = max(minute for _, _, minute in counts)
            for key in [key for key in self._kept if key[2] < newest - 1]:
                del self._kept[key]
