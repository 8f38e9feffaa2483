"""Foreign dialects through the heartbeat into a real database: what is stored, binned and accounted for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from config.settings import DEFAULT_SITE
from config.site import load_site
from ingest.feeds.rsmp4 import encode as rsmp4
from ingest.feeds.sparkplug import encode as sparkplug
from ingest.readings import US
from tests.support.databases import Database
from tests.support.pipelines import NOON_US, Bench, rfc3339

NOON_MS = NOON_US // 1000

# One more device a dialect, at the junction raya-kuta.
DEVICES = {
    "controllers.yaml": """
  - {id: atc-ntcip, junction: raya-kuta, dialect: ntcip, address: {gateway: gw-1, controller: 17}, period: 10,
     detectors: [{id: N1, lane: N1, number: 1}]}
  - {id: atc-rsmp4, junction: raya-kuta, dialect: rsmp4, address: {node: bali/tlc-1, channel: live}, period: 60,
     detectors: [{id: N1, lane: N1, number: 1}, {id: N2, lane: N2, number: 2}]}
  - {id: atc-radar, junction: raya-kuta, dialect: radar, address: {device: 4711}, period: 60,
     detectors: [{id: 0-in, lane: N1, number: 1}]}
  - {id: atc-fiware, junction: raya-kuta, dialect: fiware, address: {topic: fiware/flow}, period: 300,
     detectors: [{id: N1, lane: N1, number: 1}]}
""",
    "cameras.yaml": """
  - {id: cam-frigate, name: Frigate, junction: raya-kuta, approach: N, position: [-8.7, 115.17], dialect: frigate,
     address: {camera: north}, lanes: [{id: north_kerb, lane: N1}]}
""",
    "sensors.yaml": """
  - {id: app-frigate, name: Frigate, dialect: frigate, serves: [cam-frigate], period: 60}
  - {id: app-edge, name: Edge node, dialect: sparkplug, address: {group: badung, edge: e1}, period: 60}
""",
}


@pytest.fixture
def bench(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A pipeline of the site with the devices above, on each level in turn."""
    folder = Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))
    for file, more in DEVICES.items():
        with (folder / file).open("a") as text:
            text.write(more)
    monkeypatch.setattr("tests.support.pipelines.SITE", load_site(folder))
    return Bench(database.url)


def text(message: Any) -> bytes:
    return json.dumps(message).encode()


def readings(bench: Bench, device: str) -> list[tuple[Any, ...]]:
    return bench.rows(
        "SELECT extract(epoch FROM start - %s::timestamptz)::float8, period_s::float8, volume, occupancy::float8, speed::float8, fault"
        " FROM analytics.lane_readings WHERE device = %s ORDER BY start",
        rfc3339(NOON_US),
        device,
    )


