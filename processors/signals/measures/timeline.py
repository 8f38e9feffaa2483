"""Timeline: states of the controller from begin to end, paired from its events.

A pair is a begin and the next event of the same kind and element. When that is not its end (the end is lost) the state lasts to the
next begin and is `repaired`. An end without begin gives nothing, save for priority (kinds `tsp_detector`, `tsp_service`), where it
is repaired from the end before. Repaired is also what touches a bin without data, a silence of the log longer than usual for the
hour, or a clock update ± 5 s, and a yellow or red clearance longer than 10 s. Open states are carried over for at most 7 days.
Changes of a value (`pattern_change`, `cycle_change`, `offset_change`, ...) are moments: they end at their onset, with `value:N`.

Source: PyPI atspm 2.6.1, `timeline`.
"""

from __future__ import annotations

import numpy as np

from processors.signals.chunk import FAR, Chunk, microseconds
from processors.signals.events import Flags, Ints
from processors.signals.rows import Interval, Rows

UNITS: dict[str, str] = {}

# Kind: code of its begin, code of its end. The kinds of one table share no code.
PAIRS = {
    "split": (0, 12),
    "green": (1, 7),
    "yellow": (8, 9),
    "red": (10, 11),
    "ped_service": (21, 23),
    "fya": (32, 33),
    "phase_hold": (41, 42),
    "phase_call": (43, 44),
    "phase_omit": (46, 47),
    "ped_omit": (48, 49),
    "advance_warning_phase": (55, 56),
    "overlap_ped": (67, 65),
    "advance_warning_overlap": (71, 72),
    "ped_detector_failed": (91, 92),
    "tsp_detector": (94, 93),
    "preempt": (102, 104),
    "preempt_entry": (105, 107),
    "tsp_call": (112, 115),
    "tsp_service": (118, 119),
    "special_function": (176, 177),
}
MORE_PAIRS = {"preempt_dwell": (107, 111)}
ENDS_COUNT = ("tsp_detector", "tsp_service")
CLEARANCES = ("yellow", "red")
FAULTS = {84: "fault_other", 85: "fault_watchdog", 86: "fault_open_loop", 87: "fault_shorted_loop", 88: "fault_erratic"}
TOGGLES = {178: "manual_control", 180: "stop_time", 202: "aux_switch"}
MOMENTS = {
    131: "pattern_change",
    132: "cycle_change",
    133: "offset_change",
    179: "interval_advance",
    181: "clock_update",
    182: "power_failure",
    184: "power_restored",
}
OVERLAPS = {61: "overlap_green", 62: "overlap_trail_green", 63: "overlap_yellow", 64: "overlap_red"}
TRANSITIONS = {2: "transition_longway", 3: "transition_shortway", 4: "transition_dwell"}
FLASHES = {
    1: "flash_other",
    2: "flash_not",
    3: "flash_automatic",
    4: "flash_local_manual",
    5: "flash_fault_monitor",
    6: "flash_mmu",
    7: "flash_startup",
    8: "flash_preempt",
}
ALARMS = {1: "cycle_fault", 2: "coord_fault", 4: "coord_fail", 8: "cycle_fail", 16: "mmu_flash", 32: "local_flash"}
ELEMENTS = {"overlap": "overlap", "preempt": "preempt", "tsp": "request", "fault": "detector", "ped_detector": "detector"}


def element_of(kind: str) -> str:
    """What the parameter of a kind's events numbers."""
    return next((name for prefix, name in ELEMENTS.items() if kind.startswith(prefix)), "phase")


def following(chunk: Chunk, index: Ints, groups: Ints) -> tuple[Ints, Ints]:
    """The next event of the same group: its place in `index` and its time; −1 and `FAR` when there is none."""
    place = np.arange(1, len(index) + 1)
    if len(index):
        other = np.append(groups[1:] != groups[:-1], True)
        place[other] = -1
    time = np.where(place >= 0, chunk.t[index[place]], FAR) if len(index) else place
    return place, time


def pairs(chunk: Chunk, table: dict[str, tuple[int, int]]) -> dict[str, tuple[Ints, Ints, Ints, Flags]]:
    """Of each kind that ended in the chunk: parameter, onset, end, and whether it is repaired."""
    found = {}
    for kind, (begin, finish) in table.items():
        index = chunk.of(begin, finish)
        if not len(index):
            continue
        place, end = following(chunk, index, chunk.par[index])
        code, t = chunk.code[index], chunk.t[index]
        is_begin, ends_well = code == begin, code[place] == finish
        chosen = is_begin | (~is_begin & ends_well) if kind in ENDS_COUNT else is_begin
        chosen = chosen & chunk.fresh(end) & (end - t <= chunk.open_longest_us)
        if not chosen.any():
            continue
        onset, end = t[chosen], end[chosen]
        repaired = ~(is_begin & ends_well)[chosen]
        if kind in CLEARANCES:
            repaired |= end - onset > microseconds(chunk.parameters.clearance_longest.value)
        found[kind] = chunk.par[index][chosen], onset, end, repaired
    return found


def rows(chunk: Chunk, out: Rows) -> None:
    """One row a state that ended."""
    for table in (PAIRS, MORE_PAIRS):
        for kind, (par, onset, end, repaired) in pairs(chunk, table).items():
            _give(chunk, out, kind, element_of(kind), par, onset, end, repaired)
    _others(chunk, out)
    _moments(chunk, out)


