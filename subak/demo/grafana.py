"""A Grafana that is on this machine, started on loopback with our dashboards and alert rules; the demo goes on without one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import LiteralString

import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict

import dashboards
from config.errors import ConfigError

PROGRAM = "grafana"
PORT = 3000
PROVISIONING = Path(dashboards.__file__).parent / "provisioning"
USER: LiteralString = "subak_grafana"
PACKAGED = Path("/usr/share/grafana")  # where Debian's and Red Hat's packages of Grafana Labs put it
HOW = (
    "to see the dashboards in Grafana, put `grafana` (11 to 13) on PATH and start the demo again;"
    " or let a Grafana read dashboards/provisioning, or run `subak dashboards push --url …`"
)


class Grafana(Struct, frozen=True):
    """How to start it.

    Attributes:
        program: Its executable.
        home: Its folder, which has `conf/defaults.ini`.
    """

    program: Path
    home: Path

    def arguments(self) -> list[str]:
        """What its program is started with."""
        return ["server", "--homepath", str(self.home)]

    def environment(self, state: Path, port: int, database_url: str) -> dict[str, str]:
        """Its settings: everything on loopback, data in `state`, everybody on this machine may look and nobody may change.

        Args:
            state: Folder of the demo's state.
            port: To listen on.
            database_url: libpq URL of the demo's database.
        """
        folder = (state / "grafana").resolve()
        where = conninfo_to_dict(database_url)
        host = str(where.get("host", "127.0.0.1"))
        return {
            "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(port),
            "GF_PATHS_DATA": str(folder / "data"),
            "GF_PATHS_LOGS": str(folder / "logs"),
            "GF_PATHS_PLUGINS": str(folder / "plugins"),
            "GF_PATHS_PROVISIONING": str(PROVISIONING),
            "GF_LOG_MODE": "console",
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "SUBAK_GRAFANA_DATABASE_HOST": host if host.startswith("/") else f"{host}:{where.get('port', 5432)}",
            "SUBAK_GRAFANA_DATABASE_NAME": str(where.get("dbname", "subak")),
            "SUBAK_GRAFANA_DATABASE_USER": USER,
            "SUBAK_GRAFANA_DATABASE_PASSWORD": "",
            "SUBAK_GRAFANA_DATABASE_SSLMODE": "disable",
            "SUBAK_GRAFANA_DASHBOARDS": str(PROVISIONING / "dashboards"),
        }


def find_grafana() -> Grafana | None:
    """The Grafana on PATH, if there is one.

    Raises:
        ConfigError: There is one, and its folder cannot be found.
    """
    found = shutil.which(PROGRAM)
    if found is None:
        return None
    program = Path(found)
    candidates = [program.resolve().parent.parent, PACKAGED]
    for home in candidates:
        if (home / "conf" / "defaults.ini").is_file():
            return Grafana(program, home)
    folders = " and ".join(str(home / "conf" / "defaults.ini") for home in candidates)
    raise ConfigError(
        f"{program}: its folder is not where it is usually ({folders}): link `{PROGRAM}` on PATH to the one in its folder's bin/"
    )


def let_it_read(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Make the account that Grafana logs in with; the demo's database lets its own account and root in without a password."""
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [USER]).fetchone()
    if exists is None:
        connection.execute(f"CREATE ROLE {USER} LOGIN IN ROLE subak_reader")
