"""Numbered SQL migrations and their one runner.

A file is `NNNN_name[.level[+level]][.notx].sql`. It runs once, in number order, on the levels it names (all when it
names none), in a transaction unless it says `notx`; then its statements run one by one. `{{…}}` marks are filled in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from storage.capability import Level, offers_timescaledb, probe
from storage.errors import MigrationError
from storage.queries import queries

FOLDER = Path(__file__).parent / "migrations"
_NAME = re.compile(r"^(?P<number>\d{4})_(?P<name>[a-z0-9_]+)(?P<levels>\.[a-z+]+?)?(?P<notx>\.notx)?\.sql$")
_SQL = queries("schema")
_LOCK = 0x5BA4  # advisory lock: one migration at a time


@dataclass(frozen=True)
class Migration:
    """One migration file.

    Attributes:
        number: Order; files of one number serve different levels.
        name: What it does.
        levels: Levels it runs on.
        transactional: Runs in one transaction.
        path: The file.
    """

    number: int
    name: str
    levels: frozenset[Level]
    transactional: bool
    path: Path

    @property
    def digest(self) -> str:
        """SHA-256 of the file, so that an edited old migration is noticed."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def migrations(level: Level, folder: Path = FOLDER) -> list[Migration]:
    """The migrations of one level, in order.

    Raises:
        MigrationError: A file's name does not fit the pattern, or two files of one level share a number.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.match(path.name)
        if match is None:
            raise MigrationError(f"{path.name}: the name must be NNNN_name[.level[+level]][.notx].sql")
        tags = match["levels"]
        levels = frozenset(Level(tag) for tag in tags[1:].split("+")) if tags else frozenset(Level)
        if level not in levels:
            continue
        number = int(match["number"])
        if number in found:
            raise MigrationError(f"{path.name}: number {number:04} is taken on level {level} by {found[number].path.name}")
        found[number] = Migration(number, match["name"], levels, match["notx"] is None, path)
    return [found[number] for number in sorted(found)]


def migrate(connection: psycopg.Connection[Any], timezone: str, tell: Callable[[str], None] = lambda _: None) -> Level:
    """Bring the schema up to this program's; safe to repeat and to run from several processes.

    Args:
        connection: As the owner of the database; autocommit is switched on.
        timezone: IANA zone of the site's days, for the daily rollup.
        tell: Called with one line per migration that runs.

    Raises:
        MigrationError: A migration failed, was edited after it ran, or the schema is newer than the program.
    """
    connection.autocommit = True
    connection.execute(_SQL["lock"], (_LOCK,))
    try:
        if offers_timescaledb(connection) and not _has_begun(connection):
            connection.execute(_SQL["install"])
        level = probe(connection)
        connection.execute(_SQL["make_schema"])
        connection.execute(_SQL["make_list"])
        done = {row[0]: row[1:] for row in connection.execute(_SQL["done"])}
        wanted = migrations(level)
        _compare(wanted, done, level)
        for migration in wanted:
            if migration.number not in done:
                tell(f"{migration.number:04} {migration.name} ({level})")
                _run(connection, migration, level, timezone)
    finally:
        connection.execute(_SQL["unlock"], (_LOCK,))
    return level


def bring_up(connection: psycopg.Connection[Any], timezone: str, tell: Callable[[str], None] = lambda _: None) -> Level:
    """Migrate as far as the role may: the owner migrates, a member of `subak_writer` makes sure that there is nothing to do.

    Args:
        connection: Autocommit is switched on.
        timezone: As in `migrate`.
        tell: As in `migrate`.

    Raises:
        MigrationError: As in `migrate`, or there are migrations that this role may not run.
    """
    connection.autocommit = True
    row = connection.execute(_SQL["may_migrate"]).fetchone()
    assert row is not None  # noqa: S101 - it is one row
    role, may = row
    if may:
        return migrate(connection, timezone, tell)
    level = probe(connection)
    try:
        waiting = pending(connection, level)
        done = {row[0]: row[1:] for row in connection.execute(_SQL["done"])}
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable) as error:
        raise MigrationError(
            f"role {role} may neither migrate nor write here ({error.diag.message_primary}); run `subak migrate` as the owner,"
            f" and make {role} a member of subak_writer"
        ) from error
    _compare(migrations(level), done, level)
    if waiting:
        raise MigrationError(
            f"{len(waiting)} migrations have not run, and role {role} may not run them: run `subak migrate` as the owner"
        )
    return level


def _has_begun(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(_SQL["begun"]).fetchone()
    return row is not None and bool(row[0])


def pending(connection: psycopg.Connection[Any], level: Level) -> list[Migration]:
    """The migrations of `level` that have not run; nothing is changed."""
    if not _has_begun(connection):
        return migrations(level)
    done = {row[0] for row in connection.execute(_SQL["done"])}
    return [migration for migration in migrations(level) if migration.number not in done]


def _compare(wanted: list[Migration], done: dict[int, tuple[str, str, str]], level: Level) -> None:
    known = {migration.number: migration for migration in wanted}
    for number, (name, digest, ran_on) in sorted(done.items()):
        if ran_on != level:
            raise MigrationError(
                f"the schema was made on level {ran_on} and the server is now {level}; restore the extension, or dump and load into a new database"
            )
        if number not in known:
            raise MigrationError(
                f"the database has migration {number:04} {name}, which this program does not know; install the newer program"
            )
        if known[number].digest != digest:
            raise MigrationError(f"{known[number].path.name} was edited after it ran here; undo the edit and add a new migration")


def _run(connection: psycopg.Connection[Any], migration: Migration, level: Level, timezone: str) -> None:
    text = fill(migration.path.read_text(encoding="utf-8"), level, timezone)
    try:
        if migration.transactional:
            with connection.transaction():
                connection.execute(text)
                _record(connection, migration, level)
        else:
            for statement in statements(text):
                connection.execute(statement)
            _record(connection, migration, level)
    except psycopg.Error as error:
        raise MigrationError(f"{migration.path.name}: {error}") from error


def _record(connection: psycopg.Connection[Any], migration: Migration, level: Level) -> None:
    connection.execute(_SQL["record"], (migration.number, migration.name, migration.digest, str(level)))


def fill(text: str, level: Level, timezone: str) -> str:
    """Fill the `{{…}}` marks of a migration for one level."""
    by_level = r"PARTITION BY RANGE (\1)" if level is Level.PLAIN else ""
    text = re.sub(r"\{\{partition by (\w+)\}\}", by_level, text)
    return text.replace("{{timezone}}", sql.Literal(timezone).as_string(None))


def statements(text: str) -> Iterator[str]:
    """The statements of a file without function bodies: split at a semicolon that ends a line."""
    for part in re.split(r";\s*$", text, flags=re.MULTILINE):
        code = "\n".join(line for line in part.splitlines() if not line.lstrip().startswith("--")).strip()
        if code:
            yield code
