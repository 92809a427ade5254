"""The structure of a PFX is read before any key is derived, and each kind of failure has its own error."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from azure_certvar_credential.certificates import ClientCertificate, ber
from azure_certvar_credential.certificates.pkcs12 import authenticated_safe
from azure_certvar_credential.certificates.pkcs12.kdf_budget import MAX_ITERATIONS
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    PasswordRequiredError,
    WrongPasswordError,
)
from tests.certificates import making, raw
from tests.certificates.kit import PASSWORD
from tests.certificates.pfx_parts import (
    DATA,
    ENCRYPTED_DATA,
    KEY_BAG,
    NESTED_BAG,
    PBE_RC4,
    certificate_bag,
    encrypted,
    key_bag,
    mac_of,
    pbe,
    pbes2,
    pbmac1_of,
    pfx_of,
    plain,
    plain_safe,
    shrouded,
    shrouded_key,
    typed,
    with_mac,
)
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

HUGE = 2**31 - 1
SHARE = MAX_ITERATIONS // 3 + 1


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(pfx_of(mac=mac_of(HUGE)), id="MAC"),
        pytest.param(pfx_of(mac=mac_of(MAX_ITERATIONS + 1)), id="MAC, one too many"),
        pytest.param(pfx_of(mac=pbmac1_of(HUGE)), id="PBMAC1"),
        pytest.param(pfx_of(encrypted(pbe(HUGE))), id="encrypted data, PKCS #12"),
        pytest.param(pfx_of(encrypted(pbes2(HUGE))), id="encrypted data, PBES2"),
        pytest.param(pfx_of(plain(shrouded(pbe(HUGE)))), id="key bag, PKCS #12"),
        pytest.param(pfx_of(plain(shrouded(pbes2(HUGE)))), id="key bag, PBES2"),
        pytest.param(pfx_of(plain(typed(NESTED_BAG, raw.tlv(0x30, shrouded(pbes2(HUGE)))))), id="bag in a bag"),
        pytest.param(
            pfx_of(encrypted(pbes2(SHARE)), plain(shrouded(pbe(SHARE))), mac=mac_of(SHARE)), id="all of them together"
        ),
        pytest.param(raw.indefinite(pfx_of(plain(shrouded(pbes2(HUGE))))), id="BER"),
    ],
)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_an_absurd_iteration_count_is_refused_before_any_work(made: bytes, password: str | None) -> None:
    began = time.perf_counter()
    with pytest.raises(CertificateFormatError, match=r"with the PFX the certificate data asks for [\d,]+ iterations"):
        ClientCertificate.load(made, password)

    assert time.perf_counter() - began < 10  # minutes, if the work were done


def test_openssl_itself_writes_what_is_refused(kit: Kit) -> None:
    made = kit.openssl_pfx("-nomac", "-iter", str(MAX_ITERATIONS))

    with pytest.raises(CertificateFormatError, match="asks for 10,000,000 iterations"):
        ClientCertificate.load(made, PASSWORD)


def test_two_keys_in_a_pfx_are_ambiguous(kit: Kit) -> None:
    made = pfx_of(plain(key_bag(kit.key), key_bag(making.rsa_key(1)), certificate_bag(kit.leaf)))

    with pytest.raises(AmbiguousPrivateKeyError, match="2 different private keys") as caught:
        ClientCertificate.load(made)

    assert_tells_nothing(caught.value, secrets_of())


def test_two_encrypted_keys_in_a_pfx_are_ambiguous(kit: Kit) -> None:
    secret = PASSWORD.encode()
    made = pfx_of(plain(key_bag(kit.key, secret), key_bag(making.rsa_key(1), secret), certificate_bag(kit.leaf)))

    with pytest.raises(AmbiguousPrivateKeyError, match="2 different private keys"):
        ClientCertificate.load(made, PASSWORD)


def test_the_same_key_twice_in_a_pfx_is_one_key(kit: Kit) -> None:
    made = pfx_of(plain(key_bag(kit.key), key_bag(kit.key, PASSWORD.encode()), certificate_bag(kit.leaf)))

    assert ClientCertificate.load(made, PASSWORD).leaf == kit.leaf


def test_two_keys_of_which_one_cannot_be_opened_are_ambiguous(kit: Kit) -> None:
    made = pfx_of(plain(key_bag(kit.key), key_bag(making.rsa_key(1), PASSWORD.encode()), certificate_bag(kit.leaf)))

    with pytest.raises(AmbiguousPrivateKeyError, match="cannot be compared"):
        ClientCertificate.load(made)


def test_two_keys_that_only_openssl_decrypts_are_ambiguous(kit: Kit) -> None:
    keys = (shrouded_key(key, PASSWORD, PBE_RC4) for key in (kit.key, making.rsa_key(1)))
    made = with_mac(raw.tlv(0x30, plain(*keys, certificate_bag(kit.leaf))), PASSWORD)

    with pytest.raises(AmbiguousPrivateKeyError, match="2 private keys, and they cannot be compared"):
        ClientCertificate.load(made, PASSWORD)


def test_a_pfx_that_is_signed_says_how_to_get_another() -> None:
    made = raw.tlv(0x30, raw.integer(3) + typed("1.2.840.113549.1.7.2", raw.tlv(0x30, b"")))

    with pytest.raises(CertificateFormatError, match="public-key integrity"):
        ClientCertificate.load(made)


DEEP = typed(NESTED_BAG, raw.tlv(0x30, b""))
for _ in range(9):
    DEEP = typed(NESTED_BAG, raw.tlv(0x30, DEEP))


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(raw.tlv(0x30, raw.integer(4) + plain_safe(b"")), id="version 4"),
        pytest.param(raw.tlv(0x30, raw.integer(3) + raw.tlv(0x30, raw.oid(DATA))), id="no content"),
        pytest.param(raw.tlv(0x30, raw.integer(3) + raw.tlv(0x30, raw.oid(DATA) + raw.tlv(0xA1, b""))), id="no [0]"),
        pytest.param(raw.tlv(0x30, raw.integer(3) + typed(DATA, raw.tlv(4, b"\x30\x05\x02"))), id="content cut off"),
        pytest.param(pfx_of(typed(ENCRYPTED_DATA, raw.tlv(0x30, raw.integer(0)))), id="encrypted data of nothing"),
        pytest.param(pfx_of(typed(ENCRYPTED_DATA, raw.tlv(0x30, raw.integer(0) + b"\x30\0"))), id="no algorithm"),
        pytest.param(pfx_of(plain(DEEP)), id="bags too deep"),
        pytest.param(pfx_of(mac=raw.tlv(0x30, raw.tlv(0x30, b""))), id="MAC without a salt"),
        pytest.param(pfx_of(mac=raw.tlv(0x30, raw.tlv(0x30, b"") + raw.tlv(4, b""))), id="MAC without a digest"),
        pytest.param(
            pfx_of(mac=raw.tlv(0x30, raw.tlv(0x30, b"\x30\0" + raw.tlv(4, b"")) + raw.tlv(4, b""))), id="no digest name"
        ),
    ],
)
def test_a_damaged_structure_is_told_from_a_wrong_password(made: bytes) -> None:
    with pytest.raises(CertificateFormatError, match="the PFX is damaged or cut off"):
        ClientCertificate.load(made, PASSWORD)


def test_an_unencrypted_pfx_that_openssl_cannot_read_is_no_matter_of_passwords(kit: Kit) -> None:
    made = pfx_of(plain(typed(KEY_BAG, raw.tlv(0x30, b"")), certificate_bag(kit.leaf)))

    with pytest.raises(CertificateFormatError, match="although the password is right"):
        ClientCertificate.load(made, PASSWORD)


def test_parts_with_another_password_are_told_from_a_wrong_password(kit: Kit) -> None:
    bags = raw.tlv(0x30, plain(key_bag(kit.key, b"the key's own password"), certificate_bag(kit.leaf)))
    made = with_mac(bags, PASSWORD)

    with pytest.raises(CertificateFormatError, match="different passwords"):
        ClientCertificate.load(made, PASSWORD)
    with pytest.raises(WrongPasswordError):
        ClientCertificate.load(made, "wrong")
    with pytest.raises(PasswordRequiredError):
        ClientCertificate.load(made)


def test_a_structure_shows_no_key(kit: Kit) -> None:
    structure = authenticated_safe.inspect(ber.parse_first(pfx_of(plain(key_bag(kit.key)))))

    assert repr(structure) == "<PFX structure with 1 visible keys>"


def load_without_legacy_provider(data: bytes) -> str:
    # OpenSSL loads its legacy provider once in a process, so that its absence needs another process.
    program = (
        "import sys\n"
        "from azure_certvar_credential.certificates import ClientCertificate\n"
        "try:\n"
        f"    print(ClientCertificate.load(sys.stdin.buffer.read(), {PASSWORD!r}))\n"
        "except ValueError as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=data,
        capture_output=True,
        env={**os.environ, "CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=True,
    )
    return done.stdout.decode()


def test_a_cipher_that_openssl_lacks_is_told_from_a_wrong_password(kit: Kit) -> None:
    shown = load_without_legacy_provider(kit.openssl_pfx("-legacy"))

    assert shown.startswith("CertificateFormatError the PFX is encrypted with PBE-SHA1-RC2-40")
    assert "openssl pkcs12 -export" in shown
    assert PASSWORD not in shown


def test_a_cipher_that_openssl_lacks_is_told_from_a_wrong_password_without_a_mac(kit: Kit) -> None:
    made = pfx_of(encrypted(pbe(1, "1.2.840.113549.1.12.1.6")), plain(key_bag(kit.key)))

    shown = load_without_legacy_provider(made)

    assert shown.startswith(
        "CertificateFormatError the PFX is encrypted with PBE-SHA1-RC2-40, which the installed OpenSSL does"
    )
    assert "right" not in shown


@pytest.mark.parametrize("encryption", ["PBE-SHA1-RC2-128", "PBE-MD5-DES", "PBE-SHA1-RC4-40"])
def test_a_cipher_of_a_key_that_openssl_lacks_is_told_from_a_wrong_password(kit: Kit, encryption: str) -> None:
    legacy = ("-provider", "legacy", "-provider", "default")
    key = kit.openssl("pkcs8", "-topk8", "-in", "key.pem", "-v1", encryption, "-passout", f"pass:{PASSWORD}", *legacy)

    shown = load_without_legacy_provider(key + kit.leaf_pem)

    assert f"is encrypted with {encryption}, which the installed OpenSSL does not provide" in shown
    assert shown.startswith("CertificateFormatError")


def test_without_a_mac_a_cipher_that_openssl_may_lack_is_named(kit: Kit) -> None:
    made = kit.openssl_pfx("-keypbe", "camellia-256-cbc", "-certpbe", "camellia-256-cbc", "-nomac")

    with pytest.raises(WrongPasswordError, match="or the installed OpenSSL has no CAMELLIA-256-CBC"):
        ClientCertificate.load(made, "wrong")


def test_3des_needs_no_legacy_provider(kit: Kit) -> None:
    assert load_without_legacy_provider(kit.openssl_pfx("-legacy", "-descert")).startswith(
        "<ClientCertificate 'CN=leaf'"
    )
