"""The map on the page: the drawing, its changing looks, and what a hover tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from config.site import Link, Site
from dashboards.console.devices import DeviceView, milliseconds
from dashboards.console.map import AGE_LOOKS, SPEED_LOOKS, LinkLook, LinkState, drawing
from dashboards.console.state import MINUTE
from dashboards.console.words import Language, quality_words, word

MODES = ("speed", "age")


def decimal(number: float | None, language: Language, digits: int = 0) -> str:
    """A number as the language writes it; a dash for none."""
    if number is None:
        return "–"
    text = f"{number:.{digits}f}"
    return text.replace(".", ",") if language is Language.INDONESIAN else text


def link_tip(link: Link, state: LinkState, zone: tzinfo, language: Language) -> dict[str, Any]:
    """What hovering over a link tells."""
    lines = [word(state.speed_look.value, language)]
    if state.speed is not None:
        of_limit = f"{state.share} % {word('of_limit', language)} ({link.speed_limit} km/h)"
        lines.append(f"{decimal(state.speed, language)} km/h = {of_limit}")
    if state.volume is not None:
        lines.append(f"{word('volume', language)} {state.volume} · {state.minutes} {word('minutes', language)}")
        sources = ", ".join(word(kind, language) for kind in state.kinds)
        lines.append(f"{word('lanes_valid', language)} {state.valid}/{state.lanes} ({word('seen_by', language)}: {sources})")
        lines.append(f"{word('quality', language)}: {quality_words(state.quality, language)}")
    if state.newest is not None:
        lines.append(f"{word('newest_valid', language)}: {state.newest.astimezone(zone):%H:%M}")
    if state.speed_look is not LinkLook.UNEQUIPPED:
        lines.append(word("click_link", language))
    return {"title": f"{link.road}: {link.start} → {link.end}", "lines": lines, "heard_ms": None}


def mark_tip(view: DeviceView, pointer: str, language: Language) -> dict[str, Any]:
    """What hovering over a device tells."""
    row = view.row
    lines = [f"{word(view.attention.value, language)} · {word('presence', language)}: {word(row.presence or 'unsaid', language)}"]
    if view.latest is not None:
        lines.append(f"{word('minute_quality', language)}: {quality_words(view.latest.quality, language)}")
        lines.append(f"{word('lanes_valid', language)} {view.latest.valid}/{view.latest.lanes}")
    lines.append(f"{word('lost_15', language)}: {view.lost} · {word('rejected_15', language)}: {view.rejected}")
    if pointer:
        lines.append(word("off_map", language))
    return {"title": f"{word(row.kind, language)} {row.device}", "lines": lines, "heard_ms": milliseconds(row.last_received_at)}


def links_props(site: Site, states: dict[str, LinkState], zone: tzinfo, language: Language) -> dict[str, dict[str, Any]]:
    """The changing part of the links."""
    return {
        link.id: {
            "speed": states[link.id].speed_look.value,
            "age": states[link.id].age_look.value,
            "kmh": None if states[link.id].speed is None else round(states[link.id].speed or 0, 1),
            "start": milliseconds(states[link.id].newest),
            "tip": link_tip(link, states[link.id], zone, language),
        }
        for link in site.links
    }


def marks_props(views: Iterable[DeviceView], pointers: dict[str, str], language: Language) -> dict[str, dict[str, Any]]:
    """The changing part of the markers."""
    return {
        view.row.device: {
            "severity": view.attention.severity.value,
            "tip": mark_tip(view, pointers.get(view.row.device, ""), language),
        }
        for view in views
    }


def subtitle(until: datetime | None, zone: tzinfo, language: Language) -> str:
    """Up to which minute the map is."""
    if until is None:
        return word("no_minute_yet", language)
    return word("up_to", language, minute=f"{(until - MINUTE).astimezone(zone):%H:%M}")


class CorridorMap(Element, component="components/map.js"):
    """The map; `on_link` and `on_junction` hear what was clicked."""

    def __init__(
        self,
        site: Site,
        language: Language,
        mode: str,
        *,
        on_link: Callable[[str], None],
        on_junction: Callable[[str], None],
        on_mode: Callable[[str], None],
    ) -> None:
        """The drawing without looks yet."""
        super().__init__()
        picture = drawing(site)
        self.pointers = {mark["id"]: mark["pointer"] for mark in picture["marks"]}
        self._props["title"] = word("map", language)
        self._props["drawing"] = picture
        self._props["links"] = {}
        self._props["marks"] = {}
        self._props["subtitle"] = ""
        self._props["first"] = mode
        self._props["note"] = site.general.note
        self._props["modes"] = [{"key": key, "title": word(f"mode_{key}", language)} for key in MODES]
        self._props["legends"] = {
            "speed": [{"look": look.value, "title": word(look.value, language)} for look in SPEED_LOOKS],
            "age": [{"look": look.value, "title": word(look.value, language)} for look in AGE_LOOKS],
        }
        self._props["kinds"] = [{"kind": kind, "title": word(kind, language)} for kind in ("atc", "cctv", "vms", "net", "wifi")]
        self._props["words"] = {key: word(key, language) for key in ("last_heard", "ok", "warn", "bad", "ago")}
        for event, handler in (("link", on_link), ("junction", on_junction), ("mode", on_mode)):
            self.on(event, _told(handler))

    def show(self, links: dict[str, Any], marks: dict[str, Any], text: str) -> None:
        """Show other looks; nothing is sent when they are the same."""
        for name, value in (("links", links), ("marks", marks), ("subtitle", text)):
            if self._props[name] != value:
                self._props[name] = value


def _told(handler: Callable[[str], None]) -> Callable[[GenericEventArguments], None]:
    return lambda event: handler(str(event.args))
