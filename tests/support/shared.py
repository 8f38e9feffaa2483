"""Test data that lies beside the project, not in it: `../shared/data`. A stranger's clone has none."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """The file; skips the test where there is none."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path.name} lies in ../shared/data beside the project, which this checkout has not")
    return path
