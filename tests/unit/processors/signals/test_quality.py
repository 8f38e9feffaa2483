"""What the rows say of themselves when events are missing, detectors lie, or the configuration changes."""

from __future__ import annotations

import pytest

from processors.signals import BIN_US, UNITS, Configuration, Detector, Events, Function, History, Meter, Rows
from processors.signals.events import DAY_US, US
from tests.support.signals import BEGIN_US, NONE, TAIL_US, measured, parameters, span

CYCLE_S = 100
PRESENCE = Detector(11, 2, Function.PRESENCE)
ADVANCE = Detector(12, 2, Function.ADVANCE, distance_m=100, speed_kmh=36, latency_s=1)


def _history(*detectors: Detector) -> History:
    return History((Configuration(0, detectors),))


def _signals(bins: int, skip: range = range(0)) -> list[tuple[int, int, int]]:
    """Phase 2 by the clock: green 40 s, yellow 4 s, red clearance 2 s, red; `skip` are seconds without any event."""
    steps = ((0, 1), (40, 7), (40, 8), (44, 9), (44, 10), (46, 11))
    rows = [(cycle + second, code) for cycle in range(0, bins * 900, CYCLE_S) for second, code in steps]
    return [(BEGIN_US + second * US, code, 2) for second, code in rows if second not in skip]


def _on(channel: int, *spans: tuple[float, float]) -> list[tuple[int, int, int]]:
    return [(BEGIN_US + round(at * US), code, channel) for span in spans for code, at in zip((82, 81), span, strict=True)]


def _found(rows: Rows, measure: str, name: str, element: str = "phase:2") -> list[tuple[float | None, str]]:
    return [(row.value, row.quality) for row in rows.measures if (row.measure, row.name, row.element) == (measure, name, element)]


class TestStuckDetector:
    def test_that_never_ends_is_missing_and_neither_0_nor_100_percent(self) -> None:
        rows = measured(Events.of([*_signals(8), (BEGIN_US, 82, 11)]), _history(PRESENCE))
        found = _found(rows, "split_failures", "green_occupancy")
        assert [(None, "missing(stuck_on)")] * 7 == found[1:]
        assert [(None, "missing(stuck_on)")] * 7 == _found(rows, "split_failures", "split_failures")[1:]
        assert {cycle.split_failure for cycle in rows.cycles if cycle.start_us > BEGIN_US + 2 * BIN_US} == {None}

    def test_is_remembered_for_days_before_it_speaks_again(self) -> None:
        late = [(time + 3 * DAY_US, code, phase) for time, code, phase in _signals(4)]
        rows = measured(Events.of([(BEGIN_US, 82, 11), *late]), _history(PRESENCE))
        assert {(None, "missing(stuck_on)")} == set(_found(rows, "split_failures", "red_occupancy"))

    def test_that_has_told_nothing_is_missing(self) -> None:
        rows = measured(Events.of(_signals(3)), _history(PRESENCE))
        assert {(None, "missing(detector)")} == set(_found(rows, "split_failures", "green_occupancy"))

    def test_makes_its_counts_suspect(self) -> None:
        rows = measured(Events.of([*_signals(4), (BEGIN_US, 82, 12)]), _history(ADVANCE))
        assert ["good", *["suspect(stuck_on)"] * 3] == [quality for _, quality in _found(rows, "approach_volume", "volume")]

    def test_with_a_fault_of_its_own_is_missing_until_restored(self) -> None:
        faults = [(BEGIN_US + 300 * US, 87, 11), (BEGIN_US + 1750 * US, 83, 11)]
        busy = _on(11, *((t + 10, t + 12) for t in range(0, 3600, 50)))
        rows = measured(Events.of(_signals(4) + busy + faults), _history(PRESENCE))
        assert ["partial", "missing(fault)"] == [quality for _, quality in _found(rows, "split_failures", "green_occupancy")][:2]
        assert _found(rows, "split_failures", "green_occupancy")[3][1] == "good"


class TestCounting:
    def test_a_presence_zone_is_no_volume(self) -> None:
        busy = _on(11, *((t + 10, t + 12) for t in range(0, 900, 50)))
        rows = measured(Events.of(_signals(1) + busy), _history(PRESENCE))
        assert [] == _found(rows, "approach_volume", "volume")
        assert [(18.0, "good")] == _found(rows, "actuations", "actuations", "detector:11")

    def test_a_vehicle_counts_where_it_reaches_the_stop_line(self) -> None:
        # 100 m at 36 km/h are 10 s, less 1 s of latency: 9 s later it is in the next bin.
        rows = measured(Events.of(_signals(2) + _on(12, (895, 895.2))), _history(ADVANCE))
        assert [(0.0, "good"), (1.0, "good")] == _found(rows, "approach_volume", "volume")
        assert [(0.0, "good"), (1.0, "good")] == _found(rows, "arrivals", "arrivals_on_green")

    def test_zero_is_told_only_while_the_controller_speaks(self) -> None:
        rows = measured(Events.of(_signals(4, skip=range(900, 1800))), _history(ADVANCE))
        volume = {row.start_us for row in rows.measures if row.measure == "approach_volume" and row.name == "volume"}
        assert {BEGIN_US + b * BIN_US for b in (0, 2, 3)} == volume

    def test_delay_is_the_time_to_green(self) -> None:
        # Arrivals 20 s and 30 s before the green at 200 s, and one on green.
        seen = _on(12, (171, 171.2), (161, 161.2), (201, 201.2))
        rows = measured(Events.of(_signals(1) + seen), _history(ADVANCE))
        (cycle,) = [one for one in rows.cycles if one.arrivals]
        assert (3, 1, 50.0) == (cycle.arrivals, cycle.arrivals_on_green, cycle.delay_s)
        assert [(50.0, "good")] == _found(rows, "approach_delay", "delay_total")


