"""A real terminal around a program: a pseudo-terminal of 80 columns, read to the end, within a bound."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from types import TracebackType

from tests.cli.commands.kit import PROGRAM, SECONDS, Ran, variables

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


def plain(text: str) -> str:
    """Return a terminal's text without its control sequences; a line that was drawn again is another line."""
    return _CONTROL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


class Terminal:
    """``certvar`` at a terminal. Use it in a ``with`` block, which ends the program.

    :param arguments: of the command.
    :param environment: the variables of the program.
    :ivar text: what it has printed so far.
    """

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        # A session of its own, whose controlling terminal this is: getpass opens /dev/tty, and Ctrl-C comes from here.
        self._program = subprocess.Popen(
            [*_LEADER, *PROGRAM, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"TERM": "xterm-256color", **variables(environment)},
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._ours)

    def wait_for(self, text: str) -> None:
        """Read until the program has printed a text."""
        until = time.monotonic() + SECONDS
        while text not in plain(self.text):
            assert self._read(until), f"{text!r} was not printed:\n{self.text}"

    def type(self, text: str) -> None:
        """Type."""
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.type("\x03")

    def send(self, number: signal.Signals) -> None:
        """Send the program a signal, which does not come from the terminal."""
        self._program.send_signal(number)

    def end(self) -> Ran:
        """Read to the end, and return how the program ended; standard error is part of the output."""
        until = time.monotonic() + SECONDS
        while self._read(until):
            pass
        return Ran(self._program.wait(SECONDS), self.text, "")

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, until - time.monotonic()))
        assert ready, f"the program neither prints nor ends:\n{self.text}"
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux: the other side has closed
            return False
        self.text += data.decode()
        return bool(data)


# Makes standard input the controlling terminal of the new session, then becomes the program.
_LEADER = [
    PROGRAM[0],
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])",
]
