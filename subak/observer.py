"""What the pipeline tells of itself while it works: once a batch or a transaction, never once a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ingest.mqtt.receiver import Delivery
from ingest.readings import DeadLetter
from processors.ledger import Ledger


class Observer(Protocol):
    """Who listens. All calls come from the pipeline's own thread and must be short."""

    def committed(self, ledger: Ledger, letters: Sequence[DeadLetter]) -> None:
        """A batch is durable, and this is its ledger and these are its dead letters."""
        ...

    def acknowledged(self, deliveries: Sequence[Delivery]) -> None:
        """The broker was told that these are safe, in order of receipt."""
        ...

    def transacted(self, seconds: float) -> None:
        """A transaction is durable: that of a batch, or one that made minutes final."""
        ...

    def failed(self, error: BaseException) -> None:
        """The database could not be reached, or a transaction was rolled back; tried again unless the pipeline is to end."""
        ...

    def turned(self) -> None:
        """The pipeline has done all there was to do and waits for the next messages."""
        ...


class Silent:
    """Tells nobody."""

    def committed(self, ledger: Ledger, letters: Sequence[DeadLetter]) -> None:
        """Nothing."""

    def acknowledged(self, deliveries: Sequence[Delivery]) -> None:
        """Nothing."""

    def transacted(self, seconds: float) -> None:
        """Nothing."""

    def failed(self, error: BaseException) -> None:
        """Nothing."""

    def turned(self) -> None:
        """Nothing."""
