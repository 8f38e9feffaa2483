"""What the database lets each account do, and every refusal by name; accounts as `subak access database` makes them."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import aiomqtt
import psycopg
import pytest
from msgspec import Struct
from psycopg.conninfo import make_conninfo

from config.settings import Settings
from storage.capability import Level
from storage.migrate import migrate
from subak.access.command import database_accounts
from subak.access.database import CONSOLE, GRAFANA, OWNER, PIPELINE, scram_verifier
from subak.doctor import Finding, examine
from tests.support.brokers import Mosquitto
from tests.support.databases import fresh_database
from tests.support.parts import Book, UnavailableError
from tests.support.pipelines import CONTROLLER, TIMEZONE, TOPIC, Program, detectors, pipeline_program, verified
from tests.support.waiting import until

ANALYST = "sri"
DENIED = psycopg.errors.InsufficientPrivilege
INTO_VIEWS: tuple[LiteralString, ...] = (
    "INSERT INTO analytics.devices DEFAULT VALUES",
    "UPDATE analytics.ledger SET stored = 0",
    "DELETE FROM analytics.dead_letters",
)
# A view over a join takes no rows from anybody.
NOT_INTO_VIEWS = (DENIED, psycopg.errors.ObjectNotInPrerequisiteState)


class Installed(Struct):
    """A database with all accounts, migrated by its owner.

    Attributes:
        url: As superuser.
        folder: What `subak access database` wrote.
        level: That it turned out to have.
    """

    url: str
    folder: Path
    level: Level = Level.PLAIN

    def url_of(self, account: str) -> str:
        """As the account; the test's servers ask for no password, and hold it all the same."""
        password = (self.folder / "credentials" / f"{account}.password").read_text(encoding="utf-8").strip()
        return make_conninfo(self.url, user=account, password=password)

    def as_(self, account: str) -> psycopg.Connection[Any]:
        """A session of the account."""
        return psycopg.connect(self.url_of(account), autocommit=True)


