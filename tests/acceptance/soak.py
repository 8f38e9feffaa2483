"""Random faults, alone and in pairs, for as long as you like: `make soak ARGS="--faults 200 --seed 1"`.

After every round of ten: nothing lost, nothing doubled, ledger balanced, bins the same bits when recomputed; at the end
of each run of rounds also against an undisturbed run of the same messages. Prints the seed of any failure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.support.brokers import Mosquitto
from tests.support.databases import ApacheServer, PlainServer, fresh_database
from tests.support.faults import FAULTS, TOGETHER
from tests.support.rig import Rig

ROUND = 10
ROUNDS_A_RUN = 2  # then everything is new, with the next seed
LOG_LINES = 40  # of every pipeline, when something fails


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200, help="how many faults (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each run has the next one (default 1)")
    parser.add_argument("--collectors", type=int, default=1, help="processes that share the subscription (default 1)")
    arguments = parser.parse_args()
    began = time.monotonic()
    done: Counter[str] = Counter()
    messages = seed = 0
    with tempfile.TemporaryDirectory(prefix="subak-soak-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        apache, plain = ApacheServer(), PlainServer(folder / "plain")
        apache.start()
        plain.start()
        try:
            seed = arguments.seed
            while done.total() < arguments.faults:
                left = min(ROUND * ROUNDS_A_RUN, arguments.faults - done.total())
                messages += one_run(folder / f"run-{seed}", apache, plain, seed, left, done, arguments.collectors)
                print(
                    f"seed {seed}: holds; {done.total()} faults, {messages} messages, {time.monotonic() - began:.0f} s",
                    flush=True,
                )
                seed += 1
        except BaseException:
            print(
                f"FAILED at seed {seed} after {done.total()} faults: make soak ARGS='--faults {ROUND * ROUNDS_A_RUN} --seed {seed}"
                f" --collectors {arguments.collectors}'"
            )
            raise
        finally:
            apache.remove()
            plain.stop()
    print(f"{done.total()} faults, seeds {arguments.seed} to {seed - 1}, {messages} messages: 0 lost, 0 doubled,", end=" ")
    print(f"ledger balanced, bins bit-equal; {(time.monotonic() - began) / 60:.1f} min")
    for fault, count in sorted(done.items()):
        print(f"  {count:4} {fault}")
    return 0


def one_run(
    folder: Path, apache: ApacheServer, plain: PlainServer, seed: int, faults: int, done: Counter[str], collectors: int
) -> int:
    """So many faults with one seed, every second run on the other database; returns how many messages were confirmed."""
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    servers = (apache, plain) if seed % 2 else (plain, apache)
    try:
        with (
            fresh_database(servers[0]) as database,
            fresh_database(servers[1]) as calm,
            Rig(folder, broker, database, calm, seed, collectors) as rig,
        ):
            for number in range(1, faults + 1):
                names = [rig.chance.choice(sorted(FAULTS))]
                if names[0] in TOGETHER and rig.chance.random() < 0.4:
                    names.append(rig.chance.choice(sorted(TOGETHER - {names[0]})))
                print(f"  {' + '.join(names)}", flush=True)
                strike(rig, names)
                done.update(names)
                rig.flowing()
                if number % ROUND == 0 or number == faults:
                    rig.settle()
                    rig.check()
                    rig.witness.resume()
            rig.settle()
            rig.check()
            rig.check_against_an_undisturbed_run()
            return len(rig.witness.confirmed)
    except BaseException:
        for log in sorted(folder.glob("*/pipeline.log")):
            print(f"--- {log.parent.name}", *log.read_text(encoding="utf-8").splitlines()[-LOG_LINES:], sep="\n", flush=True)
        raise
    finally:
        broker.stop()


def strike(rig: Rig, names: list[str]) -> None:
    """The faults at the same time."""
    failed: list[BaseException] = []

    def one(name: str) -> None:
        try:
            FAULTS[name](rig)
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


if __name__ == "__main__":
    sys.exit(main())
