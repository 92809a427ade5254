"""A certificate is never paired with a key that is not its own, wherever that key is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.possession import check_key
from azure_certvar_credential.exceptions import (
    CertificateError,
    CertificateFormatError,
    ConfigurationError,
    KeyMismatchError,
    UnsupportedKeyError,
)
from azure_certvar_credential.signers.keys import PrivateKey
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.protocol import Signer
from azure_certvar_credential.signers.verification import verify
from tests.certificates import making

RSA_LEAF = making.self_signed("leaf", making.rsa_key())
EC_LEAF = making.self_signed("leaf", making.ec_key())


class Foreign:
    """A signer that is not the package's own; it records what it was asked to sign."""

    def __init__(self, key: PrivateKey, *, claims: Any = None, algorithms: tuple[str, ...] = ()) -> None:
        self.inner = MemorySigner(key)
        self.claims = claims
        self.algorithms = algorithms
        self.asked: list[tuple[bytes, str]] = []

    @property
    def public_key(self) -> Any:
        return self.inner.public_key if self.claims is None else self.claims

    def sign(self, message: bytes, algorithm: str) -> Any:
        self.asked.append((message, algorithm))
        if self.algorithms and algorithm not in self.algorithms:
            raise ConfigurationError(f"this hardware does not sign {algorithm}")
        return self.inner.sign(message, algorithm)


class Scripted(Foreign):
    """Returns whatever it was told to in place of a signature."""

    def __init__(self, key: PrivateKey, answer: object) -> None:
        super().__init__(key)
        self.answer = answer

    def sign(self, message: bytes, algorithm: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1, "ES256"), (ec.SECP384R1, "ES384"), (ec.SECP521R1, "ES512")]
)
def test_an_ec_key_signs_with_the_algorithm_of_its_curve(curve: type[ec.EllipticCurve], algorithm: str) -> None:
    signer = Foreign(making.ec_key(0, curve))

    certificate = ClientCertificate(making.self_signed("leaf", making.ec_key(0, curve)), signer)

    assert [asked for _, asked in signer.asked] == [algorithm]
    assert certificate.key_type == "EC"
    assert certificate.key_size == curve().key_size


def test_an_rsa_key_signs_once_with_ps256() -> None:
    signer = Foreign(making.rsa_key())

    assert ClientCertificate(RSA_LEAF, signer).signer is signer
    assert [algorithm for _, algorithm in signer.asked] == ["PS256"]


def test_hardware_without_pss_is_asked_for_rs256() -> None:
    signer = Foreign(making.rsa_key(), algorithms=("RS256",))

    ClientCertificate(RSA_LEAF, signer)

    assert [algorithm for _, algorithm in signer.asked] == ["PS256", "RS256"]


def test_hardware_that_signs_nothing_of_it_says_so_itself() -> None:
    with pytest.raises(ConfigurationError, match="does not sign RS256"):
        ClientCertificate(RSA_LEAF, Foreign(making.rsa_key(), algorithms=("RS512",)))


def test_what_is_signed_can_never_be_an_assertion_and_is_never_the_same() -> None:
    signer = Foreign(making.rsa_key())

    for _ in range(3):
        ClientCertificate(RSA_LEAF, signer)

    messages = [message for message, _ in signer.asked]
    assert len(set(messages)) == 3
    # The octets of a JWS signing input are base64url and a full stop (RFC 7515 section 5.1).
    assert all(b"\0" in message for message in messages)


@pytest.mark.parametrize("leaf", [RSA_LEAF, EC_LEAF])
def test_a_signer_of_another_key_is_a_mismatch_and_is_not_asked(leaf: Any) -> None:
    signer = Foreign(making.rsa_key(1))

    with pytest.raises(KeyMismatchError, match="does not belong to any of the given certificates"):
        ClientCertificate(leaf, signer)

    assert not signer.asked


def test_a_signer_that_claims_the_leaf_s_key_is_found_out() -> None:
    with pytest.raises(KeyMismatchError, match="by Foreign does not verify"):
        ClientCertificate(RSA_LEAF, Foreign(making.rsa_key(1), claims=making.rsa_key().public_key()))
    with pytest.raises(KeyMismatchError, match="by Foreign does not verify"):
        ClientCertificate(EC_LEAF, Foreign(making.ec_key(5), claims=making.ec_key().public_key()))


@pytest.mark.parametrize("answer", [b"", b"garbage", bytes(256), b"\xff" * 64, bytes(64)])
@pytest.mark.parametrize(("leaf", "key"), [(RSA_LEAF, making.rsa_key()), (EC_LEAF, making.ec_key())])
def test_garbage_in_place_of_a_signature_is_a_mismatch(leaf: Any, key: Any, answer: bytes) -> None:
    with pytest.raises(KeyMismatchError, match="does not verify"):
        ClientCertificate(leaf, Scripted(key, answer))


def test_an_rs256_signature_in_place_of_ps256_is_a_mismatch() -> None:
    class Stubborn(Foreign):
        def sign(self, message: bytes, algorithm: str) -> Any:
            return self.inner.sign(message, "RS256")

    with pytest.raises(KeyMismatchError):
        ClientCertificate(RSA_LEAF, Stubborn(making.rsa_key()))


