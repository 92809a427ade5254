"""A key that was made on a PKCS #11 token signs in, and never leaves it (SoftHSM)."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pkcs11
import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate, Pkcs11Signer
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import ConfigurationError, KeyMismatchError
from azure_certvar_credential.signers._cryptoki.mechanisms import ways
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from azure_certvar_credential.signers.verification import verify
from azure_certvar_credential.testing import EntraEmulator
from tests.certificates import making
from tests.certificates.secrecy import assert_tells_nothing
from tests.real.servers.oidc_provider import OidcProvider
from tests.real.softhsm import PIN, SoftHsm, certificate_for, signer_of

SCOPE = "https://storage.azure.com/.default"
RSA_ALGORITHMS = [name for name, row in ALGORITHMS.items() if row.key_type == "RSA"]
EC_KEYS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_strict_provider_takes_assertions_that_the_token_signed(
    oidc_provider: OidcProvider, signer: Pkcs11Signer, algorithm: str
) -> None:
    certificate = ClientCertificate(certificate_for(signer.public_key), signer)
    client_id = oidc_provider.register(signer.public_key)
    with CertVarCredential(
        oidc_provider.tenant_id,
        client_id,
        certificate,
        algorithm=algorithm,
        authority=oidc_provider.authority,
        disable_instance_discovery=True,
        connection_verify=oidc_provider.ca_file,
    ) as credential:
        token = credential.get_token("api://orders/.default").token

    assert oidc_provider.verified_claims(token)["client_id"] == client_id


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
def test_the_local_entra_takes_assertions_that_the_token_signed(signer: Pkcs11Signer, algorithm: str) -> None:
    entra = EntraEmulator()
    certificate = ClientCertificate(certificate_for(signer.public_key), signer)
    application = entra.add_application(certificate)
    with CertVarCredential(
        application.tenant_id, application.client_id, certificate, algorithm=algorithm, transport=entra.transport()
    ) as credential:
        assert credential.get_token(SCOPE).token


async def test_the_async_credential_signs_with_it(signer: Pkcs11Signer) -> None:
    entra = EntraEmulator()
    certificate = ClientCertificate(certificate_for(signer.public_key), signer)
    application = entra.add_application(certificate)
    async with AsyncCertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.async_transport()
    ) as credential:
        assert (await credential.get_token(SCOPE)).token


@pytest.mark.parametrize(("label", "algorithm"), EC_KEYS.items())
def test_ecdsa_signatures_are_r_and_s(softhsm: SoftHsm, label: str, algorithm: str) -> None:
    with signer_of(softhsm, key_label=label) as signer:
        for number in range(20):
            message = b"message %d" % number
            assert verify(signer.public_key, message, signer.sign(message, algorithm), algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_hashed_here_and_hashed_there_are_the_same_signature(softhsm: SoftHsm, algorithm: str) -> None:
    # Tokens differ in which of the two they offer; SoftHSM 2.6 offers both for RSA, and the raw one for EC.
    row = ALGORITHMS[algorithm]
    label = next((label for label, name in EC_KEYS.items() if name == algorithm), "app")
    with signer_of(softhsm, key_label=label) as signer, signer._token.module.lock:
        found = signer._key()
        offered = [way for way in ways(row) if way.mechanism in found.offered]
        assert len(offered) == (2 if row.key_type == "RSA" else 1)
        for way in offered:
            signature = found.key.sign(
                way.prepared(b"message", row.hash_bits), mechanism=way.mechanism, mechanism_param=way.parameter
            )
            assert verify(signer.public_key, b"message", signature, algorithm)


@pytest.mark.parametrize(
    "attribute", [pkcs11.Attribute.PRIVATE_EXPONENT, pkcs11.Attribute.PRIME_1, pkcs11.Attribute.COEFFICIENT]
)
def test_the_private_half_does_not_come_out(signer: Pkcs11Signer, attribute: pkcs11.Attribute) -> None:
    with signer._token.module.lock:
        key = signer._key().key
        assert key[pkcs11.Attribute.SENSITIVE]
        assert not key[pkcs11.Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.AttributeSensitive):
            key[attribute]


def test_32_threads_sign_at_once(signer: Pkcs11Signer) -> None:
    start = threading.Barrier(32)

    def work(thread: int) -> list[tuple[bytes, bytes, str]]:
        start.wait(30)
        made = []
        for number in range(6):
            algorithm = RSA_ALGORITHMS[(thread + number) % len(RSA_ALGORITHMS)]
            message = f"{thread} {number}".encode()
            made.append((message, signer.sign(message, algorithm), algorithm))
        return made

    with ThreadPoolExecutor(32) as pool:
        made = [signature for signatures in pool.map(work, range(32)) for signature in signatures]

    assert len(made) == 32 * 6
    assert all(verify(signer.public_key, *signature) for signature in made)


def test_a_certificate_of_another_key_is_refused(signer: Pkcs11Signer) -> None:
    with pytest.raises(KeyMismatchError, match="does not belong to any"):
        ClientCertificate(certificate_for(making.rsa_key().public_key()), signer)


def test_an_algorithm_that_does_not_fit_never_reaches_the_token(signer: Pkcs11Signer) -> None:
    with pytest.raises(ConfigurationError, match="ES256 needs an EC key on secp256r1, but this key is RSA 2048"):
        signer.sign(b"message", "ES256")


def test_neither_repr_nor_pickle_shows_the_pin(signer: Pkcs11Signer) -> None:
    assert repr(signer) == f"<Pkcs11Signer RSA 2048, token 'orders', key 'app' at {id(signer):#x}>"
    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        pickle.dumps(signer)
    assert_tells_nothing(caught.value, [PIN])
