"""What of PKCS #11 needs no token: modules that are none, mechanisms, and what errors mean. tests/real has the rest."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pkcs11 import Mechanism

from azure_certvar_credential import Pkcs11Signer
from azure_certvar_credential.exceptions import CertificateError, ConfigurationError, PasswordError, WrongPasswordError
from azure_certvar_credential.signers._cryptoki.errors import explained, is_lost
from azure_certvar_credential.signers._cryptoki.keys import bare_point
from azure_certvar_credential.signers._cryptoki.mechanisms import joined, way, ways
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from tests.certificates import making
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

ROOT = Path(__file__).parents[2]


def test_without_the_extra_the_message_says_what_to_install() -> None:
    program = """
import sys
sys.modules["pkcs11"] = None  # as if it were not there
from azure_certvar_credential import *
try:
    Pkcs11Signer("/module.so", token_label="token")
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert "pip install 'azure-certvar-credential[pkcs11]'" in done.stdout


def test_importing_the_signer_does_not_load_python_pkcs11() -> None:
    program = "import sys; from azure_certvar_credential import Pkcs11Signer; print('pkcs11' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["False"]


def test_a_module_that_is_not_there_is_named() -> None:
    for path in (Path("/no/such/module.so"), "/no/such/module.so", Path("/")):
        with pytest.raises(ConfigurationError, match="there is no PKCS #11 module at") as caught:
            Pkcs11Signer(path, token_label="token")
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a library", b"\x7fELF\x02\x01\x01" + bytes(200)])
def test_a_file_that_is_no_library_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "module.so"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"module .*module\.so cannot be used: .") as caught:
        Pkcs11Signer(path, token_label="token")
    assert isinstance(caught.value.__cause__, pkcs11.PKCS11Error)


def test_a_library_that_is_no_module_is_named() -> None:
    # The interpreter's own extension module: a shared library on every system, without C_GetFunctionList.
    library = pkcs11._pkcs11.__file__
    with pytest.raises(ConfigurationError, match=r"cannot be used: .*C_GetFunctionList"):
        Pkcs11Signer(library, token_label="token")


def test_a_name_without_a_folder_is_left_to_the_dynamic_linker() -> None:
    with pytest.raises(ConfigurationError, match=r"module no-such-module\.so cannot be used"):
        Pkcs11Signer("no-such-module.so", token_label="token")


def _pem() -> str:
    return making.key_bytes(making.rsa_key(), Encoding.PEM).decode()


def _base64() -> str:
    return base64.b64encode(making.key_bytes(making.rsa_key(), Encoding.DER)).decode()


def _with_a_long_part() -> str:
    # Longer after the slash than the names of any file system (255 bytes).
    return "keys/" + base64.urlsafe_b64encode(making.key_bytes(making.rsa_key(), Encoding.DER)).decode()


def _short_and_without_a_slash() -> str:
    # As a library's name could be; base64url has no slash.
    return base64.urlsafe_b64encode(making.key_bytes(making.ec_key(3), Encoding.DER)).decode()


@pytest.mark.parametrize("made", [_pem, _base64, _with_a_long_part, _short_and_without_a_slash])
def test_a_key_in_the_place_of_the_path_is_not_shown(made: Callable[[], str]) -> None:
    key = made()
    with pytest.raises(ConfigurationError, match=r"no PKCS #11 module") as caught:
        Pkcs11Signer(key, token_label="token")
    assert_tells_nothing(caught.value, [*secrets_of(), *(key[at : at + 16] for at in range(60, len(key) - 16, 16))])


