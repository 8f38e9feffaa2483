"""One camera in a process of its own, with nothing in it that a camera's process does not have; see `tests.benchmarks.camera`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from statistics import median
from time import process_time

import msgspec

from config.thresholds.camera import seeing_thresholds
from ingest.camera.detect.background import Background
from ingest.camera.detect.choose import detector
from ingest.camera.seer import Seer
from ingest.camera.video import empty_road, frames
from ingest.camera.view import View


def one(file: Path, view: View, model: Path | None) -> dict[str, float | None]:
    """Cost of one camera, measured in this process.

    Returns:
        Processor milliseconds a frame, decoding included; processor seconds from the start of the process to the first frame that can
        count, and to the first count; seconds of the stream from a vehicle's passage to its count, the median; MB at the end as its share
        of what is shared (PSS), and the most it held (peak RSS); frames.
    """
    thresholds = seeing_thresholds()
    eye = detector(model, thresholds)
    seer = Seer(view, eye, thresholds)
    if isinstance(eye, Background):
        road = empty_road(file, 120)
        if road is not None:
            eye.prime(seer.cut(road))
    started = process_time()
    first = 0.0
    number = 0
    delays: list[float] = []
    for time_us, frame in frames(file):
        seen = seer.see(frame, time_us)
        number += 1
        delays += [(time_us - item.time_us) / 1_000_000 for item in seen.crossings]
        if seen.crossings and not first:
            first = process_time()
    spent = process_time() - started
    return {
        "ms": spent / number * 1000,
        "ready_s": started,
        "first_s": first or None,
        "delay_s": median(delays) if delays else None,
        "pss": _memory("/proc/self/smaps_rollup", "Pss"),
        "peak": _memory("/proc/self/status", "VmHWM"),
        "frames": number,
    }


def _memory(file: str, name: str) -> float:
    """MB. Not `ru_maxrss`, which keeps what the parent held before this program was loaded."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(file).read_text(encoding="ascii"), re.MULTILINE)
    return float(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    print(
        json.dumps(
            one(Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=View), Path(sys.argv[3]) if sys.argv[3] else None)
        )
    )
