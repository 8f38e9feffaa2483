"""What a message costs at the door. Run by hand: `python tests/benchmarks/bench_door.py`; prints figures, judges nothing."""

from __future__ import annotations

import json
import timeit

from config.settings import DEFAULT_SITE
from config.site import Kind, load_site
from ingest import contract
from ingest.door import Door
from ingest.registry import Registry
from ingest.topics import Stream, topic

RECEIVED = 1_795_478_410_000_000
START = "2026-11-24T08:00:00+08:00"
SECONDS = 0.4
REPEATS = 5


def lane_message(codes: list[str]) -> bytes:
    lanes = [
        {
            "id": code,
            "volume": 7 + index,
            "occupancy": 12.34 + index,
            "speed": 31.4 + index,
            "classes": {"SM": 5, "MP": 2},
        }
        for index, code in enumerate(codes)
    ]
    return json.dumps({"seq": 41, "start": START, "period_s": 10, "lanes": lanes}).encode()


def microseconds_per_call(door: Door, name: str, payload: bytes) -> float:
    timer = timeit.Timer(lambda: door.admit(name, payload, RECEIVED))
    loops, taken = timer.autorange()
    loops = max(1, int(loops * SECONDS / taken))
    return min(timer.repeat(REPEATS, loops)) / loops * 1e6


def main() -> None:
    """Print one line a kind of message."""
    site = load_site(DEFAULT_SITE)
    controller = site.controllers[0]
    # Sixteen lanes, whatever the site has today.
    many = controller.lanes * 16
    wide = controller.model_copy(
        update={
            "detectors": tuple(
                detector.model_copy(update={"id": f"L{index}", "number": index + 1}) for index, detector in enumerate(many[:16])
            )
        }
    )
    site = site.model_copy(update={"controllers": (wide, *site.controllers[1:])})
    door = Door(Registry.for_site(site), site)
    atc = {stream: topic(site.name, Kind.ATC, wide.id, stream) for stream in Stream}
    wifi = topic(site.name, Kind.WIFI, site.access_points[0].id, Stream.METRICS)
    events = [[START, 81 + index % 2, index % 16] for index in range(500)]
    usual = {
        "detectors, 1 lane": (atc[Stream.DETECTORS], lane_message(["L0"]), 1),
        "detectors, 16 lanes": (atc[Stream.DETECTORS], lane_message([f"L{index}" for index in range(16)]), 16),
        "events, 10": (atc[Stream.EVENTS], json.dumps({"seq": 1, "events": events[:10]}).encode(), 10),
        "events, 500": (atc[Stream.EVENTS], json.dumps({"seq": 1, "events": events}).encode(), 500),
        "metrics, 3": (
            wifi,
            json.dumps({"seq": 1, "time": START, "metrics": {"clients": 3, "rx_mbps": 1.5, "tx_mbps": 2}}).encode(),
            3,
        ),
        "presence": (atc[Stream.PRESENCE], contract.Presence.ONLINE.value.encode(), 1),
    }
    bad = {
        "unknown topic": ("some/other/topic", b"x", 1),
        "broken JSON": (atc[Stream.DETECTORS], lane_message(["L0"])[:-2], 1),
        "negative volume in 1 of 16": (
            atc[Stream.DETECTORS],
            lane_message([f"L{index}" for index in range(16)]).replace(b'"volume": 9', b'"volume": -9'),
            16,
        ),
        "1 MiB of nesting": (atc[Stream.DETECTORS], b"[" * (1 << 20), 1),
    }
    for title, cases in (("usual", usual), ("bad", bad)):
        print(f"{title:28} {'µs/message':>12} {'µs/part':>9} {'messages/s':>12}")
        for name, (where, payload, parts) in cases.items():
            cost = microseconds_per_call(door, where, payload)
            print(f"{name:28} {cost:12.2f} {cost / parts:9.2f} {1e6 / cost:12,.0f}")


if __name__ == "__main__":
    main()
