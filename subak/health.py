"""`/metrics`, `/healthz` and `/readyz` over HTTP, from a thread of its own.

A thread, not the event loop of the hot path: it answers while a batch keeps the loop busy, and can so tell a pipeline that is stuck
from one that is dead. An answer takes about a millisecond of the interpreter, every time Prometheus asks.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from subak.metrics import Metrics

log = structlog.get_logger(__name__)

TRIES = 64  # next-door ports
SILENT_S = 5.0  # a client that says nothing for longer is let go
TEXT = "text/plain; charset=utf-8"

Ping = Callable[[], str | None]
"""Ask the database for a sign of life; what is wrong, or None."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Another process on the port is to be noticed.
    allow_reuse_port = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


@contextmanager
def serving(metrics: Metrics, ping: Ping, host: str, port: int) -> Iterator[int]:
    """Serve until the end of the block.

    Args:
        metrics: To show.
        ping: Called for each `/readyz`.
        host: Address to listen on.
        port: Port to listen on, else the next free one; 0 serves nothing.

    Yields:
        The port; 0 when nothing is served.
    """
    server = _bind(metrics, ping, host, port) if port else None
    if server is None:
        yield 0
        return
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    log.info("metrics.serving", url=f"http://{host}:{server.server_port}/metrics")
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _bind(metrics: Metrics, ping: Ping, host: str, port: int) -> _Server | None:
    class Handler(_Handler):
        answers: ClassVar = {
            "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE_LATEST, metrics.exposition()),
            "/healthz": lambda: (HTTPStatus.OK, TEXT, b"alive\n"),
            "/readyz": lambda: _ready(metrics, ping),
        }

    for candidate in range(port, min(port + TRIES, 65_536)):
        try:
            server = _Server((host, candidate), Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                log.warning("metrics.not_served", host=host, port=candidate, error=error.strerror)
                return None
            continue
        if candidate != port:
            log.warning("metrics.port_taken", wanted=port, instead=candidate)
        return server
    log.warning("metrics.not_served", host=host, port=port, error=f"this port and the next {TRIES - 1} are taken")
    return None


def _ready(metrics: Metrics, ping: Ping) -> tuple[HTTPStatus, str, bytes]:
    problems = list(metrics.readiness().problems)
    if (seen := ping()) is not None:
        problems.append(f"database: {seen}")
    if problems:
        return HTTPStatus.SERVICE_UNAVAILABLE, TEXT, "".join(f"{problem}\n" for problem in problems).encode()
    return HTTPStatus.OK, TEXT, b"ready\n"


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENT_S
    server_version = "subak"
    sys_version = ""
    answers: ClassVar[dict[str, Callable[[], tuple[HTTPStatus, str, bytes]]]] = {}

    def do_GET(self) -> None:
        """Answer one of the three."""
        answer = self.answers.get(self.path.partition("?")[0])
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        status, kind, body = answer()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No line a request."""
