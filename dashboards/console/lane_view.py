"""The chart of a chosen lane on the page: junction, approach, lane, and the newest final minute in figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from nicegui import ui
from nicegui.elements.label import Label
from nicegui.elements.select import Select
from nicegui.events import ValueChangeEventArguments

from config.site import Kind, Site
from dashboards.console.chart import figures, options
from dashboards.console.state import minute_of
from dashboards.console.words import Language, word
from storage.readers import LaneRow, MinuteRow

UNITS = {"volume": "veh_min", "speed": "km/h", "occupancy": "%"}


def in_street_order(lanes: Mapping[int, LaneRow]) -> list[LaneRow]:
    """Lanes with the controllers' before the cameras', from the kerb outwards."""
    return sorted(lanes.values(), key=lambda lane: (lane.kind != Kind.ATC, lane.device, lane.approach, lane.from_kerb))


def address_of(lane: LaneRow) -> str:
    """How a page's address names a lane: `atc-legian.E1`."""
    return f"{lane.device}.{lane.detector}"


def find(
    lanes: Mapping[int, LaneRow], *, address: str = "", junction: str = "", approach: str = "", link: str = ""
) -> LaneRow | None:
    """The first lane, in the order of the street, that fits what is given."""
    for lane in in_street_order(lanes):
        if address and address_of(lane) != address:
            continue
        if junction and lane.junction != junction:
            continue
        if approach and lane.approach != approach:
            continue
        if link and lane.link != link:
            continue
        return lane
    return None


class LanePanel:
    """Selects, figures and chart; the pages' address follows the choice."""

    def __init__(self, site: Site, language: Language, address: str, junction: str, on_choice: Callable[[LaneRow], None]) -> None:
        """Draw it without a lane; the one at `address`, else the first of `junction`, is chosen once the lanes are known."""
        self._site = site
        self._language = language
        self._address, self._asked = address, junction
        self._on_choice = on_choice
        self._lanes: Mapping[int, LaneRow] = {}
        self._lane: LaneRow | None = None
        self._shown: object = None
        self._filling = False
        with ui.element("section").classes("card chart-card").props('data-testid="lane"'):
            with ui.element("header").classes("card-head"):
                self._junction = self._select("junction", self._choose_junction)
                self._approach = self._select("approach", self._choose_approach)
                self._pick = self._select("lane", self._choose_lane)
                with ui.element("div").classes("figures"):
                    self._figures = {key: self._figure(key) for key in ("volume", "speed", "occupancy", "quality")}
            self._chart = ui.echart({}).classes("chart")

    def _select(self, key: str, on_change: Callable[[ValueChangeEventArguments[Any]], None]) -> Select:
        found = ui.select({}, label=word(key, self._language), on_change=on_change)
        return found.props(
            f'dense outlined dark options-dense popup-content-class="console-menu" data-testid="select-{key}"'
        ).classes(f"select-{key}")

    def _figure(self, key: str) -> Label:
        with ui.element("div").classes(f"figure figure-{key}"):
            label = ui.label("–").classes("figure-number").props(f'data-testid="lane-{key}-latest"')
            unit = UNITS.get(key, "")
            ui.label(word(unit, self._language) if unit == "veh_min" else unit or word("quality", self._language)).classes(
                "figure-unit"
            )
        return label

    @property
    def lane(self) -> LaneRow | None:
        """The chosen lane."""
        return self._lane

    def choose(self, lane: LaneRow | None) -> None:
        """Show another lane; None changes nothing."""
        if lane is None or lane == self._lane:
            return
        self._lane = lane
        self._fill()
        self._on_choice(lane)

    def show(self, lanes: Mapping[int, LaneRow], rows: Sequence[MinuteRow] | None, now: datetime) -> None:
        """Show other lanes and bins; rows of None are not read yet."""
        # A database that was filled from another site folder may know more.
        lanes = {number: lane for number, lane in lanes.items() if lane.junction in self._site.junction}
        if lanes != self._lanes:
            self._lanes = lanes
            asked = find(lanes, address=self._address) if self._address else None
            asked = asked or (find(lanes, junction=self._asked) if self._asked else None)
            lane = asked or next((found for j in self._site.junctions if (found := find(lanes, junction=j.id))), None)
            self._lane = None if self._lane is not None and self._lane.lane_id not in lanes else self._lane
            if self._lane is None:
                self.choose(lane)
            else:
                self._fill()
        if self._lane is None or rows is None:
            return
        state = (self._lane.lane_id, tuple(rows), minute_of(now))
        if state == self._shown:
            return
        self._shown = state
        # The chart's whole options are one property; assigned, not changed in place, so that one message is sent.
        self._chart.props["options"] = options(rows, now, self._site.zone, self._language)
        told = figures(rows, self._site.zone, self._language)
        for key, label in self._figures.items():
            text, exact = told[key]
            label.set_text(text)
            for name, value in (
                ("data-value", exact),
                ("data-start", told["start"][1]),
                ("data-lane", address_of(self._lane)),
                ("data-quality", told["quality"][1].partition("(")[0]),
                ("title", f"{word('latest_minute', self._language)} {told['start'][0]}"),
            ):
                if label.props.get(name) != value:
                    label.props[name] = value

    def _fill(self) -> None:
        """Bring the three selects in line with the lane."""
        if self._lane is None:
            return
        lanes = in_street_order(self._lanes)
        here = [lane for lane in lanes if lane.junction == self._lane.junction]
        roads = {lane.approach: self._site.link[lane.link].road for lane in here if lane.link in self._site.link}
        known = {lane.junction for lane in lanes}
        self._filling = True
        try:
            self._junction.set_options({j.id: j.name for j in self._site.junctions if j.id in known}, value=self._lane.junction)
            self._approach.set_options({name: f"{name} · {road}" for name, road in roads.items()}, value=self._lane.approach)
            self._pick.set_options(
                {lane.lane_id: self._lane_label(lane) for lane in here if lane.approach == self._lane.approach},
                value=self._lane.lane_id,
            )
        finally:
            self._filling = False

    def _lane_label(self, lane: LaneRow) -> str:
        return f"{lane.lane} · {word('detector' if lane.kind == Kind.ATC else 'camera', self._language)} {lane.device}"

    def _choose_junction(self, event: ValueChangeEventArguments[Any]) -> None:
        if not self._filling:
            self.choose(find(self._lanes, junction=str(event.value)))

    def _choose_approach(self, event: ValueChangeEventArguments[Any]) -> None:
        if not self._filling and self._lane is not None:
            self.choose(find(self._lanes, junction=self._lane.junction, approach=str(event.value)))

    def _choose_lane(self, event: ValueChangeEventArguments[Any]) -> None:
        if not self._filling:
            self.choose(self._lanes.get(event.value))