async def test_every_dialect_is_stored_and_the_ledger_agrees_with_the_rows(bench: Bench) -> None:
    report = {
        "seq": 1,
        "end": rfc3339(NOON_US + 10 * US),
        "period_s": 10,
        "detectors": [{"number": 1, "volume": 4, "occupancy": 37}],
    }
    await bench.send(text(report), text(report), topic="ntcip/gw-1/17/volume-occupancy")
    fault = report | {"seq": 2, "end": rfc3339(NOON_US + 20 * US), "detectors": [{"number": 1, "volume": 4, "occupancy": 212}]}
    await bench.send(text(fault), topic="ntcip/gw-1/17/volume-occupancy")

    minutes = [{"ts": rfc3339(NOON_US - 60 * US * n), "values": {"vehicles": n}, "seq": 9 - n} for n in (1, 0)]
    live, late = "bali/tlc-1/status/traffic.count/live/dl/1", "bali/tlc-1/replay/traffic.count/live/dl/1"
    await bench.send(rsmp4.encode(minutes[1]), topic=live)
    await bench.send(rsmp4.encode({"entries": minutes, "done": True}), topic=late)

    flow = {"type": "TrafficFlowObserved", "laneId": 1, "intensity": 30, "occupancy": 0.2}
    period = {"dateObservedFrom": rfc3339(NOON_US - 300 * US), "dateObservedTo": rfc3339(NOON_US)}
    await bench.send(text(flow | period), topic="fiware/flow")

    seen = {"camera": "north", "label": "car", "frame_time": NOON_US / US, "entered_zones": ["north_kerb"], "position_changes": 1}
    events = [{"type": kind, "after": seen | {"id": f"1.5-{name}"}} for name in ("a", "b") for kind in ("new", "end", "end")]
    await bench.send(*map(text, events), topic="frigate/events")

    metric = {"name": "latency_ms", "doubleValue": 12.5, "timestamp": NOON_MS}
    await bench.send(sparkplug.encode({"timestamp": NOON_MS, "seq": 3, "metrics": [metric]}), topic="spBv1.0/badung/NDATA/e1")
    await bench.close()

    assert readings(bench, "atc-ntcip") == [(0, 10, 4, 18.5, None, None), (10, 10, None, None, None, "open_loop")]
    assert readings(bench, "atc-rsmp4") == [(-120, 60, 1, None, None, None), (-60, 60, 0, None, None, None)]
    assert readings(bench, "atc-fiware") == [(-300, 300, 30, 20, None, None)]
    assert readings(bench, "cam-frigate") == [(0, 0, 1, None, None, None)] * 2
    assert bench.rows("SELECT value FROM analytics.sensor_readings") == [(12.5,)]
    counts = (
        "SELECT device, sum(received)::int, sum(stored)::int, sum(duplicate)::int FROM analytics.ledger GROUP BY 1 ORDER BY 1"
    )
    assert bench.rows(counts) == [
        ("app-edge", 1, 1, 0),
        ("atc-fiware", 1, 1, 0),
        ("atc-ntcip", 3, 2, 1),
        ("atc-rsmp4", 2, 2, 0),
        ("cam-frigate", 6, 3, 3),
    ]
    ledger, bins = bench.verify()
    assert (ledger.differences, bins.differences) == ([], [])


async def test_a_radars_minute_is_good_when_it_watched_all_of_it(bench: Bench) -> None:
    """Vehicles 20 s apart, the first after 50 s of quiet; the one at 12:01:10 is lost on the way."""

    def vehicle(counter: int, after_s: int, quiet_s: int) -> bytes:
        more = {"lane": 0, "dir": 0, "class": 235, "speed": 30, "td_lane": quiet_s * 1000}
        return text({"t": NOON_MS - 1 + after_s * 1000, "c": counter} | more)

    bench.now_us = NOON_US + 200 * US
    topic = "topo/devices/4711/evt/vehicle"
    await bench.send(vehicle(1, 10, 50), vehicle(2, 30, 20), vehicle(3, 50, 20), vehicle(5, 90, 20), topic=topic)
    await bench.close()

    bins = "SELECT volume, sm, flow, completeness::float8, quality FROM analytics.lane_1min WHERE device = %s ORDER BY start"
    # 40 s of quiet and all of 10 s; then a whole minute less what the lost vehicle would have told.
    assert bench.rows(bins, "atc-radar") == [
        (0, 0, 0, 0.667, "partial"),
        (3, 3, 216, 0.833, "partial"),
        (1, 1, 180, 0.333, "partial"),
    ]
    await bench.send(vehicle(4, 70, 20), topic=topic)
    await bench.close()
    assert bench.rows(bins, "atc-radar") == [
        (0, 0, 0, 0.667, "partial"),
        (3, 3, 180, 1.0, "good"),
        (2, 2, 240, 0.5, "partial"),
    ]
    assert bench.rows("SELECT sum(lost)::int, sum(recovered)::int FROM analytics.ledger") == [(1, 1)]
    ledger, report = bench.verify()
    assert (ledger.differences, report.differences) == ([], [])
