"""Whatever an acquisition waits for, it ends at its deadline, and leaves no thread and no connection behind."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, get_args

import pytest
from azure.core.exceptions import ServiceRequestError

from azure_certvar_credential import CallbackSigner, CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.exceptions import AcquisitionTimeoutError, ConfigurationError
from azure_certvar_credential.msal import MsalCertVarCredential
from tests.transport.raw_server import (
    CERTIFICATE,
    CLIENT,
    GOOD,
    TENANT,
    TOKEN,
    TRUSTED,
    Kind,
    Respond,
    ask_twice,
    dripping,
    get_token,
    raw_server,
    sending,
    silent,
)

OK = b"HTTP/1.1 200 OK\r\n"
SLOW: dict[str, Respond] = {
    "nothing at all": silent,
    "a status line without end": dripping(b"HTTP/1.1 200 ", b"a"),
    "a header field without end": dripping(OK + b"X: ", b"a"),
    "header fields without end": dripping(OK, b"X: a\r\n"),
    "a body, an octet at a time": dripping(OK + b"Content-Length: 900000\r\n\r\n", b" "),
    "chunks without end": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "100 Continue without end": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "503 without end": sending(
        b"HTTP/1.1 503 Busy\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    ),
}


@pytest.fixture(params=get_args(Kind))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Which credential asks."""
    kind: Kind = request.param
    return kind


@contextmanager
def ending_within(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


@pytest.mark.parametrize("name", SLOW)
def test_an_answer_that_does_not_end_ends_at_the_deadline(kind: Kind, name: str) -> None:
    retries = {"retry_total": 100, "retry_status": 100} if name == "503 without end" else {}
    with raw_server(SLOW[name]) as server:
        with ending_within(3), pytest.raises(AcquisitionTimeoutError) as caught:
            get_token(kind, server.authority, timeout=0.6, **retries)
        assert server.quiet()
    assert caught.value.timeout == 0.6
    assert str(caught.value).startswith("no token after 0.6 s: waited for the ")
    assert caught.value.waited_for in str(caught.value)


async def asked(credential: Any, **options: Any) -> Exception:
    """Return the error that a call raises in time, and close the credential."""
    with ending_within(6), pytest.raises(AcquisitionTimeoutError) as caught:
        await awaited(credential.get_token("api://one/.default", **options))
    await awaited(credential.close())
    return caught.value


async def awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


@pytest.mark.parametrize("made", [MsalCertVarCredential, AsyncMsalCertVarCredential])
@pytest.mark.parametrize("path", ["", "/tenant"], ids=["Entra", "OpenID"])
async def test_msal_names_the_answer_that_it_waited_for(made: Any, path: str) -> None:
    with raw_server(silent) as server:
        options: dict[str, Any] = {"timeout": 1.5, "connection_verify": str(TRUSTED), "use_env_settings": False}
        if path:
            options["oidc_authority"] = server.authority + path
        else:
            options |= {"authority": server.authority, "disable_instance_discovery": True}
        error = await asked(made(TENANT, CLIENT, CERTIFICATE, **options))
    assert "waited for the answer of https://local" in str(error)


@pytest.mark.parametrize("call", [None, 0.3])
async def test_a_users_token_that_does_not_come_ends_at_the_deadline(call: float | None) -> None:
    async def present_user() -> str:
        await asyncio.sleep(20)
        return TOKEN

    credential = AsyncCertVarCredential(TENANT, CLIENT, CERTIFICATE, timeout=0.3 if call is None else 20)
    error = await asked(credential.on_behalf_of(present_user), timeout=call)
    assert str(error) == "no token after 0.3 s: waited for the user's token (user_assertion)"


@pytest.mark.parametrize("made", [CertVarCredential, AsyncCertVarCredential])
async def test_a_users_token_that_comes_late_is_not_sent_any_more(made: Any) -> None:
    def present_user() -> str:
        time.sleep(0.4)  # in the caller's thread, so nothing else can happen meanwhile
        return TOKEN

    with raw_server(silent) as server:
        credential = made(
            TENANT, CLIENT, CERTIFICATE, timeout=0.3, authority=server.authority, disable_instance_discovery=True
        )
        error = await asked(credential.on_behalf_of(present_user))
        assert server.connections == 0
    assert str(error) == "no token after 0.3 s: waited for the user's token (user_assertion)"


def test_a_server_that_never_shakes_hands_is_given_up_at_the_deadline(kind: Kind) -> None:
    with raw_server(silent, handshake=False) as server:
        with ending_within(3), pytest.raises(AcquisitionTimeoutError, match=r"the answer of https://localhost:\d+/"):
            get_token(kind, server.authority, timeout=0.6)
        assert server.quiet()


def test_a_proxy_whose_answer_does_not_end_is_given_up_at_the_deadline(kind: Kind) -> None:
    with raw_server(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"a"), handshake=False) as proxy:
        proxies = {"https": proxy.authority.replace("https", "http")}
        with ending_within(3), pytest.raises(AcquisitionTimeoutError):
            get_token(kind, "https://login.example", timeout=0.6, proxies=proxies)
        assert proxy.quiet()


