"""A server process of the tests: started, awaited by what it prints, its output kept, ended with the run."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from re import Match, Pattern

# Node loads Azurite's 400 packages from a cold disk, on two shared cores; a warm start takes 1 to 3 seconds.
START_SECONDS = 60.0
STOP_SECONDS = 10.0
_KEPT_LINES = 2000


class ServerProcess:
    """One child process; its standard output and error are read all the time, so that it never blocks on a full pipe.

    :param name: what the tests call it, for messages.
    :param command: program and arguments.
    :param cwd: the directory that it may write into.
    :param user: the name of the system's user that runs it; None for the caller.
    """

    def __init__(self, name: str, command: Sequence[str], cwd: Path, *, user: str | None = None) -> None:
        self.name = name
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._changed = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=user,
        )
        self._reader = threading.Thread(target=self._read, name=f"{name}-log", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def log(self) -> str:
        """What the process has printed so far, the last 2,000 lines of it."""
        with self._changed:
            return "\n".join(self._lines)

    def wait_for(self, pattern: Pattern[str], seconds: float = START_SECONDS) -> Match[str]:
        """Wait until the process has printed a line that ``pattern`` matches.

        :raises RuntimeError: it ended, or the time was over; the text holds what it printed.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for line in self._lines:
                    if match := pattern.search(line):
                        return match
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    break
                self._changed.wait(left)
        # A process that closes its output is about to end, if it has not; its exit status is worth a moment.
        how = f"ended ({self._process.wait(STOP_SECONDS)})" if self._ended else f"went on for {seconds:.0f} s"
        self.stop()
        raise RuntimeError(f"{self.name} {how} before it printed {pattern.pattern!r}; it printed:\n{self.log}")

    def write(self, line: str) -> None:
        """Write a line to its standard input."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(f"{line}\n")
        stdin.flush()

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """End the process: asked first, forced after 10 seconds."""
        process = self._process
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
