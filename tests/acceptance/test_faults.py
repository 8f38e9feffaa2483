"""Nothing lost, nothing doubled: faults, alone and combined, under load.

`make soak` runs many more of them at random.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.conftest import MakeBroker
from tests.support.databases import Database
from tests.support.faults import FAULTS
from tests.support.rig import Rig

SEED = 20261124


@pytest.mark.timeout(400)
def test_every_fault_alone_then_the_same_bins_as_undisturbed(
    tmp_path: Path, make_broker: MakeBroker, apache_database: Database, plain_database: Database
) -> None:
    """All faults, one after the other, in a seeded order."""
    names = sorted(FAULTS)
    random.Random(SEED).shuffle(names)
    with Rig(tmp_path, make_broker(), apache_database, plain_database, SEED) as rig:
        for name in names:
            FAULTS[name](rig)
            rig.flowing()
        rig.settle()
        rig.check()
        rig.check_against_an_undisturbed_run()


@pytest.mark.timeout(200)
def test_faults_of_several_processes_that_share_the_subscription(
    tmp_path: Path, make_broker: MakeBroker, apache_database: Database, plain_database: Database
) -> None:
    """One of them killed, the database gone, the clock stepped: together as good as one."""
    with Rig(tmp_path, make_broker(), plain_database, apache_database, SEED, collectors=2) as rig:
        for name in ("kill_part", "kill_database", "step_clock"):
            FAULTS[name](rig)
            rig.flowing()
        rig.settle()
        rig.check()
        rig.check_against_an_undisturbed_run()
