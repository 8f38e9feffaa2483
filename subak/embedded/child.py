"""Child processes that end with us, whatever ends us.

A server that we start must neither outlive a parent that was killed with `kill -9`, nor be hit by the terminal's Ctrl-C before
the pipeline in front of it has written what it holds. So each child gets a session of its own, and beside it a watcher: a shell
blocked on a pipe of which only we hold the other end. The kernel closes that end when we die, and the watcher ends the child.
(`PR_SET_PDEATHSIG` would do without the watcher, but fires when the *thread* that started the child ends.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The shell ignores what a terminal sends to a whole group; it only waits for its input to end. It has no child of its own, so
# nothing is left of it either.
_WATCH = 'trap "" INT TERM HUP; read -r _; kill -s "$2" "$1" 2>/dev/null'


class Child:
    """One running child process.

    Attributes:
        pid: Its process id.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        output: IO[bytes],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        group: int | None = None,
        end_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Start it.

        Args:
            command: Program and arguments.
            output: Open file for what it prints (both streams).
            cwd: Working folder.
            env: Its whole environment; ours when None.
            user: Run as this user id (root only).
            group: Run with this group id alone (root only).
            end_signal: What asks it politely to end.
        """
        self._end_signal = end_signal
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=None if env is None else dict(env),
            user=user,
            group=group,
            extra_groups=None if group is None else [],
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "sh", str(self.pid), end_signal.name.removeprefix("SIG")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended: an exit status, minus a signal number, or None while it runs."""
        return self._process.poll()

    def end(self, *escalation: tuple[signal.Signals, float]) -> None:
        """Ask it to end, then insist. Safe to call twice.

        Args:
            escalation: Signals and the seconds to wait after each; SIGKILL follows the last by itself.
        """
        for number, patience_s in escalation or ((self._end_signal, 2.0),):
            if self.is_running:
                self._process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience_s)
        self.kill()

    def kill(self) -> None:
        """End it and the processes it started at once (SIGKILL), as a power cut would.

        Those of a database server would else live on for a moment, and could still commit.
        """
        # The watcher first: it must not send its signal to whoever gets the pid next.
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()
        if self.is_running:
            # Stopped first, so that it starts none while we look for them.
            self._process.send_signal(signal.SIGSTOP)
            children = _children(self.pid)
            self._process.kill()
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        self._process.wait()


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # Gone meanwhile, or not ours to see.
        with contextlib.suppress(OSError):
            if int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def wait_gone(pid: int, timeout_s: float) -> bool:
    """Wait until process `pid`, not necessarily our child, has ended; False when it has not in time."""
    deadline = time.monotonic() + timeout_s
    stat = Path("/proc") / str(pid) / "stat"
    while time.monotonic() < deadline:
        try:
            # A zombie has ended; its parent (a container's init perhaps) is just slow to notice.
            if stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False
