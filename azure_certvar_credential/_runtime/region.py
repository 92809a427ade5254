"""Finds out which Azure region the process runs in: from its environment, or from the machine it runs on.

https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
"""

from __future__ import annotations

import io
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping

# The standard library's, not a pipeline of azure-core's: the caller's proxies, policies and transport must not see this
# request, which is for the machine itself, and it needs a bound on the whole of it that no pipeline has.
from http.client import HTTPException, HTTPResponse
from typing import Any, cast

from azure_certvar_credential._core.region import normalized
from azure_certvar_credential._runtime.events import event
from azure_certvar_credential._runtime.fork import tell_after_fork

_LOGGER = logging.getLogger("azure_certvar_credential")

# App Service and Functions say there where they run, as the portal spells it.
VARIABLE = "REGION_NAME"
# A link-local address (RFC 3927), answered by the host of a virtual machine and never routed.
ADDRESS = ("169.254.169.254", 80)
PATH = "/metadata/instance/compute/location?format=text&api-version=2021-01-01"
# Seconds for all of it: outside Azure the address mostly stays silent, and a caller is waiting.
LIMIT = 2.0
# After a failure, the next attempt is made when this many seconds have passed.
BACKOFF = 600.0
_LONGEST = 256


class RegionDetector:
    """The region of this process, found once and remembered; usable from any thread.

    :param environment: the process's environment variables.
    :param address: host and port of the instance metadata service.
    :param clock: returns seconds that never go back.
    :param limit: how many seconds the service may take in all.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        address: tuple[str, int] = ADDRESS,
        clock: Callable[[], float] = time.monotonic,
        limit: float = LIMIT,
    ) -> None:
        self._environment = environment
        self._address = address
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        # The region, or None after a failure, and until when that stands.
        self._found: tuple[str | None, float] | None = None
        tell_after_fork(self)

    @property
    def known(self) -> bool:
        """Whether :meth:`detect` would return at once."""
        found = self._found
        return found is not None and self._clock() < found[1]

    def detect(self) -> str | None:
        """Return the region, such as ``westeurope``, or None if there is none to be found; takes 2 s at most.

        Of several threads one looks, and the others wait for it. A region stands for good; a failure is logged, and
        stands for ten minutes.
        """
        if self.known:
            return self._answer()
        warnings: list[tuple[Any, ...]] = []
        with self._lock:
            if not self.known:
                region = self._from_environment(warnings) or self._from_machine(warnings)
                self._found = (region, float("inf") if region is not None else self._clock() + BACKOFF)
        # Not under the lock: a log handler may ask another credential for a token, and that one for the region.
        for warning in warnings:
            _LOGGER.warning(*warning, extra=event("region_unknown"))
        return self._answer()

    def after_fork(self) -> None:
        """Start afresh in a child process: a thread that held the lock is not there. What is known stays known."""
        self._lock = threading.Lock()

    def _answer(self) -> str | None:
        return None if self._found is None else self._found[0]

    def _from_environment(self, warnings: list[tuple[Any, ...]]) -> str | None:
        name = self._environment.get(VARIABLE, "")
        region = normalized(name)
        if name and region is None:
            warnings.append(
                ("the environment variable %s is not the name of an Azure region, and is ignored", VARIABLE)
            )
        return region

    def _from_machine(self, warnings: list[tuple[Any, ...]]) -> str | None:
        # The clock that time-outs run by, whatever the other one says.
        deadline = time.monotonic() + self._limit
        region: str | None = None
        try:
            status, body = _ask(self._address, deadline)
            if status == 200 and len(body) <= _LONGEST:
                region = normalized(body.decode("ascii", "replace").strip())
            reason = f"HTTP {status} with {len(body)} bytes that are no region"
        except (OSError, HTTPException) as error:
            reason = type(error).__name__
        if region is None:
            text = (
                "the Azure region could not be detected, so the global token endpoint is asked: "
                "the instance metadata service did not name it (%s); next attempt in %.0f s"
            )
            warnings.append((text, reason, BACKOFF))
        return region


def _ask(address: tuple[str, int], deadline: float) -> tuple[int, bytes]:
    """Return status and body of what the instance metadata service answers, at most 257 octets of it.

    :raises OSError: no answer until the deadline.
    :raises HTTPException: what answers does not speak HTTP.
    """
    host, port = address
    request = f"GET {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nMetadata: true\r\nConnection: close\r\n\r\n"
    with socket.create_connection(address, timeout=_remaining(deadline)) as connection:
        connection.settimeout(_remaining(deadline))
        connection.sendall(request.encode("ascii"))
        # A response asks a socket for nothing but a file to read from.
        with HTTPResponse(cast("socket.socket", _Readable(connection, deadline)), method="GET") as response:
            response.begin()
            return response.status, response.read(_LONGEST + 1)


class _Readable(io.RawIOBase):
    """What a socket receives until a moment. A time-out of the socket's own would begin anew with every octet."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return itself as the file that an HTTP response reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Say that there is something to read."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Receive what there is."""
        self._connection.settimeout(_remaining(self._deadline))
        return self._connection.recv_into(cast("bytearray", buffer))


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("the instance metadata service took too long")
    return remaining


# One for the process: every credential in it runs in the same region.
process = RegionDetector()


def detect_region() -> str | None:
    """Return the region of this process; as :meth:`RegionDetector.detect`."""
    return process.detect()
