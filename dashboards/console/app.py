"""Serving the console: one page on loopback, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import stamina.instrumentation
import structlog
import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from config.errors import ConfigError
from config.site import Site
from config.thresholds import console_thresholds
from dashboards.console.camera_page import PATH as CAMERAS
from dashboards.console.camera_page import CameraPage
from dashboards.console.page import Board, Page
from dashboards.console.signal_page import PATH, SignalPage
from dashboards.console.state import Watch
from dashboards.console.words import language_of
from storage.readers import Reader

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
STOP_S = 1  # open pages get this long to hear of the end
RECONNECT_S = 30.0  # a page that lost its network takes up where it was


class Server(uvicorn.Server):
    """Uvicorn without its signal handlers, which raise the signal again after the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program."""
        yield


def serve(site: Site, database_url: str, port: int, host: str = HOST) -> None:
    """Serve the console until SIGINT or SIGTERM; a database that is away is waited for.

    Args:
        site: Whose streets it shows.
        database_url: libpq URL; a member of `subak_reader` suffices.
        port: To listen on.
        host: Address to listen on. Whatever it is, only requests for 127.0.0.1 and localhost are answered: the console asks for no
            password, so what is in front of it, a proxy or a published port of a container, must be on this machine.

    Raises:
        ConfigError: The port is taken, or the address is not of this machine.
    """
    # The watch tells when the database goes and when it comes back; a line for every try between would fill the log.
    stamina.instrumentation.set_on_retry_hooks([])
    asyncio.run(_serve(site, database_url, port, host))


async def _serve(site: Site, database_url: str, port: int, host: str) -> None:
    listening = listen(host, port)
    watch = Watch(lambda: Reader.connect(database_url, site.name), console_thresholds())
    server = Server(
        uvicorn.Config(web(site, watch), log_level="warning", access_log=False, timeout_graceful_shutdown=STOP_S, ws="wsproto")
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    watching = asyncio.create_task(watch.run())
    log.info("console.ready", url=f"http://{HOST}:{port}")
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await asyncio.wait([watching, serving], return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        watching.cancel()
        await serving
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def web(site: Site, watch: Watch) -> FastAPI:
    """The web application; call it once a process, NiceGUI keeps its pages in globals."""
    board = Board(site, watch)

    @ui.page("/", title=f"{site.general.title} · Subak", dark=True, reconnect_timeout=RECONNECT_S)
    def index(lang: str = "", lane: str = "", junction: str = "", map: str = "") -> None:  # noqa: A002 - the name in the address
        page = Page(board, language_of(lang), lane, junction, map)
        watch.join(page, page.tell)
        ui.context.client.on_delete(lambda: watch.leave(page))

    @ui.page(PATH, title=f"{site.general.title} · Subak", dark=True, reconnect_timeout=RECONNECT_S)
    def signals(lang: str = "", junction: str = "") -> None:
        page = SignalPage(site, watch, language_of(lang), junction)
        watch.join(page, page.tell)
        if page.controller is not None:
            watch.show_signals(page, page.controller)
        ui.context.client.on_delete(lambda: watch.leave(page))

    @ui.page(CAMERAS, title=f"{site.general.title} · Subak", dark=True, reconnect_timeout=RECONNECT_S)
    def cameras(lang: str = "", camera: str = "") -> None:
        CameraPage(site, language_of(lang), camera)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # A name that someone else's page rebinds to 127.0.0.1 is not ours.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    ui.run_with(
        app, title="Subak", dark=True, tailwind=False, show_welcome_message=False, binding_refresh_interval=None, favicon="🚦"
    )
    return app


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        ConfigError: The port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"--port {port} on {host}: cannot be used ({error.strerror}); stop what listens there, or choose another"
        ) from error
    return listening
