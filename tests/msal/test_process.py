"""Imports, pickle, copy, fork and repr; and what many threads and tenants leave behind."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msal
import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.test_pickle import PEM, importable_source
from tests.credential.world import STORAGE
from tests.msal.world import MsalDriver, MsalWorld, PlainClient
from tests.reprs import without_address

KINDS = pytest.mark.parametrize("kind", [MsalCertVarCredential, AsyncMsalCertVarCredential], ids=["sync", "aio"])


@pytest.mark.parametrize(
    "statement",
    [
        "import azure_certvar_credential",
        "import azure_certvar_credential.aio",
        "from azure_certvar_credential.msal import MsalCertVarCredential, client_credential",
        (
            "from azure_certvar_credential.msal import MsalCertVarCredential as C; "
            "from azure_certvar_credential import ClientCertificate as K; C('contoso.example', 'a', K.self_signed('x'))"
        ),
    ],
    ids=["package", "aio", "room", "credential"],
)
def test_msal_is_imported_when_the_first_token_is_asked_for(statement: str) -> None:
    program = f"{statement}; import sys; print(sorted(sys.modules.keys() & {{'msal', 'requests'}}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


@KINDS
def test_a_credential_with_a_source_is_pickled_by_reference(kind: Any, certificate: ClientCertificate) -> None:
    PEM["certificate"] = certificate.to_pem()
    options = {"authority": "login.microsoftonline.us", "azure_region": "usgovvirginia", "instance_discovery": True}
    credential = kind("contoso.example", "client", importable_source, **options)

    data = pickle.dumps(credential)
    copied = pickle.loads(data)  # noqa: S301 - our own

    assert b"PRIVATE" not in data
    assert type(copied) is kind
    assert without_address(copied) == without_address(credential)
    assert copied._parts.options == credential._parts.options
    assert copied._parts.settings == credential._parts.settings


@KINDS
def test_an_openid_provider_is_pickled_too(kind: Any) -> None:
    credential = kind("tenant", "client", importable_source, oidc_authority="https://idp.example/tenant")

    copied = pickle.loads(pickle.dumps(credential))  # noqa: S301 - our own

    assert copied._parts.settings.authority == credential._parts.settings.authority


SECRETIVE: dict[str, tuple[Callable[[ClientCertificate], dict[str, Any]], str]] = {
    "certificate": (lambda c: {"certificate": c.to_pem()}, "private key"),
    "password": (lambda _: {"certificate": importable_source, "password": "secret"}, "password"),
    "token_cache": (
        lambda _: {"certificate": importable_source, "token_cache": msal.SerializableTokenCache()},
        "token_cache",
    ),
    "http_client": (
        lambda _: {"certificate": importable_source, "http_client": PlainClient(EntraEmulator())},
        "http_client",
    ),
}


@KINDS
@pytest.mark.parametrize("what", SECRETIVE)
def test_what_must_not_leave_the_process_is_not_pickled(kind: Any, what: str, certificate: ClientCertificate) -> None:
    make, text = SECRETIVE[what]
    with pytest.raises(TypeError, match=text):
        pickle.dumps(kind("contoso.example", "client", **make(certificate)))


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
async def test_a_copy_works_and_shares_a_cache_that_was_given(world: MsalWorld, how: Callable[[Any], Any]) -> None:
    cache = msal.SerializableTokenCache()
    for options, requests in (({}, 2), ({"token_cache": cache}, 3)):
        driver = world.driver(**options)
        first = await driver.get_token(STORAGE)
        copied = MsalDriver(how(driver.given))
        second = await copied.get_token(STORAGE)
        await copied.close()

        assert world.requests == requests
        assert (first.token == second.token) is bool(options)
        assert await driver.get_token(STORAGE) is first


async def test_repr_shows_ids_and_the_certificate_and_nothing_else(world: MsalWorld) -> None:
    driver = world.driver(token_cache=msal.SerializableTokenCache())
    token = await driver.get_token(STORAGE)

    text = repr(driver.given)
    assert text.startswith("<MsalCertVarCredential tenant" if world.kind == "sync" else "<aio.MsalCertVarCredential")
    assert world.certificate.thumbprint in text
    assert token.token not in text + repr(driver.given._parts) + repr(driver.given._parts.options)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("shared", [False, True], ids=["own cache", "shared cache"])
def test_a_forked_child_does_not_wait_for_the_parents_threads(certificate: ClientCertificate, shared: bool) -> None:
    """One thread of the parent waits for a token, another holds the locks of MSAL's cache and of an application."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    cache = msal.SerializableTokenCache() if shared else None
    credential = MsalCertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.transport(), token_cache=cache
    )
    kept = credential.get_token(STORAGE)
    entra.inject(Fault.hang(20))
    leader = threading.Thread(target=credential.get_token, args=("api://other/.default",))
    leader.start()
    entra.wait_for_hanging()
    held, release = threading.Event(), threading.Event()
    made = credential._delegate._made
    assert made is not None

    def hold() -> None:
        (slot,) = made._slots.values()
        with made._cache._lock, slot.attempts.lock:
            held.set()
            release.wait(20)

    provider = threading.Thread(target=hold)
    provider.start()
    assert held.wait(10)

    child = os.fork()
    if child == 0:
        # Only the exit code reaches the parent; no pytest machinery may run here.
        try:
            same = credential.get_token(STORAGE) is kept
            fetched = bool(credential.get_token("api://other/.default").token)
            os._exit(0 if same and fetched else 1)
        except BaseException:  # noqa: BLE001
            os._exit(2)
    release.set()
    for _ in range(200):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        threading.Event().wait(0.1)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        status = -1
    entra.release()
    leader.join(10)
    provider.join(10)
    credential.close()
    assert status == 0


