"""What stands beside the traffic: network links, access points and applications, which report `metrics`.

Their values follow the activity of the day, with noise from the seed; they are plausible, not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from random import Random

from config.errors import ConfigError
from config.site import Kind, Sensor
from ingest.contract import Metrics
from ingest.topics import Stream
from subak.street.message import ENCODER, Message, Numbers

Activity = Callable[[float], float]
"""Share of the busiest hour at an hour of the day."""


class SensorDevice:
    """One device that reports metrics at its period."""

    def __init__(self, sensor: Sensor, kind: Kind, activity: Activity, zone: tzinfo, seed: int) -> None:
        """`activity`: share of the busiest hour at an hour of the local day.

        Raises:
            ConfigError: The period is no whole number of seconds.
        """
        if sensor.period != int(sensor.period):
            raise ConfigError(f"{sensor.id}: period {sensor.period} s; the street steps by whole seconds")
        self.id = sensor.id
        self._kind = kind
        self._period = int(sensor.period)
        self._activity = activity
        self._zone = zone
        self._numbers = Numbers()
        self._random = Random(f"{sensor.id} {seed}")
        self._size = self._random.uniform(0.6, 1.6)

    def second(self, start: int) -> list[Message]:
        """Report at the end of the second from `start` (Unix time) when that is due."""
        if (start + 1) % self._period:
            return []
        now = datetime.fromtimestamp(start + 1, UTC)
        local = now.astimezone(self._zone)
        busy = self._activity(local.hour + local.minute / 60) * self._size
        metrics = Metrics(self._numbers.take(Stream.METRICS), local, dict(_VALUES[self._kind](busy, self._random)))
        return [Message(self.id, self._kind, Stream.METRICS, metrics.seq, now, now, ENCODER.encode(metrics))]


def _network_link(busy: float, random: Random) -> Mapping[str, float]:
    return {
        "latency_ms": round(2.0 + 6.0 * busy * random.uniform(0.8, 1.3), 1),
        "loss_percent": round(max(0.0, random.gauss(0.05 + 0.1 * busy, 0.05)), 2),
        "rx_mbps": round(180.0 * busy * random.uniform(0.9, 1.1) + 12, 1),
        "tx_mbps": round(24.0 * busy * random.uniform(0.9, 1.1) + 6, 1),
        "link_up": 1.0,
        "temperature_c": round(29 + 8 * busy + random.uniform(-0.5, 0.5), 1),
        "supply_v": round(random.gauss(229, 1.8), 1),
    }


def _access_point(busy: float, random: Random) -> Mapping[str, float]:
    clients = max(0, round(85 * busy * random.uniform(0.85, 1.15)))
    return {
        "clients": float(clients),
        "channel_busy_percent": round(min(98.0, 6 + 0.55 * clients + random.uniform(0, 6)), 1),
        "rx_mbps": round(clients * random.uniform(0.25, 0.45), 1),
        "tx_mbps": round(clients * random.uniform(0.9, 1.3), 1),
        "latency_ms": round(6 + 0.35 * clients * random.uniform(0.7, 1.3), 1),
        "loss_percent": round(max(0.0, random.gauss(0.1 + clients / 300, 0.1)), 2),
    }


def _application(busy: float, random: Random) -> Mapping[str, float]:
    users = max(0, round(420 * busy * random.uniform(0.92, 1.08)))
    return {
        "users": float(users),
        "requests_per_s": round(users * random.uniform(0.11, 0.15), 2),
        "latency_ms": round(70 + users * random.uniform(0.12, 0.22), 1),
        "error_percent": round(max(0.0, random.gauss(0.12, 0.08)), 2),
    }


_VALUES: Mapping[Kind, Callable[[float, Random], Mapping[str, float]]] = {
    Kind.NET: _network_link,
    Kind.WIFI: _access_point,
    Kind.APP: _application,
}
