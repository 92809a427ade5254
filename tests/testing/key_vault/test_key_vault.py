"""The local Key Vault satisfies Azure's own clients: certificates, secrets, signatures, versions."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys.crypto import SignatureAlgorithm
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from azure_certvar_credential.testing import KeyVaultEmulator, Request
from tests.testing.key_vault.kit import Scene, pair, scene

DAY = 86_400


@pytest.fixture
def world() -> Scene:
    return scene()


def test_a_certificate_its_key_and_its_secret_have_the_same_version(world: Scene) -> None:
    version = world.vault.add_certificate("app", pair())

    found = world.certificates().get_certificate("app")

    base = world.vault.vault_url
    assert found.id == f"{base}/certificates/app/{version}"
    assert found.key_id == f"{base}/keys/app/{version}"
    assert found.secret_id == f"{base}/secrets/app/{version}"
    assert world.secrets().get_secret("app", version).properties.key_id == found.key_id
    assert found.cer is not None
    assert x509.load_der_x509_certificate(bytes(found.cer)) == pair().leaf
    assert found.properties is not None
    assert found.properties.x509_thumbprint is not None
    assert found.properties.x509_thumbprint.hex().upper() == pair().thumbprint
    assert found.properties.expires_on == pair().not_after


@pytest.mark.parametrize("exportable", [True, False])
@pytest.mark.parametrize("content_type", ["application/x-pkcs12", "application/x-pem-file"])
def test_the_secret_has_the_key_if_it_is_exportable(world: Scene, exportable: bool, content_type: str) -> None:
    world.vault.add_certificate("app", pair(), exportable=exportable, content_type=content_type)

    secret = world.secrets().get_secret("app")
    policy = world.certificates().get_certificate("app").policy

    assert policy is not None
    assert (policy.exportable, policy.content_type) == (exportable, content_type)
    assert secret.properties.content_type == content_type
    assert secret.value is not None
    if content_type == "application/x-pkcs12":
        key, certificate, _ = pkcs12.load_key_and_certificates(base64.b64decode(secret.value), None)
        # A PFX without a key has no "own" certificate, only further ones.
        assert certificate == (pair().leaf if exportable else None)
    else:
        assert x509.load_pem_x509_certificate(secret.value.encode()) == pair().leaf
        assert ("PRIVATE KEY" in secret.value) is exportable
        key = load_pem_private_key(secret.value.encode(), None) if exportable else None
    assert (key is not None) is exportable


@pytest.mark.parametrize("form", ["pem", "pfx"])
def test_pem_and_pfx_are_imported(world: Scene, form: str) -> None:
    data: str | bytes = pair().to_pem("pw") if form == "pem" else pair().to_pfx("pw")
    world.vault.add_certificate("app", data, password=b"pw")

    cer = world.certificates().get_certificate("app").cer

    assert cer is not None
    assert bytes(cer) == pair().public_der()


@pytest.mark.parametrize("password", [None, "hunter2"])
def test_a_certificate_is_imported_by_azures_client(world: Scene, password: str | None) -> None:
    client = world.certificates()

    made = client.import_certificate("new", pair().to_pfx(password), password=password)

    assert bytes(made.cer or b"") == pair().public_der()
    assert client.get_certificate("new").id == made.id
    assert world.secrets().get_secret("new").value
    # The first request has no token: its answer is the challenge.
    assert world.vault.requests[1].permission == "certificates/import"


def test_what_cannot_be_imported_is_refused_by_the_api(world: Scene) -> None:
    with pytest.raises(HttpResponseError, match="PKCS#12"):
        world.certificates().import_certificate("new", b"nonsense")


@pytest.mark.parametrize(
    "data",
    [b"-----BEGIN NONSENSE-----\n-----END NONSENSE-----", b"nonsense", pair().public_pem()],
    ids=["another block", "no block", "no key"],
)
def test_what_is_no_certificate_with_its_key_is_not_imported(world: Scene, data: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        world.vault.add_certificate("app", data)


@pytest.mark.parametrize("name", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256"])
def test_the_vault_signs_digests(world: Scene, name: str) -> None:
    certificate = pair("ec" if name.startswith("ES") else "stored")
    version = world.vault.add_certificate("app", certificate, exportable=False)
    bits = name[2:]
    digest = hashlib.new(f"sha{bits}", b"message").digest()
    kind = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[bits]

    client = world.cryptography(f"{world.vault.vault_url}/keys/app/{version}")
    signature = client.sign(SignatureAlgorithm(name), digest).signature

    key = certificate.leaf.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        scheme = padding.PSS(padding.MGF1(kind), kind.digest_size) if name[0] == "P" else padding.PKCS1v15()
        key.verify(signature, digest, scheme, Prehashed(kind))
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(kind)))


@pytest.mark.parametrize(("name", "digest"), [("ES256", bytes(32)), ("RS256", bytes(31))])
def test_a_signature_that_the_key_cannot_make_is_refused(world: Scene, name: str, digest: bytes) -> None:
    version = world.vault.add_certificate("app", pair(), exportable=False)
    client = world.cryptography(f"{world.vault.vault_url}/keys/app/{version}")

    with pytest.raises(HttpResponseError, match="BadParameter") as caught:
        client.sign(SignatureAlgorithm(name), digest)

    assert caught.value.status_code == 400


def test_rotation_makes_a_newest_version_and_keeps_the_others(world: Scene) -> None:
    first = world.vault.add_certificate("app", pair(), exportable=False, content_type="application/x-pem-file")
    second = world.vault.rotate("app", pair("other"))
    client = world.certificates()

    found = client.get_certificate("app")

    assert found.properties is not None
    assert found.properties.version == second
    assert found.policy is not None
    assert (found.policy.exportable, found.policy.content_type) == (False, "application/x-pem-file")
    assert bytes(client.get_certificate_version("app", first).cer or b"") == pair().public_der()


def test_versions_come_in_pages() -> None:
    world = scene(page_size=2)
    made = [world.vault.add_certificate("app", pair()) for _ in range(5)]

    listed = list(world.certificates().list_properties_of_certificate_versions("app"))

    assert [item.version for item in listed] == made
    assert sum(request.permission == "certificates/list" for request in world.vault.requests) == 3
    assert [item.name for item in world.certificates().list_properties_of_certificates()] == ["app"]


@pytest.mark.parametrize("times", [{"expires": time.time() - DAY}, {"not_before": time.time() + DAY}])
def test_a_key_outside_its_validity_does_not_sign(world: Scene, times: dict[str, float]) -> None:
    version = world.vault.add_certificate("app", pair(), **times)  # type: ignore[arg-type]

    with pytest.raises(HttpResponseError, match="not allowed on") as caught:
        world.cryptography(f"{world.vault.vault_url}/keys/app/{version}").sign(SignatureAlgorithm.rs256, bytes(32))

    assert caught.value.status_code == 403


def test_a_disabled_version_gives_its_certificate_and_neither_secret_nor_signature(world: Scene) -> None:
    version = world.vault.add_certificate("app", pair())
    world.vault.set_enabled("app", version, enabled=False)

    properties = world.certificates().get_certificate("app").properties
    assert properties is not None
    assert properties.enabled is False
    with pytest.raises(HttpResponseError, match="disabled secret"):
        world.secrets().get_secret("app")
    with pytest.raises(HttpResponseError, match="disabled key"):
        world.cryptography(f"{world.vault.vault_url}/keys/app/{version}").sign(SignatureAlgorithm.rs256, bytes(32))
    world.vault.set_enabled("app", enabled=True)
    assert world.secrets().get_secret("app").value


def test_what_is_not_there_is_not_found(world: Scene) -> None:
    world.vault.add_certificate("app", pair())

    with pytest.raises(ResourceNotFoundError, match="CertificateNotFound"):
        world.certificates().get_certificate("other")
    with pytest.raises(ResourceNotFoundError, match="CertificateNotFound"):
        list(world.certificates().list_properties_of_certificate_versions("other"))
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        world.secrets().get_secret("app", "0" * 32)
    with pytest.raises(KeyError):
        world.vault.rotate("other", pair())
    with pytest.raises(KeyError):
        world.vault.set_enabled("app", "0" * 32, enabled=True)


@pytest.mark.parametrize(("rbac", "code"), [(False, "does not have secrets get permission"), (True, "getSecret")])
def test_an_application_has_the_permissions_it_was_given(rbac: bool, code: str) -> None:
    world = scene(rbac=rbac)
    world.vault.add_certificate("app", pair())
    world.vault.allow(world.application, "certificates/get")

    assert world.certificates().get_certificate("app").cer
    with pytest.raises(HttpResponseError, match=code) as caught:
        world.secrets().get_secret("app")
    assert caught.value.status_code == 403
    with pytest.raises(ValueError, match="secrets/read"):
        world.vault.allow(world.application, "secrets/read")


def test_the_challenge_names_tenant_and_resource(world: Scene) -> None:
    response = world.vault.handle(Request("GET", f"{world.vault.vault_url}/secrets/app?api-version=7.4"))

    assert response.status == 401
    tenant = world.entra.tenant.tenant_id
    expected = f'Bearer authorization="https://login.windows.net/{tenant}", resource="https://vault.azure.net"'
    assert response.headers["WWW-Authenticate"] == expected


def test_a_token_for_another_resource_is_not_taken(world: Scene) -> None:
    token = world.credential().get_token("https://storage.azure.com/.default").token
    headers = {"Authorization": f"Bearer {token}"}

    response = world.vault.handle(Request("GET", f"{world.vault.vault_url}/secrets/app?api-version=7.4", headers))

    assert response.status == 401
    assert "invalid_token" in response.headers["WWW-Authenticate"]


def test_a_token_of_another_tenant_is_not_taken(world: Scene) -> None:
    foreign = KeyVaultEmulator(world.entra, tenant=world.entra.add_tenant())
    token = world.credential().get_token("https://vault.azure.net/.default").token
    headers = {"Authorization": f"Bearer {token}"}

    response = foreign.handle(Request("GET", f"{foreign.vault_url}/secrets/app?api-version=7.4", headers))

    assert response.status == 401
    assert "AKV10032" in response.body.decode()


def test_a_token_that_has_expired_is_not_taken() -> None:
    late = scene(clock=lambda: time.time() + DAY)
    late.vault.add_certificate("app", pair())

    with pytest.raises(ClientAuthenticationError):
        late.certificates().get_certificate("app")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/secrets/app", 400),
        ("GET", "/nowhere?api-version=7.4", 404),
        ("GET", "/secrets?api-version=7.4", 404),
        ("POST", "/secrets/app/1/sign?api-version=7.4", 404),
        ("DELETE", "/secrets/app?api-version=7.4", 405),
        ("GET", "/certificates?api-version=7.4&maxresults=many", 400),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(world: Scene, method: str, path: str, status: int) -> None:
    token = world.credential().get_token("https://vault.azure.net/.default").token
    headers = {"Authorization": f"Bearer {token}"}

    assert world.vault.handle(Request(method, world.vault.vault_url + path, headers)).status == status
