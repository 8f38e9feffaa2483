"""Cameras of the network for tests: a real HTTP server of JPEGs, and GStreamer's RTSP server, both on loopback."""

from __future__ import annotations

import base64
import subprocess
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from subak.embedded.ports import LOOPBACK, free_port
from tests.support.parts import INSTALL, UnavailableError
from tests.support.waiting import until

USER, PASSWORD = "kamera", "kata sandi: 100%/?@"
"""With every character that an address must not have as it is."""

SYSTEM_PYTHON = "/usr/bin/python3"
"""GStreamer's bindings are Debian's, for Debian's Python."""

BOUNDARY = "--picture"


class PictureServer:
    """`multipart/x-mixed-replace` as many network cameras send it.

    Paths: `/plays` goes on for ever, `/ends` stops after its pictures, `/locked` wants a user and a password, `/bare` sends its bytes as
    they are and stops; others are not there.

    Attributes:
        stands: Set it and every stream stands still, connected; clear it and they go on.
    """

    def __init__(self, pictures: Sequence[bytes], fps: float, port: int = 0) -> None:
        self.stands = threading.Event()
        self._stopped = threading.Event()
        server = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._pictures = pictures
        self._wait_s = 1 / fps
        self._http = ThreadingHTTPServer((LOOPBACK, port), Answer)
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        """Address of a path."""
        return f"http://{LOOPBACK}:{self.port}{path}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One client."""
        wanted = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        if request.path not in {"/plays", "/ends", "/locked", "/bare"}:
            request.send_error(404)
        elif request.path == "/locked" and request.headers.get("Authorization") != wanted:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.end_headers()
        else:
            request.send_response(200)
            kind = "video/mp2t" if request.path == "/bare" else f"multipart/x-mixed-replace; boundary={BOUNDARY}"
            request.send_header("Content-Type", kind)
            request.end_headers()
            self._send(request, forever=request.path in {"/plays", "/locked"}, bare=request.path == "/bare")

    def _send(self, request: BaseHTTPRequestHandler, *, forever: bool, bare: bool) -> None:
        try:
            for picture in self._order(forever=forever):
                head = f"{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                request.wfile.write(picture if bare else head.encode() + picture + b"\r\n")
                request.wfile.flush()
                time.sleep(self._wait_s)
                while self.stands.is_set() and not self._stopped.is_set():
                    time.sleep(0.02)
        except ConnectionError:
            return  # the client has gone

    def _order(self, *, forever: bool) -> Iterator[bytes]:
        while not self._stopped.is_set():
            for picture in self._pictures:
                if self._stopped.is_set():
                    return
                yield picture
            if not forever:
                return

    def close(self) -> None:
        """End every stream and refuse new ones."""
        self._stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


RTSP = textwrap.dedent("""
    import sys
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer as Rtsp
    Gst.init(None)
    port, user, password = sys.argv[1], *sys.stdin.readline().rstrip("\\n").split("\\t")
    server = Rtsp.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    auth = Rtsp.RTSPAuth.new()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = Rtsp.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    factory = Rtsp.RTSPMediaFactory.new()
    factory.set_launch(
        "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=10/1"
        " ! x264enc tune=zerolatency key-int-max=5 speed-preset=ultrafast ! rtph264pay name=pay0 pt=96 )"
    )
    factory.set_shared(True)
    permissions = Rtsp.RTSPPermissions.new()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()
""")


def rtsp_is_there() -> None:
    """Whether GStreamer's RTSP server can be had.

    Raises:
        UnavailableError: It is not installed; tells what is missing.
    """
    look = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None);"
        "assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay'), 'x264enc or rtph264pay is missing'"
    )
    try:
        done = subprocess.run([SYSTEM_PYTHON, "-c", look], check=False, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        raise UnavailableError(f"there is no {SYSTEM_PYTHON}, which GStreamer's bindings are for; {INSTALL}") from None
    if done.returncode:
        raise UnavailableError(f"GStreamer's RTSP server: {done.stderr.strip().splitlines()[-1]}; {INSTALL}")


class RtspServer:
    """GStreamer's RTSP server: `/live` for who has the password (digest), H.264 at 10 frames/s."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / "rtsp.log"
        self._script = folder / "rtsp_server.py"
        self._script.write_text(RTSP, encoding="utf-8")

    def url(self, path: str) -> str:
        """Address of a path."""
        return f"rtsp://{LOOPBACK}:{self.port}{path}"

    @contextmanager
    def running(self) -> Iterator[int]:
        """While it serves, its process id; again at the same port when it is used again."""
        self._log.unlink(missing_ok=True)
        secret = self._script.with_suffix(".secret")
        secret.write_text(f"{USER}\t{PASSWORD}\n", encoding="utf-8")
        with self._log.open("ab") as log, secret.open("rb") as told:
            child = subprocess.Popen([SYSTEM_PYTHON, str(self._script), str(self.port)], stdin=told, stdout=log, stderr=log)
        try:
            until(lambda: child.poll() is not None or b"ready" in self._log.read_bytes(), 20, what="the RTSP server")
            assert child.poll() is None, self._log.read_text(encoding="utf-8")
            yield child.pid
        finally:
            child.kill()
            child.wait()
