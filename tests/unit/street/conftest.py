"""Rehearsals that many tests look at; each is run once."""

from __future__ import annotations

import pytest

from tests.unit.street.rehearsal import Rehearsal, rehearse


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """Three minutes of an afternoon, seed 1, nothing wrong."""
    return rehearse(tmp_path_factory.mktemp("truth"))


@pytest.fixture(scope="session")
def faulty_rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The same with faults."""
    return rehearse(tmp_path_factory.mktemp("truth"), faults=True)
