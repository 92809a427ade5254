"""A self-signed certificate is made in memory, and is one that a client may authenticate with."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import ConfigurationError

if TYPE_CHECKING:
    from tests.certificates.kit import Kit


@pytest.fixture(scope="module")
def made() -> ClientCertificate:
    return ClientCertificate.self_signed("my app", days=30)


def test_the_default_is_rsa_2048_signed_by_itself(made: ClientCertificate) -> None:
    assert (made.key_type, made.key_size) == ("RSA", 2048)
    assert made.subject == made.issuer == "CN=my app"
    made.leaf.verify_directly_issued_by(made.leaf)
    assert made.x5c == (base64.b64encode(made.public_der()).decode(),)


def test_it_lasts_as_long_as_asked_and_began_five_minutes_ago(made: ClientCertificate) -> None:
    now = datetime.now(timezone.utc)

    assert timedelta(0) <= now + timedelta(days=30) - made.not_after < timedelta(minutes=2)
    assert made.not_after - made.not_before == timedelta(days=30, minutes=5)


def test_it_is_for_client_authentication_and_no_authority(made: ClientCertificate) -> None:
    extensions = made.leaf.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    identifier = extensions.get_extension_for_class(x509.SubjectKeyIdentifier)

    assert constraints.critical
    assert not constraints.value.ca
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert not usage.value.key_encipherment
    assert list(purposes.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert identifier.value == x509.SubjectKeyIdentifier.from_public_key(made.leaf.public_key())


def test_openssl_verifies_it_for_client_authentication(kit: Kit, made: ClientCertificate) -> None:
    (kit.directory / "made.pem").write_text(made.public_pem())

    shown = kit.openssl("verify", "-CAfile", "made.pem", "-purpose", "sslclient", "made.pem")

    assert shown.strip() == b"made.pem: OK"


@pytest.mark.parametrize(("kind", "size"), [("RSA-3072", 3072), ("EC-P256", 256)])
def test_other_kinds_of_keys_are_made(kind: Any, size: int) -> None:
    made = ClientCertificate.self_signed("app", key=kind)

    assert made.key_size == size
    assert made.key_type == kind.partition("-")[0]
    assert ClientCertificate.load(made.to_pfx("p"), "p") == made


def test_two_certificates_have_nothing_in_common() -> None:
    one, two = (ClientCertificate.self_signed("app", key="EC-P256") for _ in range(2))

    assert one.serial_number != two.serial_number
    assert one.signer.public_key != two.signer.public_key


@pytest.mark.parametrize("name", ["a", "x" * 64, "Grüße ✓", "a, b=c+d", "app.example.com"])
def test_any_printable_name_is_kept_as_it_is(name: str) -> None:
    leaf = ClientCertificate.self_signed(name, key="EC-P256").leaf

    assert [attribute.value for attribute in leaf.subject] == [name]


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 65, "ü" * 33, "line\nbreak", "nul\0", "CN=app", "cn=app", "\ud800", None, 5, b"app"]
)
def test_a_name_that_no_certificate_can_have_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="common_name"):
        ClientCertificate.self_signed(name, key="EC-P256")


@pytest.mark.parametrize("kind", ["RSA-1024", "rsa-2048", "EC-P521", "Ed25519", "", None, 2048])
def test_another_kind_of_key_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="RSA-2048, RSA-3072, RSA-4096, EC-P256"):
        ClientCertificate.self_signed("app", key=kind)


@pytest.mark.parametrize("days", [0, -1, 36_526, 10**12, 1.5, True, "365", None])
def test_an_impossible_number_of_days_is_refused(days: Any) -> None:
    with pytest.raises(ConfigurationError, match="days must be a whole number"):
        ClientCertificate.self_signed("app", key="EC-P256", days=days)


@pytest.mark.parametrize("days", [1, 36_525])
def test_the_shortest_and_the_longest_time_are_possible(days: int) -> None:
    assert ClientCertificate.self_signed("app", key="EC-P256", days=days).expires_in > 0
