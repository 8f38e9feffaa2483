"""What really happened, as Parquet: the yardstick for everything that is measured from messages.

Lane minutes come from the same loops as the controllers' readings, but are summed here on their own, second by second,
and no fault touches them. A vehicle belongs to the second in which its front reaches the loop. Every minute of a run is
whole (a run begins on a whole minute), but the last; `seconds` says how much of a minute was simulated.

Files (times in UTC):

`lane_minutes.parquet`: one row a counting detector and minute
    junction, approach, lane, device, detector: string; minute: timestamp of its start; seconds: int32 simulated;
    volume: int32 vehicles; SM, MP, KS, BB, TB, KTB: int32 vehicles by class; speed: double, mean km/h of the counted
    vehicles, null without any; occupancy: double, percent of the simulated seconds.
`messages.parquet`: one row a message that carries readings (detectors, events, health, status, metrics)
    device, kind, stream: string; seq: int64; start: timestamp in the message; true_start: the same by the right clock;
    times: int32 publishes that the broker confirmed (0: withheld by its device, or not sent before the street ended;
    2: sent twice); fault: string, names joined by commas, null when nothing was done to it. A name is a fault inside the
    device (`stuck_on:E1`, `open_loop_212:E1`, `clock_ahead`, `silent`, `reboot`, and `door` and `restart`, which its log tells of), on the way (`late`, `double`,
    `disordered`), or `overflow` (dropped by a full buffer while the broker was away).
`rubbish.parquet`: one row a damaged extra message that the broker confirmed
    time: timestamp; topic: string; damage: string; bytes: int64.
`link_travel_times.parquet`: one row a vehicle that drove a link from its start (or its gate) to its end
    link: string; entry, exit: timestamp, to the second; seconds: int32; class: string.
`queues.parquet`: one row an approach and minute
    junction, approach: string; minute: timestamp; queue_m: double, longest standing queue in the minute, sampled every
    5 s: from the stop line to the rear of the last vehicle slower than 5 km/h that follows within 15 m.
`greens.parquet`: one row a green of a phase that is over
    junction: string; phase: int32; green, red: timestamp of its begin and of the begin of red clearance; waiting: int32 vehicles that
    stood on its approaches in its first second; left: int32 of these that were still there when it was over: a split failure if any.
`incidents.parquet`: one row a blocked lane
    link: string; lane: int32 from the kerb; onset, end: timestamp; kind: string.
`troubles.parquet`: one row a trouble that was asked for (`--camera-fault`, `--camera-event`, `--sign-fault`, `--device-fault`)
    device, kind: string; onset: timestamp; end: timestamp, null when it lasts to the end of the run.
`conditions.parquet`: one row a fault that a controller reports in its log, by the right clock, named as the watchdog names it
    device, rule, element: string; onset: timestamp; end: timestamp, null when it lasts to the end of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from config.site import Site
from ingest.contract import VehicleClass
from subak.street.defects import SOUND, Defects
from subak.street.faults import Delivery, Sent
from subak.street.hires import reported
from subak.street.incident import Incident
from subak.street.message import Message, readings
from subak.street.parquet import Table
from subak.street.traffic import ApproachName, LinkTrip, LoopName, Second
from subak.street.trouble import FOR_EVER, Troubles

QUEUES_EVERY = 5
"""Seconds between two looks at the queues."""

_TIME = pa.timestamp("us", tz="UTC")
_CLASSES = [(name.value, pa.int32()) for name in VehicleClass]

LANE_MINUTES = pa.schema(
    [
        *((name, pa.string()) for name in ("junction", "approach", "lane", "device", "detector")),
        ("minute", _TIME),
        ("seconds", pa.int32()),
        ("volume", pa.int32()),
        *_CLASSES,
        ("speed", pa.float64()),
        ("occupancy", pa.float64()),
    ]
)
MESSAGES = pa.schema(
    [
        *((name, pa.string()) for name in ("device", "kind", "stream")),
        ("seq", pa.int64()),
        ("start", _TIME),
        ("true_start", _TIME),
        ("times", pa.int32()),
        ("fault", pa.string()),
    ]
)
RUBBISH = pa.schema([("time", _TIME), ("topic", pa.string()), ("damage", pa.string()), ("bytes", pa.int64())])
LINK_TRAVEL_TIMES = pa.schema(
    [("link", pa.string()), ("entry", _TIME), ("exit", _TIME), ("seconds", pa.int32()), ("class", pa.string())]
)
QUEUES = pa.schema([("junction", pa.string()), ("approach", pa.string()), ("minute", _TIME), ("queue_m", pa.float64())])
CONDITIONS = pa.schema([*((name, pa.string()) for name in ("device", "rule", "element")), ("onset", _TIME), ("end", _TIME)])
GREENS = pa.schema(
    [
        ("junction", pa.string()),
        ("phase", pa.int32()),
        ("green", _TIME),
        ("red", _TIME),
        ("waiting", pa.int32()),
        ("left", pa.int32()),
    ]
)
TROUBLES = pa.schema([("device", pa.string()), ("kind", pa.string()), ("onset", _TIME), ("end", _TIME)])
INCIDENTS = pa.schema([("link", pa.string()), ("lane", pa.int32()), ("onset", _TIME), ("end", _TIME), ("kind", pa.string())])


@dataclass(frozen=True, slots=True)
class _Place:
    junction: str
    approach: str
    lane: str


@dataclass(slots=True)
class _LaneMinute:
    volume: int = 0
    speed: int = 0
    occupied: int = 0
    classes: dict[VehicleClass, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Fate:
    """A message on its way: what was done to it and how often it arrived."""

    message: Message
    faults: tuple[str, ...]
    due: int
    times: int = 0


class Truth:
    """Collects what happened and keeps it in a folder of Parquet files."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        start: int,
        incidents: Sequence[Incident] = (),
        defects: Mapping[str, Defects] | None = None,
        troubles: Troubles | None = None,
    ) -> None:
        """Make `folder` if there is none; files of an earlier run in it are replaced.

        Args:
            site: Whose street.
            folder: Where the files go.
            start: Unix second at which the run begins.
            incidents: Blocked lanes of the run.
            defects: Of controllers.
            troubles: What was asked for.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._minute: int | None = None
        self._seconds = 0
        self._lanes: dict[LoopName, _LaneMinute] = {}
        self._queues: dict[ApproachName, float] = {}
        self._fates: dict[int, _Fate] = {}
        self._places: dict[LoopName, _Place] = {
            (controller.id, detector.id): _Place(controller.junction, approach.id, detector.lane)
            for controller in site.controllers
            for detector in controller.detectors
            for approach in site.junction[controller.junction].approaches
            if detector.function == "count" and detector.lane in {lane.id for lane in approach.lanes}
        }
        self._lane_minutes = Table(folder / "lane_minutes.parquet", LANE_MINUTES)
        self._messages = Table(folder / "messages.parquet", MESSAGES)
        self._rubbish = Table(folder / "rubbish.parquet", RUBBISH)
        self._link_travel_times = Table(folder / "link_travel_times.parquet", LINK_TRAVEL_TIMES)
        self._queue_minutes = Table(folder / "queues.parquet", QUEUES)
        self._incidents = Table(folder / "incidents.parquet", INCIDENTS)
        for item in incidents:
            onset = start + item.after
            self._incidents.add((item.link, item.lane, _utc(onset), _utc(onset + item.lasts), "blocked_lane"))
        self._greens = Table(folder / "greens.parquet", GREENS)
        self._troubles = Table(folder / "troubles.parquet", TROUBLES)
        for fault in troubles or Troubles():
            until = fault.window.end
            self._troubles.add(
                (fault.device, fault.kind.value, _utc(fault.window.begin), _utc(until) if until - start < FOR_EVER else None)
            )
        self._conditions = Table(folder / "conditions.parquet", CONDITIONS)
        for controller in site.controllers:
            for rule, element, onset, end in reported(controller, (defects or {}).get(controller.id, SOUND), start):
                self._conditions.add((controller.id, rule, element, _utc(onset), None if end is None else _utc(end)))
        self.flush()

    def second(self, second: Second) -> None:
        """Add one second of traffic."""
        minute = second.start - second.start % 60
        if minute != self._minute:
            self._end_minute()
            self._minute = minute
        self._seconds += 1
        for name in self._places:
            tally = self._lanes.setdefault(name, _LaneMinute())
            seen = second.loops[name]
            tally.occupied += seen.occupied
            for passage in seen.passages:
                tally.volume += 1
                tally.speed += passage.speed
                tally.classes[passage.vehicle] = tally.classes.get(passage.vehicle, 0) + 1
        for trip in second.trips:
            self._trip(trip)
        for one in second.served:
            self._greens.add((one.junction, one.phase, _utc(one.green), _utc(one.red), one.waiting, one.left))

    def queues(self, queues: Mapping[ApproachName, float]) -> None:
        """Add one look at the queues, in metres, inside the current second."""
        for name, metres in queues.items():
            self._queues[name] = max(metres, self._queues.get(name, 0.0))

    def sent(self, sent: Sent) -> None:
        """Note what becomes of a message; only those that carry readings are kept."""
        if readings([sent.message]):
            fate = _Fate(sent.message, sent.faults, sum(delivery.message is not None for delivery in sent.deliveries))
            self._fates[id(sent.message)] = fate
            self._close(fate)

    def confirmed(self, delivery: Delivery) -> None:
        """Note that the broker has a publish."""
        if delivery.message is not None:
            fate = self._fates.get(id(delivery.message))
            if fate is not None:
                fate.times += 1
                fate.due -= 1
                self._close(fate)
        elif delivery.damage is not None:
            row = (_utc(delivery.at), delivery.topic, delivery.damage.name, len(delivery.payload))
            self._rubbish.add(row)

    def dropped(self, delivery: Delivery) -> None:
        """Note that a full buffer dropped a publish."""
        fate = self._fates.get(id(delivery.message)) if delivery.message is not None else None
        if fate is not None:
            fate.faults = (*fate.faults, "overflow")
            fate.due -= 1
            self._close(fate)

    def flush(self) -> None:
        """Write every file anew; each is replaced at once, so that a reader never sees half of one.

        The current minute and messages still on their way are left out until they are complete.
        """
        for table in self._tables:
            table.write()

    def close(self) -> None:
        """Write everything, the last, broken minute and unsent messages too."""
        self._end_minute()
        for fate in list(self._fates.values()):
            fate.due = 0
            self._close(fate)
        self.flush()

    @property
    def _tables(self) -> tuple[Table, ...]:
        return (
            self._lane_minutes,
            self._messages,
            self._rubbish,
            self._link_travel_times,
            self._queue_minutes,
            self._incidents,
            self._greens,
            self._troubles,
            self._conditions,
        )

    def _trip(self, trip: LinkTrip) -> None:
        self._link_travel_times.add((trip.link, _utc(trip.entry), _utc(trip.exit), trip.exit - trip.entry, trip.vehicle.value))

    def _end_minute(self) -> None:
        if self._minute is None:
            return
        minute = _utc(self._minute)
        for (device, detector), tally in self._lanes.items():
            place = self._places[device, detector]
            self._lane_minutes.add(
                (
                    place.junction,
                    place.approach,
                    place.lane,
                    device,
                    detector,
                    minute,
                    self._seconds,
                    tally.volume,
                    *(tally.classes.get(name, 0) for name in VehicleClass),
                    tally.speed / tally.volume / 10 if tally.volume else None,
                    tally.occupied / self._seconds,
                )
            )
        for (junction, approach), metres in self._queues.items():
            self._queue_minutes.add((junction, approach, minute, round(metres, 1)))
        self._lanes, self._queues, self._seconds, self._minute = {}, {}, 0, None

    def _close(self, fate: _Fate) -> None:
        if fate.due > 0:
            return
        message = fate.message
        del self._fates[id(message)]
        self._messages.add(
            (
                message.device,
                message.kind.value,
                message.stream.value,
                message.seq,
                message.start.astimezone(UTC),
                message.true_start.astimezone(UTC),
                fate.times,
                ",".join(fate.faults) or None,
            )
        )


def _utc(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