class TestMissingHour:
    GAP = range(1800, 5400)

    def test_bins_say_so_and_no_zero_is_made_up(self) -> None:
        rows = measured(Events.of(_signals(8, skip=self.GAP)), _history())
        expected = [(1.0, "good")] * 2 + [(0.0, "missing(device)")] * 4 + [(1.0, "good")] * 2
        assert expected == _found(rows, "has_data", "has_data", "")

    def test_states_across_it_are_repaired(self) -> None:
        rows = measured(
            Events.of([*_signals(8, skip=self.GAP), (BEGIN_US + 1750 * US, 43, 4), (BEGIN_US + 5500 * US, 44, 4)]), _history()
        )
        (call,) = [row for row in rows.intervals if row.kind == "phase_call"]
        assert (BEGIN_US + 1750 * US, True) == (call.onset_us, call.repaired)

    def test_silence_is_told_for_a_day(self) -> None:
        events = Events.of(_signals(1))
        meter = Meter(_history(), parameters(), BEGIN_US)
        rows = meter.feed(events, BEGIN_US + BIN_US)
        rows += meter.feed(NONE, BEGIN_US + 3 * DAY_US)
        assert 97 == len(_found(rows, "has_data", "has_data", ""))


class TestEdges:
    def test_a_cycle_without_yellow_is_partial(self) -> None:
        rows = measured(Events.of([row for row in _signals(1) if row[:2] != (BEGIN_US + 240 * US, 8)]), _history())
        assert {"partial": 1, "good": 7} == {
            quality: sum(cycle.quality == quality for cycle in rows.cycles) for quality in ("partial", "good")
        }

    def test_a_lost_end_lasts_to_the_next_begin_and_is_repaired(self) -> None:
        rows = measured(
            Events.of([*_signals(1), *((BEGIN_US + t * US, code, 3) for t, code in ((5, 43), (50, 43), (60, 44)))]), _history()
        )
        calls = [(row.onset_us, row.end_us, row.repaired) for row in rows.intervals if row.kind == "phase_call"]
        assert [(BEGIN_US + 5 * US, BEGIN_US + 50 * US, True), (BEGIN_US + 50 * US, BEGIN_US + 60 * US, False)] == calls

    @pytest.mark.parametrize(("days", "given"), [(6.9, 1), (7.1, 0)])
    def test_an_open_state_is_carried_for_seven_days(self, days: float, given: int) -> None:
        end = BEGIN_US + round(days * DAY_US)
        rows = measured(Events.of([(BEGIN_US, 43, 3), (end, 44, 3)]), _history())
        assert given == sum(row.kind == "phase_call" for row in rows.intervals)

    def test_unknown_codes_are_kept_out_and_harm_nothing(self) -> None:
        odd = [(BEGIN_US + t * US, 60_000 + t % 7, -5) for t in range(900)]
        assert measured(Events.of(_signals(1)), _history()).cycles == measured(Events.of(_signals(1) + odd), _history()).cycles


class TestConfiguration:
    def test_history_is_computed_with_what_was_true_then(self) -> None:
        busy = _on(12, *((t + 10.0, t + 11.0) for t in range(0, 3600, 50)))
        near = Detector(12, 3, Function.ADVANCE)
        history = History((Configuration(0, (ADVANCE,)), Configuration(BEGIN_US + 1000 * US, (near,))))
        rows = measured(Events.of(_signals(4) + busy), history)
        starts = {
            row.element: sorted(
                {one.start_us for one in rows.measures if one.measure == "approach_volume" and one.element == row.element}
            )
            for row in rows.measures
            if row.measure == "approach_volume"
        }
        assert {
            "phase:2": [BEGIN_US, BEGIN_US + BIN_US],
            "phase:3": [BEGIN_US + 2 * BIN_US, BEGIN_US + 3 * BIN_US],
        } == starts


def test_every_figure_has_a_unit() -> None:
    busy = _on(11, *((t + 10.0, t + 12.0) for t in range(0, 3600, 50))) + _on(
        12, *((t + 3.0, t + 4.0) for t in range(0, 3600, 7))
    )
    rows = measured(Events.of(_signals(4) + busy), _history(PRESENCE, ADVANCE))
    assert {(row.measure, row.name) for row in rows.measures} <= UNITS.keys()


def test_events_outside_the_span_are_refused() -> None:
    meter = Meter(_history(), parameters(), BEGIN_US)
    with pytest.raises(ValueError, match="events must lie in"):
        meter.feed(Events.of([(BEGIN_US + 2 * US, 1, 2)]), BEGIN_US + US)


def test_a_preview_tells_the_open_bin_and_changes_nothing() -> None:
    events = Events.of(_signals(1))
    meter = Meter(_history(), parameters(), BEGIN_US)
    begun = meter.feed(
        Events(*(column[events.time_us < BEGIN_US + 450 * US] for column in (events.time_us, events.code, events.parameter))),
        BEGIN_US + 450 * US,
    )
    state = meter.state()
    preview = meter.preview()
    assert not len(begun)
    assert state == meter.state()
    whole = measured(events, _history()).cycles
    assert [cycle for cycle in whole if cycle.end_us + 5 * US < BEGIN_US + 450 * US] == preview.cycles
    assert {"partial"} == {row.quality for row in preview.measures}
    assert span(events)[1] == BEGIN_US + BIN_US + TAIL_US
