"""Publishes packets as fast as the broker confirms them, or at a steady rate. A process of its own.

`python -m tests.benchmarks.publisher PORT MESSAGES CONTROLLERS LANES [RATE [FIRST_SEQ]]`; prints `ready`, waits for a line
on standard input, sends, prints the seconds it took. With a RATE every message is made just before it is sent and dated
with that moment, so that its age at the commit can be told.
"""

from __future__ import annotations

import socket
import sys
import time

import mqtt5

from tests.benchmarks.grid import packets, stamped

WINDOW = 20_000  # unconfirmed messages at most
CHUNK = 200
SLICES_A_SECOND = 100  # of a steady rate


class Line:
    """A raw MQTT connection that counts confirmations."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(mqtt5.ConnectPacket(name, clean_start=True, keep_alive=600).write())
        self._buffer = bytearray()
        self.confirmed = -1  # CONNACK is the first answer
        while self.confirmed < 0:
            self.read()

    def read(self) -> None:
        """Wait for answers and count them."""
        self._buffer.extend(self._socket.recv(65_536))
        buffer, offset = self._buffer, 0
        # Fixed header and one length byte: every answer here is shorter than 128 bytes.
        while len(buffer) - offset >= 2 and len(buffer) - offset >= 2 + buffer[offset + 1]:
            offset += 2 + buffer[offset + 1]
            self.confirmed += 1
        del buffer[:offset]

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)


def flood(line: Line, messages: int, controllers: int, lanes: int, first_seq: int) -> float:
    made = packets(messages, controllers, lanes, first_seq)
    chunks = [b"".join(made[n : n + CHUNK]) for n in range(0, messages, CHUNK)]
    del made
    wait_for_start()
    began = time.perf_counter()
    sent = 0
    for chunk in chunks:
        while sent - line.confirmed > WINDOW:
            line.read()
        line.send(chunk)
        sent = min(messages, sent + CHUNK)
    while line.confirmed < messages:
        line.read()
    return time.perf_counter() - began


def steady(line: Line, messages: int, controllers: int, rate: float) -> float:
    wait_for_start()
    began = time.perf_counter()
    sent = 0
    while sent < messages:
        due = min(messages, int((time.perf_counter() - began) * rate) + 1)
        if due > sent:
            line.send(b"".join(stamped(number, controllers) for number in range(sent, due)))
            sent = due
        time.sleep(1 / SLICES_A_SECOND)
        if sent - line.confirmed > WINDOW:
            line.read()
    while line.confirmed < messages:
        line.read()
    return time.perf_counter() - began


def wait_for_start() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def main() -> None:
    port, messages, controllers, lanes = (int(text) for text in sys.argv[1:5])
    rate = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    first_seq = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    line = Line(port, f"load-{port}-{first_seq}")
    seconds = steady(line, messages, controllers, rate) if rate else flood(line, messages, controllers, lanes, first_seq)
    print(seconds, flush=True)


if __name__ == "__main__":
    main()
