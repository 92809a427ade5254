"""A federated chain that begins with a certificate: the token of one credential proves the identity of the next."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Iterator
from typing import Any

import azure.identity
import jwt
import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ConfigurationError,
    TemporarilyUnavailableError,
    UnknownOptionError,
)
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer, Fault
from tests.credential.world import STORAGE, Driver, World

EXCHANGE = "api://AzureADTokenExchange/.default"
FMI_EXCHANGE = "api://AzureFMITokenExchange/.default"


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def issuer(application: Application, base: str = "https://login.microsoftonline.com") -> str:
    return f"{base}/{application.tenant_id}/v2.0"


def trusting(world: World, *, subject: str | None = None, audience: str = "api://AzureADTokenExchange") -> Application:
    """Return an application that has no certificate and trusts the world's application."""
    application = world.entra.add_application()
    object_id = world.application.object_ids[world.application.tenant_id]
    application.trust_federated(issuer=issuer(world.application), subject=subject or object_id, audience=audience)
    return application


def federated(world: World, application: Application, source: Any, **options: Any) -> Driver:
    return world.driver(source, federated=True, client_id=application.client_id, **options)


async def test_a_token_of_the_first_credential_signs_the_second_in(world: World) -> None:
    application = trusting(world)
    first = world.driver()

    token = await federated(world, application, first.credential.as_assertion_source(EXCHANGE)).get_token(STORAGE)

    assert claims_of(token.token)["appid"] == application.client_id
    assert [request.form["client_id"] for request in world.entra.requests] == [
        world.application.client_id,
        application.client_id,
    ]


async def test_the_first_legs_token_is_reused_for_every_scope_of_the_second(world: World) -> None:
    driver = federated(world, trusting(world), world.driver().credential.as_assertion_source(EXCHANGE))
    for n in range(3):
        await driver.get_token(f"api://orders-{n}/.default")
    assert world.requests == 1 + 3
    await driver.get_token("api://orders-0/.default")
    assert world.requests == 4


async def test_a_crowd_of_callers_goes_down_the_chain_once(world: World) -> None:
    world.entra.inject(Fault.hang(20))
    driver = federated(world, trusting(world), world.driver().credential.as_assertion_source(EXCHANGE))
    callers = [asyncio.create_task(driver.get_token(STORAGE)) for _ in range(30)]
    await world.hanging()
    await driver.joined(30)
    world.entra.release()
    assert len({token.token for token in await asyncio.gather(*callers)}) == 1
    assert world.requests == 2


async def test_managed_identity_paths_are_cached_apart_and_sent(world: World) -> None:
    driver = world.driver()
    one = await driver.get_token(FMI_EXCHANGE, fmi_path="team/one")
    two = await driver.get_token(FMI_EXCHANGE, fmi_path="team/two")
    plain = await driver.get_token(FMI_EXCHANGE)

    assert len({token.token for token in (one, two, plain)}) == 3
    assert await driver.get_token(FMI_EXCHANGE, fmi_path="team/one") is one
    assert await driver.get_token(FMI_EXCHANGE) is plain
    assert [request.form.get("fmi_path") for request in world.entra.requests] == ["team/one", "team/two", None]


@pytest.mark.parametrize("path", ["", 0, False])
async def test_an_empty_path_is_an_error_also_when_the_plain_token_is_in_the_cache(world: World, path: Any) -> None:
    driver = world.driver()
    await driver.get_token(FMI_EXCHANGE)
    with pytest.raises(ConfigurationError, match="fmi_path"):
        await driver.get_token(FMI_EXCHANGE, fmi_path=path)


async def test_a_path_is_the_identity_that_the_second_application_trusts(world: World) -> None:
    subject = world.application.fmi_subject("team/one")
    application = trusting(world, subject=subject, audience="api://AzureFMITokenExchange")
    source = world.driver().credential.as_assertion_source(FMI_EXCHANGE, fmi_path="team/one")
    other = world.driver().credential.as_assertion_source(FMI_EXCHANGE, fmi_path="team/two")

    assert claims_of((await federated(world, application, source).get_token(STORAGE)).token)["appid"]
    with pytest.raises(AuthenticationError) as caught:
        await federated(world, application, other).get_token(STORAGE)
    assert caught.value.error_codes == (700213,)
    assert caught.value.hint is not None


async def test_a_chain_may_have_a_third_link(world: World) -> None:
    second = trusting(world)
    third = world.entra.add_application()
    third.trust_federated(issuer=issuer(second), subject=second.object_ids[second.tenant_id])
    link = federated(world, second, world.driver().credential.as_assertion_source(EXCHANGE))

    token = await federated(world, third, link.credential.as_assertion_source(EXCHANGE)).get_token(STORAGE)

    assert claims_of(token.token)["appid"] == third.client_id
    assert world.requests == 3