def test_the_call_may_have_another_deadline_than_the_credential(kind: Kind) -> None:
    with raw_server(silent) as server, ending_within(3), pytest.raises(AcquisitionTimeoutError, match=r"after 0\.4 s"):
        get_token(kind, server.authority, call_timeout=0.4)


@pytest.mark.parametrize("timeout", [0, -1, True, "5", float("nan"), float("inf"), 10**9])
def test_a_deadline_that_is_no_time_is_refused(kind: Kind, timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout must be a number of seconds"):
        get_token(kind, "https://login.example", timeout=timeout)
    with pytest.raises(ConfigurationError, match="timeout must be a number of seconds"):
        get_token(kind, "https://login.example", call_timeout=timeout)


def test_a_source_that_hangs_is_left_at_the_deadline_and_named(kind: Kind) -> None:
    let_go = threading.Event()

    def vault() -> ClientCertificate:
        let_go.wait(20)
        return CERTIFICATE

    with ending_within(3), pytest.raises(AcquisitionTimeoutError, match=r"waited for the certificate from .*vault"):
        get_token(kind, "https://login.example", vault, timeout=0.4)
    let_go.set()


def test_a_source_that_hung_once_does_not_keep_the_next_caller_from_it(kind: Kind) -> None:
    let_go, readings = threading.Event(), 0

    def vault() -> ClientCertificate:
        nonlocal readings
        readings += 1
        if readings == 1:
            let_go.wait(20)
        return CERTIFICATE

    with raw_server(sending(GOOD)) as server, ending_within(5):
        assert ask_twice(kind, server.authority, vault) == ["AcquisitionTimeoutError", TOKEN]
    let_go.set()


def test_a_signer_that_hangs_is_left_at_the_deadline_and_named(kind: Kind) -> None:
    let_go, hangs = threading.Event(), False

    def sign(message: bytes, algorithm: str) -> bytes:
        if hangs:
            let_go.wait(20)
        return CERTIFICATE.signer.sign(message, algorithm)

    certificate = ClientCertificate(CERTIFICATE.leaf, CallbackSigner(CERTIFICATE.leaf, sign))
    hangs = True
    with ending_within(3), pytest.raises(AcquisitionTimeoutError, match=r"PS256 signature .*\(CallbackSigner\)"):
        get_token(kind, "https://login.example", certificate, timeout=0.4)
    let_go.set()


@contextmanager
def dead_address(port: int, host: str) -> Iterator[None]:
    """Leave every connection to an address unanswered: its queue is full, so the kernel drops what comes."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((host, port))
        yield


def test_the_addresses_of_a_name_get_twice_the_time_of_one(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hosts = [f"127.0.0.{number}" for number in range(1, 9)]
    resolve = socket.getaddrinfo

    def many(host: Any, *arguments: Any, **options: Any) -> Any:
        if host not in ("login.example", b"login.example"):
            return resolve(host, *arguments, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in hosts]

    monkeypatch.setattr(socket, "getaddrinfo", many)
    with ExitStack() as stack:
        for host in hosts:
            stack.enter_context(dead_address(port, host))
        with ending_within(2), pytest.raises(ServiceRequestError):
            get_token(kind, f"https://login.example:{port}", connection_timeout=0.4, retry_total=0)


def reset(connection: Any) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("handshake", [True, False], ids=["after the request", "before it"])
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_there_are_no_more_connections_than_retries_and_one(kind: Kind, retries: int, handshake: bool) -> None:
    with raw_server(reset, handshake=handshake) as server:
        with pytest.raises(Exception, match=r"\w"):
            get_token(kind, server.authority, retry_total=retries)
        assert server.connections == retries + 1
        assert len(server.jtis) == len(set(server.jtis)) == (retries + 1 if handshake else 0)


def test_a_metadata_document_counts_as_well(kind: Kind) -> None:
    with raw_server(reset) as server:
        with pytest.raises(Exception, match=r"\w"):
            get_token(kind, "", oidc_authority=f"{server.authority}/x", retry_total=2)
        assert server.connections == 3


def test_outside_of_the_main_thread_an_acquisition_starts_no_thread_but_for_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[str] = []
    start = threading.Thread.start

    def noting(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noting)
    with raw_server(sending(GOOD)) as server:
        assert get_token("sync, outside of the main thread", server.authority, calls=3) == TOKEN
    assert {name for name in started if name.startswith("certvar")} == {"certvar-lookup"}


def test_a_source_still_gets_a_thread_of_its_own_everywhere() -> None:
    threads = []

    def source() -> ClientCertificate:
        threads.append(threading.current_thread().name)
        return CERTIFICATE

    with raw_server(sending(GOOD)) as server:
        get_token("sync, outside of the main thread", server.authority, source)
    assert threads == ["certvar-background"]
