"""A made-up site of any size, and its messages as MQTT packets ready to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import mqtt5
import msgspec
from ruamel.yaml import YAML

BEGIN = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
MOST_LANES = 16  # of one controller in the site folder's terms: four approaches of four lanes
SITE = "grid"


def write_site(folder: Path, controllers: int, lanes: int) -> Path:
    """A site folder with `controllers` controllers of `lanes` lanes (at most 16) each."""
    assert 1 <= lanes <= MOST_LANES
    approaches = [(f"A{n}", min(4, lanes - 4 * n)) for n in range((lanes + 3) // 4)]
    codes = [f"{name}{lane}" for name, count in approaches for lane in range(1, count + 1)]
    content: dict[str, dict[str, object]] = {
        "site.yaml": {"site": SITE, "title": "Grid", "timezone": "Asia/Makassar", "centre": [0.0, 115.0]},
        "roads.yaml": {
            "gates": [{"id": "edge", "position": [0.0, 115.0]}],
            "links": [
                {"id": f"l{c}-{n}", "start": "edge", "end": f"j{c}", "road": "Grid", "lanes": count, "speed_limit": 50}
                for c in range(controllers)
                for n, (_, count) in enumerate(approaches)
            ],
        },
        "junctions.yaml": {
            "junctions": [
                {
                    "id": f"j{c}",
                    "name": f"J{c}",
                    "position": [0.0, 115.0],
                    "approaches": [
                        {
                            "id": name,
                            "link": f"l{c}-{n}",
                            "phase": 2,
                            "lanes": [{"id": f"{name}{k}"} for k in range(1, count + 1)],
                        }
                        for n, (name, count) in enumerate(approaches)
                    ],
                }
                for c in range(controllers)
            ]
        },
        "controllers.yaml": {
            "controllers": [
                {
                    "id": f"c{c}",
                    "junction": f"j{c}",
                    "period": 1,
                    "detectors": [{"id": code, "lane": code, "number": n} for n, code in enumerate(codes, 1)],
                }
                for c in range(controllers)
            ]
        },
        "cameras.yaml": {},
        "signs.yaml": {},
        "sensors.yaml": {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    yaml = YAML(typ="safe", pure=False)
    for name, value in content.items():
        with (folder / name).open("w", encoding="utf-8") as file:
            yaml.dump(value, file)
    return folder


def lane_codes(lanes: int) -> list[str]:
    """Detector names of one controller of the grid."""
    return [f"A{n // 4}{n % 4 + 1}" for n in range(lanes)]


def payload(seq: int, lanes: int, controller: int = 0) -> bytes:
    """The message of second `seq`, as a controller words it: about 185 bytes for one lane."""
    start = BEGIN + timedelta(seconds=seq)
    return msgspec.json.encode(
        {
            "seq": seq,
            "start": start.isoformat(),
            "period_s": 1,
            "lanes": [
                {
                    "id": code,
                    "volume": (seq + n + controller) % 3,
                    "occupancy": 12.34,
                    "speed": 31.5,
                    "classes": {"SM": (seq + n + controller) % 3, "MP": 0},
                }
                for n, code in enumerate(lane_codes(lanes))
            ],
        }
    )


def packets(messages: int, controllers: int, lanes: int, first_seq: int = 0) -> list[bytes]:
    """`messages` PUBLISH packets at QoS 1, second by second over all controllers; packet ids rise from 1 and wrap."""
    found = []
    for number in range(messages):
        seq, controller = divmod(number, controllers)
        found.append(
            mqtt5.PublishPacket(
                f"subak/v1/{SITE}/atc/c{controller}/detectors",
                payload(first_seq + seq, lanes, controller),
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                packet_id=number % 65_535 + 1,
            ).write()
        )
    return found


def stamped(number: int, controllers: int) -> bytes:
    """Message `number` as a packet, one lane, dated with this moment."""
    seq, controller = divmod(number, controllers)
    body = (
        f'{{"seq":{seq},"start":"{datetime.now(UTC).isoformat()}","period_s":0.001,'
        f'"lanes":[{{"id":"A01","volume":1,"occupancy":12.34,"speed":31.5,"classes":{{"SM":1}}}}]}}'
    )
    return mqtt5.PublishPacket(
        f"subak/v1/{SITE}/atc/c{controller}/detectors",
        body.encode(),
        qos=mqtt5.QoS.AT_LEAST_ONCE,
        packet_id=number % 65_535 + 1,
    ).write()
