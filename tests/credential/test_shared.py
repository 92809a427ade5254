"""Clients that close their credential, transports that were never used, and texts that tell credentials apart."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest
from azure.identity import ChainedTokenCredential
from azure.identity.aio import ChainedTokenCredential as AsyncChainedTokenCredential
from fsspec.spec import AbstractFileSystem

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential, aio
from azure_certvar_credential.exceptions import CredentialClosedError
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.test_pickle import importable_source
from tests.credential.users import ORDERS, user_token
from tests.credential.world import STORAGE, Driver, World

KINDS = pytest.mark.parametrize(
    "kind",
    [
        CertVarCredential,
        FederatedCredential,
        MsalCertVarCredential,
        aio.CertVarCredential,
        aio.FederatedCredential,
        aio.MsalCertVarCredential,
    ],
    ids=lambda kind: f"{kind.__module__.split('.')[1]}.{kind.__name__}",
)


async def end(closing: Any) -> None:
    if inspect.isawaitable(closing):
        await closing


async def test_a_client_closes_a_shared_view_and_the_credential_stays_open(world: World) -> None:
    driver = world.driver()
    chain = (ChainedTokenCredential if world.kind == "sync" else AsyncChainedTokenCredential)(
        driver.credential.shared()
    )
    first = await Driver(chain).get_token(STORAGE)

    await end(chain.close())

    assert await driver.get_token(STORAGE) is first
    assert await Driver(driver.credential.shared()).get_token(STORAGE) is first
    view = Driver(driver.credential.shared().shared())
    assert (await view.for_user(user_token(world)).get_token(ORDERS)).token
    await driver.close()
    with pytest.raises(CredentialClosedError, match=r"takes credential\.shared\(\)"):
        await view.get_token(STORAGE)


@KINDS
def test_a_shared_view_is_of_the_credentials_class_and_copied_as_itself(kind: Any) -> None:
    view = kind("tenant", "client", importable_source).shared()

    assert isinstance(view, kind)
    assert copy.copy(view) is copy.deepcopy(view) is view.shared() is view


@pytest.mark.parametrize("kind", [CertVarCredential, aio.CertVarCredential])
def test_a_shared_view_is_pickled_as_one(kind: Any) -> None:
    view = kind("tenant", "client", importable_source).shared()

    again = pickle.loads(pickle.dumps(view))  # noqa: S301 - our own

    assert again.shared() is again
    assert type(again).__bases__ == (kind,)


@KINDS
@pytest.mark.parametrize("through", ["the credential", "a shared view"])
async def test_a_transport_that_was_never_used_is_closed_once_with_the_credential(
    kind: Any, through: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra, closed = EntraEmulator(), []
    asynchronous = kind in {aio.CertVarCredential, aio.FederatedCredential}
    transport: Any = entra.async_transport() if asynchronous else entra.transport()

    async def close_async() -> None:
        closed.append(True)

    monkeypatch.setattr(transport, "close", close_async if asynchronous else lambda: closed.append(True))
    credential = kind("tenant", "client", importable_source, transport=transport)

    for _ in range(2):
        await end((credential if through == "the credential" else credential.shared()).close())

    assert closed == ([True] if through == "the credential" else [])


@KINDS
def test_two_living_credentials_never_have_one_text(kind: Any) -> None:
    credentials = [kind("tenant", "client", importable_source) for _ in range(2)]

    assert len({repr(each) for one in credentials for each in (one, one.shared())}) == 4


async def test_users_of_one_application_have_file_systems_of_their_own(world: World) -> None:
    class Files(AbstractFileSystem):  # type: ignore[misc, unused-ignore]
        protocol = "orders"

    users = [world.driver().for_user(user_token(world, name)).credential for name in ("Adele", "Lee")]

    adeles, lees = (Files(credential=user) for user in users)

    assert adeles is not lees
    assert Files(credential=users[0]) is adeles


def test_a_copy_of_a_certificate_has_its_text(certificate: ClientCertificate) -> None:
    """A certificate is a value: two with one text sign with one key."""
    assert repr(ClientCertificate.load(certificate.to_pem())) == repr(certificate)
