"""Which worker gets a message, and when it may be acknowledged."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.dialects import NATIVE, dialects
from config.errors import ConfigError
from config.settings import DEFAULT_SITE
from config.site import load_site
from ingest.door import Door
from ingest.mqtt.receiver import Delivery
from ingest.registry import Registry
from subak.fanout import Receipts, devices_of, share_of
from subak.run import run
from tests.unit.ingest.samples import sample_site

SITE = load_site(DEFAULT_SITE)
REGISTRY = Registry.for_site(SITE)
DOOR = Door(REGISTRY, SITE)
SHARES = 3


def delivery(number: int) -> Delivery:
    return Delivery(1, number, "a/topic", b"", False, number)


@given(st.lists(st.integers(0, SHARES - 1), max_size=60), st.data())
def test_whatever_the_order_of_commits_acknowledgements_follow_receipt_and_wait_for_all_earlier(
    shares: list[int], data: st.DataObject
) -> None:
    receipts = Receipts(SHARES)
    held: list[deque[int]] = [deque() for _ in range(SHARES)]
    for number, share in enumerate(shares):
        receipts.hand(share, delivery(number))
        held[share].append(number)

    committed: set[int] = set()
    acknowledged: list[int] = []
    while busy := [share for share in range(SHARES) if held[share]]:
        share = data.draw(st.sampled_from(busy))
        count = data.draw(st.integers(1, len(held[share])))
        committed |= {held[share].popleft() for _ in range(count)}
        acknowledged += [d.packet_id for d in receipts.commit(share, count) if d.packet_id is not None]
        # All that may be acknowledged is, and nothing else.
        first_missing = next((number for number in range(len(shares)) if number not in committed), len(shares))
        assert list(range(first_missing)) == acknowledged
        assert len(shares) - first_missing == len(receipts)

    assert list(range(len(shares))) == acknowledged


def test_a_worker_cannot_commit_what_it_has_not_got() -> None:
    receipts = Receipts(2)
    receipts.hand(0, delivery(1))
    with pytest.raises(ValueError, match="worker 1 committed 1 messages and had 0"):
        receipts.commit(1, 1)


@pytest.mark.parametrize("shares", [1, 2, 3, 32])
def test_every_device_belongs_to_exactly_one_worker(shares: int) -> None:
    parts = [devices_of(share, shares, REGISTRY, NATIVE) for share in range(shares)]

    assert {entry.number for entry in REGISTRY} == set().union(*parts)
    assert len(REGISTRY) == sum(map(len, parts))


ATC = SITE.controllers[0].id
NUMBER = next(entry.number for entry in REGISTRY if entry.name == ATC)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (f"subak/v1/{SITE.name}/atc/{ATC}/detectors", NUMBER),
        (f"subak/v1/{SITE.name}/atc/{ATC}/presence", NUMBER),
        # Dead letters of a known device are counted and kept at this device.
        (f"subak/v1/{SITE.name}/atc/{ATC}/gossip", NUMBER),
        (f"subak/v1/{SITE.name}/cctv/{ATC}/counts", None),
        (f"subak/v1/{SITE.name}/atc/nobody/detectors", None),
        ("subak/v1/elsewhere/atc/x/detectors", None),
        ("", None),
    ],
)
def test_a_topic_says_whose_message_it_is(topic: str, expected: int | None) -> None:
    assert expected == DOOR.native_device(topic)
    assert (expected or 0) == DOOR.admit(topic, b"{}", 0).source
    assert (0 if expected is None else expected % SHARES) == share_of(DOOR.native_device(topic), SHARES)


@pytest.mark.parametrize("dialect", sorted(set(dialects()) - {NATIVE}))
def test_what_other_dialects_say_stays_together(dialect: str) -> None:
    """Their topics may speak for several devices, and their feeds may remember earlier messages."""
    site = sample_site(dialect)
    registry = Registry.for_site(site)
    door = Door(registry, site)
    foreign = {entry.number for entry in registry if entry.dialect != NATIVE}
    topics = [topic for topic, (_, route) in door._routes.items() if route.source in foreign]

    assert topics
    assert {None} == {door.native_device(topic.replace("+", "stranger")) for topic in topics}
    assert foreign <= devices_of(0, SHARES, registry, NATIVE)


@pytest.mark.parametrize("collectors", [0, -1, 33])
def test_an_impossible_number_of_processes_is_refused(collectors: int) -> None:
    with pytest.raises(ConfigError, match=f"--collectors: {collectors} is not allowed; allowed are 1 to 32"):
        run(collectors=collectors)
