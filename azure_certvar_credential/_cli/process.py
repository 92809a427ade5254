"""Runs a program as a child: its signals are passed on, and its exit code is the caller's."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence

from azure_certvar_credential._cli.signals import delivered

NOT_EXECUTABLE = 126
NOT_FOUND = 127
_KILLED = 128

# What a service manager or another process sends to the process that it knows, which is not the program itself.
_PASSED_ON = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if hasattr(signal, name)
)
# What a terminal sends, to every process in its foreground.
_FROM_TERMINALS = frozenset(signal.Signals[name] for name in ("SIGINT", "SIGQUIT", "SIGBREAK") if hasattr(signal, name))


async def run_program(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program until it ends; only in the main thread.

    :param command: the program, looked up in the PATH of ``environment``, and its arguments.
    :param environment: its environment.
    :returns: its exit code, or 128 and the number of the signal that ended it, as shells count.
    :raises OSError: it cannot be started.
    """
    process: asyncio.subprocess.Process | None = None
    early: list[signal.Signals] = []

    def pass_on(number: signal.Signals) -> None:
        if process is None:
            early.append(number)
        elif process.returncode is None and not (number in _FROM_TERMINALS and _is_in_foreground()):
            process.send_signal(number)

    # From before the start: a signal in between would end this process and leave the program.
    with delivered(_PASSED_ON, pass_on):
        process = await asyncio.create_subprocess_exec(*command, env=dict(environment))
        for number in early:
            pass_on(number)
        code = await process.wait()
    return code if code >= 0 else _KILLED - code


def failure_code(error: OSError) -> int:
    """Return the exit code of a program that cannot be started, as shells and ``env`` have it.

    :param error: what :func:`run_program` raised.
    """
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def _is_in_foreground() -> bool:
    """Return whether this process, and with it the program, gets the signals of the terminal's keys."""
    if os.name == "nt":
        # A console sends them to every process that it has.
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
