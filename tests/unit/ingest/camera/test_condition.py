"""What a camera can see, from numbers alone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from config.thresholds.camera_health import camera_health
from ingest.camera.condition import US, WORST_FIRST, Sample, Watcher, grade
from ingest.contract import Grade, Sight

FILE = camera_health()
GOOD = Sample(0, brightness=125, contrast=48, glare=0.01, sharpness=1.0, change=5.0, shift=0.1, match=0.9, fps=10)


def seen(*spans: tuple[int, dict[str, Any]], expected_fps: float = 10) -> list[tuple[int, Sight]]:
    """Changes (second, condition) over spans of so many seconds with what differs from good."""
    watcher = Watcher(FILE.health, expected_fps)
    found = []
    second = 0
    for length, differs in spans:
        for _ in range(length):
            state = watcher.step(replace(GOOD, time_us=second * US, **differs))
            if state is not None:
                found.append((second, state.sight))
            second += 1
    return found


@pytest.mark.parametrize(
    ("differs", "sight"),
    [
        ({"contrast": 2}, Sight.COVERED),
        ({"contrast": 2, "brightness": 10}, Sight.COVERED),  # a cap: dark, and no night
        ({"change": 0.0}, Sight.FROZEN),
        ({"shift": 11.0, "match": 0.1}, Sight.MOVED),
        ({"shift": None, "match": 0.05}, Sight.MOVED),  # turned right away
        ({"fps": 2}, Sight.LOW_FPS),
        ({"glare": 0.5}, Sight.GLARE),
        ({"brightness": 35, "contrast": 17}, Sight.NIGHT),
        ({"contrast": 12}, Sight.LOW_CONTRAST),
        ({"sharpness": 0.05}, Sight.BLURRED),
        ({"brightness": 35, "contrast": 17, "sharpness": 0.3, "match": 0.2}, Sight.NIGHT),  # the dark hides edges
        ({"change": 0.0, "fps": 2}, Sight.FROZEN),  # the worse of two
    ],
)
def test_each_condition_begins_and_ends_within_30_s(differs: dict[str, Any], sight: Sight) -> None:
    [first, begun, ended] = seen((20, {}), (30, differs), (40, {}))
    assert (0, Sight.OK) == first
    assert sight is begun[1]
    assert 20 < begun[0] <= 50
    assert Sight.OK is ended[1]
    assert 50 < ended[0] <= 80


def test_a_bus_before_the_lens_is_no_condition() -> None:
    assert [(0, Sight.OK)] == seen((20, {}), (5, {"contrast": 2, "match": 0.1}), (30, {}))


def test_between_the_thresholds_everything_stays_as_it_is() -> None:
    assert [(0, Sight.OK)] == seen((60, {"brightness": 65}))
    assert [Sight.OK, Sight.NIGHT] == [sight for _, sight in seen((5, {}), (30, {"brightness": 50}), (60, {"brightness": 65}))]


def test_a_moved_view_is_not_forgotten_in_the_dark() -> None:
    changes = seen(
        (20, {}), (20, {"shift": 11.0, "match": 0.1}), (60, {"shift": None, "match": 0.1, "brightness": 30, "contrast": 15})
    )
    assert [Sight.OK, Sight.MOVED] == [sight for _, sight in changes]


def test_every_condition_has_a_worth() -> None:
    assert {sight.value for sight in Sight} == set(FILE.worth)
    assert {Sight.OK, *WORST_FIRST} == set(Sight)


@pytest.mark.parametrize(
    ("fps", "reconnects", "stalls", "expected"),
    [
        (10, 0, 0, Grade.EXCELLENT),
        (9, 0, 4, Grade.EXCELLENT),
        (9, 0, 5, Grade.FAIR),
        (10, 2, 0, Grade.FAIR),
        (6, 0, 0, Grade.FAIR),
        (5, 0, 0, Grade.POOR),
        (10, 3, 0, Grade.POOR),
        (10, 11, 0, Grade.UNUSABLE),
        (0.5, 0, 0, Grade.UNUSABLE),
    ],
)
def test_grades(fps: float, reconnects: int, stalls: int, expected: Grade) -> None:
    assert expected is grade(fps, 10, reconnects, stalls)
