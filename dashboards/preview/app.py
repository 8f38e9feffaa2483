"""Serving the preview: a page a board on loopback, read from the committed JSON at every load."""

from __future__ import annotations

import asyncio
import html
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import psycopg
import structlog
import uvicorn
from fastapi import FastAPI, Request
from msgspec import Struct
from nicegui import run, ui
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import RedirectResponse

from dashboards.console.app import HOST, STOP_S, Server, listen
from dashboards.console.words import DEFAULT_LANGUAGE, Language
from dashboards.grafana.build import PROVISIONING
from dashboards.grafana.macros import MacroError, Value, Window, interpolate
from dashboards.grafana.queries import boards, panels, window_of
from dashboards.grafana.run import Answer, ask, choose, connect
from dashboards.preview import charts, draw
from dashboards.preview.alerts import rules_for, standing
from dashboards.preview.fields import address_of

log = structlog.get_logger(__name__)

CHARTS: Final = frozenset({"timeseries", "heatmap"})
STYLE: Final = Path(__file__).parent / "preview.css"
RANGES: Final = ("now-15m", "now-1h", "now-3h", "now-6h", "now-1d", "now-7d", "now-28d")
ALL: Final = {Language.INDONESIAN: "Semua", Language.ENGLISH: "All"}
AWAY: Final = {
    Language.INDONESIAN: "✘ Basis data tidak terjangkau — papan ini kosong sampai kembali",
    Language.ENGLISH: "✘ The database cannot be reached — this board is empty until it is back",
}


class Panel(Struct, frozen=True):
    """A panel with its answers.

    Attributes:
        json: As committed.
        title: With its variables in it.
        answers: One a query.
        error: Why there are none.
    """

    json: Mapping[str, Any]
    title: str
    answers: tuple[Answer, ...] = ()
    error: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether no query found a row."""
        return not any(answer.rows for answer in self.answers)


class Shown(Struct, frozen=True):
    """A board with its answers.

    Attributes:
        window: The range.
        values: Of variables.
        offers: What each variable offers as (text, value).
        panels: In order.
        marks: Annotations.
        error: Why there is nothing.
    """

    window: Window
    values: dict[str, Value]
    offers: dict[str, list[tuple[str, str]]]
    panels: tuple[Panel, ...]
    marks: tuple[charts.Mark, ...] = ()
    error: str = ""


def load(url: str, board: Mapping[str, Any], chosen: Mapping[str, Value], now: datetime, folder: Path = PROVISIONING) -> Shown:
    """Ask everything that a board asks; what fails is told in its place."""
    span = chosen.get("range")
    window = window_of({**board, "time": {"from": span, "to": "now"}} if span in RANGES else board, now)
    try:
        with connect(url) as connection:

            def alerts() -> Answer:
                language = Language(board["uid"].rpartition("-")[2])
                return standing(connection, rules_for("vms", folder), window, language)

            values, offers = choose(connection, board, window, chosen)
            found = [_panel(connection, panel, values, window, alerts) for panel in panels(board)]
            marks = tuple(_marks(connection, board, values, window))
    except (psycopg.Error, MacroError) as error:
        empty = tuple(Panel(panel, str(panel["title"]).partition(" · ")[0], error="–") for panel in panels(board))
        return Shown(window, dict(chosen), {}, empty, error=" ".join(str(error).split()))
    return Shown(window, values, offers, tuple(found), marks)


def _marks(
    connection: psycopg.Connection[tuple[Any, ...]], board: Mapping[str, Any], values: Mapping[str, Value], window: Window
) -> Iterator[charts.Mark]:
    """What happened in the range, by the board's annotations."""
    for annotation in board["annotations"]["list"]:
        if "rawSql" not in annotation.get("target", {}):
            continue
        answer = ask(connection, annotation["target"]["rawSql"], values, window)
        for row in answer.rows:
            told = answer.named(row)
            yield charts.Mark(told["time"], told.get("timeEnd"), str(told["text"]), annotation["iconColor"], annotation["name"])


def _panel(
    connection: psycopg.Connection[tuple[Any, ...]],
    panel: Mapping[str, Any],
    values: Mapping[str, Value],
    window: Window,
    alerts: Callable[[], Answer],
) -> Panel:
    title = interpolate(panel["title"], values, window)
    try:
        if panel["type"] == "alertlist":
            return Panel(panel, title, (alerts(),))
        answers = tuple(ask(connection, target["rawSql"], values, window) for target in panel["targets"])
    except psycopg.OperationalError:
        raise
    except (psycopg.Error, MacroError) as error:
        return Panel(panel, title, error=" ".join(str(error).split()))
    return Panel(panel, title, answers)


