"""What the pipeline does, as Prometheus metrics.

Counters and histograms are fed once a batch by the pipeline (`subak.observer`); gauges are looked up when somebody asks. Nothing here
grows with devices or lanes: a thousand feeds are one maximum and one count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as Collected

from ingest.mqtt.receiver import Delivery
from ingest.readings import US, DeadLetter
from ingest.reasons import Reason
from processors.ledger import Ledger
from subak.report import BEHIND_S, Batch, Lags, Report, batch_of, lags_of, loss_of

log = structlog.get_logger(__name__)

STALE_S = 30.0
"""A pipeline that has not turned for longer is not ready: it turns twice a second when nothing comes."""

_BATCH = (1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Connected(Protocol):
    """What is asked of the collector; see `ingest.collector.Collector`."""

    @property
    def waiting(self) -> int:
        """Messages that wait."""
        ...

    @property
    def in_flight(self) -> int:
        """Messages not acknowledged."""
        ...

    @property
    def is_held_back(self) -> bool:
        """The socket is not read."""
        ...

    @property
    def epoch(self) -> int:
        """Number of the connection."""
        ...

    @property
    def is_connected(self) -> bool:
        """Connected and subscribed."""
        ...


class Readiness(Struct, frozen=True):
    """Whether the pipeline can do its work now.

    Attributes:
        problems: What stands against it, a sentence each.
    """

    problems: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Nothing does."""
        return not self.problems


