"""The real hi-res events of the `atspm` package as controller messages."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from config.errors import ConfigError
from config.settings import DEFAULT_SITE
from config.site import load_site
from ingest.door import Door
from ingest.fixedpoint import microseconds
from ingest.readings import SignalEvent
from ingest.registry import Registry
from subak.tape.atspm import EVENTS_MOST, Sample, controller_of, load_sample, messages, shift_to

NOW = datetime(2026, 11, 24, 8, 30, 45, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> Sample:
    pytest.importorskip("atspm")
    return load_sample()


def test_times_are_local_to_oregon(sample: Sample) -> None:
    assert len(sample.rows) == 37_152
    assert sample.first.isoformat() == "2024-04-15T12:00:00-07:00"
    assert sample.last.isoformat() == "2024-04-15T13:59:58.500000-07:00"


def test_the_door_admits_every_event_once(sample: Sample) -> None:
    site = load_site(DEFAULT_SITE)
    controller = controller_of(site, None)
    door = Door(Registry.for_site(site), site)
    events: list[SignalEvent] = []
    seqs = []
    for frame in messages(sample, site.name, controller, timedelta(0)):
        admission = door.admit(frame.topic, frame.payload, frame.received_us)
        assert admission.dead == []
        assert 1 <= len(admission.records) <= EVENTS_MOST
        seqs.append(admission.seq)
        events += [record for record in admission.records if isinstance(record, SignalEvent)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert [(event.time_us, event.code, event.parameter) for event in events] == [
        (microseconds(time), code, parameter) for time, code, parameter in sample.rows
    ]
    # Four rows occur twice in the file; the keys still differ.
    assert len({(event.time_us, event.seq, event.ordinal) for event in events}) == 37_152
    assert sum(count - 1 for count in Counter((e.time_us, e.code, e.parameter) for e in events).values()) == 4
    assert not any(event.future for event in events)


def test_playing_it_again_sends_the_same(sample: Sample) -> None:
    shift = timedelta(days=3)
    assert list(messages(sample, "badung", "a", shift)) == list(messages(sample, "badung", "a", shift))


@pytest.mark.parametrize("speed", [0, 2])
def test_shifted_it_ends_now_when_played_fast(sample: Sample, speed: float) -> None:
    ends = sample.last.astimezone(UTC) + shift_to(NOW, sample, speed)
    assert NOW - timedelta(minutes=1) < ends <= NOW


def test_shifted_it_begins_now_when_played_at_its_own_pace(sample: Sample) -> None:
    begins = sample.first.astimezone(UTC) + shift_to(NOW, sample, 1)
    assert begins == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_a_controller_the_site_does_not_have() -> None:
    with pytest.raises(ConfigError, match="--as nowhere: no such controller in site badung; there are atc-"):
        controller_of(load_site(DEFAULT_SITE), "nowhere")