REFUSED = {
    "another issuer": ({"issuer": "https://sts.windows.net/other/"}, 700211),
    "another subject": ({"subject": "other"}, 700213),
    "another audience": ({"audience": "api://other"}, 700212),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_an_identity_that_is_not_trusted_is_refused_with_a_hint(world: World, what: str) -> None:
    changes, code = REFUSED[what]
    application = world.entra.add_application()
    object_id = world.application.object_ids[world.application.tenant_id]
    application.trust_federated(**{"issuer": issuer(world.application), "subject": object_id, **changes})

    with pytest.raises(AuthenticationError) as caught:
        await federated(world, application, world.driver().credential.as_assertion_source(EXCHANGE)).get_token(STORAGE)

    assert caught.value.error_codes == (code,)
    assert caught.value.hint is not None


async def test_a_failure_of_the_first_leg_is_the_callers_error(world: World) -> None:
    world.entra.inject(Fault.server_error(), times=None)
    source = world.driver(retry_total=0).credential.as_assertion_source(EXCHANGE)
    with pytest.raises(TemporarilyUnavailableError):
        await federated(world, trusting(world), source).get_token(STORAGE)


async def test_a_valid_token_serves_while_the_first_leg_fails(world: World) -> None:
    working = [True]
    inner = world.driver().credential.as_assertion_source(EXCHANGE)

    async def later() -> str:
        if not working[0]:
            raise OSError("the vault is gone")
        return str(await inner())

    def now() -> str:
        if not working[0]:
            raise OSError("the vault is gone")
        return str(inner())

    driver = federated(world, trusting(world), later if world.kind == "aio" else now)
    token = await driver.get_token(STORAGE)
    working[0] = False
    world.clock.advance(3400)
    assert await driver.get_token(STORAGE) is token
    await driver.settle()
    world.clock.advance(3600)
    with pytest.raises(OSError, match="vault is gone"):
        await driver.get_token(STORAGE)


@pytest.mark.parametrize("given", [None, 7, "eyJ.a.b", b"x", {}])
async def test_a_source_that_cannot_be_called_is_refused_at_once(world: World, given: object) -> None:
    with pytest.raises(ConfigurationError, match="assertion_source"):
        world.driver("x" if given is None else given, federated=True)


@pytest.mark.parametrize("returned", [None, "", "hunter2 and more", 7, b"hunter2.b.c"])
async def test_a_source_that_returns_no_token_is_named_and_not_repeated(world: World, returned: object) -> None:
    with pytest.raises(ConfigurationError, match="assertion_source returned") as caught:
        await federated(world, trusting(world), lambda: returned).get_token(STORAGE)
    assert "hunter2" not in str(caught.value)
    assert world.requests == 0


async def test_a_coroutine_function_is_for_the_asynchronous_credential(world: World) -> None:
    async def later() -> str:
        return "a.b.c"

    if world.kind == "sync":
        with pytest.raises(ConfigurationError, match="assertion_source is asynchronous"):
            federated(world, trusting(world), later)
    else:
        assert "assertions from" in repr(federated(world, trusting(world), later).credential)


async def test_it_copies_and_is_not_pickled(world: World) -> None:
    credential = federated(world, trusting(world), world.driver().credential.as_assertion_source(EXCHANGE)).credential
    assert copy.copy(credential) is not credential
    assert claims_of((await Driver(copy.copy(credential)).get_token(STORAGE)).token)["appid"]
    with pytest.raises(TypeError, match="assertion_source"):
        pickle.dumps(credential)


async def test_what_belongs_to_a_certificate_is_no_option_here(world: World) -> None:
    with pytest.raises(UnknownOptionError, match="algorithm"):
        federated(world, trusting(world), lambda: "a.b.c", algorithm="PS256")
    assert not hasattr(federated(world, trusting(world), lambda: "a.b.c").credential, "client_assertion")


async def test_it_acts_for_users_too(world: World) -> None:
    application = trusting(world)
    driver = federated(world, application, world.driver().credential.as_assertion_source(EXCHANGE))
    user = world.entra.issue_user_token(world.entra.add_user(), application)
    assert claims_of((await driver.for_user(user).get_token("api://orders/Orders.Read")).token)["scp"] == "Orders.Read"


@pytest.fixture
def served(certificate: ClientCertificate) -> Iterator[tuple[EntraEmulator, EntraServer, Application]]:
    """A local Entra on loopback TLS."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    with entra.serve() as server:
        yield entra, server, application


def test_azure_identitys_client_assertion_credential_takes_our_source(
    served: tuple[EntraEmulator, EntraServer, Application], certificate: ClientCertificate
) -> None:
    entra, server, application = served
    second = entra.add_application()
    second.trust_federated(
        issuer=issuer(application, server.url), subject=application.object_ids[application.tenant_id]
    )
    options: dict[str, Any] = {
        "authority": server.authority,
        "disable_instance_discovery": True,
        "connection_verify": server.ca_file,
    }
    with CertVarCredential(application.tenant_id, application.client_id, certificate, **options) as ours:
        source = ours.as_assertion_source(EXCHANGE)
        with azure.identity.ClientAssertionCredential(second.tenant_id, second.client_id, source, **options) as theirs:
            assert claims_of(theirs.get_token(STORAGE).token)["appid"] == second.client_id
        with FederatedCredential(second.tenant_id, second.client_id, source, **options) as ours_too:
            assert claims_of(ours_too.get_token(STORAGE).token)["appid"] == second.client_id
