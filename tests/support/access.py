"""A mosquitto as it is shipped: TLS, credentials and rules of `subak access mosquitto`; and clients that try what they may not."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Self

import mqtt5

from subak.access.command import mosquitto as write_access
from subak.embedded.child import Child
from subak.embedded.ports import LOOPBACK, free_port
from tests.support.brokers import mosquitto_program
from tests.support.mqtt import RawClient
from tests.support.parts import UnavailableError
from tests.support.waiting import until

HOST = "localhost"
STARTS_S = 10.0


class Authority:
    """A certificate authority of the test's own.

    Attributes:
        certificate: Its certificate, for `SUBAK_MQTT_CA_FILE`.
    """

    def __init__(self, folder: Path) -> None:
        """Make it.

        Raises:
            UnavailableError: openssl is not installed.
        """
        if shutil.which("openssl") is None:
            msg = "openssl, which makes the certificates, is not installed; install Debian's package openssl"
            raise UnavailableError(msg)
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.certificate = folder / "ca.crt"
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Subak test authority"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", folder / "ca.key", "-out", self.certificate),
        )

    def issue(self, name: str, alternative: str) -> tuple[Path, Path]:
        """Certificate and key for a name, such as `DNS:localhost`."""
        key, request, certificate = (self._folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n", encoding="utf-8")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl(
            *("x509", "-req", "-days", "2", "-in", request, "-CA", self.certificate, "-CAkey", self._folder / "ca.key"),
            *("-CAcreateserial", "-extfile", extensions, "-out", certificate),
        )
        return certificate, key

    def trusted(self) -> ssl.SSLContext:
        """What trusts this authority alone."""
        return ssl.create_default_context(cafile=self.certificate)


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class GuardedBroker:
    """The shipped mosquitto on free ports.

    Attributes:
        authority: That its certificate is from.
        folder: What `subak access mosquitto` wrote.
        field_port: Listener for devices.
        service_port: Listener for Subak's own.
    """

    def __init__(self, folder: Path, site: Path) -> None:
        self._program = mosquitto_program()
        self.authority = Authority(folder / "authority")
        self.folder = folder / "subak"
        self._state = folder / "state"
        self._state.mkdir()
        self.field_port = free_port()
        self.service_port = free_port(avoid=frozenset({self.field_port}))
        self._log = folder / "mosquitto.log"
        write_access(out=self.folder, site=site, host=HOST)
        certificate, key = self.authority.issue(HOST, f"DNS:{HOST}")
        shutil.copy(certificate, self.folder / "server.crt")
        shutil.copy(key, self.folder / "server.key")

    @contextmanager
    def running(self, change: Callable[[str], str] = lambda text: text) -> Iterator[Self]:
        """Run it, with the shipped configuration moved to our folders and ports and nothing else changed."""
        text = (self.folder / "mosquitto.conf").read_text(encoding="utf-8")
        for old, new in (
            ("/etc/mosquitto/subak", str(self.folder)),
            ("/var/lib/mosquitto", str(self._state)),
            ("listener 8883\n", f"listener {self.field_port} {LOOPBACK}\n"),
            ("listener 8884 ", f"listener {self.service_port} "),
            ("log_dest syslog", "log_dest stderr"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        config = self.folder.parent / "test.conf"
        # Started by root it would become the user mosquitto, who can't read our folders.
        config.write_text(f"user root\n{change(text)}", encoding="utf-8")
        with self._log.open("ab") as log:
            child = Child([self._program, "-c", str(config)], output=log)
            try:
                until(lambda: child.is_running and self._answers(), STARTS_S, what=f"mosquitto, see {self._log}")
                yield self
            finally:
                child.end()

    def _answers(self) -> bool:
        try:
            for port in (self.field_port, self.service_port):
                socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            return False
        return True

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def password(self, user: str) -> str:
        """The credential of a user."""
        return (self.folder / "credentials" / f"{user}.password").read_text(encoding="utf-8").strip()

    def url(self, user: str) -> str:
        """As `subak access` wrote it, with the port of this broker."""
        text = (self.folder / "credentials" / f"{user}.url").read_text(encoding="utf-8").strip()
        return text.replace(":8884", f":{self.service_port}")


class RefusedError(Exception):
    """The broker refused the connection."""


class GuardedClient(RawClient):
    """One connection over TLS, as somebody."""

    @classmethod
    async def login(
        cls,
        port: int,
        tls: ssl.SSLContext | None,
        *,
        user: str | None = None,
        password: str | None = None,
        client_id: str = "",
        will: mqtt5.Will | None = None,
        host: str = HOST,
        session_expiry_s: int = 0,
    ) -> Self:
        """Connect.

        Raises:
            RefusedError: The broker said no.
        """
        client = cls(*await asyncio.open_connection(host, port, ssl=tls))
        client.send(
            mqtt5.ConnectPacket(
                client_id or f"test-{user}",
                username=user,
                password=password.encode() if password is not None else None,
                will=will,
                clean_start=session_expiry_s == 0,
                session_expiry_interval=session_expiry_s,
                keep_alive=60,
            )
        )
        answer = await client.receive(mqtt5.ConnAckPacket)
        if answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            client.abort()
            raise RefusedError(answer.reason_code.name)
        client.session_present = answer.session_present
        return client

    async def publish(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> str:
        """Publish at QoS 1; the broker's answer by name. That nobody listens is a success too."""
        self.send(mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=7, retain=retain))
        code = (await self.receive(mqtt5.PubAckPacket)).reason_code
        return "SUCCESS" if code is mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS else code.name

    async def next_topic(self) -> str:
        """Topic of the next message."""
        return (await self.receive(mqtt5.PublishPacket)).topic


@asynccontextmanager
async def device(broker: GuardedBroker, name: str) -> AsyncIterator[GuardedClient]:
    """A device, connected with its own credential."""
    client = await GuardedClient.login(
        broker.field_port, broker.authority.trusted(), user=name, password=broker.password(name), client_id="of-its-own"
    )
    try:
        yield client
    finally:
        client.abort()


@asynccontextmanager
async def service(broker: GuardedBroker, name: str) -> AsyncIterator[GuardedClient]:
    """One of Subak's own, connected under a client id of its own."""
    client = await GuardedClient.login(broker.service_port, broker.authority.trusted(), user=name, password=broker.password(name))
    try:
        yield client
    finally:
        client.abort()
