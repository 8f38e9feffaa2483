"""Drawing lines and zones on a camera's picture, and seeing there what it follows.

A picture comes only to this page, only for a person with a key, from the worker's own socket on this machine. Nothing of it is
kept: it lives in the page and goes with it. The worker logs each request.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from html import escape
from math import hypot
from pathlib import Path
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import MouseEventArguments

from config.drawing import draw
from config.errors import ConfigError
from config.site import Camera, Site
from dashboards.console.page import STYLE
from dashboards.console.words import Language, word
from ingest.camera.asking import Answer, Wish, ask
from ingest.camera.jpeg import header

PATH = "/cameras"
STATE = "SUBAK_CAMERA_STATE"
"""Environment: the worker's --state folder."""

LIVE_S = 1.0
LINE, ZONE = "#ffb000", "#56b4e9"
TRACK = "#f0f0f0"

Point = tuple[float, float]


class CameraPage:
    """One open page."""

    def __init__(self, site: Site, language: Language, camera: str) -> None:
        """Draw the page in the slot that is open."""
        self._site = site
        self._language = language
        self._camera = next((item for item in site.cameras if item.id == camera), next(iter(site.cameras), None))
        self._state = Path(os.environ.get(STATE, ".subak/cameras"))
        self._size: tuple[int, int] | None = None
        self._points: list[Point] = []
        self._lanes: dict[str, list[Point]] = {}
        self._zones: dict[str, list[Point]] = {}
        self._order: list[tuple[str, str]] = []
        self._boxes: Sequence[tuple[float, float, float, float]] = ()
        ui.add_css(STYLE.read_text(encoding="utf-8"))
        ui.add_head_html(f'<script>document.documentElement.lang = "{language.value}";</script>')
        with ui.element("main").classes("console"):
            self._header()
            if self._camera is None:
                ui.label(word("camera_none", language)).classes("banner banner-bad")
                return
            self._body(self._camera)

    def _header(self) -> None:
        with ui.element("header").classes("top"):
            with ui.element("div").classes("brand"):
                ui.label(self._camera.name if self._camera else "–").classes("brand-site").props('data-testid="camera"')
                ui.label(f"{self._site.general.title} · {word('cameras', self._language)}").classes("brand-name")
            with ui.element("nav").classes("segments languages"):
                ui.link(word("map", self._language), f"/?{urlencode({'lang': self._language.value})}")
                for other in Language:
                    link = ui.link(other.value.upper(), self._address(other, self._camera.id if self._camera else ""))
                    current = "true" if other is self._language else "false"
                    link.props(f'data-testid="language-{other.value}" aria-current="{current}"')

    def _address(self, language: Language, camera: str) -> str:
        return f"{PATH}?{urlencode({'lang': language.value, 'camera': camera})}"

    def _body(self, camera: Camera) -> None:
        say = self._say
        lanes = [lane.id for a in self._site.junction[camera.junction].approaches if a.id == camera.approach for lane in a.lanes]
        with ui.element("section").classes("card").style("padding: 12px"):
            with ui.row().classes("items-center"):
                ui.select(
                    {item.id: item.name for item in self._site.cameras},
                    value=camera.id,
                    label=say("camera_which"),
                    on_change=lambda event: ui.navigate.to(self._address(self._language, str(event.value))),
                ).props('dense outlined dark popup-content-class="console-menu"')
                self._who = ui.input(say("camera_who")).props('dense outlined dark data-testid="who"')
                self._key = ui.input(say("camera_key"), password=True).props('dense outlined dark data-testid="key"')
                ui.button(say("camera_take"), on_click=self._take).props('data-testid="take"')
                self._live = ui.switch(say("camera_live")).props('data-testid="live"')
            ui.label(say("camera_logged")).classes("sub")
            self._trouble = ui.label().classes("banner banner-bad").props('role="alert" data-testid="trouble"')
            self._trouble.set_visibility(False)
            with ui.row().classes("items-center"):
                self._tool = ui.toggle({"line": say("tool_line"), "zone": say("tool_zone")}, value="line").props(
                    'data-testid="tool"'
                )
                self._lane = ui.select(lanes, value=lanes[0], label=say("camera_lane")).props(
                    'dense outlined dark popup-content-class="console-menu" data-testid="lane"'
                )
                self._zone = ui.input(say("camera_name"), value="queue").props('dense outlined dark data-testid="zone"')
                ui.button(say("camera_close"), on_click=self._close).props('flat data-testid="close"')
                ui.button(say("camera_undo"), on_click=self._undo).props('flat data-testid="undo"')
                ui.button(say("camera_save"), on_click=self._save).props('data-testid="save"')
            ui.label(say("camera_hint")).classes("sub")
            self._image = ui.interactive_image(on_mouse=self._click, events=["click"], cross=LINE).props('data-testid="picture"')
            self._image.style("max-width: 1280px; width: 100%")
            self._drawn = ui.label().classes("sub").props('data-testid="drawn"')
        for lane in camera.lanes:
            if lane.line:
                self._lanes[lane.id] = list(lane.line)
        for zone in camera.zones:
            self._zones[zone.id] = list(zone.points)
        ui.timer(LIVE_S, self._look)
        self._redraw()

    def _say(self, key: str) -> str:
        return word(key, self._language)

    def _tell(self, text: str) -> None:
        self._trouble.set_text(f"✘ {text}" if text else "")
        self._trouble.set_visibility(bool(text))

    async def _ask(self, *, tracks: bool) -> Answer | None:
        if self._camera is None:
            return None
        wish = Wish(self._camera.id, str(self._who.value or ""), str(self._key.value or ""), tracks)
        try:
            answer = await ask(self._state, wish)
        except ConfigError as error:
            self._tell(str(error))
            return None
        self._tell(answer.refused)
        return None if answer.refused else answer

    async def _take(self) -> None:
        answer = await self._ask(tracks=False)
        if answer is not None:
            self._show(answer)

    async def _look(self) -> None:
        if not self._live.value:
            return
        answer = await self._ask(tracks=True)
        if answer is None:
            self._live.set_value(False)
        else:
            self._show(answer)

    def _show(self, answer: Answer) -> None:
        head = header(base64.b64decode(answer.jpeg))
        self._size = head.width, head.height
        self._boxes = answer.boxes
        self._image.set_source(f"data:image/jpeg;base64,{answer.jpeg}")
        self._redraw()

    def _click(self, event: MouseEventArguments) -> None:
        self._points.append((event.image_x, event.image_y))
        if self._tool.value == "line" and len(self._points) == 2:
            self._keep("lane", str(self._lane.value), self._lanes)
        self._redraw()

    def _close(self) -> None:
        if self._tool.value == "zone" and len(self._points) >= 3:
            self._keep("zone", str(self._zone.value), self._zones)
        self._redraw()

    def _keep(self, kind: str, name: str, among: dict[str, list[Point]]) -> None:
        among[name] = self._points
        self._points = []
        self._order.append((kind, name))

    def _undo(self) -> None:
        if self._points:
            self._points = []
        elif self._order:
            kind, name = self._order.pop()
            (self._lanes if kind == "lane" else self._zones).pop(name, None)
        self._redraw()

    def _save(self) -> None:
        if self._size is None or self._camera is None:
            self._tell(self._say("camera_first"))
            return
        drawn = {kind: {name for k, name in self._order if k == kind} for kind in ("lane", "zone")}
        try:
            draw(
                self._site.path,
                self._camera.id,
                self._size,
                {name: self._lanes[name] for name in drawn["lane"] if name in self._lanes},
                {name: self._zones[name] for name in drawn["zone"] if name in self._zones},
            )
        except ConfigError as error:
            self._tell(str(error))
            return
        self._tell("")
        self._drawn.set_text("✔ " + self._say("camera_saved"))

    def _redraw(self) -> None:
        parts = [
            *(_line(name, points) for name, points in self._lanes.items()),
            *(_polygon(name, points) for name, points in self._zones.items()),
            *(f'<circle cx="{x}" cy="{y}" r="4" fill="{LINE}"/>' for x, y in self._points),
            *(
                f'<rect x="{x0:.0f}" y="{y0:.0f}" width="{x1 - x0:.0f}" height="{y1 - y0:.0f}" fill="none" stroke="{TRACK}"'
                ' class="track"/>'
                for x0, y0, x1, y1 in self._boxes
            ),
        ]
        self._image.set_content("".join(parts))
        self._drawn.set_text(", ".join(f"{kind} {name}" for kind, name in self._order))


