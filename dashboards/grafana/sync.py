"""Sync of the boards with a Grafana over its HTTP API: only what differs is sent, by fixed uids.

A board counts as the same when everything that stands in ours stands in Grafana's: Grafana adds defaults of its own version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar, cast
from urllib.parse import unquote, urlsplit

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, GrafanaServerError, GrafanaTimeoutError
from msgspec import Struct

from config.errors import ConfigError
from dashboards.grafana.query import PLUGIN, SOURCE_UID

TIMEOUT_S: Final = 10.0
NOT_FOUND: Final = 404
# Grafana counts and numbers these itself.
_OWN: Final = frozenset({"id", "version", "iteration", "schemaVersion"})
T = TypeVar("T")


class GrafanaError(ConfigError):
    """Grafana refused, or cannot be reached; says what to do."""


class State(StrEnum):
    """How something of ours stands in Grafana."""

    SAME = "same"
    NEW = "new"
    CHANGED = "changed"


class Item(Struct, frozen=True):
    """One thing of ours and how it stands there.

    Attributes:
        kind: `data source`, `folder` or `board`.
        uid: Fixed.
        state: How it stands.
        changes: Where it differs, at most a few places.
    """

    kind: str
    uid: str
    state: State
    changes: tuple[str, ...] = ()


class Grafana:
    """A Grafana by its API."""

    def __init__(self, url: str, token: str) -> None:
        """Nothing is sent yet.

        Args:
            url: Such as `https://grafana.example/`, perhaps with a path.
            token: Of a service account with the role Editor, Admin for the data source; `user:password` works too.

        Raises:
            ConfigError: The URL is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError("SUBAK_GRAFANA_URL: must be http(s)://host[:port]/[path/]")
        self.where = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        name, colon, password = token.partition(":")
        path = parts.path.strip("/")
        # The client has no types.
        self._api: Any = GrafanaApi(
            (name, password) if colon else token,
            protocol=parts.scheme,
            host=parts.hostname,
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            timeout=TIMEOUT_S,
        )

    def close(self) -> None:
        """Let its connections go."""
        self._api.client.s.close()

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        """Call the API; its errors become ones that a person can act on."""
        try:
            return call()
        except GrafanaTimeoutError as error:
            raise GrafanaError(
                f"{self.where} did not answer within {TIMEOUT_S:.0f} s ({what}); is it overloaded, or behind a proxy?"
            ) from error
        except GrafanaServerError as error:
            raise GrafanaError(
                f"{self.where} failed with {error.status_code} ({what}): {error.message}; see Grafana's own log"
            ) from error
        except GrafanaClientError as error:
            raise GrafanaError(self._advice(what, error)) from error
        except (GrafanaException, niquests.exceptions.RequestException) as error:
            raise GrafanaError(
                f"{self.where} cannot be reached ({what}); is the address right and does Grafana run? {type(error).__name__}"
            ) from error

    def _advice(self, what: str, error: GrafanaClientError) -> str:
        said = error.response.get("message", "") if isinstance(error.response, dict) else str(error.response)
        status = error.response.get("status", "") if isinstance(error.response, dict) else ""
        match error.status_code:
            case 401:
                todo = "the token is wrong or has expired; make one for a service account and set SUBAK_GRAFANA_TOKEN"
            case 403:
                todo = "the token's service account lacks the right; it needs the role Editor, and Admin to make a data source"
            case 409:
                todo = "something of that name is there under another uid; rename or delete it in Grafana"
            case 412 if status == "version-mismatch":
                todo = "somebody saved it meanwhile; look at `subak dashboards diff` and push again"
            case 412 if status == "plugin-dashboard":
                todo = "it belongs to a plugin; delete it in Grafana"
            case 412:
                todo = "a board of that title is in the folder under another uid; delete or rename it in Grafana"
            case 400:
                todo = "a board that is provisioned from files cannot be saved by API; use one of the two ways"
            case _:
                todo = "see Grafana's log"
        return f"{self.where} answered {error.status_code} ({what}): {said or status}; {todo}"

    def find(self, what: str, call: Callable[[], T]) -> T | None:
        """What the API has, or None where it says 404."""

        def look() -> T | None:
            try:
                return call()
            except GrafanaClientError as error:
                if error.status_code == NOT_FOUND:
                    return None
                raise

        return self._ask(what, look)

    def board(self, uid: str) -> dict[str, Any] | None:
        """A board with its `meta`; None when it is not there."""
        return self.find(f"board {uid}", lambda: cast("dict[str, Any]", self._api.dashboard.get_dashboard(uid)))

    def save(self, board: Mapping[str, Any], folder: str, version: int | None) -> None:
        """Save a board in a folder, over the version that was read."""
        body = {**board, "id": None}
        if version is not None:
            body["version"] = version
        payload = {"dashboard": body, "folderUid": folder, "message": "subak dashboards push", "overwrite": False}
        self._ask(f"saving {board['uid']}", lambda: self._api.dashboard.update_dashboard(payload))

    def folder(self, uid: str) -> dict[str, Any] | None:
        """A folder; None when it is not there."""
        return self.find(f"folder {uid}", lambda: cast("dict[str, Any]", self._api.folder.get_folder(uid)))

    def make_folder(self, uid: str, title: str) -> None:
        """Make a folder."""
        self._ask(f"making the folder {uid}", lambda: self._api.folder.create_folder(title, uid=uid))

    def rename_folder(self, uid: str, title: str, version: int) -> None:
        """Give a folder its title."""
        self._ask(f"renaming the folder {uid}", lambda: self._api.folder.update_folder(uid, title=title, version=version))

    def source(self) -> dict[str, Any] | None:
        """Our data source; None when it is not there."""
        return self.find(
            f"data source {SOURCE_UID}", lambda: cast("dict[str, Any]", self._api.datasource.get_datasource_by_uid(SOURCE_UID))
        )

    def make_source(self, body: Mapping[str, Any]) -> None:
        """Make our data source."""
        self._ask("making the data source", lambda: self._api.datasource.create_datasource(dict(body)))


