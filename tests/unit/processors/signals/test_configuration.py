"""Detector configurations come from the site folder, each with what was true then."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from config.inventory import Setting
from config.site import Site, load_site
from processors.signals import Function, history_of

BADUNG = Path(__file__).parents[4] / "config" / "sites" / "badung"


def _site(*earlier: Setting) -> Site:
    """Badung, whose first detector of the first controller was moved on 1 May."""
    site = load_site(BADUNG)
    controller = site.controllers[0]
    first = controller.detectors[0].model_copy(update={"valid_from": date(2026, 5, 1), "earlier": earlier})
    changed = controller.model_copy(update={"detectors": (first, *controller.detectors[1:])})
    return site.model_copy(update={"controllers": (changed, *site.controllers[1:])})


def _us(*day: int) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[arg-type,misc]


def test_a_detector_is_what_it_was_then() -> None:
    site = _site(Setting(valid_from=date(2026, 1, 1), function="presence", distance=2))
    history = history_of(site, site.controllers[0].id)
    number = site.controllers[0].detectors[0].number
    then = {
        moment: [(one.function, one.distance_m) for one in history.at(moment).detectors if one.number == number]
        for moment in (_us(2025, 6, 1), _us(2026, 4, 30), _us(2026, 5, 2))
    }
    assert [[], [(Function.PRESENCE, 0.0)], [(Function.ADVANCE, 40.0)]] == list(then.values())


def test_a_day_begins_where_the_site_is() -> None:
    site = _site()
    # Midnight of Bali is 16:00 UTC of the day before.
    assert history_of(site, site.controllers[0].id).configurations[-1].valid_from_us == _us(2026, 4, 30, 16)


def test_arrivals_come_after_distance_by_speed_less_latency() -> None:
    site = load_site(BADUNG)
    detector = history_of(site, site.controllers[0].id).at(_us(2026, 6, 1)).detectors[0]
    assert 3_600_000 == detector.shift_us


def test_no_such_controller() -> None:
    with pytest.raises(KeyError):
        history_of(load_site(BADUNG), "atc-nowhere")
