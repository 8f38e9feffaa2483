"""The shipped units of systemd set variables that exist and run commands that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.settings import SECRETS, Settings
from subak.access.command import SHIPPED
from subak.cli import app

UNITS = sorted((SHIPPED / "systemd").glob("*.service"))
KNOWN = {f"SUBAK_{name.upper()}" for name in Settings.model_fields} | {f"SUBAK_{name.upper()}_FILE" for name in SECRETS}


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_a_unit_sets_known_variables_and_hands_secrets_over_as_credentials(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    variables = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    credentials = re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE)

    assert set() == set(variables) - KNOWN
    assert [f"%d/{name}" for name in credentials] == [variables[f"SUBAK_{name.upper()}_FILE"] for name in credentials]
    assert not re.search(r"://\S*:\S*@", text)
    (words,) = re.findall(r"^ExecStart=\S+/subak (.*)$", text, re.MULTILINE)
    found, _, _ = app.parse_args(words.split(), print_error=False, exit_on_error=False)
    assert found.__module__.startswith("subak.")


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed; Debian's package systemd has it")
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    done = subprocess.run([program, "verify", copy], check=False, capture_output=True, text=True)

    assert (0, "") == (done.returncode, "".join(line for line in done.stderr.splitlines() if unit.name in line))
