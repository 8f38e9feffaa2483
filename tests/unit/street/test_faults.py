"""Faults: all of them show within a minute, none touches the truth, and none loses a message without saying so."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import msgspec
import pyarrow.parquet as pq

from ingest.contract import Detectors, Events
from ingest.topics import Stream
from subak.street.damage import DAMAGES
from subak.street.faults import load_rates
from subak.street.message import readings
from tests.unit.street.rehearsal import Rehearsal


def test_faults_leave_the_truth_alone(rehearsal: Rehearsal, faulty_rehearsal: Rehearsal) -> None:
    for name in ("lane_minutes", "link_travel_times", "queues", "incidents"):
        table = pq.read_table(rehearsal.truth / f"{name}.parquet")
        assert table.equals(pq.read_table(faulty_rehearsal.truth / f"{name}.parquet")), name


def test_every_fault_shows_within_a_minute(faulty_rehearsal: Rehearsal) -> None:
    begin = faulty_rehearsal.seconds[0].start
    early = [row for row in faulty_rehearsal.rows("messages") if row["true_start"].timestamp() < begin + 60]  # type: ignore[attr-defined]
    names = Counter(name.partition(":")[0] for row in early for name in str(row["fault"] or "").split(",") if name)
    wanted = {"late", "double", "disordered", "silent", "reboot", "clock_ahead", "stuck_on", "open_loop_212", "door", "restart"}
    assert set(names) == wanted
    rubbish = Counter(item.damage.name for item in faulty_rehearsal.deliveries if item.damage and item.at <= begin + 60)
    assert set(rubbish) == {damage.name for damage in DAMAGES}


def test_the_truth_says_how_often_each_message_arrived(faulty_rehearsal: Rehearsal) -> None:
    arrived = Counter(
        (item.message.device, item.message.stream, item.message.seq, item.message.start)
        for item in faulty_rehearsal.deliveries
        if item.message is not None and item.message.stream is not Stream.RESULT
    )
    rows = faulty_rehearsal.rows("messages")
    assert len(rows) == len(readings(faulty_rehearsal.messages))
    for row in rows:
        assert arrived[str(row["device"]), Stream(str(row["stream"])), row["seq"], row["start"]] == row["times"]  # type: ignore[index]
        faults = str(row["fault"] or "").split(",")
        assert (row["times"] == 0) == bool({"silent", "reboot"} & set(faults))
        assert (row["times"] == 2) == ("double" in faults)


def test_late_messages_are_late(faulty_rehearsal: Rehearsal) -> None:
    rates = load_rates().late
    late = {
        (row["device"], row["stream"], row["seq"], row["start"])
        for row in faulty_rehearsal.rows("messages")
        if "late" in str(row["fault"])
    }
    assert late
    for delivery in faulty_rehearsal.deliveries:
        message = delivery.message
        if message and (message.device, message.stream.value, message.seq, message.start) in late:
            assert delivery.at - message.true_start.timestamp() >= rates.shortest


def test_broken_loops_read_as_such(faulty_rehearsal: Rehearsal) -> None:
    shown = set()
    for message in faulty_rehearsal.messages:
        for fault in message.faults:
            name, _, lane = fault.partition(":")
            if lane and message.stream is Stream.DETECTORS:
                (report,) = (item for item in msgspec.json.decode(message.payload, type=Detectors).lanes if item.id == lane)
                shown.add((name, report.volume, report.occupancy, report.speed))
    assert shown == {("stuck_on", 0, 100.0, None), ("open_loop_212", None, 212.0, None)}


def test_a_reboot_starts_the_numbers_again(faulty_rehearsal: Rehearsal) -> None:
    device = next(item.device for item in faulty_rehearsal.messages if "reboot" in item.faults)
    numbers = [m.seq for m in faulty_rehearsal.messages if m.device == device and m.stream is Stream.DETECTORS]
    again = numbers.index(0, 1)
    assert numbers == [*range(again), *range(len(numbers) - again)]


def test_a_clock_is_ten_minutes_ahead(faulty_rehearsal: Rehearsal) -> None:
    ahead = [item for item in faulty_rehearsal.messages if "clock_ahead" in item.faults]
    assert ahead
    assert {item.start - item.true_start for item in ahead} == {timedelta(minutes=10)}


def test_faults_change_only_what_they_name(faulty_rehearsal: Rehearsal, rehearsal: Rehearsal) -> None:
    sound = {(item.device, item.stream, item.seq): item.payload for item in rehearsal.messages}
    for message in faulty_rehearsal.messages:
        if not message.faults and message.device != _rebooted(faulty_rehearsal):
            assert sound[message.device, message.stream, message.seq] == message.payload


def _rebooted(rehearsal: Rehearsal) -> str:
    return next(item.device for item in rehearsal.messages if "reboot" in item.faults)


def test_controllers_report_their_faults_and_the_truth_knows_them(faulty_rehearsal: Rehearsal) -> None:
    told: dict[tuple[str, int, int], float] = {}
    for message in faulty_rehearsal.messages:
        if message.stream is Stream.EVENTS and not message.withheld:
            for event in msgspec.json.decode(message.payload, type=Events).events:
                told.setdefault(
                    (message.device, event.code, event.parameter),
                    event.time.timestamp() - (message.start - message.true_start).total_seconds(),
                )
    rows = faulty_rehearsal.rows("conditions")
    codes = {"detector_fault": 86, "power_failure": 182, "flash": 173, "controller_alarm": 175}
    assert set(codes) == {row["rule"] for row in rows}
    for row in rows:
        rule, element = str(row["rule"]), str(row["element"])
        value = {
            "detector_fault": int(element.rpartition(":")[2] or 0) if rule == "detector_fault" else 0,
            "power_failure": 0,
            "flash": 7,
            "controller_alarm": 0x20,
        }[rule]
        assert row["onset"].timestamp() == told[str(row["device"]), codes[rule], value]  # type: ignore[attr-defined]
