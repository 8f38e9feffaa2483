"""The signals of one junction: a coordination diagram and a split monitor of each of its phases."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from nicegui import ui
from nicegui.elements.echart import EChart
from nicegui.elements.label import Label

from config.site import Controller, Site
from dashboards.console.page import STYLE, Pulse
from dashboards.console.signal_chart import Summary, options, summary, within
from dashboards.console.state import Watch
from dashboards.console.words import Language, word
from storage.readers import AspectRow, ControllerRows, CycleRow

ASPECTS = {1: "green", 8: "yellow", 9: "red"}
PATH = "/signals"


def address(junction: str, language: Language) -> str:
    """Where the page of a junction is."""
    return f"{PATH}?{urlencode({'lang': language.value, 'junction': junction})}"


def controller_at(site: Site, junction: str) -> Controller | None:
    """The controller of a junction, else the site's first; None when the site has none."""
    return next((c for c in site.controllers if c.junction == junction), next(iter(site.controllers), None))


def phases_of(site: Site, controller: Controller, rows: ControllerRows | None) -> list[int]:
    """Phases that serve an approach, and those that were seen."""
    served = {approach.phase for approach in site.junction[controller.junction].approaches}
    return sorted(served | ({cycle.phase for cycle in rows.cycles} if rows else set()))


