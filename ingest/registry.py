"""Who may speak, and as which number: the immutable index of one site's devices, lanes and metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from config.errors import ConfigError
from config.site import Kind, Site
from ingest.fixedpoint import PERIOD_DIGITS, fixed


class DeviceEntry(Struct, frozen=True):
    """One device of the site.

    Attributes:
        number: Its number in hot tables.
        dialect: Feed that decodes its messages.
        period_ms: Milliseconds between its reports; None when it reports on change only.
        lanes: Lane numbers by the device's own lane codes, in the order of the site folder.
        channels: Lane numbers by the controller's detector numbers.
        address: How the device is called in topics and payloads of its dialect.
    """

    number: int
    kind: Kind
    name: str
    dialect: str
    period_ms: int | None
    lanes: Mapping[str, int]
    channels: Mapping[int, int]
    address: Mapping[str, str]


class MetricEntry(Struct, frozen=True):
    """One metric, with the range outside which a value cannot be true."""

    number: int
    name: str
    kinds: tuple[Kind, ...]
    low: float
    high: float


class Registry:
    """Names to numbers and back, for one site. Never changes; a changed site gets a new registry."""

    __slots__ = ("_by_name", "_by_number", "_lanes", "_metrics", "site")

    def __init__(self, site: str, devices: Mapping[str, DeviceEntry], metrics: Mapping[str, MetricEntry]) -> None:
        self.site = site
        self._by_name = dict(devices)
        self._by_number = {entry.number: entry for entry in devices.values()}
        self._lanes = {lane: (entry, code) for entry in devices.values() for code, lane in entry.lanes.items()}
        self._metrics = dict(metrics)

    @classmethod
    def build(
        cls,
        site: Site,
        devices: Mapping[str, int],
        lanes: Mapping[tuple[str, str], int],
        metrics: Mapping[str, int],
    ) -> Registry:
        """The registry of `site` with the database's numbers.

        Args:
            site: The site folder, read.
            devices: Device name to number.
            lanes: (device name, lane code) to number.
            metrics: Metric name to number.

        Raises:
            ConfigError: The database has no number for a device, lane or metric of the site.
        """
        codes = lane_codes(site)
        numbers = {controller.id: {d.number: d.id for d in controller.lanes} for controller in site.controllers}
        missing = [
            *(f"device {device.id}" for device in site.devices if device.id not in devices),
            *(f"lane {code} of {device}" for device, own in codes.items() for code in own if (device, code) not in lanes),
            *(f"metric {metric.name}" for metric in site.metrics if metric.name not in metrics),
        ]
        if missing:
            shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
            raise ConfigError(f"the database does not know {shown} of site {site.name}; run: subak migrate")
        return cls(
            site.name,
            {
                device.id: DeviceEntry(
                    number=devices[device.id],
                    kind=device.kind,
                    name=device.id,
                    dialect=device.dialect,
                    period_ms=None if device.period is None else fixed(device.period, PERIOD_DIGITS),
                    lanes={code: lanes[device.id, code] for code in codes.get(device.id, ())},
                    channels={number: lanes[device.id, code] for number, code in numbers.get(device.id, {}).items()},
                    address={key: str(value) for key, value in device.address.items()},
                )
                for device in site.devices
            },
            {
                metric.name: MetricEntry(metrics[metric.name], metric.name, metric.kinds, metric.low, metric.high)
                for metric in site.metrics
            },
        )

    @classmethod
    def for_site(cls, site: Site) -> Registry:
        """The registry of `site` numbered from 1 in the order of its files, for tests and tools without a database."""
        pairs = [(device, code) for device, own in lane_codes(site).items() for code in own]
        return cls.build(
            site,
            {device.id: number for number, device in enumerate(site.devices, 1)},
            {pair: number for number, pair in enumerate(pairs, 1)},
            {metric.name: number for number, metric in enumerate(site.metrics, 1)},
        )

    def __iter__(self) -> Iterator[DeviceEntry]:
        """Every device, in the order of the site folder."""
        return iter(self._by_name.values())

    def __len__(self) -> int:
        """How many devices there are."""
        return len(self._by_name)

    def find(self, kind: Kind, name: str) -> DeviceEntry | None:
        """The device of that kind and name."""
        entry = self._by_name.get(name)
        return entry if entry is not None and entry.kind == kind else None

    def named(self, name: str) -> DeviceEntry | None:
        """The device of that name, whatever its kind."""
        return self._by_name.get(name)

    def device(self, number: int) -> DeviceEntry:
        """The device of that number.

        Raises:
            KeyError: There is none.
        """
        return self._by_number[number]

    def device_of(self, lane: int) -> int:
        """Number of the device that reports the lane.

        Raises:
            KeyError: There is no such lane.
        """
        return self._lanes[lane][0].number

    def lanes_of(self, device: int) -> tuple[int, ...]:
        """Lane numbers of a device in the order of the site folder; empty when it has none or is unknown."""
        entry = self._by_number.get(device)
        return () if entry is None else tuple(entry.lanes.values())

    def period_ms(self, device: int) -> int | None:
        """Milliseconds between the device's reports; None when it reports on change only.

        Raises:
            KeyError: There is no such device.
        """
        return self._by_number[device].period_ms

    @property
    def lanes(self) -> tuple[int, ...]:
        """Every lane number, device by device."""
        return tuple(self._lanes)

    def metrics_of(self, kind: Kind) -> dict[str, MetricEntry]:
        """Metrics that devices of a kind may report, by name."""
        return {name: entry for name, entry in self._metrics.items() if kind in entry.kinds}

    def device_name(self, number: int) -> str:
        """The device's name for people; `device 7` when it is unknown."""
        entry = self._by_number.get(number)
        return f"device {number}" if entry is None else entry.name

    def lane_name(self, lane: int) -> str:
        """`atc-legian/N1`; `lane 7` when it is unknown."""
        found = self._lanes.get(lane)
        return f"lane {lane}" if found is None else f"{found[0].name}/{found[1]}"

    def metric_name(self, number: int) -> str:
        """The metric's name; `metric 7` when it is unknown."""
        return next((m.name for m in self._metrics.values() if m.number == number), f"metric {number}")


def lane_codes(site: Site) -> dict[str, tuple[str, ...]]:
    """Lane codes by device: counting detectors of controllers, virtual lanes of cameras."""
    return {
        **{controller.id: tuple(detector.id for detector in controller.lanes) for controller in site.controllers},
        **{camera.id: tuple(lane.id for lane in camera.lanes) for camera in site.cameras},
    }
