"""What needs attention, and in which order."""

from __future__ import annotations

import pytest

from dashboards.console.devices import (
    Attention,
    LatestMinute,
    Severity,
    attention,
    judge,
    latest_minute,
    silent_after_s,
    table_rows,
)
from dashboards.console.words import Language
from storage.readers import DeviceRow
from tests.unit.dashboards.rows import NEWEST, NOW, THRESHOLDS, device, gap, lane, ledger, minute, seconds_ago

GOOD = LatestMinute(NEWEST, "good", 1, 1)


class TestAttention:
    @pytest.mark.parametrize(
        ("row", "latest", "lost", "rejected", "expected"),
        [
            # All is well.
            (device(), GOOD, 0, 0, Attention.OK),
            # Its last will speaks louder than what it sent a second ago.
            (device(presence="offline"), GOOD, 0, 0, Attention.OFFLINE),
            # Shut down on purpose is no failure, but is seen.
            (device(presence="shutdown"), GOOD, 0, 0, Attention.SHUTDOWN),
            (device(last_received_at=None, presence=None), GOOD, 0, 0, Attention.NEVER),
            # Three periods of 10 s.
            (device(last_received_at=seconds_ago(30)), GOOD, 0, 0, Attention.OK),
            (device(last_received_at=seconds_ago(31)), GOOD, 0, 0, Attention.SILENT),
            # A device that reports once a minute may be quiet for three.
            (device(period_s=60.0, last_received_at=seconds_ago(179)), GOOD, 0, 0, Attention.OK),
            # One that reports on change is never silent while its presence stands.
            (device(kind="vms", period_s=None, last_received_at=seconds_ago(9000)), None, 0, 0, Attention.OK),
            # It talks, and says nothing valid.
            (device(), LatestMinute(NEWEST, "missing(detector:open_loop)", 0, 1), 0, 0, Attention.MISSING),
            (device(), LatestMinute(None, None, 0, 1), 0, 0, Attention.MISSING),
            # One loop of four is broken: for the technician, not for the whole junction.
            (device(), LatestMinute(NEWEST, "missing(detector:open_loop)", 3, 4), 0, 0, Attention.LANE_MISSING),
            # It came online a moment ago: its first minute is not over.
            (device(presence_since=seconds_ago(40)), LatestMinute(None, None, 0, 1), 0, 0, Attention.STARTING),
            (device(), LatestMinute(NEWEST, "suspect(locked_on)", 0, 1), 0, 0, Attention.SUSPECT),
            # Of 100 messages two are an accident, three are not.
            (device(), GOOD, 2, 2, Attention.OK),
            (device(), GOOD, 3, 1, Attention.LOSING),
            (device(), GOOD, 0, 3, Attention.REJECTED),
            (device(), LatestMinute(NEWEST, "partial", 1, 1), 0, 0, Attention.PARTIAL),
            # Imputed is not observed.
            (device(), LatestMinute(NEWEST, "imputed(split)", 0, 1), 0, 0, Attention.PARTIAL),
        ],
    )
    def test_first_thing_wrong(
        self, row: DeviceRow, latest: LatestMinute | None, lost: int, rejected: int, expected: Attention
    ) -> None:
        assert expected == attention(row, latest, received=100, lost=lost, rejected=rejected, now=NOW, thresholds=THRESHOLDS)

    def test_only_ok_looks_ok(self) -> None:
        assert [Attention.OK] == [found for found in Attention if found.severity is Severity.OK]

    def test_shut_down_and_silent_do_not_report(self) -> None:
        quiet = {Attention.OFFLINE, Attention.NEVER, Attention.SILENT, Attention.SHUTDOWN}

        assert quiet == {found for found in Attention if not found.reports}


class TestLatestMinute:
    def test_worst_of_its_lanes(self) -> None:
        minutes = {1: (minute(1), minute(0)), 2: (minute(1, 2), minute(0, 2, quality="partial")), 3: (gap(0, 3),)}

        assert LatestMinute(NEWEST, "missing(device)", 2, 3) == latest_minute([1, 2, 3], minutes, NOW, THRESHOLDS)

    def test_a_lane_without_the_minute_is_missing(self) -> None:
        minutes = {1: (minute(0),), 2: (minute(1, 2),)}

        assert LatestMinute(NEWEST, None, 1, 2) == latest_minute([1, 2], minutes, NOW, THRESHOLDS)

    def test_what_is_not_final_does_not_count(self) -> None:
        minutes = {1: (minute(0), minute(-1, final=False, quality="partial"))}

        assert LatestMinute(NEWEST, "good", 1, 1) == latest_minute([1], minutes, NOW, THRESHOLDS)

    def test_an_old_minute_is_none(self) -> None:
        # Its begin lies 260 s back; 240 s are the end.
        assert LatestMinute(None, None, 0, 1) == latest_minute([1], {1: (minute(2),)}, NOW, THRESHOLDS)


class TestJudge:
    def test_what_needs_attention_is_on_top(self) -> None:
        devices = [
            device(device="app-ok", kind="app"),
            device(device="app-some", kind="app"),
            device(device="cam-lost", kind="cctv"),
            device(device="atc-silent", last_received_at=seconds_ago(300)),
            device(device="vms-off", kind="vms", presence="offline"),
            device(device="atc-bad"),
        ]
        lanes = [lane(1, device="atc-bad")]
        counts = [ledger(device="cam-lost", lost=4), ledger(device="app-some", rejected=1)]

        views = judge(devices, lanes, {1: (gap(),)}, counts, NOW, THRESHOLDS)

        assert ["vms-off", "atc-silent", "atc-bad", "cam-lost", "app-some", "app-ok"] == [view.row.device for view in views]

    def test_what_was_recovered_is_not_lost(self) -> None:
        (view,) = judge([device(kind="app")], [], {}, [ledger(lost=-1)], NOW, THRESHOLDS)

        assert (0, Attention.OK) == (view.lost, view.attention)


def test_one_message_is_an_accident_however_few_there_are() -> None:
    found = [
        attention(device(kind="app"), None, received=30, lost=lost, rejected=0, now=NOW, thresholds=THRESHOLDS) for lost in (1, 2)
    ]

    assert [Attention.OK, Attention.LOSING] == found


def test_words_of_a_row() -> None:
    views = judge([device()], [lane()], {1: (gap(quality="missing(detector:open_loop)"),)}, [ledger(rejected=4)], NOW, THRESHOLDS)

    (row,) = table_rows(views, Language.INDONESIAN)

    assert ("Data hilang", "daring", "hilang: loop putus", "0/1", 4) == (
        row["attention_word"],
        row["presence_word"],
        row["quality_word"],
        row["valid"],
        row["rejected"],
    )


@pytest.mark.parametrize(("period_s", "expected"), [(1.0, 30.0), (10.0, 30.0), (60.0, 180.0), (None, None)])
def test_silence_is_three_periods(period_s: float | None, expected: float | None) -> None:
    assert expected == silent_after_s(device(period_s=period_s), THRESHOLDS)