async def test_applications_are_few_however_many_tenants_there_are(
    world: MsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_certvar_credential.msal.applications.MAX_APPLICATIONS", 3)
    tenants = [world.entra.add_tenant() for _ in range(6)]
    for tenant in tenants:
        world.application.add_service_principal(tenant)
    driver = world.driver(additionally_allowed_tenants=["*"])

    for tenant in tenants * 2:
        await driver.get_token(STORAGE, tenant_id=tenant.tenant_id)

    made = driver.given._delegate._made
    assert made is not None
    assert len(made._slots) == 3
    assert world.requests == 6


async def test_the_application_that_was_used_least_recently_goes(
    world: MsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_certvar_credential.msal.applications.MAX_APPLICATIONS", 2)
    tenants = [world.entra.add_tenant() for _ in range(3)]
    for tenant in tenants:
        world.application.add_service_principal(tenant)
    driver = world.driver(additionally_allowed_tenants=["*"])

    for number, place in enumerate((0, 1, 0, 2)):
        await driver.get_token(f"api://{number}/.default", tenant_id=tenants[place].tenant_id)

    made = driver.given._delegate._made
    assert made is not None
    assert [tenant for tenant, *_ in made._slots] == [tenants[0].tenant_id, tenants[2].tenant_id]


def test_a_call_that_was_interrupted_leaves_nothing_to_the_next(certificate: ClientCertificate) -> None:
    class Interrupted(msal.TokenCache):  # type: ignore[misc]
        """The user presses Ctrl+C while MSAL stores a token."""

        armed = False

        def add(self, event: Any, **kwargs: Any) -> None:
            if self.armed:
                raise KeyboardInterrupt
            super().add(event, **kwargs)

    entra = EntraEmulator()
    application = entra.add_application(certificate)
    cache = Interrupted()

    def credential() -> MsalCertVarCredential:
        ids = (application.tenant_id, application.client_id)
        return MsalCertVarCredential(*ids, certificate, transport=entra.transport(), token_cache=cache)

    with credential() as first, credential() as second:
        kept = first.get_token(STORAGE)
        cache.armed = True
        with pytest.raises(KeyboardInterrupt):
            second.get_token("api://other/.default")
        assert second.get_token(STORAGE).token == kept.token
    assert len(entra.requests) == 2


async def test_many_callers_of_many_things_with_faults_get_what_they_asked_for(world: MsalWorld) -> None:
    """Each caller gets a token of its scope; where the server fails, an error of ours."""
    import jwt
    from azure.core.exceptions import AzureError

    rng = random.Random(20_261_124)
    for fault in (Fault.server_error(), Fault.throttled(1), Fault.reset_after(), Fault.not_json(), Fault.aadsts(90033)):
        world.entra.inject(fault, times=rng.randint(1, 4))
    driver = world.driver(token_cache=msal.SerializableTokenCache(), retry_total=0)

    async def call(number: int) -> int:
        resource = f"api://{number % 7}"
        try:
            token = await driver.get_token(f"{resource}/.default", enable_cae=number % 3 == 0)
        except AzureError:
            return 0
        assert jwt.decode(token.token, options={"verify_signature": False})["aud"] == resource
        return 1

    got = 0
    for _ in range(6):
        got += sum(await asyncio.gather(*(call(number) for number in range(60))))
        world.clock.advance(2)

    assert got >= 5 * 60
    assert world.requests <= 14 + 20
