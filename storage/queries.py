"""SQL from files: each statement has a name and a line that says what it is for.

A file holds `-- name: …` lines, each followed by a comment and the statement.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

FOLDER = Path(__file__).parent / "sql"
_MARK = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


@cache
def queries(file: str) -> dict[str, LiteralString]:
    """The statements of `storage/sql/{file}.sql` by name.

    Raises:
        ValueError: Two statements share a name.
    """
    return read_queries(FOLDER / f"{file}.sql")


def read_queries(path: Path) -> dict[str, LiteralString]:
    """The statements of a file by name.

    Raises:
        ValueError: Two statements share a name.
    """
    parts = _MARK.split(path.read_text(encoding="utf-8"))
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{path.name}: a name stands twice")
    return {name: cast("LiteralString", body.strip()) for name, body in zip(names, bodies, strict=True)}
