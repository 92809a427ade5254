"""How much work a certificate input can cause, whatever it is made of."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.certificates import chain as chains
from azure_certvar_credential.certificates.pkcs12 import kdf, pbe
from azure_certvar_credential.exceptions import AmbiguousPrivateKeyError, CertificateError, CertificateFormatError
from tests.certificates import making, raw
from tests.certificates.kit import Kit
from tests.certificates.pfx_parts import PBES2, certificate_bag, enciphered, pbes2, pfx_of, plain, shrouded


def _wrapped(contents: bytes, times: int) -> bytes:
    """A key that is encrypted with the empty password, again and again."""
    for _ in range(times):
        algorithm, ciphertext = enciphered(contents, "", PBES2, 7)
        contents = raw.tlv(0x30, algorithm + raw.tlv(4, ciphertext))
    return contents


@pytest.mark.parametrize("times", [2, 400])
def test_a_key_that_is_encrypted_inside_of_another_is_not_looked_for(
    kit: Kit, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: list[int] = []
    derive = kdf.derive

    def counted(*arguments: object) -> bytes:
        derived.append(1)
        return derive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pbe, "derive", counted)
    key = making.key_bytes(kit.key, Encoding.DER)
    assert ClientCertificate.load((kit.leaf, _wrapped(key, 1))).leaf == kit.leaf
    derived.clear()

    with pytest.raises(CertificateError):
        ClientCertificate.load((kit.leaf, _wrapped(key, times)))

    assert len(derived) <= 1


def test_more_than_twenty_keys_are_not_compared(kit: Kit) -> None:
    copies = making.key_bytes(kit.key, Encoding.PEM) * 20
    assert ClientCertificate.load((kit.leaf, copies)).leaf == kit.leaf

    with pytest.raises(AmbiguousPrivateKeyError, match="more than 20 private keys"):
        ClientCertificate.load((kit.leaf, copies * 2))


def test_of_more_than_twenty_keys_in_a_pfx_none_is_decrypted(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[int] = []

    def counted(*_: object) -> bytes:
        derived.append(1)
        return bytes(32)

    monkeypatch.setattr(pbe, "derive", counted)
    with pytest.raises(AmbiguousPrivateKeyError, match="more than 20 private keys"):
        ClientCertificate.load(pfx_of(plain(certificate_bag(kit.leaf), *[shrouded(pbes2(1))] * 21)))
    assert not derived


def test_the_public_keys_of_more_than_a_thousand_certificates_are_not_looked_at(kit: Kit) -> None:
    key, leaf = making.key_bytes(kit.key, Encoding.DER), kit.leaf.public_bytes(Encoding.DER)
    assert ClientCertificate.load(key + leaf * 1_000).leaf == kit.leaf

    with pytest.raises(CertificateFormatError, match="holds 1,001 certificates"):
        ClientCertificate.load(key + leaf * 1_001)


def test_more_than_a_thousand_blocks_of_pem_are_not_decoded(kit: Kit) -> None:
    other = "-----BEGIN A-----\nAAAA\n-----END A-----\n"
    assert ClientCertificate.load(kit.pem.decode() + other * 990).leaf == kit.leaf

    with pytest.raises(CertificateFormatError, match="more than 1,000 PEM blocks"):
        ClientCertificate.load(kit.pem.decode() + other * 1_000)


def test_of_certificates_with_one_name_twenty_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer_key, leaf_key = making.ec_key(1), making.rsa_key()
    issuer = making.self_signed("issuer", issuer_key)
    leaf = making.issue("leaf", leaf_key.public_key(), "issuer", issuer_key)
    strangers = [making.self_signed("issuer", making.ec_key(2)) for _ in range(60)]
    verified: list[x509.Certificate] = []
    issued = chains._issued

    def counted(candidate: x509.Certificate, certificate: x509.Certificate) -> bool:
        verified.append(candidate)
        return issued(candidate, certificate)

    monkeypatch.setattr(chains, "_issued", counted)

    chains.order_chain(leaf, [*strangers, issuer])

    assert len(verified) <= 45