def body_of(panel: Panel, window: Window, zone: ZoneInfo, values: Mapping[str, Value]) -> str:
    """The panel as HTML; empty for those that ECharts draws."""

    def address(row: Mapping[str, object]) -> str:
        return address_of(panel.json, row, values)

    if panel.error:
        return f'<div class="error">{html.escape(panel.error)}</div>'
    if panel.is_empty:
        return f'<div class="none">{html.escape(panel.json["fieldConfig"]["defaults"]["noValue"])}</div>'
    answer = panel.answers[0]
    match panel.json["type"]:
        case "table" | "alertlist":
            return draw.table(panel.json, answer, zone, address)
        case "stat":
            return draw.stat(panel.json, answer, zone)
        case "bargauge":
            return draw.bars(panel.json, answer, zone, address)
        case "state-timeline" | "status-history":
            return draw.states(panel.json, answer, window, zone)
        case "geomap":
            return draw.geomap(panel.json, answer, zone, address)
        case _:
            return ""


class BoardPage:
    """One open page."""

    def __init__(self, url: str, folder: Path, language: Language, name: str, chosen: Mapping[str, Value]) -> None:
        """Draw the frame of the page; `refresh` fills it."""
        self._url, self._folder, self._language, self._name, self._chosen = url, folder, language, name, dict(chosen)
        all_boards = {path.stem: board for path, board in boards(folder) if path.parent.name == language.value}
        self._board = all_boards[name]
        self._zone = ZoneInfo(self._board["timezone"])
        ui.add_css(STYLE.read_text(encoding="utf-8"))
        with ui.element("div").classes("head"):
            ui.html(f"<h1>{html.escape(self._board['title'])}</h1>", sanitize=False)
            ui.html(f"<p>{html.escape(self._board['description'])}</p>", sanitize=False)
            self._choosers = ui.element("div").classes("choosers")
            with ui.element("nav"):
                for other, board in sorted(all_boards.items(), key=lambda item: item[1]["title"]):
                    link = ui.link(board["title"], self._address(language, other))
                    link.props(f'data-testid="board-{other}" aria-current="{"true" if other == name else "false"}"')
                for other_language in Language:
                    ui.link(other_language.value.upper(), self._address(other_language, name))
        self._banner = ui.label().classes("banner").props('role="alert" data-testid="database-away"')
        self._banner.set_visibility(False)
        self._grid = ui.element("div").classes("grid")
        self._bodies: dict[int, tuple[ui.html, ui.html | ui.echart]] = {}
        self._has_choosers = False

    def _address(self, language: Language, name: str) -> str:
        kept = {f"var-{key}": value for key, value in self._chosen.items() if isinstance(value, str)}
        return f"/{language.value}/{name}" + (f"?{urlencode(kept)}" if kept else "")

    async def refresh(self) -> None:
        """Ask again and show it."""
        shown = await run.io_bound(load, self._url, self._board, self._chosen, datetime.now(UTC), self._folder)
        if shown is None:
            return
        self._banner.set_visibility(bool(shown.error))
        self._banner.set_text(f"{AWAY[self._language]} ({shown.error})" if shown.error else "")
        if not self._has_choosers and shown.offers:
            self._has_choosers = True
            self._choose(shown)
        for panel in shown.panels:
            self._show(panel, shown)

    def _choose(self, shown: Shown) -> None:
        with self._choosers:
            for variable in self._board["templating"]["list"]:
                if variable.get("hide"):
                    continue
                name = variable["name"]
                offers = [*([(ALL[self._language], "")] if variable.get("includeAll") else []), *shown.offers[name]]
                options = "".join(
                    f'<option value="{html.escape(value)}"{" selected" if value == shown.values[name] else ""}>{html.escape(text)}</option>'
                    for text, value in offers
                )
                ui.html(
                    f'<label>{html.escape(variable["label"])} <select data-testid="var-{name}" onchange="const u = new URL(location);'
                    f" u.searchParams.set('var-{name}', this.value); if (!this.value) u.searchParams.delete('var-{name}'); location = u\">{options}</select></label>",
                    sanitize=False,
                )
            span = self._chosen.get("range") or self._board["time"]["from"]
            options = "".join(f'<option value="{one}"{" selected" if one == span else ""}>{one[4:]}</option>' for one in RANGES)
            ui.html(
                '<select data-testid="range" onchange="const u = new URL(location);'
                f" u.searchParams.set('var-range', this.value); location = u\">{options}</select>",
                sanitize=False,
            )

    def _show(self, panel: Panel, shown: Shown) -> None:
        number, place = panel.json["id"], panel.json["gridPos"]
        name, _, fresh = panel.title.partition(" · ")
        heading = (
            f'<h2 title="{html.escape(panel.json["description"])}">{html.escape(name)} <small>· {html.escape(fresh)}</small></h2>'
        )
        is_chart = panel.json["type"] in CHARTS and not panel.error and not panel.is_empty
        known = self._bodies.get(number)
        if known is None or isinstance(known[1], ui.echart) != is_chart:
            with self._grid:
                if known is None:
                    card = (
                        ui.element("section")
                        .classes("panel")
                        .props(f'data-testid="panel-{number}" data-type="{panel.json["type"]}"')
                    )
                    card.style(f"grid-column:{place['x'] + 1}/span {place['w']};grid-row:{place['y'] + 1}/span {place['h']}")
                else:
                    card = known[0].parent_slot.parent if known[0].parent_slot else self._grid
                    card.clear()
                with card:
                    head = ui.html(heading, sanitize=False)
                    body = (
                        ui.echart(self._chart(panel, shown)).classes("body")
                        if is_chart
                        else ui.html(body_of(panel, shown.window, self._zone, shown.values), sanitize=False).classes("body")
                    )
            self._bodies[number] = (head, body)
            return
        known[0].set_content(heading)
        if isinstance(known[1], ui.echart):
            known[1].options.clear()
            known[1].options.update(self._chart(panel, shown))
            known[1].update()
        else:
            known[1].set_content(body_of(panel, shown.window, self._zone, shown.values))

    def _chart(self, panel: Panel, shown: Shown) -> dict[str, Any]:
        if panel.json["type"] == "heatmap":
            return charts.heatmap(panel.json, panel.answers[0], self._zone)
        return charts.time_series(panel.json, panel.answers, shown.window, self._zone, shown.marks)


