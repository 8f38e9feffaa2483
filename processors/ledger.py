"""The ledger: what became of every message, per source and minute of arrival."""

from __future__ import annotations

from ingest.readings import US

MINUTE_US = 60 * US


class Entry:
    """Counts of one source and minute; `received` is counted at the door, the others when their effect is known."""

    __slots__ = ("duplicate", "late", "lost", "received", "recovered", "rejected", "stored", "unkept", "unkept_partial")

    def __init__(self) -> None:
        self.received = 0
        self.stored = 0
        self.duplicate = 0
        self.rejected = 0
        self.late = 0
        self.lost = 0
        self.recovered = 0
        self.unkept = 0
        self.unkept_partial = 0


class Ledger:
    """Entries of one batch."""

    def __init__(self) -> None:
        self.entries: dict[tuple[int, int], Entry] = {}

    def entry(self, source: int, received_us: int) -> Entry:
        """The entry of `source` for the minute that holds `received_us`."""
        key = (source, received_us - received_us % MINUTE_US)
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = Entry()
        return entry
