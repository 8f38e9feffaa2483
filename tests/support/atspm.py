"""The package atspm: what it is asked for, what it calls things, and its answers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

AGGREGATIONS: list[dict[str, Any]] = [
    {"name": "has_data", "params": {"no_data_min": 5, "min_data_points": 3}},
    {"name": "actuations", "params": {}},
    {"name": "arrival_on_green", "params": {"latency_offset_seconds": 0}},
    {"name": "communications", "params": {"event_codes": "400,500,501,502,503"}},
    {"name": "coordination_agg", "params": {}},
    {"name": "full_ped", "params": {"seconds_between_actuations": 15, "return_volumes": True}},
    {
        "name": "split_failures",
        "params": {
            "red_time": 5,
            "red_occupancy_threshold": 0.80,
            "green_occupancy_threshold": 0.80,
            "by_approach": True,
            "by_cycle": False,
        },
    },
    {"name": "splits", "params": {}},
    {"name": "terminations", "params": {}},
    {"name": "yellow_red", "params": {"latency_offset_seconds": 0}},
    {"name": "timeline", "params": {"min_duration": 0, "cushion_time": 0}},
    {"name": "ped_delay", "params": {}},
    {"name": "phase_wait", "params": {}},
    {"name": "platoon_ratio", "params": {}},
]
KINDS = {
    "Split": "split",
    "Green": "green",
    "Yellow": "yellow",
    "Red": "red",
    "Ped Service": "ped_service",
    "FYA": "fya",
    "Phase Hold": "phase_hold",
    "Phase Call": "phase_call",
    "Phase Omit": "phase_omit",
    "Ped Omit": "ped_omit",
    "Overlap Ped": "overlap_ped",
    "Preempt": "preempt",
    "Overlap Green": "overlap_green",
    "Overlap Trail Green": "overlap_trail_green",
    "Overlap Yellow": "overlap_yellow",
    "Overlap Red": "overlap_red",
    "Stuck On": "fault_shorted_loop",
    "Stuck Off": "fault_open_loop",
    "Erratic": "fault_erratic",
    "Other": "fault_other",
    "Watchdog": "fault_watchdog",
    "Transition Shortway": "transition_shortway",
    "Transition Longway": "transition_longway",
    "Transition Dwell": "transition_dwell",
    "Ped Delay": "ped_delay",
    "Phase Wait": "phase_wait",
    "Pattern Change": "pattern_change",
    "Cycle Length Change": "cycle_change",
    "Offset Change": "offset_change",
    "Clock Update": "clock_update",
}
ONLY_OURS = {"preempt_entry", "preempt_dwell"}


def theirs(events: Path, configuration: Path) -> tuple[dict[str, list[dict[str, Any]]], float]:
    """All tables of atspm, and its wall time in seconds."""
    from atspm import SignalDataProcessor

    begin = time.perf_counter()
    processor = SignalDataProcessor(
        raw_data=str(events),
        detector_config=str(configuration),
        bin_size=15,
        verbose=0,
        controller_type="maxtime",
        aggregations=[{**one, "params": dict(one["params"])} for one in AGGREGATIONS],
    )
    processor.load()
    processor.aggregate()
    took = time.perf_counter() - begin
    found = {}
    for one in AGGREGATIONS:
        relation = processor.conn.sql(f"SELECT * FROM {one['name']}")
        found[one["name"]] = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    processor.close()
    return found, took