@pytest.fixture(scope="module", params=["plain", "apache"])
def installed(request: pytest.FixtureRequest, book: Book, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """As docs/installation.md has it: roles.sql by psql as superuser, then `subak migrate` as the owner."""
    with book.getting("psql"):
        if shutil.which("psql") is None:
            msg = "psql is not installed; Debian's package postgresql-client has it"
            raise UnavailableError(msg)
    with fresh_database(request.getfixturevalue(f"{request.param}_server")) as database:
        found = Installed(database.url, tmp_path_factory.mktemp("access"))
        database_accounts(out=found.folder, name=database.name, analyst=(ANALYST,))
        for _ in range(2):  # safe to repeat
            script = ["psql", "-X", "-q", "-d", database.url, "-f", str(found.folder / "roles.sql")]
            done = subprocess.run(script, check=False, capture_output=True, text=True)
            assert (0, "") == (done.returncode, done.stderr)
        with found.as_(OWNER) as connection:
            found.level = migrate(connection, TIMEZONE)
        assert request.param == found.level
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE passer_by LOGIN")
        yield found


def refused(
    installed: Installed,
    account: str,
    *statements: LiteralString,
    by: type[psycopg.Error] | tuple[type[psycopg.Error], ...] = DENIED,
) -> None:
    """Each statement is refused, also to one who switches off what is only a setting."""
    with installed.as_(account) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for statement in statements:
            with pytest.raises(by):
                connection.execute(statement)


# What must be possible.


def test_the_pipeline_runs_as_a_member_of_subak_writer(installed: Installed, broker: Mosquitto, tmp_path: Path) -> None:
    """The real program: dimensions, partitions, batches, retention; then the checks, as the same account."""
    now_us = time.time_ns() // 60_000_000_000 * 60_000_000 - 120_000_000
    program = pipeline_program(
        tmp_path,
        broker.url,
        installed.url_of(PIPELINE),
        SUBAK_CLIENT_ID=f"as-writer-{tmp_path.name}",
        SUBAK_METRICS_PORT="0",
        SUBAK_RETENTION_DAYS='{"lane_reading": 1}',
    )
    with installed.as_(PIPELINE) as connection:
        connection.execute("SELECT subak.ensure_day('2020-01-01')")
    with program:
        until(lambda: "mqtt.connected" in program.log, what="a connected collector")
        _publish(broker, [detectors(n, now_us + n * 10_000_000) for n in range(6)])
        with installed.as_(GRAFANA) as reader:
            until(
                lambda: reader.execute("SELECT count(*) FROM lane_readings").fetchone() == (6 * len(CONTROLLER.lanes),),
                what="readings of six messages",
            )
        assert 0 == program.stop()
    assert "permission denied" not in program.log
    assert "maintenance.failed" not in program.log

    ledger, bins = verified(installed.url_of(PIPELINE))
    assert (6, []) == (ledger.stored, bins.differences)


def _publish(broker: Mosquitto, payloads: list[bytes]) -> None:
    async def send() -> None:
        async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            for payload in payloads:
                await client.publish(TOPIC, payload, qos=1)

    asyncio.run(send())


def test_a_reader_and_an_analyst_read_the_views_those_of_later_migrations_too(installed: Installed) -> None:
    with installed.as_(OWNER) as owner:
        owner.execute("CREATE VIEW analytics.later AS SELECT count(*) FROM subak.lane_reading")
    for account in (GRAFANA, CONSOLE, ANALYST):
        with installed.as_(account) as connection:
            views = connection.execute(
                "SELECT table_name FROM information_schema.views WHERE table_schema = 'analytics'"
            ).fetchall()
            assert ("later",) in views
            for (view,) in views:
                connection.execute(f"SELECT * FROM analytics.{view} LIMIT 1")


def test_accounts_have_the_passwords_of_their_files(installed: Installed) -> None:
    with psycopg.connect(installed.url) as connection:
        kept: dict[str, str] = dict(
            connection.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'subak\\_%' OR rolname = 'sri'")
        )

    for account in (OWNER, PIPELINE, GRAFANA, CONSOLE, ANALYST):
        password = (installed.folder / "credentials" / f"{account}.password").read_text(encoding="utf-8").strip()
        assert kept[account] == scram_verifier(password, base64.b64decode(kept[account].split("$")[1].split(":")[1]))


def test_the_doctor_looks_at_the_schema_as_the_pipelines_account_and_tells_a_reader_what_is_missing(installed: Installed) -> None:
    def schema(account: str) -> Finding:
        settings = Settings.model_validate({"mqtt_url": "mqtt://127.0.0.1:1", "database_url": installed.url_of(account)})
        return next(finding for finding in examine(settings) if finding.what == "schema")

    assert schema(PIPELINE).well
    assert (False, "subak_grafana: permission denied for schema subak") == (schema(GRAFANA).well, schema(GRAFANA).seen)


# Refusals: the reader.


def test_refused_a_reader_that_writes(installed: Installed) -> None:
    refused(
        installed,
        GRAFANA,
        "INSERT INTO subak.feed VALUES (1, now())",
        "UPDATE subak.lane_1min SET volume = 0",
        "TRUNCATE subak.ledger",
    )
    refused(installed, GRAFANA, *INTO_VIEWS, by=NOT_INTO_VIEWS)


def test_refused_a_reader_that_writes_by_its_settings_alone(installed: Installed) -> None:
    with installed.as_(GRAFANA) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TEMP TABLE t (i integer)")


def test_refused_a_reader_that_reads_the_schema_subak(installed: Installed) -> None:
    refused(installed, GRAFANA, "SELECT * FROM subak.lane_reading", "SELECT subak.at(0)", "SELECT * FROM subak.migration")


def test_refused_a_reader_that_makes_anything(installed: Installed) -> None:
    refused(
        installed,
        GRAFANA,
        "CREATE TABLE analytics.t (i integer)",
        "CREATE TABLE public.t (i integer)",
        "CREATE TEMP TABLE t (i integer)",
        "CREATE SCHEMA s",
        "CREATE ROLE r",
    )


def test_refused_a_reader_that_drops_data_through_the_owners_functions(installed: Installed) -> None:
    refused(installed, GRAFANA, "SELECT subak.drop_before('lane_reading', now())", "SELECT subak.ensure_day('2030-01-01')")


def test_refused_a_reader_that_becomes_the_writer(installed: Installed) -> None:
    refused(installed, GRAFANA, "SET ROLE subak_writer", "SET ROLE subak_owner", "SET ROLE subak_analyst")


def test_refused_a_readers_query_that_takes_too_long(installed: Installed) -> None:
    """Shortened here; the shipped limit is read back."""
    for account in (GRAFANA, CONSOLE, ANALYST):
        with installed.as_(account) as connection:
            assert ("30s",) == connection.execute("SHOW statement_timeout").fetchone()
    with (
        shortened(installed, "statement_timeout"),
        installed.as_(GRAFANA) as connection,
        pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"),
    ):
        connection.execute("SELECT pg_sleep(60)")


def test_refused_a_readers_transaction_that_is_left_open(installed: Installed) -> None:
    with shortened(installed, "idle_in_transaction_session_timeout"):
        connection = psycopg.connect(installed.url_of(GRAFANA))
        connection.execute("SELECT 1")
        until(lambda: _is_gone(installed.url, connection.info.backend_pid), what="the end of an idle transaction")
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            connection.execute("SELECT 1")


@contextmanager
def shortened(installed: Installed, setting: str) -> Iterator[None]:
    """The reader's limit at 50 ms instead of the shipped one."""
    with psycopg.connect(installed.url, autocommit=True) as superuser:
        (shipped,) = superuser.execute(
            "SELECT s FROM pg_db_role_setting, unnest(setconfig) s WHERE setrole = %s::regrole AND s LIKE %s",
            [GRAFANA, f"{setting}=%"],
        ).fetchone() or ("",)
        superuser.execute(f"ALTER ROLE {GRAFANA} SET {setting} = '50ms'")
        try:
            yield
        finally:
            superuser.execute(f"ALTER ROLE {GRAFANA} SET {setting} = '{shipped.partition('=')[2]}'")


def _is_gone(url: str, pid: int) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is None


# Refusals: the analyst.


def test_refused_an_analyst_that_writes(installed: Installed) -> None:
    refused(
        installed,
        ANALYST,
        "INSERT INTO subak.feed VALUES (1, now())",
        "CREATE TABLE analytics.t (i integer)",
        "CREATE TEMP TABLE t (i integer)",
    )
    refused(installed, ANALYST, *INTO_VIEWS, by=NOT_INTO_VIEWS)


def test_refused_an_analyst_that_reads_the_schema_subak(installed: Installed) -> None:
    refused(installed, ANALYST, "SELECT * FROM subak.ledger", "SELECT * FROM subak.device", "SELECT subak.us(now())")


# Refusals: the writer.


def test_refused_the_writer_that_drops_or_changes_tables(installed: Installed) -> None:
    refused(
        installed,
        PIPELINE,
        "DROP TABLE subak.ledger",
        "DROP VIEW analytics.ledger",
        "DROP SCHEMA subak CASCADE",
        "TRUNCATE subak.lane_reading",
        "ALTER TABLE subak.ledger DROP COLUMN lost",
        "CREATE TABLE subak.t (i integer)",
        "CREATE OR REPLACE FUNCTION subak.ensure_day(day date) RETURNS void LANGUAGE sql AS ''",
    )


def test_refused_the_writer_that_makes_or_changes_roles(installed: Installed) -> None:
    refused(
        installed,
        PIPELINE,
        "CREATE ROLE r",
        "DROP ROLE subak_reader",
        "ALTER ROLE subak_grafana PASSWORD 'x'",
        "GRANT subak_owner TO subak_pipeline",
        "SET ROLE subak_owner",
    )


def test_refused_the_writer_that_forges_the_list_of_migrations(installed: Installed) -> None:
    refused(
        installed,
        PIPELINE,
        "DELETE FROM subak.migration",
        "INSERT INTO subak.migration VALUES (999, 'x', 'x', 'plain', now())",
    )


def test_refused_the_writer_that_drops_what_is_no_series_through_the_owners_function(installed: Installed) -> None:
    refused(
        installed,
        PIPELINE,
        "SELECT subak.drop_before('ledger; DROP TABLE subak.ledger', 'infinity')",
        "SELECT subak.drop_before('no_such_table', 'infinity')",
        by=psycopg.Error,
    )
    with installed.as_(PIPELINE) as connection:
        connection.execute("SELECT count(*) FROM subak.ledger")


def test_refused_the_writer_that_slips_its_own_tables_under_the_owners_functions(installed: Installed) -> None:
    """A session's temporary tables come first in its search path: not in those functions, which see the real catalogue."""
    if installed.level is not Level.PLAIN:
        pytest.skip("only the functions of level plain read the catalogue")
    with installed.as_(PIPELINE) as connection:
        connection.execute("SELECT subak.ensure_day('2020-01-01')")
        connection.execute("CREATE TEMP TABLE pg_inherits (inhrelid oid, inhparent oid)")
        assert (1,) == connection.execute("SELECT subak.drop_before('lane_reading', '2020-01-02')").fetchone()


@pytest.mark.parametrize("level_of_rights", ["nothing", "reading"])
def test_refused_a_start_of_the_pipeline_without_the_right_to_write(
    installed: Installed, tmp_path: Path, level_of_rights: str
) -> None:
    account = "passer_by" if level_of_rights == "nothing" else CONSOLE
    url = make_conninfo(installed.url, user=account)
    with Program(tmp_path / "log", ["run"], SUBAK_DATABASE_URL=url, SUBAK_METRICS_PORT="0") as program:
        assert 2 == program.wait(30)
    assert "Traceback" not in program.log
    assert "permission denied" in program.log


def test_refused_a_start_of_the_pipeline_as_writer_on_an_old_schema(installed: Installed, tmp_path: Path) -> None:
    newest = "number = (SELECT max(number) FROM subak.migration)"
    with psycopg.connect(installed.url, autocommit=True) as superuser:
        row = superuser.execute(f"DELETE FROM subak.migration WHERE {newest} RETURNING *").fetchone()
        try:
            url = installed.url_of(PIPELINE)
            with Program(tmp_path / "log", ["run"], SUBAK_DATABASE_URL=url, SUBAK_METRICS_PORT="0") as program:
                assert 2 == program.wait(30)
        finally:
            superuser.execute("INSERT INTO subak.migration VALUES (%s, %s, %s, %s, %s)", row)
    assert "1 migrations have not run" in program.log
    assert "run `subak migrate` as the owner" in program.log


# Refusals: everybody else.


def test_refused_public_that_connects(installed: Installed) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(make_conninfo(installed.url, user="passer_by"))


def test_refused_public_everything(installed: Installed) -> None:
    """No schema, table, sequence or function of ours grants PUBLIC anything."""
    with psycopg.connect(installed.url) as connection:
        granted = connection.execute(
            """
            SELECT 'schema ' || nspname FROM pg_namespace, aclexplode(nspacl) WHERE nspname IN ('subak', 'analytics') AND grantee = 0
            UNION ALL
            SELECT 'relation ' || oid::regclass FROM pg_class, aclexplode(relacl)
            WHERE relnamespace IN ('subak'::regnamespace, 'analytics'::regnamespace) AND grantee = 0
            UNION ALL
            SELECT 'function ' || oid::regprocedure FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
            WHERE pronamespace IN ('subak'::regnamespace, 'analytics'::regnamespace) AND grantee = 0
            UNION ALL
            SELECT 'database' FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
            WHERE datname = current_database() AND grantee = 0
            UNION ALL
            SELECT 'public may create' FROM pg_namespace, aclexplode(nspacl)
            WHERE nspname = 'public' AND grantee = 0 AND privilege_type = 'CREATE'
            """
        ).fetchall()

    assert [] == granted