class Metrics:
    """An observer of the pipeline that counts, and tells when the database goes and comes back.

    Attributes:
        registry: Where the metrics are.
    """

    def __init__(self, clock_s: Callable[[], float] = time.time, steady_s: Callable[[], float] = time.monotonic) -> None:
        """Make all metrics, at zero.

        Args:
            clock_s: The clock that stamps messages, seconds since 1970.
            steady_s: A clock that nobody sets.
        """
        self._clock_s = clock_s
        self._steady_s = steady_s
        # A time of making beside each counter would double the series for nothing.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._received = self._counter("subak_messages_received", "Messages committed, whatever became of them")
        messages = self._counter("subak_messages", "Messages by what became of them; the sum is received", ["outcome"])
        self._outcomes = {outcome: messages.labels(outcome) for outcome in ("stored", "duplicate", "rejected")}
        self._late = self._counter("subak_messages_late", "Of the stored, messages whose bin was final already")
        self._lost = self._counter("subak_messages_lost", "Messages that were sent and had not arrived, as sequence numbers show")
        self._recovered = self._counter("subak_messages_recovered", "Of the lost, messages that arrived after all")
        letters = self._counter("subak_dead_letters", "Dead letters by reason, kept or only counted", ["reason"])
        self._letters = {reason.value: letters.labels(reason.value) for reason in Reason}
        self._unkept = self._counter("subak_dead_letters_unkept", "Dead letters beyond a device's budget: counted, not kept")
        self._batches = self._histogram("subak_batch_messages", "Messages in one committed batch", _BATCH)
        self._transactions = self._histogram(
            "subak_transaction_seconds", "Seconds from begin to commit of a transaction", _SECONDS
        )
        self._delay = self._histogram(
            "subak_ack_delay_seconds", "Seconds from receipt to acknowledgement, of the oldest message of each batch", _SECONDS
        )
        self._failures = self._counter("subak_database_retries", "Transactions rolled back, and attempts to connect that failed")
        self._maintenance = self._counter("subak_maintenance_runs", "Runs of maintenance by outcome", ["outcome"])
        for outcome in ("done", "failed"):
            self._maintenance.labels(outcome)
        self._started_s = steady_s()
        self._committed_s: float | None = None
        self._turned_s = self._started_s
        self._failing: set[int] = set()  # numbers of workers; 0 where there are none
        self._told_lags: dict[int, Lags] = {}
        self._collector: Connected | None = None
        self._lags_s: Callable[[], Sequence[float]] = list
        self.registry.register(_Gauges(self))

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, text, buckets=buckets, registry=self.registry)

    def watch(self, collector: Connected, lags_s: Callable[[], Sequence[float]]) -> None:
        """Ask these, whenever somebody asks us.

        Args:
            collector: The connection to the broker.
            lags_s: Seconds that the final minutes of each feed are behind the clock.
        """
        self._collector = collector
        self._lags_s = lags_s

    def committed(self, ledger: Ledger, letters: Sequence[DeadLetter]) -> None:
        """A batch is durable."""
        self._count(batch_of(ledger, letters))

    def _count(self, batch: Batch) -> None:
        self._received.inc(batch.received)
        self._outcomes["stored"].inc(batch.stored)
        self._outcomes["duplicate"].inc(batch.duplicate)
        self._outcomes["rejected"].inc(batch.rejected)
        self._late.inc(batch.late)
        self._lost.inc(batch.lost)
        self._recovered.inc(batch.recovered)
        self._unkept.inc(batch.unkept)
        for reason, count in batch.reasons.items():
            self._letters[reason].inc(count)
        self._batches.observe(batch.received)

    def told(self, share: int, report: Report) -> None:
        """A worker tells what it has done.

        Args:
            share: Which worker.
            report: Since its last one.
        """
        for batch in report.batches:
            self._count(batch)
        # In this order: what failed first is told at once, and not together with what went well later.
        for seconds in report.transactions_s:
            self._transacted(seconds, share)
        for reason in report.failures:
            self._fail(reason, share)
        if report.lags is not None:
            self._told_lags[share] = report.lags

    def acknowledged(self, deliveries: Sequence[Delivery]) -> None:
        """The broker was told."""
        if deliveries:
            # A clock that was set back must not make a negative delay.
            self._delay.observe(max(0.0, self._clock_s() - deliveries[0].received_us / US))

    def transacted(self, seconds: float) -> None:
        """A transaction is durable."""
        self._transacted(seconds, 0)

    def _transacted(self, seconds: float, share: int) -> None:
        self._transactions.observe(seconds)
        self._committed_s = self._steady_s()
        if share in self._failing:
            self._failing.discard(share)
            if not self._failing:
                log.info("database.back")

    def failed(self, error: BaseException) -> None:
        """The database could not be reached, or a transaction was rolled back."""
        if isinstance(error, Exception):
            self._fail(loss_of(error), 0)

    def _fail(self, reason: str | None, share: int) -> None:
        self._failures.inc()
        if reason is not None:
            if not self._failing:
                log.warning("database.lost", reason=reason)
            self._failing.add(share)

    def turned(self) -> None:
        """The pipeline has done all there was to do."""
        self._turned_s = self._steady_s()

    def maintained(self, *, well: bool) -> None:
        """Maintenance ran."""
        self._maintenance.labels("done" if well else "failed").inc()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def readiness(self) -> Readiness:
        """Connected to the broker, turning, and not in the middle of a failing database."""
        idle_s = self._steady_s() - self._turned_s
        return Readiness(
            tuple(
                problem
                for holds, problem in (
                    (self._collector is None or not self._collector.is_connected, "broker: not connected"),
                    (bool(self._failing), "database: the last transaction failed and is being tried again"),
                    (idle_s > STALE_S, f"pipeline: the last batch or look at the watermarks ended {idle_s:.0f} s ago"),
                )
                if holds
            )
        )

    def gauges(self) -> Iterator[Metric]:
        """What is looked up when somebody asks."""
        now_s = self._steady_s()
        lags = [lags_of(self._lags_s()), *dict(self._told_lags).values()]
        yield _gauge("subak_feeds", "Feeds that count", sum(lag.feeds for lag in lags))
        yield _gauge(
            "subak_feeds_behind",
            f"Feeds whose final minutes are older than {BEHIND_S:.0f} s",
            sum(lag.behind for lag in lags),
        )
        yield _gauge(
            "subak_watermark_lag_max_seconds",
            "Age of the newest final minute of the feed that is furthest behind",
            max(lag.most_s for lag in lags),
        )
        since_s = now_s - (self._started_s if self._committed_s is None else self._committed_s)
        yield _gauge("subak_seconds_since_commit", "Seconds since the last commit, or since the start", since_s)
        yield _gauge("subak_seconds_since_turn", "Seconds since the pipeline last had nothing left to do", now_s - self._turned_s)
        yield _gauge(
            "subak_ready",
            "1 when /readyz would say so, as far as it is known without asking the database",
            self.readiness().is_ready,
        )
        if self._collector is None:
            return
        yield _gauge("subak_queue_messages", "Messages received that wait for a batch", self._collector.waiting)
        yield _gauge("subak_in_flight_messages", "Messages received and not acknowledged", self._collector.in_flight)
        yield _gauge(
            "subak_held_back",
            "1 while the broker's socket is not read, since twice the window waits",
            self._collector.is_held_back,
        )
        yield _gauge("subak_connected", "1 while connected to the broker and subscribed", self._collector.is_connected)
        yield CounterMetricFamily(
            "subak_connection_attempts", "Connections to the broker that were begun", value=self._collector.epoch
        )


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))


class _Gauges(Collected):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks."""
        return self._metrics.gauges()
