"""The broker and the database inside wheels do what the demo leans on, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import mqtt5
import psycopg
import pytest
from structlog.testing import capture_logs

from subak.embedded.broker import EmbeddedBroker
from subak.embedded.database import EmbeddedDatabase
from subak.embedded.errors import EmbeddedError
from subak.embedded.ports import LOOPBACK, free_port
from tests.support.mqtt import RawClient
from tests.support.waiting import until

CLIENTS = 64
FRAME_BYTES = 3 * 2**19  # 1.5 MiB
STOP_LIMIT_S = 3.0


@pytest.fixture(scope="module")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(port=0, v4_port=0) as broker:
        yield broker


@pytest.fixture
def folder(server_folder: Path) -> Path:
    return server_folder / "postgres"


def client(broker: EmbeddedBroker, name: str) -> aiomqtt.Client:
    return aiomqtt.Client(LOOPBACK, broker.port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5)


class TestPorts:
    def test_a_free_port_is_taken_as_wanted(self) -> None:
        port = free_port()

        assert free_port(port) == port

    @pytest.mark.parametrize("address", [LOOPBACK, ""])
    def test_a_taken_port_gives_way_to_the_next(self, address: str) -> None:
        with socket.socket() as holder:
            holder.bind((address, 0))
            holder.listen()
            taken = holder.getsockname()[1]

            assert free_port(taken) > taken

    def test_a_promised_port_is_not_given_twice(self) -> None:
        port = free_port()

        assert free_port(port, avoid=frozenset({port})) > port


class TestBroker:
    async def test_a_resumed_session_gets_what_was_not_acknowledged_and_what_came_meanwhile(
        self, embedded_broker: EmbeddedBroker
    ) -> None:
        port = embedded_broker.port
        first = await RawClient.connect(port, "resumed")
        await first.subscribe("resumed/#")
        async with client(embedded_broker, "resumed-publisher") as publisher:
            await publisher.publish("resumed/a", b"before", qos=1)
            assert await first.next_payload() == b"before"  # received, never acknowledged
            first.abort()
            await publisher.publish("resumed/a", b"meanwhile", qos=1)

        second = await RawClient.connect(port, "resumed")
        payloads = {await second.next_payload(), await second.next_payload()}
        second.abort()

        assert second.session_present
        assert payloads == {b"before", b"meanwhile"}

    async def test_a_retained_message_awaits_who_comes_later(self, embedded_broker: EmbeddedBroker) -> None:
        async with client(embedded_broker, "retainer") as publisher:
            await publisher.publish("retained/presence", b"online", qos=1, retain=True)

        async with client(embedded_broker, "latecomer") as late:
            await late.subscribe("retained/#", qos=1)
            message = await anext(late.messages)

        assert (message.payload, message.retain) == (b"online", True)

    async def test_the_last_will_of_a_lost_client_is_published(self, embedded_broker: EmbeddedBroker) -> None:
        async with client(embedded_broker, "mourner") as mourner:
            await mourner.subscribe("will/presence", qos=1)
            lost = await RawClient.connect(
                embedded_broker.port, "lost", will=mqtt5.Will("will/presence", payload=b"offline", qos=mqtt5.QoS.AT_LEAST_ONCE)
            )
            lost.abort()
            message = await anext(mourner.messages)

        assert message.payload == b"offline"

    async def test_a_city_of_clients_is_connected_at_once(self, embedded_broker: EmbeddedBroker) -> None:
        async with client(embedded_broker, "listener") as listener:
            await listener.subscribe("city/#", qos=1)
            async with asyncio.TaskGroup() as tasks:
                everyone_in = asyncio.Barrier(CLIENTS)
                for number in range(CLIENTS):
                    tasks.create_task(speak_once(embedded_broker, number, everyone_in))
            heard = {str((await anext(listener.messages)).topic) for _ in range(CLIENTS)}

        assert heard == {f"city/{number}" for number in range(CLIENTS)}

    async def test_a_frame_of_one_and_a_half_megabytes_passes_whole(self, embedded_broker: EmbeddedBroker) -> None:
        frame = os.urandom(FRAME_BYTES)
        async with client(embedded_broker, "viewer") as viewer, client(embedded_broker, "camera") as camera:
            await viewer.subscribe("frame", qos=1)
            await camera.publish("frame", frame, qos=1)
            message = await anext(viewer.messages)

        assert message.payload == frame

    async def test_an_old_client_reaches_the_new_ones_by_the_second_port(self, embedded_broker: EmbeddedBroker) -> None:
        async with client(embedded_broker, "new") as new:
            await new.subscribe("old/#", qos=1)
            async with aiomqtt.Client(LOOPBACK, embedded_broker.v4_port, protocol=aiomqtt.ProtocolVersion.V311) as old:
                await old.publish("old/detector", b"1", qos=1)
            message = await anext(new.messages)

        assert message.payload == b"1"

    def test_a_taken_port_is_said_and_the_next_one_used(self) -> None:
        with capture_logs() as logs, socket.socket() as holder:
            holder.bind((LOOPBACK, 0))
            holder.listen()
            taken = holder.getsockname()[1]
            with EmbeddedBroker(port=taken) as broker:
                assert broker.port > taken
                assert broker.v4_port not in {broker.port, taken}
        assert [(log["taken"], log["port"]) for log in logs if log["log_level"] == "warning"][:1] == [(taken, broker.port)]

    def test_stopping_frees_the_ports_within_three_seconds(self) -> None:
        broker = EmbeddedBroker(port=0, v4_port=0)
        broker.start()

        began = time.monotonic()
        broker.stop()
        broker.stop()

        assert time.monotonic() - began < STOP_LIMIT_S
        assert free_port(broker.port) == broker.port


class TestDatabase:
    def test_what_was_written_is_there_after_a_stop(self, folder: Path) -> None:
        with EmbeddedDatabase(folder) as database, psycopg.connect(database.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        with EmbeddedDatabase(folder) as database, psycopg.connect(database.url) as connection:
            row = connection.execute("SELECT n, current_setting('synchronous_commit') FROM kept").fetchone()

        assert row == (1, "on")

    def test_a_long_query_does_not_delay_the_stop(self, folder: Path) -> None:
        with EmbeddedDatabase(folder) as database:
            connection = psycopg.connect(database.url)
            pid = database.pid
            connection.pgconn.send_query(b"SELECT pg_sleep(60)")

            began = time.monotonic()
            database.stop()
            took = time.monotonic() - began
            connection.close()

        assert took < STOP_LIMIT_S
        assert not Path(f"/proc/{pid}").exists()

    def test_a_folder_in_use_is_refused_with_its_owner(self, folder: Path) -> None:
        with (
            EmbeddedDatabase(folder) as database,
            pytest.raises(EmbeddedError, match=rf"in use by process {os.getpid()}.*use another folder"),
        ):
            EmbeddedDatabase(Path(str(database.folder))).start()

    def test_a_folder_of_something_else_is_left_alone(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "thesis.txt").write_text("mine")

        with pytest.raises(EmbeddedError, match="holds no PostgreSQL database: use another folder"):
            EmbeddedDatabase(folder).start()

        assert [path.name for path in folder.iterdir()] == ["thesis.txt"]

    def test_data_of_another_version_is_refused_with_what_to_do(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "PG_VERSION").write_text("15\n")

        with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 15, the installed one is 18: start anew with --fresh"):
            EmbeddedDatabase(folder).start()

    def test_an_unfinished_first_start_is_begun_anew(self, folder: Path) -> None:
        half_made = folder.with_name("postgres.new")
        half_made.mkdir()
        (half_made / "PG_VERSION").write_text("18\n")

        with EmbeddedDatabase(folder) as database:
            assert database.is_running

    def test_a_server_that_refuses_its_settings_is_quoted(self, folder: Path) -> None:
        with pytest.raises(EmbeddedError, match=r"did not start: .*no_such_setting.*postgres\.log"):
            EmbeddedDatabase(folder, settings={"no_such_setting": "1"}).start()

    def test_a_path_too_long_for_a_socket_works(self, server_folder: Path) -> None:
        with EmbeddedDatabase(server_folder / ("long" * 30) / "postgres") as database:
            socket_folder = Path(str(psycopg.conninfo.conninfo_to_dict(database.url)["host"]))
            with psycopg.connect(database.url) as connection:
                assert connection.execute("SELECT current_database()").fetchone() == ("subak",)

        assert not socket_folder.exists()

    def test_a_stale_pid_that_is_someone_elses_by_now_does_not_stop_the_start(self, folder: Path) -> None:
        with EmbeddedDatabase(folder) as database:
            lines = (folder / "postmaster.pid").read_text().splitlines()
            database.kill()
        with subprocess.Popen(["sleep", "60"]) as innocent:
            (folder / "postmaster.pid").write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
            with EmbeddedDatabase(folder) as database:
                assert database.is_running
            assert innocent.poll() is None
            innocent.kill()


OWNER = """
import signal, sys, time
from pathlib import Path
import structlog
from subak.embedded.broker import EmbeddedBroker
from subak.embedded.database import EmbeddedDatabase