def test_an_empty_path_is_named() -> None:
    with pytest.raises(ConfigurationError, match="module_path is empty"):
        Pkcs11Signer("", token_label="token")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_first_way_that_is_offered_is_taken(algorithm: str) -> None:
    row = ALGORITHMS[algorithm]
    first, second = ways(row)

    assert way(row, {first.mechanism, second.mechanism}, "the token") is not second
    assert way(row, {second.mechanism, 0x80000001}, "the token") == second
    with pytest.raises(ConfigurationError) as caught:
        way(row, {Mechanism.AES_CBC}, "the token 'orders'")
    assert f"the token 'orders' cannot sign with {algorithm}: it offers neither CKM_{first.mechanism.name}" in str(
        caught.value
    )


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_the_prefix_of_pkcs1_is_what_cryptography_puts_before_a_hash(algorithm: str) -> None:
    # RSASSA-PKCS1-v1_5 of the prepared octets, padded and raised by hand, is the signature that cryptography makes.
    row = ALGORITHMS[algorithm]
    key = making.rsa_key()
    prepared = ways(row)[1].prepared(b"message", row.hash_bits)
    numbers = key.private_numbers()
    size = key.key_size // 8
    block = b"\x00\x01" + b"\xff" * (size - len(prepared) - 3) + b"\x00" + prepared
    signature = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")

    digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[row.hash_bits]
    assert signature == key.sign(
        hashlib.new(f"sha{row.hash_bits}", b"message").digest(), padding.PKCS1v15(), Prehashed(digest)
    )


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_the_salt_of_pss_is_as_long_as_the_hash(algorithm: str) -> None:
    for each in ways(ALGORITHMS[algorithm]):
        bits = ALGORITHMS[algorithm].hash_bits
        assert each.parameter == (Mechanism[f"SHA{bits}"], pkcs11.MGF[f"SHA{bits}"], bits // 8)


@given(half=st.integers(1, 32), data=st.data())
def test_short_halves_are_filled_up(half: int, data: st.DataObject) -> None:
    r, s = (data.draw(st.binary(min_size=half, max_size=half)) for _ in range(2))

    assert joined(r + s, 64) == bytes(32 - half) + r + bytes(32 - half) + s


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP384R1, ec.SECP521R1])
def test_a_point_is_read_with_and_without_der_around_it(curve: type[ec.EllipticCurve]) -> None:
    key = making.ec_key(0, curve).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    length = bytes([len(point)]) if len(point) < 0x80 else bytes([0x81, len(point)])

    assert bare_point(point, key.key_size) == point
    assert bare_point(b"\x04" + length + point, key.key_size) == point


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (pkcs11.PinIncorrect(), WrongPasswordError, "rejects the PIN"),
        (pkcs11.PinInvalid(), WrongPasswordError, "rejects the PIN"),
        (pkcs11.PinLenRange(), WrongPasswordError, "rejects the PIN"),
        (pkcs11.PinLocked(), PasswordError, "is locked after too many wrong PINs"),
        (pkcs11.PinExpired(), PasswordError, "is expired"),
        (pkcs11.UserPinNotInitialized(), PasswordError, "is not set yet"),
        (pkcs11.MechanismInvalid(), ConfigurationError, "rejects the mechanism"),
        (pkcs11.MechanismParamInvalid(), ConfigurationError, "rejects the mechanism"),
        (pkcs11.DeviceRemoved(), CertificateError, r"could not sign \(DeviceRemoved\)"),
        (pkcs11.PKCS11Error("Unmapped error code 0x80000007"), CertificateError, "0x80000007"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_cryptoki_becomes_one_that_says_what_to_do(
    error: pkcs11.PKCS11Error, kind: type[Exception], words: str
) -> None:
    # SoftHSM never locks a PIN, and no software token is taken out of its slot: the rest is seen in tests/real.
    with pytest.raises(kind, match=words) as caught:
        raise explained(error, "the token 'orders'", "sign")
    assert type(caught.value) is kind
    assert "the token 'orders'" in str(caught.value)


def test_a_refused_pin_is_no_lost_session() -> None:
    # What is lost is tried again; a PIN that is tried again locks the token.
    final: tuple[type[pkcs11.PKCS11Error], ...] = (
        pkcs11.PinIncorrect,
        pkcs11.PinInvalid,
        pkcs11.PinLenRange,
        pkcs11.PinLocked,
        pkcs11.PinExpired,
        pkcs11.UserPinNotInitialized,
        pkcs11.MechanismInvalid,
    )
    assert not [kind for kind in final if is_lost(kind())]
    lost = (pkcs11.SessionHandleInvalid, pkcs11.DeviceError, pkcs11.DeviceRemoved, pkcs11.UserNotLoggedIn)
    assert all(is_lost(kind()) for kind in lost)
