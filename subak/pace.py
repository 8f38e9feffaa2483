"""How the pipeline keeps up, minute by minute: told to the database by the first transaction after each minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from ingest.mqtt.receiver import Delivery
from ingest.readings import US

MINUTE_US = 60 * US


class PaceMinute(Struct):
    """One minute of one writer; times in ms.

    Attributes:
        minute_us: Its begin, µs.
        batches: Committed and acknowledged in it.
        messages: In them.
        ack_delay_sum_ms: From receipt to acknowledgement, over the messages.
        ack_delay_max_ms: Of the slowest.
        transaction_sum_ms: From begin to commit with all retries, over the batches.
        transaction_max_ms: Of the slowest.
    """

    minute_us: int
    batches: int = 0
    messages: int = 0
    ack_delay_sum_ms: int = 0
    ack_delay_max_ms: int = 0
    transaction_sum_ms: int = 0
    transaction_max_ms: int = 0


class Pace:
    """Adds up batches until their minute is over and told."""

    def __init__(self, clock_us: Callable[[], int]) -> None:
        """Nothing has happened yet.

        Args:
            clock_us: The clock that stamps messages, µs.
        """
        self._clock_us = clock_us
        self._minutes: dict[int, PaceMinute] = {}

    def acknowledged(self, deliveries: Sequence[Delivery], transaction_s: float) -> None:
        """A batch is durable and acknowledged, and its transaction took that long."""
        now_us = self._clock_us()
        minute_us = now_us - now_us % MINUTE_US
        minute = self._minutes.get(minute_us)
        if minute is None:
            minute = self._minutes[minute_us] = PaceMinute(minute_us)
        count = len(deliveries)
        transaction_ms = round(transaction_s * 1000)
        minute.batches += 1
        minute.messages += count
        minute.ack_delay_sum_ms += max(0, count * now_us - sum(d.received_us for d in deliveries)) // 1000
        # In order of receipt: the first one waited longest.
        minute.ack_delay_max_ms = max(minute.ack_delay_max_ms, (now_us - deliveries[0].received_us) // 1000)
        minute.transaction_sum_ms += transaction_ms
        minute.transaction_max_ms = max(minute.transaction_max_ms, transaction_ms)

    def over(self) -> list[PaceMinute]:
        """Minutes that are over and not told yet."""
        if not self._minutes:
            return []
        now_us = self._clock_us()
        return [minute for begin_us, minute in self._minutes.items() if begin_us != now_us - now_us % MINUTE_US]

    def told(self, minutes: Sequence[PaceMinute]) -> None:
        """They are in the database."""
        for minute in minutes:
            self._minutes.pop(minute.minute_us, None)