def seconds_of(refresh: str) -> float:
    """A board's refresh, such as `30s` or `5m`, in seconds."""
    return float(refresh[:-1]) * {"s": 1, "m": 60, "h": 3600}[refresh[-1]]


def web(url: str, folder: Path) -> FastAPI:
    """The web application; call it once a process, NiceGUI keeps its pages in globals."""
    known = {(path.parent.name, path.stem): board for path, board in boards(folder)}
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def index() -> RedirectResponse:
        return RedirectResponse(f"/{DEFAULT_LANGUAGE.value}/wall")

    @ui.page("/{language}/{name}", title="Subak", dark=True)
    async def page(request: Request, language: str, name: str) -> None:
        if (language, name) not in known:
            ui.label("404: /id/wall … /en/history")
            return
        chosen = {key.removeprefix("var-"): value for key, value in request.query_params.items() if key.startswith("var-")}
        board = BoardPage(url, folder, Language(language), name, chosen)
        await ui.context.client.connected()
        await board.refresh()
        ui.timer(seconds_of(known[language, name]["refresh"]), board.refresh, immediate=False)

    # A name that someone else's page rebinds to 127.0.0.1 is not ours.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    ui.run_with(
        app, title="Subak", dark=True, tailwind=False, show_welcome_message=False, binding_refresh_interval=None, favicon="🚦"
    )
    return app


def serve(url: str, folder: Path, port: int) -> None:
    """Serve the preview on 127.0.0.1 until SIGINT or SIGTERM.

    Args:
        url: libpq URL; a member of `subak_reader` suffices.
        folder: Of provisioning.
        port: On 127.0.0.1.

    Raises:
        ConfigError: The port is taken.
    """
    asyncio.run(_serve(url, folder, port))


async def _serve(url: str, folder: Path, port: int) -> None:
    listening = listen(HOST, port)
    config = uvicorn.Config(
        web(url, folder), log_level="warning", access_log=False, timeout_graceful_shutdown=STOP_S, ws="wsproto"
    )
    server = Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    log.info("preview.ready", url=f"http://{HOST}:{port}")
    await server.serve(sockets=[listening])
