"""A journey: one credential meets one fault in every state of a token, with a scope for each state."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, FederatedCredential
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.aio import FederatedCredential as AsyncFederatedCredential
from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.msal import MsalCertVarCredential
from tests.credential.world import Clock, Driver
from tests.faults.fault import GOOD, Fault
from tests.faults.server import Certificates, Server, serving
from tests.faults.table import State
from tests.msal.world import MsalDriver, use_clock

PROXY_USER, PROXY_PASSWORD = "user-of-the-proxy", "password-of-the-proxy"
_TENANT, _CLIENT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
# By the credential's name without its shell: the sync and the aio class.
_CLASSES: dict[str, tuple[Any, Any]] = {
    "": (CertVarCredential, AsyncCertVarCredential),
    "on behalf of": (CertVarCredential, AsyncCertVarCredential),
    "MSAL": (MsalCertVarCredential, AsyncMsalCertVarCredential),
    "federated": (FederatedCredential, AsyncFederatedCredential),
}
# The token of a user, until 2100; nobody issued it.
USER_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDAsInN1YiI6ImEtdXNlciJ9.c2lnbmF0dXJlLW9mLXRoZS11c2Vycy10b2tlbg"


@dataclass(frozen=True)
class Outcome:
    """What became of a token that was asked for in one state.

    :ivar token: what ``get_token`` returned.
    :ivar error: what it raised.
    :ivar seconds: how long it took.
    :ivar settled: how long it took with what went on in the background.
    :ivar later: the token of the next call; None after an error.
    :ivar requests: how many token requests arrived.
    :ivar again: how many more of the next call.
    :ivar connections: how many connections were made.
    """

    token: str | None
    error: Exception | None
    seconds: float
    settled: float
    later: str | None
    requests: int
    again: int
    connections: int


@dataclass(frozen=True)
class Journey:
    """What became of all.

    :ivar outcomes: by state.
    :ivar jtis: of all assertions that were sent.
    :ivar assertions: these themselves.
    :ivar elsewhere: whether anybody came to the host that redirects name.
    """

    outcomes: dict[State, Outcome]
    jtis: list[str]
    assertions: list[str]
    elsewhere: bool


@dataclass(frozen=True)
class _Traveller:
    """A credential under way.

    :ivar asked: which is asked for tokens.
    :ivar whole: the credential behind it, which has the background and is closed.
    """

    asked: Driver
    whole: Driver


def _traveller(credential: str, pem: str, password: str, options: dict[str, Any]) -> _Traveller:
    name = credential.removeprefix("sync").removeprefix("aio").strip()
    make = _CLASSES[name][credential.startswith("aio")]
    if name == "federated":
        signer = CertVarCredential(_TENANT, _CLIENT, pem, password=password, **options)
        driver = Driver(make(_TENANT, _CLIENT, signer.client_assertion, **options))
        return _Traveller(driver, driver)
    given = make(_TENANT, _CLIENT, pem, password=password, **options)
    driver = MsalDriver(given) if name == "MSAL" else Driver(given)
    return _Traveller(driver.for_user(USER_TOKEN) if name == "on behalf of" else driver, driver)


async def travel(
    credential: str, fault: Fault, *, certificates: Certificates, pem: str, password: str, patch: pytest.MonkeyPatch
) -> Journey:
    """Get a token for each state that has one, begin the fault, and ask again when each is of its age."""
    clock = Clock()
    use_clock(patch, clock)
    aged = [state for state in State if state.value is not None]
    with serving(certificates, tokens=len(aged), proxied=fault.proxy is not None) as server, _listening() as elsewhere:
        options: dict[str, Any] = {
            "authority": f"https://localhost:{server.port}",
            "disable_instance_discovery": True,
            "connection_verify": str(certificates.ca_file),
            "use_env_settings": False,
            "retry_total": 1,
            "retry_backoff_factor": 0,
            "_clock": clock,
            **fault.options,
        }
        if fault.proxy is not None:
            options["proxies"] = {"https": f"http://{PROXY_USER}:{PROXY_PASSWORD}@127.0.0.1:{server.port}"}
        traveller = _traveller(credential, pem, password, options)
        try:
            for state in aged:
                # The fault's own time-out may be a quarter of a second, in which a first connection need not succeed.
                assert (await traveller.asked.get_token(_scope(state), timeout=30)).token == GOOD
            began = clock.now
            server.begin(_placed(fault, server, elsewhere))
            if fault.resolve is not None:
                patch.setattr(socket, "getaddrinfo", fault.resolve)
                # aiohttp remembers a name for ten seconds.
                patch.setattr("aiohttp.connector._DNSCacheTable.expired", lambda *_: True)
            outcomes = {}
            for state in State:
                clock.now = began + (state.value or 0.0)
                outcomes[state] = await _ask(traveller, _scope(state), server)
        finally:
            await traveller.whole.close()
        return Journey(outcomes, server.jtis, server.assertions, _was_visited(elsewhere))


async def _ask(traveller: _Traveller, scope: str, server: Server) -> Outcome:
    requests, connections = len(server.requests), server.connections
    token = later = error = None
    began = time.perf_counter()
    try:
        token = (await traveller.asked.get_token(scope)).token
    except Exception as failure:  # noqa: BLE001 - the test looks at it
        error = failure
    seconds = time.perf_counter() - began
    await traveller.whole.settle()
    settled = time.perf_counter() - began
    asked, connected = len(server.requests), server.connections
    if error is None:
        later = (await traveller.asked.get_token(scope)).token
        await traveller.whole.settle()
    return Outcome(
        token,
        error,
        seconds,
        settled,
        later,
        requests=asked - requests,
        again=len(server.requests) - asked,
        connections=connected - connections,
    )


def _scope(state: State) -> str:
    return f"https://{state.name.lower().replace('_', '-')}.example/.default"


def _placed(fault: Fault, server: Server, elsewhere: socket.socket) -> Fault:
    """Write the ports into an answer that names them."""
    ports = {b"{here}": server.port, b"{elsewhere}": elsewhere.getsockname()[1]}

    def write(octets: bytes) -> bytes:
        for name, port in ports.items():
            octets = octets.replace(name, str(port).encode())
        return octets

    if isinstance(fault.answer, bytes) and fault.answer.startswith(b"HTTP/1.1 3"):
        fault = replace(fault, answer=write(fault.answer))
    return replace(fault, proxy=None if fault.proxy is None else write(fault.proxy))


@contextmanager
def _listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def _was_visited(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def proxy_secrets() -> list[str]:
    """Return the proxy's user and password in every form that is sent."""
    pair = f"{PROXY_USER}:{PROXY_PASSWORD}"
    return [PROXY_USER, PROXY_PASSWORD, base64.b64encode(pair.encode()).decode()]