def source_of(url: str) -> dict[str, Any]:
    """The data source for a libpq URL of an account that may read.

    Raises:
        ConfigError: It is no such URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not parts.username or len(parts.path) < 2:
        raise ConfigError(
            "SUBAK_GRAFANA_DATABASE_URL: must be postgresql://user:password@host[:port]/database, as Grafana reaches it"
        )
    mode = dict(part.partition("=")[::2] for part in parts.query.split("&") if part).get("sslmode", "disable")
    return {
        "uid": SOURCE_UID,
        "name": "Subak",
        "type": PLUGIN,
        "access": "proxy",
        "url": f"{parts.hostname}:{parts.port or 5432}",
        "user": unquote(parts.username),
        "jsonData": {"database": unquote(parts.path[1:]), "sslmode": mode, "postgresVersion": 1500, "timescaledb": False},
        "secureJsonData": {"password": unquote(parts.password or "")},
    }


def compare(grafana: Grafana, folders: Mapping[str, str], boards: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Item]:
    """How each of ours stands there; nothing is changed.

    Args:
        grafana: Where.
        folders: Title by uid.
        boards: Uid of the folder and the board.
    """
    source = grafana.source()
    yield Item("data source", SOURCE_UID, State.NEW if source is None else State.SAME)
    if source is not None and source.get("type") not in {PLUGIN, "postgres"}:
        raise GrafanaError(
            f"the data source {SOURCE_UID} is of type {source.get('type')}; delete it in Grafana, or give it type {PLUGIN}"
        )
    for uid, title in folders.items():
        found = grafana.folder(uid)
        state = State.NEW if found is None else State.SAME if found["title"] == title else State.CHANGED
        yield Item(
            "folder", uid, state, () if found is None or state is State.SAME else (f"title: {found['title']!r} → {title!r}",)
        )
    for folder, board in boards:
        there = grafana.board(board["uid"])
        if there is None:
            yield Item("board", board["uid"], State.NEW)
            continue
        changes = list(differences(board, there["dashboard"]))
        if there["meta"].get("folderUid", "") != folder:
            changes.insert(0, f"folder: {there['meta'].get('folderUid', '')!r} → {folder!r}")
        yield Item("board", board["uid"], State.CHANGED if changes else State.SAME, tuple(changes))


def push(
    grafana: Grafana, folders: Mapping[str, str], boards: Sequence[tuple[str, Mapping[str, Any]]], database_url: str | None
) -> Iterator[Item]:
    """Make Grafana as ours, sending only what differs; yields each thing once it is done.

    Args:
        grafana: Where.
        folders: Title by uid.
        boards: Uid of the folder and the board.
        database_url: For a data source that is not there yet.

    Raises:
        GrafanaError: It refused; what was pushed before stands.
        ConfigError: There is no data source, and no URL to make one.
    """
    by_uid = {board["uid"]: (folder, board) for folder, board in boards}
    for item in compare(grafana, folders, boards):
        if item.state is not State.SAME:
            if item.kind == "data source":
                if database_url is None:
                    raise ConfigError(
                        f"{grafana.where} has no data source of uid {SOURCE_UID}: provision it from"
                        " dashboards/provisioning/datasources, or set SUBAK_GRAFANA_DATABASE_URL (an account of subak_reader)"
                    )
                grafana.make_source(source_of(database_url))
            elif item.kind == "folder":
                _push_folder(grafana, item, folders[item.uid])
            else:
                folder, board = by_uid[item.uid]
                there = grafana.board(item.uid)
                grafana.save(board, folder, None if there is None else there["dashboard"].get("version", 0))
        yield item


def _push_folder(grafana: Grafana, item: Item, title: str) -> None:
    there = grafana.folder(item.uid)
    if there is None:
        grafana.make_folder(item.uid, title)
    else:
        grafana.rename_folder(item.uid, title, there.get("version", 1))


def pulled(grafana: Grafana, uid: str) -> dict[str, Any] | None:
    """A board as it stands there, without what belongs to that Grafana; None when it is not there."""
    there = grafana.board(uid)
    if there is None:
        return None
    return {key: value for key, value in there["dashboard"].items() if key not in {"id", "version", "iteration"}}


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON is a tree of anything
    """Where theirs lacks or contradicts ours."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key, value in ours.items():
            if where or key not in _OWN:
                place = f"{where}.{key}" if where else key
                if key in theirs:
                    yield from differences(value, theirs[key], place)
                elif value not in (None, [], {}, "", False):
                    yield f"{place} is missing there"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif ours != theirs and not (ours in (None, "") and theirs in (None, "")):
        yield f"{where}: {_short(theirs)} → {_short(ours)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
