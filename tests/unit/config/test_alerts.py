"""The site's ignore list."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.errors import ConfigFileError
from config.settings import DEFAULT_SITE
from config.site import load_site

ZONE = ZoneInfo("Asia/Makassar")
ENTRY = (
    "{rule: 'watchdog:detector_*', device: atc-legian, element: 'detector:3', reason: loop cut by road works, until: 2026-11-30}"
)


def site(folder: Path, text: str) -> Path:
    shutil.copytree(DEFAULT_SITE, folder / "site")
    (folder / "site" / "alerts.yaml").write_text(text, encoding="utf-8")
    return folder / "site"


@pytest.mark.parametrize(
    ("rule", "device", "element", "now", "reason"),
    [
        ("watchdog:detector_fault", "atc-legian", "detector:3", "2026-11-24T00:00", "loop cut by road works"),
        ("watchdog:detector_fault", "atc-legian", "detector:4", "2026-11-24T00:00", None),
        ("watchdog:detector_fault", "atc-berawa", "detector:3", "2026-11-24T00:00", None),
        ("watchdog:comm_loss", "atc-legian", "detector:3", "2026-11-24T00:00", None),
        # Its last day is the site's: 30 November ends in Bali at 16:00 UTC.
        ("watchdog:detector_fault", "atc-legian", "detector:3", "2026-11-30T15:59", "loop cut by road works"),
        ("watchdog:detector_fault", "atc-legian", "detector:3", "2026-11-30T16:00", None),
    ],
)
def test_what_is_ignored_and_until_when(
    tmp_path: Path, rule: str, device: str, element: str, now: str, reason: str | None
) -> None:
    alerts = load_site(site(tmp_path, f"ignored: [{ENTRY}]")).alerts
    assert reason == alerts.reason(rule, device, element, datetime.fromisoformat(now).replace(tzinfo=UTC), ZONE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ignored: [{rule: 'watchdog:x', device: '*', reason: because}]", "until: Field required"),
        ("ignored: [{rule: 'watchdog:x', device: '*', until: 2026-11-30}]", "reason: Field required"),
        ("ignored: [{rule: everything, device: '*', reason: because, until: 2026-11-30}]", "rule: String should match"),
        (
            "ignored: [{rule: 'watchdog:x', device: atc-legiann, reason: because, until: 2026-11-30}]",
            "'atc-legiann' is no device",
        ),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigFileError, match=r"alerts\.yaml") as wrong:
        load_site(site(tmp_path, text))
    assert problem in str(wrong.value)


def test_a_site_needs_none(tmp_path: Path) -> None:
    folder = site(tmp_path, "")
    (folder / "alerts.yaml").unlink()
    assert () == load_site(folder).alerts.ignored
