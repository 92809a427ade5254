"""What can be put into the directory, and what cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509

from azure_certvar_credential.testing import EntraEmulator
from tests.testing.kit import World, certificate, der, pem, rsa_key, sha1, sha256


class WithPublicDer:
    """As a certificate of the package has it."""

    def __init__(self, value: x509.Certificate) -> None:
        self._der = der(value)

    def public_der(self) -> bytes:
        return self._der


FORMS: list[Callable[[x509.Certificate], object]] = [
    lambda value: value,
    der,
    pem,
    lambda value: pem(value).decode(),
    lambda value: b"subject=/CN=app\n" + pem(value),
    WithPublicDer,
]


@pytest.mark.parametrize("form", FORMS)
def test_a_certificate_is_registered_in_any_form(world: World, form: Callable[[x509.Certificate], object]) -> None:
    application = world.entra.add_application(form(world.certificate))  # type: ignore[arg-type]
    assert application.credentials[0].certificate == world.certificate


@pytest.mark.parametrize(("value", "error"), [(5, TypeError), (b"nonsense", ValueError), ("-----BEGIN", ValueError)])
def test_what_is_no_certificate_is_refused(world: World, value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        world.application.register(value)  # type: ignore[arg-type]


def test_a_certificate_is_registered_once_however_often_it_is_uploaded(world: World) -> None:
    thumbprint = world.application.register(world.certificate)
    assert thumbprint == sha1(world.certificate).hex().upper()
    assert len(world.application.credentials) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda value: sha1(value).hex(),
        lambda value: sha1(value).hex().upper(),
        lambda value: sha1(value).hex(":"),
        lambda value: sha256(value).hex(),
    ],
)
def test_a_certificate_is_removed_by_its_thumbprint(world: World, write: Callable[[x509.Certificate], str]) -> None:
    world.application.register(certificate(rsa_key("other")))
    world.application.unregister(write(world.certificate))
    assert [c.certificate for c in world.application.credentials] != [world.certificate]
    assert len(world.application.credentials) == 1


def test_a_thumbprint_that_nobody_has_is_named(world: World) -> None:
    with pytest.raises(KeyError, match="no certificate with thumbprint ABAB"):
        world.application.unregister("ABAB")


def test_ids_are_guids_and_taken_once() -> None:
    entra = EntraEmulator(tenant_id="5B1E7C2A-0000-4000-8000-000000000001")
    assert entra.tenant.tenant_id == "5b1e7c2a-0000-4000-8000-000000000001"
    with pytest.raises(ValueError, match="a tenant already has the name 5b1e7c2a"):
        entra.add_tenant(entra.tenant.tenant_id)
    with pytest.raises(ValueError, match=r"a tenant already has the name contoso\.onmicrosoft\.com"):
        entra.add_tenant(domains=["Contoso.onmicrosoft.com"])
    application = entra.add_application(client_id="5b1e7c2a-0000-4000-8000-000000000002")
    with pytest.raises(ValueError, match="an application already has the client id 5b1e7c2a"):
        entra.add_application(client_id=application.client_id.upper())
    for make in (lambda: entra.add_tenant("contoso"), lambda: entra.add_application(client_id="app")):
        with pytest.raises(ValueError, match="badly formed"):
            make()


def test_an_application_belongs_to_the_tenant_it_was_added_to(world: World) -> None:
    tenant = world.entra.add_tenant(domains=["fabrikam.com"])
    application = world.entra.add_application(world.certificate, tenant=tenant)
    assert application.tenant_id == tenant.tenant_id
    other = World(world.clock, world.entra, world.certificate, application)
    assert other.post().status == 200


def test_reprs_say_how_much_there_is(world: World) -> None:
    assert repr(world.entra) == "<EntraEmulator 1 tenant(s), 1 application(s)>"
    assert repr(world.application) == (
        f"<Application {world.application.client_id} of tenant {world.application.tenant_id}, 1 certificate(s)>"
    )
