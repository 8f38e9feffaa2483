"""A stand-in for Grafana's HTTP API as it is published (folders, dashboards, data sources), with its refusals."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast

from subak.embedded.ports import LOOPBACK

GRAFANA_TYPES_FOLDER: Final = "grafana-types"
GRAFANA_TYPES_SOURCES: Final = Path(__file__).parent / "grafana_types"

EDITOR, VIEWER, ADMIN = "token-editor", "token-viewer", "token-admin"
ROLES = {f"Bearer {EDITOR}": "Editor", f"Bearer {VIEWER}": "Viewer", f"Bearer {ADMIN}": "Admin"}
Answer = tuple[int, dict[str, Any]]


class FakeGrafana:
    """What it holds and what it was asked.

    Attributes:
        boards: By uid, with version and folder.
        folders: By uid.
        sources: By uid.
        written: Method and path of every request that changed something.
        broken: Answer 502 from now on.
    """

    def __init__(self) -> None:
        self.boards: dict[str, dict[str, Any]] = {}
        self.folders: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, dict[str, Any]] = {}
        self.written: list[str] = []
        self.broken = False
        self.url = ""

    def answer(self, method: str, path: str, role: str | None, body: dict[str, Any]) -> Answer:
        """One request."""
        if self.broken:
            return 502, {"message": "Bad Gateway"}
        if role is None:
            return 401, {"message": "Invalid API key"}
        parts = path.strip("/").split("/")[1:]
        if method != "GET":
            needed = {"Admin"} if parts[0] == "datasources" else {"Admin", "Editor"}
            if role not in needed:
                return 403, {"message": "You'll need additional permissions to perform this action.", "accessErrorId": "ACE1"}
        match (method, parts):
            case ("GET", ["dashboards", "uid", uid]):
                return self._board(uid)
            case ("POST", ["dashboards", "db"]):
                return self._save(body)
            case ("GET", ["folders", uid]):
                found = self.folders.get(uid)
                return (200, found) if found else (404, {"message": "folder not found"})
            case ("POST", ["folders"]):
                return self._folder(body)
            case ("PUT", ["folders", uid]):
                return self._rename(uid, body)
            case ("GET", ["datasources", "uid", uid]):
                found = self.sources.get(uid)
                shown = {key: value for key, value in (found or {}).items() if key != "secureJsonData"}
                return (200, shown) if found else (404, {"message": "Data source not found"})
            case ("POST", ["datasources"]):
                return self._source(body)
            case _:
                return 404, {"message": "Not found"}

    def _rename(self, uid: str, body: dict[str, Any]) -> Answer:
        if body.get("version") != self.folders[uid]["version"]:
            return 412, {"status": "version-mismatch", "message": "The folder has been changed by someone else"}
        self.folders[uid].update(title=body["title"], version=body["version"] + 1)
        self.written.append(f"PUT /api/folders/{uid}")
        return 200, self.folders[uid]

    def _source(self, body: dict[str, Any]) -> Answer:
        if any(source["name"] == body["name"] for source in self.sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        self.sources[body["uid"]] = body
        self.written.append("POST data source")
        return 200, {"id": 1, "message": "Datasource added", "name": body["name"], "datasource": body}

    def _board(self, uid: str) -> Answer:
        found = self.boards.get(uid)
        if found is None:
            return 404, {"message": "Dashboard not found"}
        return 200, {
            "dashboard": found["dashboard"],
            "meta": {"folderUid": found["folder"], "version": found["dashboard"]["version"]},
        }

    def _save(self, body: dict[str, Any]) -> Answer:
        board, folder = copy.deepcopy(body["dashboard"]), body.get("folderUid", "")
        if folder and folder not in self.folders:
            return 400, {"message": "folder not found"}
        there = self.boards.get(board["uid"])
        if there is None:
            for other in self.boards.values():
                if other["folder"] == folder and other["dashboard"]["title"] == board["title"] and not body.get("overwrite"):
                    return 412, {
                        "status": "name-exists",
                        "message": "A dashboard with the same name in the folder already exists",
                    }
        elif board.get("version") != there["dashboard"]["version"] and not body.get("overwrite"):
            return 412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"}
        board.update(id=len(self.boards) + 1, version=1 if there is None else there["dashboard"]["version"] + 1)
        # A newer Grafana adds what its schema has by default.
        board.setdefault("fiscalYearStartMonth", 0)
        for panel in board.get("panels", []):
            panel.setdefault("pluginVersion", "12.4.0")
        self.boards[board["uid"]] = {"dashboard": board, "folder": folder}
        self.written.append(f"POST {board['uid']}")
        return 200, {"status": "success", "uid": board["uid"], "version": board["version"], "id": board["id"]}

    def _folder(self, body: dict[str, Any]) -> Answer:
        if body["uid"] in self.folders:
            return 412, {"message": "a folder with the same UID already exists"}
        if any(folder["title"] == body["title"] for folder in self.folders.values()):
            return 409, {"message": "a folder with the same name already exists in the current location"}
        self.folders[body["uid"]] = {"uid": body["uid"], "title": body["title"], "version": 1}
        self.written.append("POST folder " + body["uid"])
        return 200, self.folders[body["uid"]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        state = cast("Any", self.server).state
        status, answer = state.answer(self.command, self.path, ROLES.get(self.headers.get("Authorization", "")), body)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def serving() -> Iterator[FakeGrafana]:
    """It, on loopback."""
    state = FakeGrafana()
    server = ThreadingHTTPServer((LOOPBACK, 0), _Handler)
    cast("Any", server).state = state
    state.url = f"http://{LOOPBACK}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
