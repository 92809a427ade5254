"""A ClientCertificate shows what OpenSSL shows, cannot be changed, and keeps its key to itself."""

from __future__ import annotations

import base64
import copy
import pickle
import re
import time
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateError,
    CertificateFormatError,
    CertificateWarning,
    PasswordError,
)
from tests.certificates import making, raw
from tests.certificates.kit import PASSWORD
from tests.certificates.making import NOW, YEAR
from tests.certificates.secrecy import assert_tells_nothing, secrets_of
from tests.certificates.test_possession import Foreign

if TYPE_CHECKING:
    from tests.certificates.kit import Kit


@pytest.fixture
def certificate(kit: Kit) -> ClientCertificate:
    return ClientCertificate(kit.leaf, kit.key, [kit.root, kit.intermediate])


def test_thumbprints_are_openssl_s_fingerprints(kit: Kit, certificate: ClientCertificate) -> None:
    def fingerprint(algorithm: str) -> str:
        shown = kit.openssl("x509", "-in", "leaf.pem", "-noout", "-fingerprint", f"-{algorithm}").decode()
        return shown.strip().rpartition("=")[2].replace(":", "")

    assert certificate.thumbprint == fingerprint("sha1")
    assert certificate.sha256_thumbprint == fingerprint("sha256")


def test_x5t_is_the_unpadded_base64url_of_the_digest(kit: Kit, certificate: ClientCertificate) -> None:
    for value, algorithm in ((certificate.x5t, hashes.SHA1()), (certificate.x5t_s256, hashes.SHA256())):  # noqa: S303 - what x5t is
        assert re.fullmatch(r"[A-Za-z0-9_-]+", value)
        padded = value + "=" * (-len(value) % 4)
        assert base64.urlsafe_b64decode(padded) == kit.leaf.fingerprint(algorithm)


def test_names_and_number_are_openssl_s(kit: Kit, certificate: ClientCertificate) -> None:
    shown = kit.openssl("x509", "-in", "leaf.pem", "-noout", "-subject", "-issuer", "-serial", "-nameopt", "RFC2253")
    fields = dict(line.split("=", 1) for line in shown.decode().splitlines())

    assert certificate.subject == fields["subject"] == "CN=leaf"
    assert certificate.issuer == fields["issuer"] == "CN=intermediate"
    assert certificate.serial_number == int(fields["serial"], 16)


def test_dates_are_aware_and_in_utc(certificate: ClientCertificate) -> None:
    assert certificate.not_before == NOW - timedelta(days=1)
    assert certificate.not_after == NOW + YEAR
    assert certificate.not_after.tzinfo is timezone.utc


def test_expires_in_counts_down_and_below_zero(monkeypatch: pytest.MonkeyPatch, certificate: ClientCertificate) -> None:
    monkeypatch.setattr(time, "time", lambda: certificate.not_after.timestamp() - 90.5)
    assert certificate.expires_in == 90.5
    monkeypatch.setattr(time, "time", lambda: certificate.not_after.timestamp() + 1)
    assert certificate.expires_in == -1


def test_key_type_and_size_are_the_key_s(kit: Kit, certificate: ClientCertificate) -> None:
    assert (certificate.key_type, certificate.key_size) == ("RSA", 2048)
    other = ClientCertificate(kit.ec_leaf, kit.ec_key)
    assert (other.key_type, other.key_size) == ("EC", 256)


def test_repr_shows_subject_thumbprint_and_expiry_only(certificate: ClientCertificate) -> None:
    expected = (
        f"<ClientCertificate 'CN=leaf' thumbprint={certificate.thumbprint} "
        f"expires={certificate.not_after:%Y-%m-%dT%H:%M:%SZ}>"
    )

    assert repr(certificate) == str(certificate) == expected


def test_repr_of_what_was_never_finished_is_the_class_name() -> None:
    # Error reporters show the variables of the frame in which a constructor failed.
    assert repr(ClientCertificate.__new__(ClientCertificate)) == "<ClientCertificate>"


@pytest.mark.parametrize("name", ["leaf", "_leaf", "thumbprint", "new"])
def test_nothing_can_be_changed(certificate: ClientCertificate, name: str) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        setattr(certificate, name, None)
    with pytest.raises(AttributeError, match="immutable"):
        delattr(certificate, name)
    assert not hasattr(certificate, "__dict__")


