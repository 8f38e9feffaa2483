"""Publishes packets made beforehand as fast as the broker confirms them, or at a steady rate. A process of its own.

`python -m tests.benchmarks.publisher PORT MESSAGES CONTROLLERS LANES RATE FIRST_SEQ`; prints `ready`, waits for a line on
standard input, sends, prints the seconds it took.
"""

from __future__ import annotations

import socket
import sys
import time

import mqtt5

from tests.benchmarks.grid import packets

WINDOW = 2_000  # unconfirmed messages at most
CHUNK = 200


def main() -> None:
    port, messages, controllers, lanes = (int(text) for text in sys.argv[1:5])
    rate = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    first_seq = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    made = packets(messages, controllers, lanes, first_seq)
    chunks = [b"".join(made[n : n + CHUNK]) for n in range(0, messages, CHUNK)]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(mqtt5.ConnectPacket(f"load-{port}-{first_seq}", clean_start=True, keep_alive=600).write())
        buffer = bytearray()
        confirmed = -1  # CONNACK is the first answer

        def read() -> None:
            nonlocal confirmed
            buffer.extend(connection.recv(65_536))
            offset = 0
            # Fixed header and one length byte: every answer here is shorter than 128 bytes.
            while len(buffer) - offset >= 2 and len(buffer) - offset >= 2 + buffer[offset + 1]:
                offset += 2 + buffer[offset + 1]
                confirmed += 1
            del buffer[:offset]

        while confirmed < 0:
            read()
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.perf_counter()
        sent = 0
        for chunk in chunks:
            while sent - confirmed > WINDOW:
                read()
            if rate:
                ahead = sent / rate - (time.perf_counter() - began)
                if ahead > 0:
                    time.sleep(ahead)
            connection.sendall(chunk)
            sent = min(messages, sent + CHUNK)
        while confirmed < messages:
            read()
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
