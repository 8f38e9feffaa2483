"""From a decoder's reports to messages of the wire contract, and to the broker, in order, each once it is confirmed."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime, tzinfo

import aiomqtt
import msgspec
import stamina
import structlog

from config.site import Kind
from config.thresholds.camera_health import Worth
from ingest.camera.condition import grade
from ingest.camera.reports import Counted, Happened, LaneCount, Tally
from ingest.camera.supervisor import Camera
from ingest.contract import (
    Classes,
    Conditions,
    Counts,
    Health,
    Incidence,
    LaneReport,
    Observed,
    Sight,
    Trust,
    Turning,
)
from ingest.mqtt.address import Address
from ingest.topics import Stream, topic

log = structlog.get_logger(__name__)

BUFFER = 20_000
"""Messages kept while the broker is away; the oldest goes first, and shows as a gap of `seq`."""

DETAIL = 200
"""Characters of a detail at most, as in the contract."""


class Messages:
    """Messages of the cameras of a site, with the sequence numbers of this process."""

    def __init__(self, site: str, zone: tzinfo, worth: dict[str, Worth]) -> None:
        self._site = site
        self._zone = zone
        self._worth = worth
        self._numbers: dict[tuple[str, Stream], int] = {}
        self._encoder = msgspec.json.Encoder()

    def counts(self, camera: str, counted: Counted) -> tuple[str, bytes]:
        """Counts of a period, with what they are worth."""
        message = Counts(
            seq=self._next(camera, Stream.COUNTS),
            start=self._time(counted.start_us),
            period_s=round(counted.period_s, 3),
            lanes=[_lane(lane) for lane in counted.lanes],
            conditions=Conditions(state=counted.sight, trust=Trust(self._worth[counted.sight])),
            turns=[Turning(turn.entry, turn.exit, _classes(turn.classes)) for turn in counted.turns],
        )
        return self._topic(camera, Stream.COUNTS), self._encoder.encode(message)

    def health(self, camera: Camera, now_us: int, events: list[Happened]) -> tuple[str, bytes]:
        """What a camera can see now, how well its stream comes, and what it saw."""
        beat = camera.beat
        lost = camera.sight is Sight.LOST
        fps = 0.0 if lost else beat.fps
        reconnects, stalls = len(camera.reconnects), len(camera.stalls)
        message = Health(
            seq=self._next(camera.task.camera, Stream.HEALTH),
            time=self._time(now_us),
            fps=None if fps is None else round(min(240.0, fps), 1),
            brightness=None if lost or beat.brightness is None else round(beat.brightness, 1),
            sharpness=None if lost or beat.sharpness is None else round(beat.sharpness, 1),
            frozen=camera.sight is Sight.FROZEN,
            moved=camera.sight is Sight.MOVED,
            covered=camera.sight is Sight.COVERED,
            condition=camera.sight,
            since=self._time(camera.since_us),
            detail=_plain(camera.detail),
            grade=None if fps is None else grade(fps, camera.task.fps, reconnects, stalls),
            reconnects=reconnects,
            stalls=stalls,
            events=[self._observed(event) for event in events],
            ongoing=None
            if camera.ongoing is None or self._worth[camera.sight] == "missing"
            else [self._observed(event) for event in camera.ongoing],
        )
        return self._topic(camera.task.camera, Stream.HEALTH), self._encoder.encode(message)

    def _observed(self, event: Happened) -> Observed:
        return Observed(
            Incidence(event.kind),
            event.zone,
            self._time(event.onset_us),
            None if event.end_us is None else self._time(event.end_us),
        )

    def _next(self, camera: str, stream: Stream) -> int:
        number = self._numbers.get((camera, stream), 0)
        self._numbers[camera, stream] = number + 1
        return number

    def _time(self, time_us: int) -> datetime:
        return datetime.fromtimestamp(time_us / 1e6, UTC).astimezone(self._zone)

    def _topic(self, camera: str, stream: Stream) -> str:
        return topic(self._site, Kind.CCTV, camera, stream)


def _lane(lane: LaneCount) -> LaneReport:
    return LaneReport(
        id=lane.id,
        volume=sum(lane.classes.values()),
        occupancy=lane.occupancy,
        speed=None if lane.speed_kmh is None else min(300.0, lane.speed_kmh),
        classes=_classes(lane.classes),
    )


def _classes(tally: Tally) -> Classes:
    return Classes(**{vehicle.value: count for vehicle, count in tally.items()})


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:DETAIL]


class Line:
    """The worker's connection to the broker: it subscribes to frames and sends what waits.

    Attributes:
        connected: The broker knows us.
        idle: All that was sent is confirmed.
    """

    def __init__(self, address: Address, client_id: str, topics: list[str]) -> None:
        self._address = address
        self._client_id = client_id
        self._topics = topics
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=BUFFER)
        self._filled = asyncio.Event()
        self.connected = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    def send(self, name: str, payload: bytes) -> None:
        """Send it when the broker is there."""
        self._waiting.append((name, payload))
        self.idle.clear()
        self._filled.set()

    async def run(self, received: dict[str, Camera]) -> None:
        """Be connected until cancelled; frames go to the camera of their topic."""
        while True:
            async for attempt in stamina.retry_context(
                on=aiomqtt.MqttError, attempts=None, timeout=None, wait_initial=0.25, wait_max=10.0
            ):
                with attempt:
                    try:
                        await self._session(received)
                    finally:
                        self.connected.clear()

    async def _session(self, received: dict[str, Camera]) -> None:
        async with aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            tls_context=self._address.ssl_context(),
            timeout=10.0,
            max_queued_incoming_messages=1000,
        ) as client:
            for name in self._topics:
                await client.subscribe(name, qos=0)
            self.connected.set()
            sending = asyncio.create_task(self._send(client))
            hearing = asyncio.create_task(_hear(client, received))
            try:
                done, _ = await asyncio.wait([sending, hearing], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                sending.cancel()
                hearing.cancel()
                await asyncio.gather(sending, hearing, return_exceptions=True)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            name, payload = self._waiting[0]
            await client.publish(name, payload, qos=1)
            if self._waiting and self._waiting[0][1] is payload:
                self._waiting.popleft()
            if not self._waiting:
                self.idle.set()


async def _hear(client: aiomqtt.Client, received: dict[str, Camera]) -> None:
    async for message in client.messages:
        camera = received.get(str(message.topic))
        if camera is not None and isinstance(message.payload, bytes):
            # Its time, should the picture not tell one: now, on arrival, not when it is looked at.
            camera.feed(message.payload, round(datetime.now(UTC).timestamp() * 1e6))
