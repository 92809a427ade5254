"""The assertion of a remote signer is used again for a while, because a vault throttles; a local one never is."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.testing import Fault
from tests.credential.world import World

A, B, C = (f"api://{name}/.default" for name in "abc")


class RemoteSigner:
    """Signs with the certificate's key, and counts."""

    remote = True

    def __init__(self, certificate: ClientCertificate) -> None:
        self._signer, self.signatures = certificate.signer, -1  # the first proves possession

    @property
    def public_key(self) -> Any:
        return self._signer.public_key

    def sign(self, message: bytes, algorithm: str) -> bytes:
        self.signatures += 1
        return self._signer.sign(message, algorithm)


@pytest.fixture
def signer(world: World) -> RemoteSigner:
    return RemoteSigner(world.certificate)


@pytest.fixture
def remote(world: World, signer: RemoteSigner) -> ClientCertificate:
    return ClientCertificate(world.certificate.leaf, signer)


def ids(world: World) -> list[object]:
    return [request.assertion_claims["jti"] for request in world.entra.requests if request.assertion_claims]


async def test_it_is_used_again_until_a_minute_before_its_end(
    world: World, signer: RemoteSigner, remote: ClientCertificate
) -> None:
    driver = world.driver(remote)

    await driver.get_token(A)
    world.clock.advance(539)
    await driver.get_token(B)
    assert signer.signatures == 1
    world.clock.advance(1)
    await driver.get_token(C)

    assert signer.signatures == 2
    first, second, third = ids(world)
    assert first == second != third


async def test_a_local_one_is_never_used_again(world: World) -> None:
    driver = world.driver()

    for scope in (A, B, C):
        await driver.get_token(scope)

    assert len(set(ids(world))) == 3


async def test_each_tenant_has_its_own(world: World, signer: RemoteSigner, remote: ClientCertificate) -> None:
    other = world.entra.add_tenant()
    world.application.add_service_principal(other)
    driver = world.driver(remote, additionally_allowed_tenants=["*"])

    await driver.get_token(A)
    await driver.get_token(A, tenant_id=other.tenant_id)

    assert signer.signatures == 2


async def test_a_server_that_refuses_what_it_has_seen_gets_a_fresh_one(
    world: World, signer: RemoteSigner, remote: ClientCertificate
) -> None:
    world.entra.settings.strict = True
    driver = world.driver(remote)

    await driver.get_token(A)
    await driver.get_token(B)

    assert signer.signatures == 2
    assert world.requests == 3


async def test_a_retry_has_a_fresh_one(world: World, signer: RemoteSigner, remote: ClientCertificate) -> None:
    driver = world.driver(remote)
    await driver.get_token(A)
    world.entra.inject(Fault.server_error(503))

    await driver.get_token(B)

    first, reused, retried = ids(world)
    assert first == reused != retried


async def test_a_refusal_for_another_reason_is_raised_after_one_more_request(
    world: World, remote: ClientCertificate
) -> None:
    driver = world.driver(remote)
    await driver.get_token(A)
    world.application.disable()

    with pytest.raises(AuthenticationError, match="7000112"):
        await driver.get_token(B)
    assert world.requests == 3
