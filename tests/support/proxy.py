"""A TCP proxy on loopback that can cut, hang or refuse: the network between two parts, at a test's command."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

CHUNK = 65_536


class Proxy:
    """Forwards a loopback port to a target until told to misbehave.

    Attributes:
        port: Where clients connect.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        """Start it.

        Args:
            connect: Makes a connection to the target.
        """
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection with a reset, and refuse new ones until `heal`."""
        self._refuses = True
        self._reset_all()

    def hang(self) -> None:
        """Half open: connections stay, and nothing passes in either direction until `heal`."""
        self._flows.clear()

    def heal(self) -> None:
        """Forward again."""
        self._refuses = False
        self._flows.set()

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._listener.close()
        self.heal()
        self._reset_all()

    def _reset_all(self) -> None:
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    # Linger 0: a reset when it is closed, as from a router that forgot the connection.
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                client.close()
                continue
            try:
                target = self._connect()
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, target))
            threading.Thread(target=self._serve, args=(client, target), daemon=True).start()

    def _serve(self, client: socket.socket, target: socket.socket) -> None:
        """Both directions until both have ended."""
        back = threading.Thread(target=self._pump, args=(target, client), daemon=True)
        back.start()
        self._pump(client, target)
        back.join()
        with self._lock:
            self._pairs.remove((client, target))
        client.close()
        target.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(CHUNK):
                self._flows.wait()
                sink.sendall(data)
        except OSError:
            pass  # Cut, or an end has gone: the other end shall know.
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
