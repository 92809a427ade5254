"""What is encrypted as a whole in a PFX is looked at before any key is derived for it, wherever a key may hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import pkcs12

from azure_certvar_credential.certificates import ClientCertificate, ber
from azure_certvar_credential.certificates.pkcs12 import authenticated_safe, kdf, kdf_budget, openssl, pbe, pfx
from azure_certvar_credential.certificates.pkcs12.kdf import Passphrase
from azure_certvar_credential.certificates.pkcs12.kdf_budget import MAX_ITERATIONS
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    MissingPrivateKeyError,
    PasswordRequiredError,
    WrongPasswordError,
)
from tests.certificates import making, raw
from tests.certificates.kit import PASSWORD
from tests.certificates.pfx_parts import (
    NESTED_BAG,
    PBE_3DES,
    PBE_RC4,
    PBES2,
    certificate_bag,
    key_bag,
    pbes2,
    pfx_of,
    plain,
    sealed,
    shrouded,
    typed,
    with_mac,
)
from tests.certificates.pfx_parts import (
    pbe as pbe_of,
)
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from tests.certificates.kit import Kit

HUGE = 2**31 - 1
HERE = [PBES2, PBE_3DES]
ALL = [*HERE, PBE_RC4]
NAMES = {PBES2: "PBES2", PBE_3DES: "3DES", PBE_RC4: "RC4"}

every_scheme = pytest.mark.parametrize("scheme", ALL, ids=NAMES.get)
scheme_decrypted_here = pytest.mark.parametrize("scheme", HERE, ids=NAMES.get)


def bags(*each: bytes) -> bytes:
    return raw.tlv(0x30, b"".join(each))


def protected(*safes: bytes) -> bytes:
    return with_mac(bags(*safes), PASSWORD)


class Work:
    """The key derivations that were done."""

    def __init__(self) -> None:
        self.iterations: list[int] = []
        self.asked_openssl = 0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counts the real derivations, and how often OpenSSL is given a PFX."""
    done = Work()
    original = pkcs12.load_pkcs12

    def pbkdf2(digest: HashAlgorithm, length: int, salt: bytes, iterations: int) -> PBKDF2HMAC:
        done.iterations.append(iterations)
        return PBKDF2HMAC(digest, length, salt, iterations)

    def load_pkcs12(data: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates:
        done.asked_openssl += 1
        return original(data, password)

    monkeypatch.setattr(kdf, "PBKDF2HMAC", pbkdf2)
    monkeypatch.setattr(pkcs12, "load_pkcs12", load_pkcs12)
    return done


@scheme_decrypted_here
@pytest.mark.parametrize("algorithm", [pbes2(HUGE), pbe_of(HUGE)], ids=["PBES2", "PKCS #12"])
@pytest.mark.parametrize("has_mac", [True, False])
def test_an_absurd_count_inside_of_what_is_encrypted_is_refused_before_it_is_done(
    kit: Kit, work: Work, scheme: str, algorithm: bytes, has_mac: bool
) -> None:
    safes = [
        sealed(bags(shrouded(algorithm), certificate_bag(kit.leaf)), PASSWORD, scheme, 3),
        plain(key_bag(kit.key)),
    ]
    made = protected(*safes) if has_mac else pfx_of(*safes)

    with pytest.raises(CertificateFormatError, match=r"asks for 2,147,483,65\d iterations") as caught:
        ClientCertificate.load(made, PASSWORD)

    assert work.iterations == ([3] if scheme == PBES2 else [])
    assert work.asked_openssl == 0
    assert_tells_nothing(caught.value, secrets_of(PASSWORD))


@scheme_decrypted_here
def test_an_absurd_count_in_a_bag_in_a_bag_is_refused(kit: Kit, work: Work, scheme: str) -> None:
    nested = typed(NESTED_BAG, bags(typed(NESTED_BAG, bags(shrouded(pbes2(HUGE))))))

    with pytest.raises(CertificateFormatError, match="iterations of key derivation"):
        ClientCertificate.load(pfx_of(sealed(bags(nested), PASSWORD, scheme)), PASSWORD)

    assert work.asked_openssl == 0


@scheme_decrypted_here
def test_scrypt_inside_of_what_is_encrypted_is_counted(kit: Kit, scheme: str) -> None:
    numbers = b"".join(raw.integer(number) for number in (2**14, 8, 1000))
    scrypt = raw.tlv(0x30, raw.oid("1.3.6.1.4.1.11591.4.11") + raw.tlv(0x30, raw.tlv(4, b"salt") + numbers))
    cipher = raw.tlv(0x30, raw.oid("2.16.840.1.101.3.4.1.42") + raw.tlv(4, bytes(16)))
    algorithm = raw.tlv(0x30, raw.oid(PBES2) + raw.tlv(0x30, scrypt + cipher))

    with pytest.raises(CertificateFormatError, match=r"asks for 262,144,00\d iterations"):
        ClientCertificate.load(pfx_of(sealed(bags(shrouded(algorithm)), PASSWORD, scheme)), PASSWORD)


def test_what_is_visible_and_what_is_not_are_counted_together(kit: Kit) -> None:
    half = MAX_ITERATIONS // 2 + 1
    made = pfx_of(sealed(bags(shrouded(pbes2(half))), PASSWORD), plain(shrouded(pbes2(half))))

    with pytest.raises(CertificateFormatError, match=f"asks for {2 * half + 1:,} iterations"):
        ClientCertificate.load(made, PASSWORD)


@pytest.mark.parametrize("iterations", [1, HUGE])
@pytest.mark.parametrize("has_mac", [True, False])
def test_openssl_passes_over_keys_among_the_certificates_that_it_decrypts(
    kit: Kit, work: Work, iterations: int, has_mac: bool
) -> None:
    # The key in the RC4 part is garbage, so that OpenSSL would fail if it so much as tried to open it.
    safes = [
        sealed(bags(shrouded(pbes2(iterations)), certificate_bag(kit.leaf)), PASSWORD, PBE_RC4),
        plain(key_bag(kit.key)),
    ]
    made = protected(*safes) if has_mac else pfx_of(*safes)

    assert ClientCertificate.load(made, PASSWORD).leaf == kit.leaf
    assert work.iterations == []
    assert work.asked_openssl == 1


def test_openssl_by_itself_does_try_a_key_among_the_certificates(kit: Kit) -> None:
    # What makes the test above a test.
    good = [certificate_bag(kit.leaf)]
    for hidden, is_read in (([], True), ([shrouded(pbes2(1))], False)):
        made = pfx_of(sealed(bags(*hidden, *good), PASSWORD, PBE_RC4), plain(key_bag(kit.key)))
        try:
            assert pkcs12.load_pkcs12(made, PASSWORD.encode()).key
        except ValueError:
            assert not is_read
        else:
            assert is_read


@scheme_decrypted_here
@pytest.mark.parametrize("own", [None, PASSWORD.encode()], ids=["plain", "shrouded"])
def test_a_key_beside_the_certificates_in_what_is_encrypted_is_found(kit: Kit, scheme: str, own: bytes | None) -> None:
    made = protected(sealed(bags(certificate_bag(kit.leaf), key_bag(kit.key, own)), PASSWORD, scheme))

    assert ClientCertificate.load(made, PASSWORD).leaf == kit.leaf


def test_a_key_in_a_part_that_only_openssl_decrypts_is_not_found_and_the_log_says_so(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    made = protected(sealed(bags(certificate_bag(kit.leaf), key_bag(kit.key)), PASSWORD, PBE_RC4))

    with caplog.at_level("INFO"), pytest.raises(MissingPrivateKeyError):
        ClientCertificate.load(made, PASSWORD)

    assert "keys among certificates that OpenSSL decrypts (RC2, RC4) are not read" in caplog.text


@every_scheme
def test_the_key_may_come_beside_a_pfx_of_certificates(kit: Kit, scheme: str) -> None:
    made = protected(sealed(bags(*map(certificate_bag, (kit.root, kit.intermediate, kit.leaf))), PASSWORD, scheme))

    loaded = ClientCertificate.load((made, kit.key_pem), PASSWORD)

    assert loaded.leaf == kit.leaf
    assert loaded.chain == (kit.intermediate, kit.root)


@scheme_decrypted_here
def test_a_second_key_is_found_wherever_it_hides(kit: Kit, scheme: str) -> None:
    hidden = sealed(bags(key_bag(making.rsa_key(1)), certificate_bag(kit.leaf)), PASSWORD, scheme)

    with pytest.raises(AmbiguousPrivateKeyError, match="2 different private keys"):
        ClientCertificate.load(protected(plain(key_bag(kit.key)), hidden), PASSWORD)


@scheme_decrypted_here
def test_the_same_key_twice_is_one_wherever_it_hides(kit: Kit, scheme: str) -> None:
    hidden = sealed(bags(key_bag(kit.key, PASSWORD.encode()), certificate_bag(kit.leaf)), PASSWORD, scheme)

    assert ClientCertificate.load(protected(plain(key_bag(kit.key)), hidden), PASSWORD).leaf == kit.leaf


def test_bags_of_other_kinds_are_passed_over(kit: Kit) -> None:
    others = [
        typed("1.2.840.113549.1.12.10.1.4", raw.tlv(0x30, raw.oid("1.2.840.113549.1.9.23.1") + raw.tlv(0xA0, b""))),
        typed("1.2.840.113549.1.12.10.1.5", raw.tlv(0x30, raw.oid("1.2.3") + raw.tlv(0xA0, raw.tlv(4, b"secret")))),
        typed("1.2.840.113549.1.12.10.1.3", raw.tlv(0x30, raw.oid("1.2.840.113549.1.9.22.2") + raw.tlv(0xA0, b""))),
    ]
    each = [*others, certificate_bag(kit.leaf)]

    for safes in ([plain(key_bag(kit.key), *each)], [plain(key_bag(kit.key), *others), sealed(bags(*each), PASSWORD)]):
        assert ClientCertificate.load(protected(*safes), PASSWORD).leaf == kit.leaf


@every_scheme
def test_a_wrong_password_that_fits_by_chance_is_a_wrong_password(kit: Kit, scheme: str) -> None:
    # Without a MAC, the padding is all that tells, and it is right once in 256 times; RC4 has none.
    safe = sealed(bags(certificate_bag(kit.leaf)), PASSWORD, scheme)
    made = pfx_of(safe, plain(key_bag(kit.key)))

    with pytest.raises(WrongPasswordError, match="does not open the PFX"):
        ClientCertificate.load(made, lucky_password(safe) if scheme in HERE else "wrong")
    with pytest.raises(PasswordRequiredError):
        ClientCertificate.load(made)


def lucky_password(safe: bytes) -> str:
    (encrypted,) = authenticated_safe.inspect(ber.parse_first(pfx_of(safe))).encrypted
    for number in range(20_000):
        try:
            pbe.decrypt(encrypted.algorithm, encrypted.content, Passphrase.of(b"wrong %d" % number))
        except ber.MalformedError:
            continue
        return f"wrong {number}"
    pytest.fail("no wrong password has a padding that is right")


def test_each_key_of_an_ordinary_pfx_is_derived_once_and_openssl_is_not_asked(kit: Kit, work: Work) -> None:
    ClientCertificate.load(kit.openssl_pfx("-iter", "2222"), PASSWORD)

    assert work.iterations == [2222, 2222]
    assert work.asked_openssl == 0


def test_a_wrong_password_costs_no_derivation_beyond_the_mac(kit: Kit, work: Work) -> None:
    with pytest.raises(WrongPasswordError):
        ClientCertificate.load(kit.openssl_pfx(), "wrong")

    assert work.iterations == []
    assert work.asked_openssl == 0


@pytest.mark.parametrize(("budget", "tries"), [(99, 1), (100, 2)])
def test_passwords_are_tried_only_while_the_budget_lasts(
    kit: Kit, work: Work, monkeypatch: pytest.MonkeyPatch, budget: int, tries: int
) -> None:
    made = pfx_of(sealed(bags(certificate_bag(kit.leaf)), PASSWORD, PBES2, 50), plain(key_bag(kit.key)))
    monkeypatch.setattr(kdf_budget, "MAX_ITERATIONS", budget)

    with pytest.raises(WrongPasswordError):
        ClientCertificate.load(made, "wrong")

    assert work.iterations == [50] * tries


@pytest.mark.parametrize("size", [2_400, 20_000])
def test_openssl_validates_no_key_larger_than_the_largest_that_is_taken(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(openssl, "key_in", lambda left, _: asked.append(len(left)))
    bag = ber.parse_first(raw.tlv(0x30, b"\x02\x01\x00" + raw.tlv(0x30, b"") + raw.tlv(0x04, b"\x00" * size)))

    with pytest.raises(pfx._ClosedError):
        pfx._key(bag, kdf.NO_PASSWORD, is_alone=True)

    assert bool(asked) is (size < 2_500)
