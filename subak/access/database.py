"""Who may do what in the database: the accounts that log in, as SQL without a password in clear.

Membership in `subak_writer`, `subak_reader` and `subak_analyst` (made by migrations) gives an account its rights. Timeouts are set
on the accounts, since PostgreSQL does not hand settings on to members of a role.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import stringprep
from collections.abc import Iterable, Mapping

from msgspec import Struct
from psycopg import sql

SCRAM_ROUNDS = 4096  # as PostgreSQL's scram_iterations
SALT_BYTES = 16
GROUPS = ("subak_writer", "subak_reader", "subak_analyst")

OWNER = "subak_owner"
PIPELINE = "subak_pipeline"
GRAFANA = "subak_grafana"
CONSOLE = "subak_console"

_READING = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "5s",
    "search_path": "analytics",
}
_WRITING = {
    # A pipeline that was suspended inside a transaction must not hold its locks for ever; it connects again and repeats the batch.
    "idle_in_transaction_session_timeout": "5min",
}
_RIGHTS = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT"


class Account(Struct, frozen=True):
    """One account that logs in.

    Attributes:
        name: Of the account.
        member: The role whose rights it has; None for the owner.
        settings: What its sessions begin with.
        connections: At once at most; -1 for any number.
        purpose: For whom.
    """

    name: str
    member: str | None
    settings: Mapping[str, str]
    connections: int
    purpose: str


def accounts(analysts: Iterable[str] = ()) -> list[Account]:
    """The accounts of one installation.

    Args:
        analysts: Names of accounts for people who ask in SQL.
    """
    return [
        Account(OWNER, None, {}, -1, "runs subak migrate; owns everything"),
        Account(PIPELINE, "subak_writer", _WRITING, -1, "runs subak run, subak verify and subak deadletters"),
        Account(GRAFANA, "subak_reader", _READING, 20, "Grafana's data source"),
        Account(CONSOLE, "subak_reader", _READING, 5, "runs subak run --role console"),
        *(Account(name, "subak_analyst", _READING, 5, "an analyst") for name in analysts),
    ]


def roles_sql(database: str, passwords: Mapping[str, str], analysts: Iterable[str] = ()) -> str:
    """A script of psql for a superuser that makes roles and database, or brings those that are there up to it.

    Args:
        database: Its name.
        passwords: In clear, by account; only verifiers go into the script.
        analysts: As in `accounts`.
    """
    lines = [
        "-- Written by `subak access database`: run it with psql as superuser, before `subak migrate`; safe to repeat.",
        "-- No password stands here, only what checks one (SCRAM-SHA-256); keep the file to yourself all the same.",
        "\\set ON_ERROR_STOP on",
        "SET client_min_messages = warning;",
        "BEGIN;",
        *(_made(group, "NOLOGIN") for group in GROUPS),
    ]
    for account in accounts(analysts):
        name = sql.Identifier(account.name).as_string(None)
        verifier = sql.Literal(scram_verifier(passwords[account.name])).as_string(None)
        lines += [
            "",
            f"-- {account.purpose}.",
            _made(account.name, "LOGIN"),
            f"ALTER ROLE {name} {_RIGHTS} CONNECTION LIMIT {account.connections} PASSWORD {verifier};",
            *(f"ALTER ROLE {name} SET {key} = {sql.Literal(value).as_string(None)};" for key, value in account.settings.items()),
        ]
        if account.member:
            lines.append(f"GRANT {account.member} TO {name};")
    return "\n".join([*lines, "", "COMMIT;", "", *_database(database), ""])


def _database(name: str) -> list[str]:
    quoted, text = sql.Identifier(name).as_string(None), sql.Literal(name).as_string(None)
    create = sql.Literal(f"CREATE DATABASE {quoted} OWNER {OWNER}").as_string(None)
    missing = f"WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = {text})"
    return [
        "-- The database: nobody but these may connect to it, and who stages batches may make temporary tables.",
        f"SELECT {create} {missing} \\gexec",
        f"ALTER DATABASE {quoted} OWNER TO {OWNER};",
        f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC;",
        f"GRANT CONNECT ON DATABASE {quoted} TO {', '.join(GROUPS)};",
        f"GRANT TEMPORARY ON DATABASE {quoted} TO {GROUPS[0]};",
    ]


def _made(role: str, how: str) -> str:
    name, text = sql.Identifier(role).as_string(None), sql.Literal(role).as_string(None)
    return f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text}) THEN CREATE ROLE {name} {how}; END IF; END $$;"


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL stores of a password (RFC 5802, 7677), so that the password itself need not be sent.

    Args:
        password: ASCII without control characters, as ours are; others would need SASLprep.
        salt: Random when left out.

    Raises:
        ValueError: The password is not such.
    """
    if not password.isascii() or any(stringprep.in_table_c21(character) for character in password):
        raise ValueError("only printable ASCII is the same before and after SASLprep")
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${SCRAM_ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
