"""Throw damaged messages of every dialect at the door: `python -m tests.fuzz.run --payloads 1000000`.

Ends with a table and status 0, or with the messages that broke something and status 1. The same seed gives the same messages.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from ingest.reasons import Reason
from tests.fuzz.corpus import corpora
from tests.fuzz.mutate import mutated
from tests.fuzz.sound import faults
from tests.unit.ingest.samples import sample_door

EVERY_S = 5.0
WARM = 50_000  # payloads before memory is measured: decoders and allocators have their arenas then
MOST_GROWTH_MB = 64
MOST_SHOWN = 10


def resident_mb() -> float:
    """Memory of this process that is really there, MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def fuzz(payloads: int, seed: int) -> int:
    """Run it; returns the exit status."""
    random = Random(seed)
    messages = corpora()
    doors = {dialect: sample_door(dialect)[0] for dialect in messages}
    dialects = tuple(messages)
    sizes = ", ".join(f"{dialect} {len(found)}" for dialect, found in messages.items())
    print(f"seed {seed}, {payloads:,} payloads; cases: {sizes}")
    outcome: dict[str, Counter[str]] = {dialect: Counter() for dialect in dialects}
    broken: list[str] = []
    began = told = time.monotonic()
    warm_mb = peak_mb = 0.0
    for index in range(payloads):
        dialect = dialects[index % len(dialects)]
        topic, payload, received_us, *_ = mutated(random, messages[dialect])
        admission = doors[dialect].admit(topic, payload, received_us)
        wrong = faults(admission, payload)
        if wrong and len(broken) < MOST_SHOWN:
            broken.append(f"{dialect} {topic!r} at {received_us}: {'; '.join(wrong)}\n  payload {payload[:2000].hex()}")
        counts = outcome[dialect]
        counts["payloads"] += 1
        counts["broken"] += bool(wrong)
        counts["records"] += sum(len(part.records) for part in (admission, *admission.also))
        counts["admitted"] += bool(admission.records)
        for part in (admission, *admission.also):
            for letter in part.dead:
                counts[letter.reason] += 1
        if index == WARM:
            warm_mb = peak_mb = resident_mb()
        if not index % 1000 and time.monotonic() - told > EVERY_S:
            told = time.monotonic()
            peak_mb = max(peak_mb, resident_mb())
            print(f"{index:>11,} payloads, {index / (told - began):8,.0f} a second, {resident_mb():.0f} MiB")
    took = time.monotonic() - began
    peak_mb = max(peak_mb, resident_mb())
    growth_mb = peak_mb - warm_mb if warm_mb else 0.0
    _table(outcome)
    print(
        f"\n{payloads:,} payloads in {took / 60:.1f} min ({payloads / took:,.0f} a second), seed {seed}; "
        f"memory {peak_mb:.0f} MiB, grown by {growth_mb:.1f} since payload {WARM:,}"
    )
    for each in broken:
        print(f"BROKEN {each}")
    if growth_mb > MOST_GROWTH_MB:
        print(f"BROKEN memory grew by {growth_mb:.0f} MiB; {MOST_GROWTH_MB} are allowed")
        return 1
    return 1 if broken else 0


def _table(outcome: dict[str, Counter[str]]) -> None:
    reasons = [reason.value for reason in Reason if any(counts[reason] for counts in outcome.values())]
    rows = ["payloads", "admitted", "records", *reasons, "broken"]
    print(f"\n{'':18}" + "".join(f"{dialect:>11}" for dialect in outcome) + f"{'all':>12}")
    for row in rows:
        cells = [counts[row] for counts in outcome.values()]
        print(f"{row:18}" + "".join(f"{cell:>11,}" for cell in cells) + f"{sum(cells):>12,}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None, help="by default another one every time")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(4), "big")
    sys.exit(fuzz(arguments.payloads, seed))


if __name__ == "__main__":
    main()
