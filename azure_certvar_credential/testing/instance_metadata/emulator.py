"""A local Azure Instance Metadata Service, limited to the region of the computer.

https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable

from azure_certvar_credential.testing.fault_queue import FaultQueue, Predicate
from azure_certvar_credential.testing.faults import Fault
from azure_certvar_credential.testing.http import (
    Conditions,
    Delivery,
    Request,
    Response,
    conditions_of,
    respond,
    respond_json,
)
from azure_certvar_credential.testing.server import LoopbackServer

IMDS_HOST = "169.254.169.254"
"""The service's link-local address on every virtual machine in Azure."""

COMPUTE_PATH = "/metadata/instance/compute"

_API_VERSION = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_NEWEST_VERSIONS = ("2023-11-15", "2023-07-01", "2021-02-01")


class InstanceMetadataEmulator:
    """A local Instance Metadata Service.

    :meth:`handle` answers a request without I/O. :meth:`serve` serves it over plain HTTP on the loopback interface; the
    in-process transports of a local Entra reach it at its own address, 169.254.169.254. All methods are thread-safe.

    >>> with InstanceMetadataEmulator("westeurope").serve() as server:
    ...     url = f"{server.url}/metadata/instance/compute/location?format=text&api-version=2021-02-01"
    ...     urllib.request.urlopen(urllib.request.Request(url, headers={"Metadata": "true"})).read()
    b'westeurope'

    :param location: the region, such as ``westeurope``; any text is returned unchanged. None simulates a computer
        outside Azure: every connection is reset.
    :param clock: the server's time, seconds since the epoch.

    :ivar location: the region; may be changed at any time.
    :ivar faults: the faults that wait for a request.
    """

    def __init__(self, location: str | None = "westeurope", *, clock: Callable[[], float] = time.time) -> None:
        self.location = location
        self.faults = FaultQueue()
        self._clock = clock
        self._paths: deque[str] = deque(maxlen=1000)

    @property
    def requests(self) -> tuple[str, ...]:
        """The paths of the latest requests, oldest first, without those that were reset."""
        return tuple(self._paths)

    def inject(self, fault: Fault, *, times: int | None = 1, when: Predicate | None = None) -> None:
        """Make the next requests fail.

        >>> entra.instance_metadata.inject(Fault.hang())

        :param fault: the fault that they meet; clients of the real service meet :meth:`Fault.hang`,
            :meth:`Fault.server_error` with 404 or 500, and :meth:`Fault.not_json`.
        :param times: the number of requests; None for all until ``faults.clear()``.
        :param when: selects the requests; None for every request.
        :raises ValueError: ``times`` is less than one.
        """
        self.faults.add(fault, times, when or (lambda _: True))

    def release(self) -> None:
        """Release the answers that :meth:`Fault.hang` holds.

        >>> entra.instance_metadata.release()
        """
        self.faults.release()

    def serve(self) -> InstanceMetadataServer:
        """Return a context manager that serves it over plain HTTP on 127.0.0.1 while it is open.

        >>> with InstanceMetadataEmulator("westeurope").serve() as server:
        ...     print(server.url)
        http://127.0.0.1:...
        """
        return InstanceMetadataServer(self)

    def handle(self, request: Request) -> Response:
        """Answer a request.

        >>> request = Request(
        ...     "GET", "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01", {"Metadata": "true"}
        ... )
        >>> InstanceMetadataEmulator("westeurope").handle(request).json()["location"]
        'westeurope'

        :param request: the request.
        """
        if self.location is None:
            return Response(0, {}, delivery=Delivery(reset="before"))
        conditions, location = conditions_of(request, self._clock()), self.location
        fault = self.faults.take(request)
        if fault is None:
            response = _answer(request, conditions, location)
        else:
            response = fault.apply(lambda changed: _answer(request, changed, location), conditions)
        if fault is None or fault.recorded:
            self._paths.append(request.path)
        if response.delivery.hold is not None:
            self.faults.hold(response.delivery.hold)
        return response

    def __repr__(self) -> str:
        return f"<InstanceMetadataEmulator {self.location or 'outside Azure'}>"


class InstanceMetadataServer(LoopbackServer):
    """Serves the local Instance Metadata Service over plain HTTP, as Azure does.

    See ``testing.server.LoopbackServer``; ``url`` stands in for
    ``http://169.254.169.254``.

    >>> with InstanceMetadataServer(InstanceMetadataEmulator("westeurope"), port=0) as server:
    ...     print(server.url)
    http://127.0.0.1:...
    """

    emulator: InstanceMetadataEmulator


def _answer(request: Request, conditions: Conditions, location: str) -> Response:
    if request.method != "GET":
        return respond_json(conditions, 405, {"error": "Method not allowed."}, headers={"Allow": "GET"})
    # The header blocks requests forged through another server (the documentation's "Security and authentication").
    if request.headers.get("metadata", "").lower() != "true" or "x-forwarded-for" in request.headers:
        return respond_json(conditions, 400, {"error": "Bad request. Required metadata header not specified"})
    if not _API_VERSION.fullmatch(request.query.get("api-version", "")):
        error = (
            "Bad request. api-version is invalid or was not specified in the request. "
            "For more information refer to aka.ms/azureimds"
        )
        return respond_json(conditions, 400, {"error": error, "newest-versions": list(_NEWEST_VERSIONS)})
    wants_text = request.query.get("format", "json").lower() == "text"
    if request.path == f"{COMPUTE_PATH}/location" and wants_text:
        return respond(conditions, 200, location.encode(), content_type="text/plain; charset=utf-8")
    if request.path == COMPUTE_PATH and not wants_text:
        return respond_json(conditions, 200, {"location": location, "osType": "Linux"})
    return respond_json(conditions, 404, {"error": "Not found"})
