"""The managed-identity endpoint on a real socket: many clients and one token request, floods, drips, and its log."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._cli.identity_endpoint import server
from azure_certvar_credential._cli.identity_endpoint.answers import Answer
from azure_certvar_credential._cli.identity_endpoint.requests import Guard, app_service
from azure_certvar_credential._cli.identity_endpoint.server import MAX_CONNECTIONS, Place, listening
from azure_certvar_credential.aio import CertVarCredential
from azure_certvar_credential.testing import EntraEmulator, Fault

CROWD = 50
STORAGE = "https://storage.azure.com"


@dataclass
class Endpoint:
    """An open endpoint, and raw HTTP to it."""

    entra: EntraEmulator
    client_id: str
    place: Place
    port: int
    secret: str
    answers: list[Answer] = field(default_factory=list)

    def request(self, *more: str, resource: str = STORAGE, secret: str | None = None) -> bytes:
        lines = [
            f"GET /msi/token?api-version=2019-08-01&resource={resource} HTTP/1.1",
            f"Host: {'localhost' if self.place.path else f'127.0.0.1:{self.port}'}",
            f"X-IDENTITY-HEADER: {self.secret if secret is None else secret}",
            *more,
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.place.path is not None:
            return await asyncio.open_unix_connection(self.place.path)
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, request: bytes) -> tuple[int, dict[str, Any]]:
        reader, writer = await self.connect()
        writer.write(request)
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        return status, json.loads(body) if b"application/json" in head else {}


@asynccontextmanager
async def opened(place: Place | None = None, entra: EntraEmulator | None = None) -> AsyncIterator[Endpoint]:
    entra = entra or EntraEmulator()
    certificate = ClientCertificate.self_signed("app")
    application = entra.add_application(certificate)
    place = place or Place()
    listener = place.open()
    form = app_service()
    guard = Guard((form,), frozenset(place.hosts(listener)), application.client_id, None)
    port = 0 if place.path else listener.getsockname()[1]
    endpoint = Endpoint(entra, application.client_id, place, port, form.value)
    async with CertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate,
        retry_total=0,
        transport=entra.async_transport(),
    ) as credential:
        try:
            async with listening(listener, guard, credential, endpoint.answers.append):
                yield endpoint
        finally:
            place.close(listener)


async def test_fifty_clients_at_once_are_one_request() -> None:
    async with opened() as endpoint:
        answers = await asyncio.gather(*(endpoint.send(endpoint.request()) for _ in range(CROWD)))

        assert [status for status, _ in answers] == [200] * CROWD
        assert len({body["access_token"] for _, body in answers}) == 1
        assert len(endpoint.entra.requests) == 1


async def test_the_answer_has_the_documented_fields() -> None:
    async with opened() as endpoint:
        _, body = await endpoint.send(endpoint.request())

    assert body.keys() == {"access_token", "client_id", "expires_in", "expires_on", "resource", "token_type"}
    assert (body["token_type"], body["resource"], body["client_id"]) == ("Bearer", STORAGE, endpoint.client_id)
    assert 3500 < int(body["expires_in"]) < 3600  # both are strings, as in Azure
    assert body["expires_on"].isdecimal()


async def test_nothing_secret_is_in_what_is_logged() -> None:
    async with opened() as endpoint:
        _, body = await endpoint.send(endpoint.request())
        await endpoint.send(endpoint.request(secret="wrong"))

        assert [answer.status for answer in endpoint.answers] == [200, 401]
        shown = repr(endpoint.answers)
        assert STORAGE in shown
        for secret in (body["access_token"], endpoint.secret, "wrong "):
            assert secret not in shown


async def test_a_refusal_of_entra_is_told_once_to_everybody() -> None:
    async with opened() as endpoint:
        endpoint.entra.inject(Fault.aadsts(7000112))
        answers = await asyncio.gather(*(endpoint.send(endpoint.request()) for _ in range(CROWD)))

        assert {status for status, _ in answers} == {400}
        assert len(endpoint.entra.requests) == 1
        _, body = answers[0]
        assert (body["error"], body["error_codes"]) == ("unauthorized_client", [7000112])
        assert body["error_description"] == body["message"]
        assert "AADSTS7000112" in body["message"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.server_error(503), 503), (Fault.reset_after(), 502)],
    ids=["server error", "reset"],
)
async def test_a_failure_that_may_pass_is_one_that_clients_repeat(fault: Fault, status: int) -> None:
    async with opened() as endpoint:
        endpoint.entra.inject(fault)
        assert (await endpoint.send(endpoint.request()))[0] == status
        assert (await endpoint.send(endpoint.request()))[0] == 200


async def test_a_client_hears_how_long_entra_throttles() -> None:
    async with opened() as endpoint:
        endpoint.entra.inject(Fault.throttled(7))
        assert (await endpoint.send(endpoint.request()))[0] == 503
        assert endpoint.answers[-1].headers == {"Retry-After": "7"}


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["X-Long: " + "a" * 5000], 400),
        ([f"X-{number}: a" for number in range(100)], 400),
        (["Content-Length: 3"], 413),
        (["Transfer-Encoding: chunked"], 413),
        (["Host: evil.example"], 400),  # aiohttp's parser does not even let two through
        (["Content-Length: 3", "Transfer-Encoding: chunked"], 400),
    ],
    ids=["long field", "many fields", "body", "chunked body", "two hosts", "smuggling"],
)
async def test_a_request_out_of_bounds_is_refused(lines: list[str], status: int) -> None:
    async with opened() as endpoint:
        assert (await endpoint.send(endpoint.request(*lines)))[0] == status
        assert (await endpoint.send(endpoint.request(resource="a" * 5000)))[0] == 400
        assert len(endpoint.entra.requests) == 0
        assert (await endpoint.send(endpoint.request()))[0] == 200


async def test_a_connection_serves_one_request() -> None:
    async with opened() as endpoint:
        reader, writer = await endpoint.connect()
        writer.write(endpoint.request() * 3)
        assert (await reader.read()).count(b"HTTP/1.1 ") == 1
        writer.close()
        assert len(endpoint.answers) == 1


async def test_a_connection_too_many_is_closed_and_those_before_are_served() -> None:
    async with opened() as endpoint:
        idle = [await endpoint.connect() for _ in range(MAX_CONNECTIONS)]
        await idle[-1][1].drain()
        await asyncio.sleep(0)
        reader, writer = await endpoint.connect()
        assert await reader.read() == b""
        writer.close()

        first_reader, first = idle[0]
        first.write(endpoint.request())
        assert b" 200 " in (await first_reader.read())[:20]
        for _, writer in idle:
            writer.close()


async def test_a_client_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.1)
    async with opened() as endpoint:
        reader, writer = await endpoint.connect()
        writer.write(endpoint.request()[:-1])
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_waits_for_a_slow_answer_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.1)
    async with opened() as endpoint:
        endpoint.entra.inject(Fault.latency(0.3))
        assert (await endpoint.send(endpoint.request()))[0] == 200


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Host: 127.0.0.1", b"Host: evil.example", 403),
        (b"Host: ", b"X-Forwarded-For: 203.0.113.7\r\nHost: ", 403),
        (b"GET /msi", b"GET http://evil.example/msi", 404),
        (b"GET /msi/token", b"OPTIONS *", 400),
        (b"GET ", b"OPTIONS ", 405),
        (b"GET ", b"\x00\xff ", 400),
    ],
    ids=["rebinding", "forwarded", "absolute form", "asterisk form", "preflight", "garbage"],
)
async def test_an_attack_on_the_socket_is_refused_in_silence(
    old: bytes, new: bytes, status: int, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with opened() as endpoint:
        reader, writer = await endpoint.connect()
        writer.write(endpoint.request().replace(old, new))
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()

        assert int(head.split()[1]) == status
        assert b"access-control" not in head.lower()
        assert len(endpoint.entra.requests) == 0
        assert endpoint.secret not in caplog.text + capfd.readouterr().err
    assert not caplog.records


async def test_closing_ends_a_request_under_way() -> None:
    entra = EntraEmulator()
    async with opened(entra=entra) as endpoint:
        entra.inject(Fault.hang(60))
        sent = asyncio.ensure_future(endpoint.send(endpoint.request()))
        await asyncio.to_thread(entra.wait_for_hanging)
    with pytest.raises((IndexError, ConnectionError)):  # closed without an answer
        await sent
    entra.release()


async def test_only_this_user_may_use_the_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "identity"
    async with opened(Place(path=path)) as endpoint:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await endpoint.send(endpoint.request()))[0] == 200
    assert not path.exists()


async def test_a_file_at_the_path_of_the_unix_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(OSError, match="in use"):
        Place(path=path).open()
    assert path.read_text() == "data"
