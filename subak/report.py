"""What a worker of several tells its parent of its pipeline, so that the metrics of all are in one place."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence

import psycopg
from msgspec import Struct, field

from ingest.mqtt.receiver import Delivery
from ingest.readings import DeadLetter
from processors.ledger import Ledger

BEHIND_S = 300.0
"""A feed whose final minutes are older is behind. Usual are 10 to 70 s, and 100 s more for one that has just fallen silent."""

TELL_S = 1.0  # between two looks at how far the feeds are behind


class Batch(Struct):
    """What became of the messages of one committed batch.

    Attributes:
        received: Messages; the others as in `processors.ledger`.
        reasons: Dead letters by reason.
    """

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    late: int = 0
    lost: int = 0
    recovered: int = 0
    unkept: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class Lags(Struct):
    """How far behind the clock final minutes are.

    Attributes:
        feeds: That count.
        behind: Of them, by more than `BEHIND_S`.
        most_s: The one furthest behind, seconds.
    """

    feeds: int = 0
    behind: int = 0
    most_s: float = 0.0


class Report(Struct):
    """What has happened since the last one.

    Attributes:
        batches: Committed.
        transactions_s: Seconds of each transaction that is durable.
        failures: Transactions that failed; the reason where the database was lost.
        lags: None when nobody has looked again.
    """

    batches: list[Batch] = field(default_factory=list)
    transactions_s: list[float] = field(default_factory=list)
    failures: list[str | None] = field(default_factory=list)
    lags: Lags | None = None


def batch_of(ledger: Ledger, letters: Sequence[DeadLetter]) -> Batch:
    """The sums of a batch's ledger."""
    batch = Batch(reasons=dict(Tally(letter.reason for letter in letters)))
    for entry in ledger.entries.values():
        batch.received += entry.received
        batch.stored += entry.stored
        batch.duplicate += entry.duplicate
        batch.rejected += entry.rejected
        batch.late += entry.late
        batch.lost += entry.lost
        batch.recovered += entry.recovered
        batch.unkept += entry.unkept + entry.unkept_partial
    return batch


def lags_of(lags_s: Sequence[float]) -> Lags:
    """The sum of what feeds are behind, seconds each."""
    return Lags(len(lags_s), sum(lag > BEHIND_S for lag in lags_s), max(lags_s, default=0.0))


def loss_of(error: BaseException) -> str | None:
    """Why the database is lost; None when the transaction failed for another reason."""
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError)):
        return " ".join(str(error).split()) or "a transaction took too long"
    return None


class Reporter:
    """The observer of a worker's pipeline: collects, and tells at every turn."""

    def __init__(self, tell: Callable[[Report], None]) -> None:
        """Have nothing to tell yet; `watch` before the pipeline runs."""
        self._tell = tell
        self._report = Report()
        self._lags_s: Callable[[], Sequence[float]] = list
        self._looked_s = 0.0

    def watch(self, lags_s: Callable[[], Sequence[float]]) -> None:
        """Look at these now and then: seconds that each feed is behind."""
        self._lags_s = lags_s

    def committed(self, ledger: Ledger, letters: Sequence[DeadLetter]) -> None:
        """A batch is durable."""
        self._report.batches.append(batch_of(ledger, letters))

    def acknowledged(self, deliveries: Sequence[Delivery]) -> None:
        """The parent acknowledges, and knows."""

    def transacted(self, seconds: float) -> None:
        """A transaction is durable."""
        self._report.transactions_s.append(seconds)

    def failed(self, error: BaseException) -> None:
        """Told at once: the next turn may be long in coming."""
        if isinstance(error, Exception):
            self._report.failures.append(loss_of(error))
            self._send()

    def turned(self) -> None:
        """Tell what there is."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= TELL_S:
            self._looked_s = now_s
            self._report.lags = lags_of(self._lags_s())
        if self._report != Report():
            self._send()

    def _send(self) -> None:
        self._tell(self._report)
        self._report = Report()
