"""A run that could not test everything says so, and fails where nothing may be skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("ci", "status", "verdict"),
    [
        ("", pytest.ExitCode.OK, "1 skipped"),
        ("true", pytest.ExitCode.TESTS_FAILED, "FAILED: under CI=true every part must be there"),
    ],
)
def test_a_missing_part(tmp_path: Path, ci: str, status: int, verdict: str) -> None:
    case = "tests/integration/test_levels.py::test_community_refreshes_a_continuous_aggregate"

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", case],
        check=False,
        cwd=ROOT,
        env={**os.environ, "CI": ci, "XDG_CACHE_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )

    assert run.returncode == status, run.stdout + run.stderr
    assert verdict in run.stdout
    assert "NOT TESTED  database level community: the npm package of TimescaleDB Community is not in" in run.stdout
    assert "not asked   database level plain" in run.stdout
