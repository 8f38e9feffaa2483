"""A stretch of everything that a site sends, through the pipeline's own path, up to now: what boards are checked against."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from ingest.readings import US
from tests.support.pipelines import SITE, Bench, lanes_of, rfc3339

MINUTES = 25
ALERT = (
    "INSERT INTO subak.alert (site_id, rule, device_id, element, audience, severity, onset, value, threshold, detail, announced_at)"
    " SELECT site_id, 'watchdog:comm_loss', device_id, '', 'technician', 'warning', now() - interval '5 minutes', 300, 120,"
    " 'no message for 5 min', now() FROM subak.device WHERE name = %s"
)

EVENT = (
    "INSERT INTO subak.camera_event SELECT device_id, now() - interval '4 minutes', 'stopped', 'road', false, NULL, false, now()"
    " FROM subak.device WHERE name = %s"
)

# Cycles of two phases as the measuring would leave them: one and a half minutes each, half of six vehicles on green.
CYCLES = """
INSERT INTO subak.signal_cycle (
    device_id, phase, start, green, yellow, "end", programmed_s, termination, green_occupancy, red_occupancy, split_failure,
    arrivals, arrivals_on_green, arrival_ms, arrival_detectors, quality, segment, revision, revised_at)
SELECT d.device_id, p.phase, g.start, g.start + interval '50 s', g.start + interval '86 s', g.start + interval '90 s', 42,
    (ARRAY['gap_out', 'max_out', 'force_off'])[1 + extract(minute FROM g.start)::int %% 3], 0.9, 0.5, p.phase = 2,
    6, 3, ARRAY[5000, 20000, 55000, 60000, 70000, 88000], ARRAY[1, 1, 1, 1, 1, 1], 'good', g.start, 0, now()
FROM subak.device d, (VALUES (2), (4)) p (phase),
    generate_series(now() - interval '22 minutes', now() - interval '3 minutes', interval '90 s') g (start)
WHERE d.name = %s
"""


async def fill(bench: Bench, minutes: int = MINUTES) -> datetime:
    """Let every device speak once a minute up to the wall clock, one lane be broken, one letter be garbled; the time afterwards."""
    end_us = int(datetime.now(UTC).timestamp()) // 60 * 60 * US
    for back in range(minutes, 0, -1):
        start_us = end_us - back * 60 * US
        bench.now_us = start_us + 61 * US
        for topic, payload in _minute(minutes - back, start_us):
            bench.source.put(f"subak/v1/{SITE.name}/{topic}", payload, bench.now_us)
            bench.now_us += 1
        await bench.pipeline.take(await bench.source.batch(10_000, 0, 0))
    bench.now_us = end_us + 30 * US
    await bench.pipeline.close_due(live=True)
    await bench.close()
    return datetime.fromtimestamp(bench.now_us / US, UTC)


def _minute(number: int, start_us: int) -> list[tuple[str, bytes]]:
    stamp = rfc3339(start_us)
    found: list[tuple[str, Any]] = []
    for index, controller in enumerate(SITE.controllers):
        lanes = lanes_of(controller.id, volume=8 + (number + index) % 5, classes={"SM": 5, "MP": 2})
        if index == 0:
            lanes[controller.detectors[0].id] = {"fault": "open_loop"}
        found.append((f"atc/{controller.id}/detectors", {"seq": number, "start": stamp, "period_s": 60, "lanes": lanes}))
        events = [[rfc3339(start_us + phase * US), code, phase] for phase in (2, 4, 6, 8) for code in (1, 8, 10)]
        found.append((f"atc/{controller.id}/events", {"seq": number, "events": events}))
        if number == 0:
            found.append((f"atc/{controller.id}/detectors", {"seq": 0, "start": stamp, "period_s": 60, "lanes": lanes}))
    for index, camera in enumerate(SITE.cameras):
        health = {
            "seq": number,
            "time": stamp,
            "fps": 10.0,
            "brightness": 110.0,
            "sharpness": 300.0,
            "frozen": index == 0 and number % 9 > 5,
        }
        found.append((f"cctv/{camera.id}/health", health))
        if camera.lanes:
            lanes = {lane.id: {"volume": 7, "occupancy": 8.0, "speed": 30.0} for lane in camera.lanes}
            listed = [{"id": name, **values} for name, values in lanes.items()]
            found.append((f"cctv/{camera.id}/counts", {"seq": number, "start": stamp, "period_s": 60, "lanes": listed}))
    for index, sign in enumerate(SITE.signs):
        multi = "JALAN LANCAR" if number < 12 or index else "MACET[nl]5 KM"
        shown = {"seq": number, "time": stamp, "multi": multi, "crc": 1, "source_mode": "central", "brightness": 70.0}
        found.append((f"vms/{sign.id}/status", shown))
        if number == 12 and index == 0:
            command = {"command": "c-1", "time": stamp, "multi": "MACET[nl]5 KM", "priority": 50, "lease_s": 300}
            found += [
                (f"vms/{sign.id}/command", command),
                (f"vms/{sign.id}/result", {"seq": 1, "time": stamp, "command": "c-1", "outcome": "accepted"}),
            ]
    metrics = {
        "net": {"latency_ms": 4.0, "loss_percent": 0.0, "temperature_c": 41.0},
        "wifi": {"latency_ms": 9.0, "loss_percent": 0.5, "clients": 12},
        "app": {"latency_ms": 80.0, "requests_per_s": 20.0, "error_percent": 0.2},
    }
    for device in SITE.devices:
        if device.kind in metrics:
            found.append((f"{device.kind}/{device.id}/metrics", {"seq": number, "time": stamp, "metrics": metrics[device.kind]}))
    encoded = [
        (topic, msgspec.json.encode({**body, "lanes": [{"id": name, **values} for name, values in body["lanes"].items()]}))
        if isinstance(body.get("lanes"), dict)
        else (topic, msgspec.json.encode(body))
        for topic, body in found
    ]
    if number == 3:
        encoded.append((f"atc/{SITE.controllers[1].id}/detectors", b"{"))
    if number in {0, 8, 10}:
        state = b"offline" if number == 8 else b"online"
        encoded += [
            (f"{device.kind}/{device.id}/presence", state) for device in SITE.devices if number == 0 or device.kind == "wifi"
        ]
    return encoded
