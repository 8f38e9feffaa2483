"""The one page: what the watch knows, laid out for a room in which nobody has time to read."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from msgspec import Struct
from nicegui import ui
from nicegui.element import Element

from config.site import Site
from dashboards.console.devices import DeviceTable, DeviceView, judge, milliseconds, table_rows
from dashboards.console.lane_view import LanePanel, address_of, find
from dashboards.console.ledger import LedgerStrip, Totals, totals
from dashboards.console.map import LinkState, link_state, up_to
from dashboards.console.map_view import MODES, CorridorMap, links_props, marks_props, subtitle
from dashboards.console.state import Snapshot, Watch
from dashboards.console.words import Language, word
from storage.readers import LaneRow

STYLE = Path(__file__).parent / "components" / "console.css"
LOCALES = {Language.INDONESIAN: "id-ID", Language.ENGLISH: "en-GB"}


class Verdict(Struct, frozen=True):
    """What a snapshot means now; the same for every page, whatever its language."""

    links: dict[str, LinkState]
    devices: tuple[DeviceView, ...]
    short: Totals
    long: Totals

    @property
    def reporting(self) -> int:
        """Devices that report."""
        return sum(1 for view in self.devices if view.attention.reports)


class Board:
    """Judges a snapshot once for all pages."""

    def __init__(self, site: Site, watch: Watch) -> None:
        """Judge what `watch` sees of `site`."""
        self.site = site
        self.watch = watch
        self._verdict: Verdict | None = None
        self._of: tuple[Snapshot, int] | None = None

    def verdict(self, snapshot: Snapshot) -> Verdict:
        """The verdict at this second: data that stops coming grows old while the snapshot stays."""
        now = self.watch.clock()
        key = (snapshot, int(now.timestamp()))
        if self._verdict is None or self._of is None or self._of[0] is not snapshot or self._of[1] != key[1]:
            thresholds = self.watch.thresholds
            lanes = tuple(snapshot.lanes.values())
            self._of = key
            self._verdict = Verdict(
                links={link.id: link_state(link, lanes, snapshot.minutes, now, thresholds) for link in self.site.links},
                devices=judge(snapshot.devices, lanes, snapshot.minutes, snapshot.ledger_short, now, thresholds),
                short=totals(snapshot.ledger_short),
                long=totals(snapshot.ledger_long),
            )
        return self._verdict


class Page:
    """One open page."""

    def __init__(self, board: Board, language: Language, lane: str, junction: str, mode: str) -> None:
        """Draw the page in the slot that is open, with what is known already."""
        self._board = board
        self._site = board.site
        self._watch = board.watch
        self._language = language
        self._mode = mode if mode in MODES else MODES[0]
        self._shown: LaneRow | None = None
        self._client = ui.context.client
        ui.add_css(STYLE.read_text(encoding="utf-8"))
        # Before the first paint: Quasar sets no language of the document.
        ui.add_head_html(f'<script>document.documentElement.lang = "{language.value}";</script>')
        with ui.element("main").classes("console"):
            self._header()
            self._pulse = Pulse(self._site.general.timezone, language, self._watch)
            self._database = ui.label().classes("banner banner-bad").props('role="alert" data-testid="database-away"')
            self._database.set_visibility(False)
            with ui.element("div").classes("columns"):
                self._map = CorridorMap(
                    self._site,
                    language,
                    self._mode,
                    on_link=lambda link: self._choose(link=link),
                    on_junction=lambda junction: self._choose(junction=junction),
                    on_mode=self._choose_mode,
                )
                with ui.element("div").classes("right"):
                    with ui.element("section").classes("card ledger-card").props('data-testid="ledger"'):
                        self._ledger = LedgerStrip(language)
                    self._lane = LanePanel(self._site, language, lane, junction, self._chosen)
                    self._table = DeviceTable(language)
        self.tell()

    def _header(self) -> None:
        language, thresholds = self._language, self._watch.thresholds
        with ui.element("header").classes("top"):
            with ui.element("div").classes("brand"):
                ui.label(self._site.general.title).classes("brand-site").props('data-testid="site-title"')
                ui.label(f"Subak · {word('console', language)}").classes("brand-name")
            with ui.element("div").classes("beat").props(f'title="{word("heartbeat", language)}"'):
                self._beat = ui.element("span").classes("beat-pill").props('data-testid="heartbeat"')
                self._beat.props.update(
                    {
                        "data-old": thresholds.data_old.value,
                        "data-stopped": thresholds.data_stopped.value,
                        "data-say-ok": "● " + word("data_fresh", language),
                        "data-say-warn": "▲ " + word("data_old", language),
                        "data-say-bad": "✘ " + word("data_stopped", language),
                    }
                )
                self._no_beat = ui.label("✘ " + word("data_none", language)).classes("beat-pill")
                self._no_beat.props('data-level="bad" data-testid="heartbeat-none"')
            with ui.element("div").classes("share"):
                self._share = ui.label("–").classes("share-number").props('data-testid="devices-reporting"')
                ui.label(word("reporting", language)).classes("share-word")
            with ui.element("div").classes("clock"):
                with ui.element("div").classes("clock-line"):
                    ui.element("span").classes("clock-time").props('data-clock="time" data-testid="clock"')
                    ui.label(f"{self._watch.clock().astimezone(self._site.zone):%Z}").classes("clock-zone")
                ui.element("div").classes("clock-day").props('data-clock="day"')
            with ui.element("nav").classes("segments"):
                self._signals = ui.link(word("signals", language), self._signals_address()).props('data-testid="to-signals"')
                ui.link(word("cameras", language), f"/cameras?{urlencode({'lang': language.value})}").props(
                    'data-testid="to-cameras"'
                )
            with ui.element("nav").classes("segments languages").props(f'aria-label="{word("language", language)}"'):
                self._links = {other: ui.link(other.value.upper(), self._address(other)) for other in Language}
                for other, link in self._links.items():
                    link.props(f'data-testid="language-{other.value}" aria-current="{"true" if other is language else "false"}"')

    def tell(self) -> None:
        """Show what the watch knows; only what changed goes to the browser."""
        # The watch calls from a task of its own, which has no page.
        with self._client:
            self._tell()

    def _tell(self) -> None:
        self._pulse.beat()
        self._show_database()
        snapshot = self._watch.snapshot
        if snapshot is None:
            self._beat.set_visibility(False)
            return
        now, language, zone = self._watch.clock(), self._language, self._site.zone
        verdict = self._board.verdict(snapshot)
        newest = milliseconds(snapshot.newest_at)
        self._beat.set_visibility(newest is not None)
        self._no_beat.set_visibility(newest is None)
        if newest is not None and self._beat.props.get("data-age") != newest:
            self._beat.props["data-age"] = newest
        share = f"{verdict.reporting}/{len(verdict.devices)}"
        self._share.set_text(share)
        level = "ok" if verdict.reporting == len(verdict.devices) else "warn"
        if self._share.props.get("data-level") != level:
            self._share.props["data-level"] = level
        self._map.show(
            links_props(self._site, verdict.links, zone, language),
            marks_props(verdict.devices, self._map.pointers, language),
            subtitle(up_to(snapshot.minutes, now), zone, language),
        )
        self._table.show(table_rows(verdict.devices, language))
        self._ledger.show(verdict.short, verdict.long, snapshot.letters)
        chosen = self._lane.lane
        self._lane.show(snapshot.lanes, snapshot.histories.get(chosen.lane_id) if chosen else None, now)

    def _show_database(self) -> None:
        since = self._watch.failing_since
        self._database.set_visibility(since is not None)
        if since is not None:
            known = self._watch.snapshot is not None
            text = (
                word("database_away", self._language, since=f"{since.astimezone(self._site.zone):%H:%M:%S}")
                if known
                else word("database_never", self._language)
            )
            self._database.set_text("✘ " + text)
        elif self._watch.snapshot is None:
            self._no_beat.set_visibility(True)

    def _choose(self, *, link: str = "", junction: str = "") -> None:
        snapshot = self._watch.snapshot
        if snapshot is not None:
            self._lane.choose(find(snapshot.lanes, link=link, junction=junction))

    def _chosen(self, lane: LaneRow) -> None:
        self._shown = lane
        self._watch.show(self, lane.lane_id)
        self._remember()

    def _choose_mode(self, mode: str) -> None:
        self._mode = mode
        self._remember()

    def _address(self, language: Language) -> str:
        """The page's address: what is chosen stands in it, so that a wall display comes back as it was."""
        values = {"lang": language.value, "map": self._mode}
        if self._shown is not None:
            values["lane"] = address_of(self._shown)
        return f"/?{urlencode(values)}"

    def _signals_address(self) -> str:
        """Where the signals of the chosen junction are."""
        return f"/signals?{urlencode({'lang': self._language.value, 'junction': self._shown.junction if self._shown else ''})}"

    def _remember(self) -> None:
        self._signals.props["href"] = self._signals_address()
        for language, link in self._links.items():
            link.props["href"] = self._address(language)
        ui.navigate.history.replace(self._address(self._language))


class Pulse(Element, component="components/pulse.js"):
    """The server's sign of life, and the clock of everything on the page that ages."""

    def __init__(self, zone: str, language: Language, watch: Watch) -> None:
        """Beat with the time of `watch`."""
        super().__init__()
        self._watch = watch
        self._props["now"] = milliseconds(watch.clock())
        self._props["zone"] = zone
        self._props["locale"] = LOCALES[language]
        self._props["patience"] = watch.thresholds.pulse_lost.value
        self._props["text"] = word("lost", language)
        self._props["units"] = {key: word(key, language) for key in ("hour", "day")}

    def beat(self) -> None:
        """Say that the server lives, and what time it is."""
        self._props["now"] = milliseconds(self._watch.clock())
