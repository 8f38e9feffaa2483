"""Free ports on loopback."""

from __future__ import annotations

import errno
import socket

LOOPBACK = "127.0.0.1"
# Next-door ports tried before giving up on the neighbourhood and taking any.
TRIES = 64
HIGHEST_PORT = 65_535


def free_port(preferred: int = 0, *, avoid: frozenset[int] = frozenset()) -> int:
    """The first free TCP port on loopback at or above `preferred`.

    A port counts as free when nothing listens on it, neither on loopback nor on all addresses. The caller that finds another
    number than it asked for should say so: a demo that moves silently is one that can't be found.

    Args:
        preferred: Where to start; 0 lets the system choose.
        avoid: Ports promised to someone else already.

    Returns:
        A port that was free a moment ago (whoever binds it next has it).
    """
    if preferred:
        for port in range(preferred, min(preferred + TRIES, HIGHEST_PORT + 1)):
            if port not in avoid and _can_bind(port):
                return port
    while True:
        with socket.socket() as any_port:
            any_port.bind((LOOPBACK, 0))
            port = int(any_port.getsockname()[1])
        if port not in avoid:
            return port


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port that only lingers in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            # On all addresses, since a server bound to 0.0.0.0 shares the port with a loopback one only by stealing from it.
            probe.bind(("", port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True