def _give(chunk: Chunk, out: Rows, kind: str, element: str, par: Ints, onset: Ints, end: Ints, repaired: Flags) -> None:
    lost = repaired | chunk.untrusted(onset, end)
    names = {number: f"{element}:{number}" if element else "" for number in set(par.tolist())}
    out.intervals += [
        Interval(kind, names[number], begin, finish, bad)
        for number, begin, finish, bad in zip(par.tolist(), onset.tolist(), end.tolist(), lost.tolist(), strict=True)
    ]


def _others(chunk: Chunk, out: Rows) -> None:
    """States that last until the next event of their group, whatever it is."""
    for kinds, codes, element in (
        (FAULTS, (83, *FAULTS), "detector"),
        (OVERLAPS, tuple(range(61, 67)), "overlap"),
        ({113: "tsp_adjustment", 114: "tsp_adjustment"}, (113, 114, 115), "request"),
    ):
        index = chunk.of(*codes)
        if not len(index):
            continue
        place, end = following(chunk, index, chunk.par[index])
        code, t, par = chunk.code[index], chunk.t[index], chunk.par[index]
        chosen = chunk.fresh(end) & (end - t <= chunk.open_longest_us)
        for begin, kind in kinds.items():
            mine = np.flatnonzero(chosen & (code == begin))
            if len(mine):
                bad = _bad_end(chunk, begin, code[place[mine]], par[mine], end[mine])
                _give(chunk, out, kind, element, par[mine], t[mine], end[mine], bad)
    for toggle, kind in TOGGLES.items():
        _lasting(chunk, out, np.sort(chunk.of(toggle)), {1: kind}, lambda following_value: following_value != 0, "")
    transition = np.sort(chunk.of(150))
    transition = transition[np.isin(chunk.par[transition], (0, 1, 2, 3, 4))]
    _lasting(chunk, out, _highest_first(chunk, transition), TRANSITIONS, None, "")
    _lasting(chunk, out, _highest_first(chunk, np.sort(chunk.of(173))), FLASHES, None, "")
    alarms = _highest_first(chunk, np.sort(chunk.of(174)))
    _lasting(chunk, out, alarms, ALARMS, None, "", bits=True)


def _highest_first(chunk: Chunk, index: Ints) -> Ints:
    """Of reports of one moment the lowest value is the one that stays."""
    return index[np.lexsort((-chunk.par[index], chunk.t[index]))]


def _lasting(
    chunk: Chunk, out: Rows, index: Ints, kinds: dict[int, str], bad_end: object, element: str, *, bits: bool = False
) -> None:
    if not len(index):
        return
    par, t = chunk.par[index], chunk.t[index]
    end = np.append(t[1:], FAR)
    value = np.append(par[1:], 0)
    chosen = chunk.fresh(end) & (end - t <= chunk.open_longest_us)
    for number, kind in kinds.items():
        mine = chosen & ((par & number > 0) if bits else (par == number))
        if mine.any():
            bad = np.asarray(bad_end(value[mine])) if callable(bad_end) else np.zeros(int(mine.sum()), dtype=np.bool_)
            _give(chunk, out, kind, element, par[mine], t[mine], end[mine], bad)


def _bad_end(chunk: Chunk, begin: int, finish: Ints, par: Ints, end: Ints) -> Flags:
    """Whether a state that began with a code may not end with these."""
    if begin in FAULTS:
        return np.asarray(finish != 83)
    if begin in (61, 62):
        return np.asarray(finish == begin)
    if begin == 64:
        # Overlaps that report OFF (65) end red with it; those that never do end red with green.
        reports_off = np.zeros(len(par), dtype=np.bool_)
        for number in set(par.tolist()):
            times = chunk.times(65, number)
            slot = np.searchsorted(times, end, side="right") - 1
            last = times[np.maximum(slot, 0)] if len(times) else np.zeros(len(end), dtype=np.int64)
            reports_off |= (par == number) & (slot >= 0) & (end - last <= chunk.open_longest_us)
        return np.asarray(~((finish == 65) | ((finish == 61) & ~reports_off)))
    return np.zeros(len(par), dtype=np.bool_)


def _moments(chunk: Chunk, out: Rows) -> None:
    for code, kind in MOMENTS.items():
        index = chunk.of(code)
        index = index[index >= chunk.first]
        for par, time in zip(chunk.par[index].tolist(), chunk.t[index].tolist(), strict=True):
            out.intervals.append(Interval(kind, f"value:{par}", time, time, False))


def keep(chunk: Chunk) -> Flags:
    """The last event of each kind and element, and the last end of each overlap."""
    mask = np.zeros(len(chunk.t), dtype=np.bool_)
    for codes in (*PAIRS.values(), *MORE_PAIRS.values(), (83, *FAULTS), tuple(range(61, 67)), (65,), (113, 114, 115)):
        mask |= chunk.keep_last(*codes)
    for code in (*TOGGLES, 150, 173, 174):
        index = np.sort(chunk.of(code))
        if code not in TOGGLES:
            index = _highest_first(chunk, index)
        if code == 150:
            index = index[np.isin(chunk.par[index], (0, 1, 2, 3, 4))]
        mask |= chunk.keep_since(index, np.zeros(len(index), dtype=np.int64), chunk.end_us)
    return mask