class _PhaseCard:
    """Figures and charts of one phase."""

    def __init__(self, phase: int, approaches: str, language: Language) -> None:
        self._phase = phase
        self._language = language
        self._shown: object = None
        with ui.element("section").classes("card phase-card").props(f'data-testid="phase-{phase}"'):
            with ui.element("header").classes("card-head"):
                ui.html(f"<h2>{word('phase', language)} {phase}</h2>", sanitize=False)
                ui.label(approaches).classes("sub")
                self._aspect = ui.label("–").classes("aspect").props(f'data-testid="phase-{phase}-aspect"')
                with ui.element("div").classes("figures"):
                    self._figures = {key: self._figure(key) for key in ("on_green", "failures", "ends", "good_cycles")}
            self._chart: EChart = ui.echart({}).classes("phase-chart")

    def _figure(self, key: str) -> Label:
        with ui.element("div").classes("figure"):
            label = ui.label("–").classes("figure-number").props(f'data-testid="phase-{self._phase}-{key}"')
            ui.label(word(key, self._language)).classes("figure-unit")
        return label

    def show(
        self, cycles: tuple[CycleRow, ...], aspect: AspectRow | None, rows: ControllerRows, now: datetime, site: Site
    ) -> None:
        """Show other cycles."""
        self._show_aspect(aspect, now)
        state = (cycles, rows.done_until, int(now.timestamp()) // 60)
        if state == self._shown:
            return
        self._shown = state
        self._chart.props["options"] = options(cycles, now, rows.done_until, site.zone, self._language)
        for key, text in figures(summary(within(cycles, now)), self._language).items():
            self._figures[key].set_text(text)

    def _show_aspect(self, aspect: AspectRow | None, now: datetime) -> None:
        name = "" if aspect is None else ASPECTS[aspect.code]
        text = (
            "–"
            if aspect is None
            else f"{word(f'aspect_{name}', self._language)} {max(0, (now - aspect.since).total_seconds()):.0f} s"
        )
        self._aspect.set_text(text)
        if self._aspect.props.get("data-aspect") != name:
            self._aspect.props["data-aspect"] = name


def figures(found: Summary, language: Language) -> dict[str, str]:
    """A phase in words; a figure without observation is a dash, never a zero."""
    share = f"{100 * found.on_green / found.arrivals:.0f} %" if found.arrivals and found.on_green is not None else "–"
    return {
        "on_green": share,
        "failures": f"{found.failures}/{found.judged}" if found.judged else "–",
        "ends": " · ".join(f"{word(name, language)} {count}" for name, count in found.ends.items()) or "–",
        "good_cycles": f"{found.good}/{found.cycles}" if found.cycles else "–",
    }


class SignalPage:
    """One open page."""

    def __init__(self, site: Site, watch: Watch, language: Language, junction: str) -> None:
        """Draw the page in the slot that is open."""
        self._site = site
        self._watch = watch
        self._language = language
        self._client = ui.context.client
        self._controller = controller_at(site, junction)
        self._cards: dict[int, _PhaseCard] = {}
        ui.add_css(STYLE.read_text(encoding="utf-8"))
        ui.add_head_html(f'<script>document.documentElement.lang = "{language.value}";</script>')
        with ui.element("main").classes("console signals"):
            self._header()
            self._pulse = Pulse(site.general.timezone, language, watch)
            self._database = ui.label().classes("banner banner-bad").props('role="alert" data-testid="database-away"')
            self._database.set_visibility(False)
            self._grid = ui.element("div").classes("phases")
        self.tell()

    @property
    def controller(self) -> str | None:
        """Whose signals it shows."""
        return None if self._controller is None else self._controller.id

    def _header(self) -> None:
        here = self._controller.junction if self._controller else ""
        names = {c.junction: self._site.junction[c.junction].name for c in self._site.controllers}
        with ui.element("header").classes("top"):
            with ui.element("div").classes("brand"):
                ui.label(names.get(here, "–")).classes("brand-site").props('data-testid="junction"')
                ui.label(f"{self._site.general.title} · {word('signals', self._language)}").classes("brand-name")
            ui.select(
                names, value=here or None, label=word("junction", self._language),
                on_change=lambda event: ui.navigate.to(address(str(event.value), self._language)),
            ).props('dense outlined dark options-dense popup-content-class="console-menu" data-testid="select-junction"').classes("select-junction")  # fmt: skip
            with ui.element("div").classes("share"):
                self._until = ui.label("–").classes("share-number").props('data-testid="measured-until"')
                self._age = (
                    ui.label(word("measured_never", self._language)).classes("share-word").props('data-testid="measured-age"')
                )
            with ui.element("div").classes("clock"), ui.element("div").classes("clock-line"):
                ui.element("span").classes("clock-time").props('data-clock="time" data-testid="clock"')
                ui.label(f"{self._watch.clock().astimezone(self._site.zone):%Z}").classes("clock-zone")
            with ui.element("nav").classes("segments languages").props(f'aria-label="{word("language", self._language)}"'):
                ui.link(word("map", self._language), f"/?{urlencode({'lang': self._language.value})}").props(
                    'data-testid="to-map"'
                )
                for other in Language:
                    link = ui.link(other.value.upper(), address(here, other))
                    link.props(
                        f'data-testid="language-{other.value}" aria-current="{"true" if other is self._language else "false"}"'
                    )

    def tell(self) -> None:
        """Show what the watch knows."""
        with self._client:
            self._tell()

    def _tell(self) -> None:
        self._pulse.beat()
        since = self._watch.failing_since
        self._database.set_visibility(since is not None)
        if since is not None:
            self._database.set_text(
                "✘ " + word("database_away", self._language, since=f"{since.astimezone(self._site.zone):%H:%M:%S}")
            )
        snapshot, controller = self._watch.snapshot, self._controller
        rows = snapshot.signals.get(controller.id) if snapshot and controller else None
        if rows is None or controller is None:
            return
        now = self._watch.clock()
        self._show_age(rows, now)
        for phase in phases_of(self._site, controller, rows):
            if phase not in self._cards:
                with self._grid:
                    self._cards[phase] = _PhaseCard(phase, self._approaches(controller, phase), self._language)
            cycles = tuple(cycle for cycle in rows.cycles if cycle.phase == phase)
            aspect = next((a for a in rows.aspects if a.phase == phase), None)
            self._cards[phase].show(cycles, aspect, rows, now, self._site)

    def _show_age(self, rows: ControllerRows, now: datetime) -> None:
        if rows.done_until is None:
            return
        age_s = (now - rows.done_until).total_seconds()
        self._until.set_text(f"{rows.done_until.astimezone(self._site.zone):%H:%M:%S}")
        text = word("measured_until", self._language, age=f"{age_s:.0f}")
        self._age.set_text(text + (f" · {word('redoing', self._language)}" if rows.redoing else ""))
        level = "ok" if age_s < self._watch.thresholds.signals_old.value else "warn"
        if self._until.props.get("data-level") != level:
            self._until.props["data-level"] = level

    def _approaches(self, controller: Controller, phase: int) -> str:
        links = [a for a in self._site.junction[controller.junction].approaches if a.phase == phase]
        return ", ".join(f"{word('approach', self._language)} {a.id}" for a in links)
