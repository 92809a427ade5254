"""Promises about the network, the server and its tenants; each check takes one credential's scene."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import pytest
import trustme
from azure.core.exceptions import AzureError, ServiceRequestError

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ResponseFormatError,
    TenantNotAllowedError,
)
from azure_certvar_credential.testing import Fault
from tests.credential.columns import Scene, answering, failure_of
from tests.credential.test_remote_assertions import RemoteSigner
from tests.transport.loopback import serving, token


async def the_server_is_verified(scene: Scene) -> None:
    """A server whose certificate no trusted authority has signed gets nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(token(), tls=context) as server:
        error = await failure_of(scene, transport=None, authority=server.url, disable_instance_discovery=True)
        assert isinstance(error, ServiceRequestError)
        assert not server.received


async def one_endpoint(scene: Scene) -> None:
    """Token requests go where the authority and the tenant say, and nothing else does."""
    await failure_of(scene, authority="login.microsoftonline.us")
    expected = f"https://login.microsoftonline.us/{scene.world.application.tenant_id}/oauth2/v2.0/token"
    assert {request.url for request in scene.world.entra.requests} == {expected}


async def no_redirect_is_followed(scene: Scene) -> None:
    """Not even one that keeps the method and the body."""
    for status in (301, 302, 303, 307, 308):
        scene.world.entra.faults.clear()
        scene.world.entra.inject(answering(status, b"", Location="https://evil.example/token"), times=None)
        assert isinstance(await failure_of(scene), AuthenticationError)
    assert {urlsplit(request.url).hostname for request in scene.world.entra.requests} == {"login.microsoftonline.com"}


async def answers_are_bounded(scene: Scene) -> None:
    """An answer that is too long or too deep is an error of its own."""
    token = b'{"access_token":"a","token_type":"Bearer","expires_in":3600,"more":%s}'
    deep, many = token % (b"[" * 600 + b"]" * 600), token % (b"[{}" + b",{}" * 600 + b"]")
    for fault in (Fault.oversized(), answering(200, deep), answering(200, many)):
        scene.world.entra.faults.clear()
        scene.world.entra.inject(fault, times=None)
        assert isinstance(await failure_of(scene), ResponseFormatError)


async def an_assertion_is_for_one_request(scene: Scene) -> None:
    """Retries have one of their own, too."""
    scene.world.entra.inject(Fault.server_error(503))
    driver = scene.driver(retry_backoff_factor=0)
    for _ in range(3):
        await driver.get_token(scene.scope)
        scene.world.clock.advance(4000)
    claims = [request.assertion_claims or {} for request in scene.world.entra.requests if request.assertion]

    assert len(claims) == len({one["jti"] for one in claims}) == 4
    for request, one in zip(scene.world.entra.requests, claims, strict=True):
        assert one["aud"] == request.url
        issued, expires = one["iat"], one["exp"]
        assert isinstance(issued, int)
        assert expires == issued + 600


async def a_remote_assertion_is_reused(scene: Scene) -> None:
    """Vaults throttle signatures."""
    signer = RemoteSigner(scene.world.certificate)
    driver = scene.driver(ClientCertificate(scene.world.certificate.leaf, signer))
    for seconds in (539, 1, 0):
        await driver.get_token(scene.scope, claims='{"access_token":{"nbf":{"essential":true}}}')
        scene.world.clock.advance(seconds)
    assert len({request.assertion for request in scene.world.entra.requests}) == signer.signatures == 2
    assert scene.world.requests == 3


async def an_unknown_host_gets_nothing(scene: Scene) -> None:
    """Neither an argument nor the environment alone makes it trusted, in no form of an authority."""
    tenant = scene.world.application.tenant_id
    host = "https://login.contoso.example"
    for authority in (host, f"{host}/adfs", f"{host}/{tenant}/B2C_1A_app", f"{host}/dstsv2/{tenant}"):
        options = {"tenant_id": "adfs"} if authority.endswith("/adfs") else {}
        assert_unknown(scene, await failure_of(scene, authority=authority, **options))
        with scene.patch.context() as patch:
            patch.setenv("AZURE_AUTHORITY_HOST", authority)
            assert_unknown(scene, await failure_of(scene, **options))
    assert "login.contoso.example" not in {urlsplit(request.url).hostname for request in scene.world.entra.requests}

    await failure_of(scene, authority=host, disable_instance_discovery=True)
    assert urlsplit(scene.world.entra.requests[-1].url).hostname == "login.contoso.example"


def assert_unknown(scene: Scene, error: Exception | None) -> None:
    """Fail unless the host was refused; MSAL asks Microsoft about hosts of Entra, and goes where Microsoft says."""
    assert isinstance(error, ConfigurationError) or (error is None and scene.column.family == "msal")


BODIES = [b"", b"{", b"[]", b"<html>", b"\xff", b"null", b'{"error":5}', b'{"access_token":1}', b'{"error":"no"}']


async def an_answer_is_a_token_or_a_known_error(scene: Scene) -> None:
    """Whatever the status and the body."""
    for status in (200, 204, 301, 400, 401, 404, 418, 429, 500, 503):
        for body in BODIES:
            scene.world.entra.faults.clear()
            scene.world.entra.inject(answering(status, body), times=None)
            assert isinstance(await failure_of(scene), AzureError)


async def only_listed_tenants_are_asked(scene: Scene) -> None:
    """A caller, or a challenge that it passes on, may name no other."""
    other = scene.world.entra.add_tenant().tenant_id
    driver = scene.driver()
    with pytest.raises(TenantNotAllowedError):
        await driver.get_token(scene.scope, tenant_id=other)
    assert not scene.world.requests

    listed = scene.driver(additionally_allowed_tenants=[other], retry_total=0)
    with pytest.raises(AuthenticationError):  # the application has no service principal there
        await listed.get_token(scene.scope, tenant_id=other)
    assert {request.tenant for request in scene.world.entra.requests} == {other}