def test_a_copy_is_the_same_object(certificate: ClientCertificate) -> None:
    assert copy.copy(certificate) is certificate
    assert copy.deepcopy({"c": certificate})["c"] is certificate


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(certificate: ClientCertificate, protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        pickle.dumps(certificate, protocol)

    assert_tells_nothing(caught.value, secrets_of())


def test_equal_means_same_leaf_and_same_chain(kit: Kit, certificate: ClientCertificate) -> None:
    same = ClientCertificate(kit.leaf, kit.key, [kit.intermediate, kit.root])
    bare = ClientCertificate(kit.leaf, kit.key)

    assert same == certificate
    assert hash(same) == hash(certificate)
    assert bare != certificate
    assert ClientCertificate(kit.leaf, kit.key, [kit.intermediate, kit.root], include_root=True) != certificate
    assert certificate != kit.leaf


def test_an_expired_certificate_is_taken_with_a_warning_that_points_here() -> None:
    ended = NOW - timedelta(hours=1)
    leaf = making.self_signed("leaf", making.rsa_key(), ends=ended)
    expected = f"expired on {ended:%Y-%m-%d %H:%M:%S} UTC"

    with pytest.warns(CertificateWarning, match=expected) as direct:
        certificate = ClientCertificate(leaf, making.rsa_key())
    with pytest.warns(CertificateWarning, match=expected) as loaded:
        ClientCertificate.load((leaf, making.rsa_key()))

    assert [str(entry.filename) for entry in (*direct, *loaded)] == [__file__, __file__]
    assert certificate.thumbprint in str(direct[0].message)
    assert "'CN=leaf'" in str(direct[0].message)
    assert certificate.expires_in < 0


def test_a_certificate_of_tomorrow_is_taken_with_a_warning() -> None:
    begins = NOW + timedelta(days=1)
    leaf = making.self_signed("leaf", making.rsa_key(), begins=begins)

    with pytest.warns(CertificateWarning, match=f"is not valid before {begins:%Y-%m-%d %H:%M:%S} UTC"):
        ClientCertificate(leaf, making.rsa_key())


@pytest.mark.parametrize("wrong", [None, "leaf", b"-----BEGIN CERTIFICATE-----", 5])
def test_a_leaf_or_chain_of_another_type_is_named(kit: Kit, wrong: Any) -> None:
    with pytest.raises(CertificateError, match=type(wrong).__name__):
        ClientCertificate(wrong, kit.key)
    with pytest.raises(CertificateError, match=type(wrong).__name__):
        ClientCertificate(kit.leaf, kit.key, [wrong])


def test_no_chain_may_be_none_and_one_certificate_is_a_chain(kit: Kit) -> None:
    assert ClientCertificate(kit.leaf, kit.key, None).chain == ()
    assert ClientCertificate(kit.leaf, kit.key, kit.intermediate).chain == (kit.intermediate,)
    assert ClientCertificate(kit.leaf, kit.key, iter([kit.root, kit.intermediate])).chain == (
        kit.intermediate,
        kit.root,
    )


@pytest.mark.parametrize(
    "wrong", [5, True, "-----BEGIN CERTIFICATE-----", b"0", bytearray(b"0"), memoryview(b"0"), NOW]
)
def test_a_chain_that_is_none_is_named_by_its_type(kit: Kit, wrong: Any) -> None:
    with pytest.raises(CertificateError, match=f"chain is of type {type(wrong).__name__}; give a list of"):
        ClientCertificate(kit.leaf, kit.key, wrong)


def test_a_certificate_with_an_unreadable_date_is_refused_at_once(kit: Kit) -> None:
    der = kit.leaf.public_bytes(Encoding.DER)
    year = f"{kit.leaf.not_valid_after_utc:%y%m%d}".encode()
    # Replaced by a 13th month: the outer structure is still in order, so that cryptography takes it at first.
    broken = der.replace(raw.tlv(0x17, year)[2:], year[:2] + b"13" + year[4:])
    assert broken != der

    with pytest.raises(CertificateFormatError, match="damaged"):
        ClientCertificate.load((broken, kit.key))


def test_the_public_half_is_exported_for_the_app_registration(kit: Kit, certificate: ClientCertificate) -> None:
    assert certificate.public_pem().encode() == kit.leaf_pem
    assert x509.load_der_x509_certificate(certificate.public_der()) == kit.leaf


@pytest.mark.parametrize("password", [None, PASSWORD, PASSWORD.encode(), "pässwörd ✓"])
def test_what_is_exported_can_be_loaded(certificate: ClientCertificate, password: str | bytes | None) -> None:
    assert ClientCertificate.load(certificate.to_pfx(password), password) == certificate
    assert ClientCertificate.load(certificate.to_pem(password), password) == certificate


def test_openssl_reads_an_exported_pfx_and_finds_modern_ciphers(kit: Kit, certificate: ClientCertificate) -> None:
    made = certificate.to_pfx(PASSWORD)

    shown = kit.openssl("pkcs12", "-nodes", "-passin", f"pass:{PASSWORD}", stdin=made)
    assert ClientCertificate.load(shown) == certificate
    oids = kit.openssl("asn1parse", "-inform", "DER", "-strparse", "26", stdin=made).decode()
    assert "PBES2" in oids
    assert "aes-256-cbc" in oids


def test_an_export_without_password_is_what_key_vault_holds(kit: Kit, certificate: ClientCertificate) -> None:
    content = pkcs12.load_pkcs12(certificate.to_pfx(None), None)

    assert content.cert is not None
    assert content.cert.certificate == kit.leaf
    assert [entry.certificate for entry in content.additional_certs] == [kit.intermediate, kit.root]


def test_an_exported_pem_is_encrypted_when_a_password_is_given(certificate: ClientCertificate) -> None:
    text = certificate.to_pem(PASSWORD)

    assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    key = load_pem_private_key(text.encode(), PASSWORD.encode())
    assert key.public_key() == certificate.signer.public_key


@pytest.mark.parametrize("password", ["", b""])
def test_an_empty_password_protects_nothing_and_is_refused(certificate: ClientCertificate, password: Any) -> None:
    with pytest.raises(PasswordError, match="give None"):
        certificate.to_pfx(password)
    with pytest.raises(PasswordError, match="give None"):
        certificate.to_pem(password)


def test_a_key_elsewhere_cannot_be_exported(kit: Kit) -> None:
    certificate = ClientCertificate(kit.leaf, Foreign(kit.key))

    with pytest.raises(CertificateError, match="does not reveal its private key"):
        certificate.to_pfx(None)
    with pytest.raises(CertificateError, match="does not reveal its private key"):
        certificate.to_pem()
    assert certificate.public_pem()


def test_a_certificate_of_a_key_elsewhere_can_be_loaded_as_a_pair(kit: Kit) -> None:
    signer = Foreign(kit.key)

    assert ClientCertificate.load((kit.leaf_pem, signer)).signer is signer