@pytest.mark.parametrize("answer", [None, "signature", 12])
def test_something_else_than_octets_is_an_error_of_the_signer(answer: object) -> None:
    with pytest.raises(CertificateError, match=r"`sign` of Scripted returned \w+; it must return bytes"):
        ClientCertificate(RSA_LEAF, Scripted(making.rsa_key(), answer))


@pytest.mark.parametrize("failure", [ConnectionError("no network"), ValueError("wrong PIN")])
def test_a_signer_s_own_failure_passes_through(failure: Exception) -> None:
    with pytest.raises(type(failure), match=str(failure)):
        ClientCertificate(RSA_LEAF, Scripted(making.rsa_key(), failure))


@pytest.mark.parametrize("key", [None, 12, "key", object(), b"-----BEGIN"])
def test_something_else_than_a_key_is_named_by_its_type(key: Any) -> None:
    with pytest.raises(CertificateError, match=type(key).__name__):
        ClientCertificate(RSA_LEAF, key)


def test_a_signer_whose_public_key_is_a_method_is_told_so() -> None:
    class Method:
        def public_key(self) -> object:
            return making.rsa_key().public_key()

        def sign(self, message: bytes, algorithm: str) -> bytes:
            return b""

    key: Any = Method()
    with pytest.raises(CertificateError, match="must be a property"):
        ClientCertificate(RSA_LEAF, key)


def test_a_signer_whose_sign_is_no_method_is_told_so() -> None:
    class Attribute:
        public_key = making.rsa_key().public_key()
        sign = b"signature"

    key: Any = Attribute()
    with pytest.raises(CertificateError, match="a method `sign"):
        ClientCertificate(RSA_LEAF, key)


def test_a_signer_of_a_weak_key_is_refused() -> None:
    with pytest.raises(UnsupportedKeyError, match="1024 bits"):
        ClientCertificate(RSA_LEAF, Foreign(making.rsa_key(0, 1024)))


def test_a_signer_of_another_kind_of_key_is_refused() -> None:
    with pytest.raises(UnsupportedKeyError, match="type str"):
        ClientCertificate(RSA_LEAF, Foreign(making.rsa_key(), claims="a key"))


def test_the_doubles_here_are_signers() -> None:
    assert isinstance(Foreign(making.rsa_key()), Signer)


def test_an_rsa_key_that_takes_seconds_is_refused_before_anything_is_signed() -> None:
    for bits, accepted in ((8192, True), (8193, False), (65536, False)):
        public = rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) + 1).public_key()
        assert public.key_size == bits
        if accepted:
            assert check_key(public) is public
        else:
            with pytest.raises(UnsupportedKeyError, match=f"RSA key has {bits} bits; use at most 8192"):
                check_key(public)


@pytest.mark.parametrize("name", ["dmp1", "dmq1", "iqmp"])
@pytest.mark.parametrize("change", [-1024, -2, 2, 65536])  # cryptography itself wants odd exponents
def test_an_rsa_key_that_signs_with_a_wrong_number_is_damaged(name: str, change: int) -> None:
    right = making.rsa_key().private_numbers()
    names = ("p", "q", "d", "dmp1", "dmq1", "iqmp")
    numbers = {one: getattr(right, one) + (change if one == name else 0) for one in names}
    wrong = rsa.RSAPrivateNumbers(**numbers, public_numbers=right.public_numbers)

    with pytest.raises(CertificateFormatError, match="its numbers do not belong together"):
        ClientCertificate(RSA_LEAF, wrong.private_key(unsafe_skip_rsa_key_validation=True))


@pytest.mark.parametrize(
    "made",
    [
        lambda: rsa.generate_private_key(3, 2048),
        lambda: rsa.generate_private_key(65537, 2049),
        lambda: rsa.generate_private_key(65537, 3072),
        lambda: other_order(making.rsa_key()),
    ],
    ids=["exponent 3", "2049 bits", "3072 bits", "primes in the other order"],
)
def test_a_key_whose_numbers_belong_together_signs_for_its_certificate(made: Callable[[], rsa.RSAPrivateKey]) -> None:
    # What the constructor concludes from the numbers is so.
    key = made()
    certificate = ClientCertificate(making.self_signed("leaf", key), key)
    signature = certificate.signer.sign(b"message", "PS256")

    assert verify(certificate.signer.public_key, b"message", signature, "PS256")


def other_order(key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    """The same key with its primes in the other order, as some programs write it."""
    numbers = key.private_numbers()
    p, q = numbers.q, numbers.p
    swapped = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=numbers.d,
        dmp1=numbers.dmq1,
        dmq1=numbers.dmp1,
        iqmp=pow(q, -1, p),
        public_numbers=key.public_key().public_numbers(),
    )
    return swapped.private_key(unsafe_skip_rsa_key_validation=True)


def test_a_subclass_of_the_signer_in_memory_has_to_sign() -> None:
    class Other(MemorySigner):
        def sign(self, message: bytes, algorithm: str) -> bytes:
            return MemorySigner(making.rsa_key(1)).sign(message, algorithm)

    with pytest.raises(KeyMismatchError, match="by Other does not verify"):
        ClientCertificate(RSA_LEAF, Other(making.rsa_key()))