# A shell that runs its commands in the background lets them ignore Ctrl-C, and so would their children.
signal.signal(signal.SIGINT, signal.default_int_handler)
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
broker, database = EmbeddedBroker(port=0, v4_port=0), EmbeddedDatabase(Path(sys.argv[1]))
broker.start()
database.start()
try:
    print(broker.port, database.pid, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print(broker.is_running, database.is_running, flush=True)
"""


class TestOwner:
    """What becomes of both when the process that started them ends."""

    @pytest.fixture
    def owner(self, folder: Path) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-c", OWNER, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as owner:
            yield owner
            owner.kill()

    def test_killed_it_takes_both_along(self, owner: subprocess.Popen[str], folder: Path) -> None:
        assert owner.stdout is not None
        port, pid = map(int, owner.stdout.readline().split())

        owner.kill()

        until(lambda: has_ended(pid), what="the end of the database server")
        until(lambda: free_port(port) == port, what="the end of the broker")
        with EmbeddedDatabase(folder) as database:
            assert database.is_running

    def test_its_successor_takes_over_a_server_left_behind(self, owner: subprocess.Popen[str], folder: Path) -> None:
        assert owner.stdout is not None
        _, pid = map(int, owner.stdout.readline().split())
        os.kill(watcher_of(pid), signal.SIGKILL)
        owner.kill()
        owner.wait()
        assert not has_ended(pid)

        with EmbeddedDatabase(folder) as database, psycopg.connect(database.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert database.pid != pid
        assert has_ended(pid)

    def test_ctrl_c_reaches_it_alone(self, owner: subprocess.Popen[str]) -> None:
        assert owner.stdout is not None
        _, pid = map(int, owner.stdout.readline().split())

        # As a terminal does: to the whole process group.
        os.killpg(owner.pid, signal.SIGINT)

        assert owner.stdout.readline().split() == ["True", "True"]
        owner.wait(STOP_LIMIT_S)
        until(lambda: has_ended(pid), what="the end of the database server")


def has_ended(pid: int) -> bool:
    """Whether process `pid`, perhaps someone else's child, is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def watcher_of(pid: int) -> int:
    """The process that waits to end `pid`."""
    for folder in Path("/proc").glob("[0-9]*"):
        words = (folder / "cmdline").read_bytes().split(b"\0")
        if words[:1] == [b"/bin/sh"] and str(pid).encode() in words:
            return int(folder.name)
    msg = f"nothing watches process {pid}"
    raise LookupError(msg)


async def speak_once(broker: EmbeddedBroker, number: int, everyone_in: asyncio.Barrier) -> None:
    async with client(broker, f"city-{number}") as speaker:
        await everyone_in.wait()
        await speaker.publish(f"city/{number}", b"1", qos=1)