def _line(name: str, points: Sequence[Point]) -> str:
    """A line with an arrow in the direction that is counted: from its left to its right."""
    (x0, y0), (x1, y1) = points
    length = hypot(x1 - x0, y1 - y0) or 1.0
    mx, my = (x0 + x1) / 2, (y0 + y1) / 2
    ax, ay = mx - (y1 - y0) / length * 24, my + (x1 - x0) / length * 24
    return (
        f'<line x1="{x0:.0f}" y1="{y0:.0f}" x2="{x1:.0f}" y2="{y1:.0f}" stroke="{LINE}" stroke-width="3"/>'
        f'<line x1="{mx:.0f}" y1="{my:.0f}" x2="{ax:.0f}" y2="{ay:.0f}" stroke="{LINE}" stroke-width="2"/>'
        f'<circle cx="{ax:.0f}" cy="{ay:.0f}" r="4" fill="{LINE}"/>'
        f'<text x="{x0:.0f}" y="{y0 - 6:.0f}" fill="{LINE}" font-size="14">{escape(name)}</text>'
    )


def _polygon(name: str, points: Sequence[Point]) -> str:
    corners = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    x, y = points[0]
    return (
        f'<polygon points="{corners}" fill="{ZONE}33" stroke="{ZONE}" stroke-width="2"/>'
        f'<text x="{x:.0f}" y="{y - 6:.0f}" fill="{ZONE}" font-size="14">{escape(name)}</text>'
    )
