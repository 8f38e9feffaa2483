"""A signal controller: lane detectors over even periods, and its hi-res event log.

A reading covers a whole period of the even clock, or is not sent. Signal changes fall on whole seconds (the step of the
simulation); detector changes are placed inside the second by the vehicle's speed and rounded to 0.1 s. What else the log holds is
in `hires`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from config.errors import ConfigError
from config.site import Controller, Junction, Kind
from ingest.contract import Classes, Detectors, Event, Events, LaneReport, VehicleClass
from ingest.topics import Stream
from subak.street.defects import OPEN_LOOP_CODE, SOUND, Defects, LoopDefect
from subak.street.hires import NAMES, EventLog
from subak.street.loop import TICKS, LoopSecond
from subak.street.message import ENCODER, Message, Numbers
from subak.street.signals import Interval

EVENTS_EVERY = 2
"""Seconds of hi-res events in one message."""


@dataclass(slots=True)
class LaneTally:
    """Sums of one lane over a period, all whole numbers.

    Attributes:
        volume: Vehicles.
        speed: Sum of the vehicles' speeds, 0.1 km/h.
        occupied: Ticks of 0.01 s with a vehicle on the loop.
        classes: Vehicles by class.
    """

    volume: int = 0
    speed: int = 0
    occupied: int = 0
    classes: dict[VehicleClass, int] = field(default_factory=dict)

    def add(self, second: LoopSecond) -> None:
        """Add one second."""
        self.occupied += second.occupied
        for passage in second.passages:
            self.volume += 1
            self.speed += passage.speed
            self.classes[passage.vehicle] = self.classes.get(passage.vehicle, 0) + 1

    def report(self, detector: str, seconds: int) -> LaneReport:
        """The sums as a controller reports them."""
        return LaneReport(
            id=detector,
            volume=self.volume,
            occupancy=round(self.occupied * 100 / (seconds * TICKS), 2),
            speed=round(self.speed / self.volume / 10, 1) if self.volume else None,
            classes=Classes(**{name.value: count for name, count in sorted(self.classes.items())}),
        )


class ControllerDevice:
    """One controller; fed second by second, it makes messages."""

    def __init__(
        self,
        controller: Controller,
        junction: Junction,
        program: Sequence[Interval],
        zone: tzinfo,
        defects: Defects = SOUND,
        seed: int = 0,
    ) -> None:
        """`program`: the junction's cycle, to which the interval numbers of `second` refer; `seed`: of what the log makes up.

        Raises:
            ConfigError: The period is no whole number of seconds.
        """
        if controller.period != int(controller.period):
            raise ConfigError(f"{controller.id}: period {controller.period} s; the street steps by whole seconds")
        self.id = controller.id
        self._controller = controller
        self._log = EventLog(controller, junction, program, zone, defects, seed)
        self._zone = zone
        self._defects = defects
        self._period = int(controller.period)
        self._numbers = Numbers()
        self._tallies: dict[str, LaneTally] = {}
        self._covered = 0
        self._events: list[Event] = []

    def second(self, start: int, loops: Mapping[str, LoopSecond], interval: int) -> list[Message]:
        """What the controller makes of the second from `start` (Unix time).

        Args:
            start: Beginning of the second.
            loops: What each detector saw.
            interval: Interval of the program in which the junction was.
        """
        if any(start == window.end for window in self._defects.down):
            self._numbers.reboot()
        begin = self._time(start)
        self._events += [
            Event(begin + timedelta(milliseconds=100 * tenth), code, parameter)
            for tenth, code, parameter in self._log.second(start, loops, interval)
        ]
        for detector in self._controller.lanes:
            self._tallies.setdefault(detector.id, LaneTally()).add(loops[detector.id])
        self._covered += 1
        end = start + 1
        messages: list[Message] = []
        if end % EVENTS_EVERY == 0 and self._events:
            messages.append(self._pack_events(start))
        if end % self._period == 0:
            if self._covered == self._period:
                messages.append(self._pack_detectors(end - self._period, start))
            self._tallies = {}
            self._covered = 0
        return messages

    def _pack_events(self, now: int) -> Message:
        events, self._events = self._events, []
        seq = self._numbers.take(Stream.EVENTS)
        # A broken loop's actuations are missing from every message, so every message is altered.
        faults = tuple(f"{defect}:{detector}" for detector, defect in self._defects.loops.items())
        faults += tuple(sorted({NAMES[event.code] for event in events if event.code in NAMES}))
        return self._message(Stream.EVENTS, seq, events[0].time, ENCODER.encode(Events(seq, events)), now, faults)

    def _pack_detectors(self, begin: int, now: int) -> Message:
        faults: list[str] = []
        lanes: list[LaneReport] = []
        for detector in self._controller.lanes:
            match self._defects.loops.get(detector.id):
                case LoopDefect.STUCK_ON as defect:
                    faults.append(f"{defect}:{detector.id}")
                    lanes.append(LaneReport(id=detector.id, volume=0, occupancy=100.0, classes=Classes()))
                case LoopDefect.OPEN_LOOP as defect:
                    faults.append(f"{defect}:{detector.id}")
                    lanes.append(LaneReport(id=detector.id, occupancy=OPEN_LOOP_CODE))
                case None:
                    lanes.append(self._tallies[detector.id].report(detector.id, self._period))
        seq = self._numbers.take(Stream.DETECTORS)
        time = self._time(begin)
        payload = ENCODER.encode(Detectors(seq, time, float(self._period), lanes))
        return self._message(Stream.DETECTORS, seq, time, payload, now, tuple(faults))

    def _message(self, stream: Stream, seq: int, start: datetime, payload: bytes, now: int, faults: tuple[str, ...]) -> Message:
        withheld = self._defects.withheld(now)
        ahead = self._defects.clock_ahead
        return Message(
            device=self.id,
            kind=Kind.ATC,
            stream=stream,
            seq=seq,
            start=start,
            true_start=start - timedelta(seconds=ahead),
            payload=payload,
            faults=faults + (("clock_ahead",) if ahead else ()) + ((withheld,) if withheld else ()),
            withheld=withheld is not None,
        )

    def _time(self, second: int) -> datetime:
        """What the controller's own clock shows at the Unix time `second`."""
        return datetime.fromtimestamp(second + self._defects.clock_ahead, UTC).astimezone(self._zone)
