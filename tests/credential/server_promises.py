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
    """Not even one that keeps the method and the body; over a connection, for a transport may follow by itself."""
    entra, statuses = scene.world.entra, (301, 302, 303, 307, 308)
    with entra.serve() as server:
        options = {"authority": server.url, "connection_verify": server.ca_file, "use_env_settings": False}
        for status in statuses:
            entra.faults.clear()
            entra.inject(answering(status, b"", Location=f"{server.url}/elsewhere/oauth2/v2.0/token"), times=None)
            error = await failure_of(scene, transport=None, disable_instance_discovery=True, **options)
            assert isinstance(error, AuthenticationError)
            await scene.world.drivers[-1].close()
    assert ["elsewhere" in request.url for request in entra.requests] == [False] * len(statuses)


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
    # An agent's other legs present tokens, which are Entra's to bound.
    signed = [request for request in scene.world.entra.requests if "jti" in (request.assertion_claims or {})]
    claims = [request.assertion_claims or {} for request in signed]

    assert len(claims) == len({one["jti"] for one in claims}) == 4
    for request, one in zip(signed, claims, strict=True):
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
    entra, tenant = scene.world.entra, scene.world.application.tenant_id
    # MSAL asks Microsoft, which does not know it either.
    stranger = answering(400, b'{"error":"invalid_instance"}')
    entra.inject(stranger, times=None, when=lambda request: "/discovery/instance" in request.path)
    host = "https://login.contoso.example"
    for authority in (host, f"{host}/adfs", f"{host}/{tenant}/B2C_1A_app", f"{host}/dstsv2/{tenant}"):
        options = {"tenant_id": "adfs"} if authority.endswith("/adfs") else {}
        assert isinstance(await failure_of(scene, authority=authority, **options), ConfigurationError)
        with scene.patch.context() as patch:
            patch.setenv("AZURE_AUTHORITY_HOST", authority)
            assert isinstance(await failure_of(scene, **options), ConfigurationError)
    assert not scene.world.requests

    await failure_of(scene, authority=host, disable_instance_discovery=True)
    assert {urlsplit(request.url).hostname for request in entra.requests} == {"login.contoso.example"}


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
