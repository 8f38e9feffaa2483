"""What the pipeline and storage need of whatever measures a signal controller."""

from __future__ import annotations

from typing import Protocol

from processors.signals import BIN_US, Cycle, Events, Rows

SEGMENT_US = BIN_US
"""What is remembered is saved at these boundaries of the even clock; late events are measured again from the one before."""


class SignalMeter(Protocol):
    """Measures one controller. However its events are cut, the same rows come out, and the same state at the same time."""

    def feed(self, events: Events, until_us: int) -> Rows:
        """All events from where it stands to `until_us`; gives out what that makes final."""
        ...

    def ahead(self) -> list[Cycle]:
        """Cycles that are over in a segment that is not; nothing changes by it."""
        ...

    def state(self) -> bytes:
        """What it must remember; equal bytes mean that the same rows follow from the same events."""
        ...
