"""The embedded MQTT broker: rumqttd, inside the wheel `iotcore`, with a configuration of ours.

It keeps sessions and retained messages in memory: they outlive its clients, not itself. It holds at most a hundred messages in
flight to a connection, whatever is configured, which bounds the rate to a hundred per acknowledgement delay: enough for the
demo. For anything that must last use mosquitto (docs/architecture.md).
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog

from subak.embedded.errors import EmbeddedError
from subak.embedded.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iotcore import Broker

log = structlog.get_logger(__name__)

DEFAULT_PORT = 1883
# MQTT 3.1.1 clients get the neighbour of the MQTT 5 port: rumqttd tells the versions apart by listener.
V4_PORT_OFFSET = 1
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 2.0

# A camera's JPEG frame, or the largest payload that a dead letter keeps (1 MiB) in Base64, with room.
MAX_PAYLOAD_BYTES = 4 * 2**20

_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1024
# Messages read from the log for one connection before the next one's turn.
max_outgoing_packet_count = 200
# The log that every session reads from, a filter: a session that is away longer than this lasts misses the rest. Frames are large.
max_segment_size = {segment_bytes}
max_segment_count = 16

[v5.1]
name = "v5"
listen = "{host}:{v5_port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload_bytes}
max_inflight_count = 100
dynamic_filters = true

[v4.1]
name = "v4"
listen = "{host}:{v4_port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload_bytes}
max_inflight_count = 100
dynamic_filters = true
"""
_SEGMENT_BYTES = 32 * 2**20


class EmbeddedBroker:
    """One broker on loopback, in a child process that ends with us.

    Attributes:
        port: Port of the MQTT 5 listener; settled by `start`.
        v4_port: Port of the MQTT 3.1.1 listener; settled by `start`.
    """

    def __init__(self, port: int = DEFAULT_PORT, v4_port: int | None = None) -> None:
        """Prepare a broker; nothing is touched yet.

        Args:
            port: MQTT 5 port wanted; the next free one is taken, and said, when it is not to be had. 0 takes any.
            v4_port: MQTT 3.1.1 port wanted; the next one after `port` when None.
        """
        self.port = port
        self.v4_port = v4_port if v4_port is not None else port and port + V4_PORT_OFFSET
        self._broker: Broker | None = None

    @property
    def url(self) -> str:
        """`mqtt://127.0.0.1:port` for MQTT 5 clients."""
        return f"mqtt://{LOOPBACK}:{self.port}"

    @property
    def v4_url(self) -> str:
        """`mqtt://127.0.0.1:port` for MQTT 3.1.1 clients."""
        return f"mqtt://{LOOPBACK}:{self.v4_port}"

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self._broker is not None and bool(self._broker.is_running)

    def start(self) -> str:
        """Start it and wait until it takes connections.

        Returns:
            The MQTT 5 URL.

        Raises:
            EmbeddedError: It is not installed or did not start.
        """
        if self.is_running:
            return self.url
        try:
            from iotcore import Broker
        except ImportError:
            msg = "the embedded broker is not installed: `pip install 'subak[embedded]'`, or give SUBAK_MQTT_URL"
            raise EmbeddedError(msg) from None
        self.port = _take("MQTT 5", self.port, frozenset())
        self.v4_port = _take("MQTT 3.1.1", self.v4_port, frozenset({self.port}))
        with tempfile.NamedTemporaryFile("w", prefix="subak-broker-", suffix=".toml", delete=False, encoding="utf-8") as config:
            config.write(
                _CONFIG.format(
                    host=LOOPBACK,
                    v5_port=self.port,
                    v4_port=self.v4_port,
                    payload_bytes=MAX_PAYLOAD_BYTES,
                    segment_bytes=_SEGMENT_BYTES,
                )
            )
        self._broker = Broker(config_path=config.name)
        try:
            with _deaf_to_ctrl_c():
                self._broker.start(timeout=START_TIMEOUT_S)
        except (OSError, RuntimeError) as error:
            self.stop()
            msg = f"the embedded broker did not start on ports {self.port} and {self.v4_port}: {error}"
            raise EmbeddedError(msg) from error
        except BaseException:
            self.stop()
            raise
        finally:
            Path(config.name).unlink(missing_ok=True)
        return self.url

    def stop(self) -> None:
        """Stop it; its sessions and retained messages are gone with it. Safe to call twice."""
        if self._broker is not None:
            self._broker.stop(timeout=STOP_TIMEOUT_S)
            self._broker = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def _take(what: str, wanted: int, avoid: frozenset[int]) -> int:
    port = free_port(wanted, avoid=avoid)
    if wanted and port != wanted:
        log.warning("port is taken, using the next free one", protocol=what, taken=wanted, port=port)
    return port


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started inside never see SIGINT.

    A terminal sends Ctrl-C to the whole group; the broker must stay until the pipeline has acknowledged what it stored, and
    `stop` ends it by SIGTERM. A blocked signal stays blocked across fork and exec.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
