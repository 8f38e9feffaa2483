"""`subak access`: write credentials and rules for the broker and for the database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from config.errors import ConfigError
from config.settings import load_settings
from config.site import load_site
from subak.access import broker, database
from subak.access.files import keep_or_make, secret_folder, write_secret

app = App(name="access", help="Write credentials and rules for the broker and the database; passwords go to files alone.")

SHIPPED = Path(__file__).parent.parent.parent / "config" / "deploy"
SERVICE_PORT = 8884

_ROLE = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


@app.command(name="mosquitto")
def mosquitto(
    *,
    out: Path,
    site: Path | None = None,
    host: str = "localhost",
    renew: Annotated[tuple[str, ...], Parameter(negative="")] = (),
) -> None:
    """Write mosquitto.conf, acl, passwords and one credential a device into a folder that you alone may enter.

    Credentials that are in the folder already stay; those of new devices are added. Tells names and numbers, no password.

    Args:
        out: The folder.
        site: Path of the site folder; SUBAK_SITE otherwise.
        host: The broker's name for Subak's own, as its certificate has it.
        renew: A user to give a new password; may be repeated.
    """
    inventory = load_site(load_settings(site=site).site)
    users = broker.users(inventory)
    unknown = sorted(set(renew) - set(users))
    if unknown:
        raise ConfigError(
            f"--renew {', '.join(unknown)}: no such user; users are the devices of {inventory.path} and {', '.join(broker.SERVICES)}"
        )
    secret_folder(out)
    credentials = secret_folder(out / "credentials")
    entries: list[str] = []
    made = 0
    for user in users:
        password, new = keep_or_make(credentials, user, renew=user in renew)
        made += new
        entries.append(broker.password_entry(user, password))
        if user in broker.SERVICES:
            write_secret(credentials / f"{user}.url", f"mqtts://{user}:{quote(password, safe='')}@{host}:{SERVICE_PORT}\n")
    write_secret(out / "passwords", "\n".join(entries) + "\n")
    write_secret(out / "acl", broker.access_control_list(inventory))
    write_secret(out / "mosquitto.conf", (SHIPPED / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8"))
    print(f"{out}: {len(users)} users of site {inventory.name}, {made} of them with a new password")
    left = sorted({path.stem for path in credentials.iterdir() if path.suffix == ".password"} - set(users))
    if left:
        print(f"no user any more, to be deleted from {credentials}: {', '.join(left)}")
    print(f"next: see {SHIPPED / 'mosquitto' / 'README.md'}")


@app.command(name="database")
def database_accounts(
    *,
    out: Path,
    host: str = "localhost",
    name: str = "subak",
    analyst: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    renew: Annotated[tuple[str, ...], Parameter(negative="")] = (),
) -> None:
    """Write roles.sql and one credential an account into a folder that you alone may enter.

    Credentials that are in the folder already stay. The SQL holds verifiers, no password.

    Args:
        out: The folder.
        host: The database's host, for the URLs.
        name: The database's name.
        analyst: An account for a person who asks in SQL; may be repeated.
        renew: An account to give a new password; may be repeated.
    """
    taken = {*database.GROUPS, *(own.name for own in database.accounts())}
    for person in analyst:
        if not _ROLE.match(person) or person in taken:
            raise ConfigError(f"--analyst {person}: must be a new name of lower-case letters, digits and underscores")
    wanted = database.accounts(analyst)
    unknown = sorted(set(renew) - {account.name for account in wanted})
    if unknown:
        raise ConfigError(f"--renew {', '.join(unknown)}: no such account; there are {', '.join(a.name for a in wanted)}")
    secret_folder(out)
    credentials = secret_folder(out / "credentials")
    passwords: dict[str, str] = {}
    made = 0
    for account in wanted:
        passwords[account.name], new = keep_or_make(credentials, account.name, renew=account.name in renew)
        made += new
        write_secret(
            credentials / f"{account.name}.url", f"postgresql://{account.name}:{passwords[account.name]}@{host}/{name}\n"
        )
    write_secret(out / "roles.sql", database.roles_sql(name, passwords, analyst))
    print(f"{out}: {len(wanted)} accounts, {made} of them with a new password")
    print(f"next: psql < {out / 'roles.sql'} as superuser; see docs/installation.md")
