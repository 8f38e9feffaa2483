"""The boards as Grafana's own frontend types them: `@grafana/schema`, by the TypeScript compiler."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.queries import boards
from tests.support.grafanas import GRAFANA_TYPES_FOLDER
from tests.support.parts import INSTALL, cache_folder

# JSON has the values of enums, not their names; and what is constant has no room for more.
HEAD = """import type { Dashboard } from '@grafana/schema';
type Open<T> = T extends string ? `${T}` : T extends number ? (`${T}` extends `${infer N extends number}` ? N : T)
  : T extends readonly (infer U)[] ? readonly Open<U>[] : T extends object ? { readonly [K in keyof T]: Open<T[K]> } : T;
"""


def compiled(folder: Path, found: dict[str, dict[str, Any]]) -> str:
    """What the compiler says of boards."""
    packages = cache_folder() / GRAFANA_TYPES_FOLDER / "node_modules"
    compiler, node = packages / "typescript/bin/tsc", shutil.which("node")
    if node is None or not compiler.exists():
        reason = f"no node, or no @grafana/schema in {packages}; {INSTALL}"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    (folder / "node_modules").symlink_to(packages)
    text = "".join(
        f"const {name}_ = {json.dumps(board)} as const;\nexport const {name}: Open<Dashboard> = {name}_;\n"
        for name, board in found.items()
    )
    (folder / "boards.ts").write_text(HEAD + text, encoding="utf-8")
    options = [
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--target",
        "es2022",
    ]
    done = subprocess.run([node, str(compiler), *options, "boards.ts"], cwd=folder, check=False, capture_output=True, text=True)
    return done.stdout


def test_every_board_has_grafanas_types_and_a_wrong_one_has_not(tmp_path: Path) -> None:
    found = {path.stem: board for path, board in boards(PROVISIONING) if path.parent.name == "en"}
    wrong = copy.deepcopy(found["wall"])
    wrong["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["mode"] = "relative"

    said = compiled(tmp_path, {**found, "broken": wrong})

    assert "ThresholdsMode" in said or "relative" in said
    lines = [line for line in said.splitlines() if line.startswith("boards.ts")]
    assert 1 == len(lines)
    assert len(found) == 9
