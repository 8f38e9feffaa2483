"""Faults, each from its begin to its end; afterwards the system must find its way by itself."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import aiomqtt
import psycopg

from tests.support.rig import CLIENT_ID, Fault, Rig
from tests.support.waiting import until


def _for(rig: Rig, low: float, high: float) -> None:
    """The length of a fault, which is part of it."""
    time.sleep(rig.chance.uniform(low, high))


def kill_pipeline(rig: Rig) -> None:
    """kill -9 at any instant."""
    rig.pipeline.kill()
    _for(rig, 0.0, 0.5)
    rig.pipeline.start()


def stop_pipeline(rig: Rig) -> None:
    """An orderly stop and start."""
    assert 0 == rig.pipeline.stop()
    _for(rig, 0.0, 0.5)
    rig.pipeline.start()


def kill_database(rig: Rig) -> None:
    """kill -9 of the server."""
    rig.database.kill_server()
    rig.database.start_server()


def database_down(rig: Rig) -> None:
    """Down for longer than any buffer: nothing may be acknowledged meanwhile."""
    rig.database.stop_server()
    _for(rig, 2.0, 4.0)
    rig.database.start_server()


def slow_database(rig: Rig) -> None:
    """Every commit takes 2 s."""
    with psycopg.connect(rig.database.url, autocommit=True) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION subak.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON subak.writer DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION subak.slow()"
        )
        _for(rig, 4.0, 5.0)
        connection.execute("DROP TRIGGER slow ON subak.writer")


def cut_database_line(rig: Rig) -> None:
    """The network between pipeline and database is reset and stays away."""
    rig.database_line.cut()
    _for(rig, 0.2, 2.0)
    rig.database_line.heal()


def hang_database_line(rig: Rig) -> None:
    """Half open: the database seems to be there and never answers; then everything comes at once, or too late."""
    rig.database_line.hang()
    _for(rig, 1.0, 10.0)
    rig.database_line.heal()


def restart_broker(rig: Rig) -> None:
    """Stopped in order, with messages queued; they are in its persistence."""
    rig.broker.stop()
    _for(rig, 0.0, 1.0)
    rig.broker.start()


def cut_broker_line(rig: Rig) -> None:
    """The network between pipeline and broker is reset and stays away."""
    rig.broker_line.cut()
    _for(rig, 0.2, 2.0)
    rig.broker_line.heal()


def hang_broker_line(rig: Rig) -> None:
    """Half open: keep-alive must notice."""
    rig.broker_line.hang()
    _for(rig, 1.0, 5.0)
    rig.broker_line.heal()


def second_collector(rig: Rig) -> None:
    """Somebody starts a second pipeline under the same client id: they take the session from each other."""
    name = f"second-{rig.chance.randrange(10**9)}"
    with rig.program(name) as second:
        until(lambda: "mqtt.connected" in second.log, what="a connected second pipeline")
        _for(rig, 0.5, 2.0)


def expired_session(rig: Rig) -> None:
    """The broker has forgotten us. What it had confirmed by then is stored; what comes later finds a new session."""
    rig.settle()
    rig.pipeline.stop()
    forget_session(rig)
    before = rig.pipeline.log.count("mqtt.connected")
    rig.pipeline.start()
    until(lambda: rig.pipeline.log.count("mqtt.connected") > before, what="a new session")
    rig.witness.resume()


def forget_session(rig: Rig) -> None:
    """Take the session over with a clean start and let it end."""

    async def take_over() -> None:
        async with aiomqtt.Client(
            "127.0.0.1", rig.broker.port, identifier=CLIENT_ID, protocol=aiomqtt.ProtocolVersion.V5, clean_start=True
        ):
            pass

    asyncio.run(take_over())


def reboot_device(rig: Rig) -> None:
    """A device's numbering begins again."""
    rig.witness.reboot("atc-legian")


def late_batch(rig: Rig) -> None:
    """A batch that is three days late."""
    rig.witness.late_batch(rig.chance.randrange(1, 40))


def garbage_flood(rig: Rig) -> None:
    """One device goes mad; the others must not suffer."""
    rig.witness.flood(rig.chance.randrange(100, 400))


def step_clock(rig: Rig) -> None:
    """The wall clock jumps an hour ahead or back, and stays there until the next step."""
    rig.clock.step(rig.chance.choice(sorted({-3600, 0, 3600} - {rig.clock.offset_s})))
    _for(rig, 0.0, 1.0)


def kill_part(rig: Rig) -> None:
    """kill -9 of one of several processes that share the subscription: the others end, and all are started again."""
    if rig.collectors == 1:
        kill_pipeline(rig)
        return
    os.kill(rig.chance.choice(sorted(rig.workers())), signal.SIGKILL)
    assert 1 == rig.pipeline.wait(20)
    rig.pipeline.start()


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_pipeline,
        stop_pipeline,
        kill_database,
        database_down,
        slow_database,
        cut_database_line,
        hang_database_line,
        restart_broker,
        cut_broker_line,
        hang_broker_line,
        second_collector,
        expired_session,
        reboot_device,
        late_batch,
        garbage_flood,
        step_clock,
        kill_part,
    )
}
"""By name."""

TOGETHER = frozenset(
    {
        "kill_pipeline",
        "kill_database",
        "cut_database_line",
        "hang_database_line",
        "cut_broker_line",
        "hang_broker_line",
        "reboot_device",
        "late_batch",
        "garbage_flood",
        "step_clock",
    }
)
"""Those that may strike at the same time as another of them."""
