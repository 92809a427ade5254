"""Any callable signs, and one that returns garbage is caught before a server sees it."""

from __future__ import annotations

import asyncio
import functools
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from azure_certvar_credential import (
    AsyncCallbackSigner,
    AsyncSigner,
    CallbackSigner,
    CertVarCredential,
    ClientCertificate,
    Signer,
)
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import (
    CertificateError,
    CertificateFormatError,
    ConfigurationError,
    KeyMismatchError,
)
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.protocol import RemoteSigner, is_remote
from azure_certvar_credential.signers.verification import verify
from azure_certvar_credential.testing import EntraEmulator
from tests.certificates import making

SCOPE = "https://storage.azure.com/.default"
KEY = making.rsa_key()
EC_KEY = making.ec_key(3)
LEAF = making.self_signed("leaf", KEY)
VAULT = MemorySigner(KEY)


async def sign_later(message: bytes, algorithm: str) -> bytes:
    await asyncio.sleep(0)
    return VAULT.sign(message, algorithm)


def starting(message: bytes, algorithm: str) -> Any:
    """No coroutine function, and yet its result has to be awaited."""
    return sign_later(message, algorithm)


class Agent:
    """An object that is called, and one whose call is a coroutine function."""

    def __call__(self, message: bytes, algorithm: str) -> bytes:
        return VAULT.sign(message, algorithm)


class AsyncAgent:
    async def __call__(self, message: bytes, algorithm: str) -> bytes:
        return VAULT.sign(message, algorithm)


def returning(value: object) -> Callable[..., Any]:
    return lambda message, algorithm: value


@pytest.mark.parametrize("algorithm", [name for name, row in ALGORITHMS.items() if row.key_type == "RSA"])
@pytest.mark.parametrize("sign", [VAULT.sign, functools.partial(MemorySigner.sign, VAULT), Agent()])
def test_a_token_is_signed_for_by_any_callable(sign: Callable[[bytes, str], bytes], algorithm: str) -> None:
    certificate = ClientCertificate(LEAF, CallbackSigner(LEAF, sign))
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    with CertVarCredential(
        application.tenant_id, application.client_id, certificate, algorithm=algorithm, transport=entra.transport()
    ) as credential:
        assert credential.get_token(SCOPE).token


@pytest.mark.parametrize("sign", [sign_later, AsyncAgent(), starting])
async def test_a_token_is_signed_for_by_any_coroutine_function(sign: Any) -> None:
    certificate = ClientCertificate(LEAF, AsyncCallbackSigner(LEAF, sign))
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    async with AsyncCertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.async_transport()
    ) as credential:
        assert (await credential.get_token(SCOPE)).token


def test_the_callable_gets_the_whole_message_and_the_algorithm() -> None:
    seen: list[tuple[bytes, str]] = []

    def sign(message: bytes, algorithm: str) -> bytes:
        seen.append((message, algorithm))
        return VAULT.sign(message, algorithm)

    signature = CallbackSigner(KEY.public_key(), sign).sign(b"a message", "RS384")

    assert seen == [(b"a message", "RS384")]
    assert verify(KEY.public_key(), b"a message", signature, "RS384")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_any_bytes_are_returned_as_bytes(kind: Callable[[bytes], Any]) -> None:
    expected = VAULT.sign(b"message", "RS256")

    async def later(message: bytes, algorithm: str) -> Any:
        return kind(expected)

    for signature in (
        CallbackSigner(LEAF, returning(kind(expected))).sign(b"message", "RS256"),
        await AsyncCallbackSigner(LEAF, later).sign(b"message", "RS256"),
    ):
        assert type(signature) is bytes
        assert signature == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "returned NoneType"),
        ("c2lnbmF0dXJl", "returned str"),
        (b"", "returned 0 bytes"),
        (b"x" * 255, r"returned 255 bytes, but a signature of this key \(RSA 2048\) has 256"),
    ],
)
async def test_what_is_no_signature_is_refused_by_its_form(value: Any, words: str) -> None:
    async def later(message: bytes, algorithm: str) -> Any:
        return value

    with pytest.raises(CertificateError, match=words):
        CallbackSigner(LEAF, returning(value)).sign(b"message", "PS256")
    with pytest.raises(CertificateError, match=words):
        await AsyncCallbackSigner(LEAF, later).sign(b"message", "PS256")


def test_der_from_an_ec_key_is_told_apart() -> None:
    signer = CallbackSigner(EC_KEY.public_key(), lambda m, _: EC_KEY.sign(m, ec.ECDSA(hashes.SHA256())))

    with pytest.raises(CertificateError, match=r"has 64; RFC 7518 section 3.4 .* not ASN.1 DER"):
        signer.sign(b"message", "ES256")


@pytest.mark.parametrize("garbage", [b"\x00" * 256, b"\xff" * 256, bytes(range(256))])
def test_garbage_of_the_right_length_is_caught_with_the_certificates_key(garbage: bytes) -> None:
    with pytest.raises(KeyMismatchError, match="does not verify"):
        ClientCertificate(LEAF, CallbackSigner(LEAF, returning(garbage)))


def test_a_signer_with_another_key_is_caught() -> None:
    other = making.rsa_key(1)
    with pytest.raises(KeyMismatchError, match="does not belong to any"):
        ClientCertificate(LEAF, CallbackSigner(other.public_key(), MemorySigner(other).sign))
    with pytest.raises(KeyMismatchError, match="does not belong to any"):
        ClientCertificate(LEAF, AsyncCallbackSigner(other.public_key(), sign_later))
    with pytest.raises(KeyMismatchError, match="does not verify"):
        ClientCertificate(LEAF, CallbackSigner(LEAF, MemorySigner(other).sign))


@pytest.mark.parametrize("sign", [sign_later, AsyncAgent(), functools.partial(sign_later)])
def test_a_coroutine_function_is_sent_to_the_other_class(sign: Any) -> None:
    with pytest.raises(ConfigurationError, match="AsyncCallbackSigner"):
        CallbackSigner(LEAF, sign)


def test_a_coroutine_that_slips_through_is_named_and_closed() -> None:
    # filterwarnings = error: a coroutine left behind would fail the test.
    with pytest.raises(CertificateError, match="returned coroutine"):
        CallbackSigner(LEAF, starting).sign(b"message", "PS256")


async def test_a_plain_function_is_sent_to_the_other_class() -> None:
    with pytest.raises(CertificateError, match=r"returned bytes, which cannot be awaited.*CallbackSigner"):
        await AsyncCallbackSigner(LEAF, VAULT.sign).sign(b"message", "PS256")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [CallbackSigner, AsyncCallbackSigner])
def test_arguments_of_the_wrong_kind_are_named(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be callable, not of type bytes"):
        kind(LEAF, b"signature")
    with pytest.raises(CertificateFormatError, match="private key"):
        kind(KEY, VAULT.sign)


async def test_an_algorithm_that_does_not_fit_never_reaches_the_callable() -> None:
    def never(message: bytes, algorithm: str) -> Any:
        pytest.fail("it was called")

    for call in (CallbackSigner(LEAF, never).sign, AsyncCallbackSigner(LEAF, never).sign):
        with pytest.raises(ConfigurationError, match="ES256 needs an EC key"):
            await call(b"message", "ES256")  # type: ignore[misc]


async def test_what_the_callable_raises_passes_through() -> None:
    class QuotaError(Exception):
        pass

    def sign(message: bytes, algorithm: str) -> Any:
        raise QuotaError

    with pytest.raises(QuotaError):
        CallbackSigner(LEAF, sign).sign(b"message", "PS256")
    with pytest.raises(QuotaError):
        await AsyncCallbackSigner(LEAF, sign).sign(b"message", "PS256")


@pytest.mark.parametrize("remote", [False, True])
def test_only_a_remote_signers_assertion_is_used_again(remote: bool) -> None:
    messages: list[bytes] = []

    def sign(message: bytes, algorithm: str) -> bytes:
        messages.append(message)
        return VAULT.sign(message, algorithm)

    certificate = ClientCertificate(LEAF, CallbackSigner(LEAF, sign, remote=remote))
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    messages.clear()  # the proof of possession
    with CertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.transport()
    ) as credential:
        for scope in (SCOPE, "https://vault.azure.net/.default", "https://graph.microsoft.com/.default"):
            assert credential.get_token(scope).token

    assert len(messages) == (1 if remote else 3)


def test_they_are_what_the_protocols_say() -> None:
    signer, async_signer = CallbackSigner(LEAF, VAULT.sign), AsyncCallbackSigner(LEAF, sign_later)

    assert isinstance(signer, Signer)
    assert isinstance(async_signer, AsyncSigner)
    assert isinstance(signer, RemoteSigner)
    assert isinstance(async_signer, RemoteSigner)
    assert signer.public_key == async_signer.public_key == KEY.public_key()
    assert repr(signer) == f"<CallbackSigner RSA 2048 at {id(signer):#x}>"
    assert repr(async_signer) == f"<AsyncCallbackSigner RSA 2048 at {id(async_signer):#x}>"
    for each in (signer, async_signer):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(each)


class Plain:
    """A signer without the optional attribute ``remote``."""

    public_key = KEY.public_key()

    def sign(self, message: bytes, algorithm: str) -> bytes:
        return VAULT.sign(message, algorithm)


@pytest.mark.parametrize(
    ("signer", "expected"),
    [
        (CallbackSigner(LEAF, VAULT.sign, remote=True), True),
        (CallbackSigner(LEAF, VAULT.sign), False),
        (AsyncCallbackSigner(LEAF, sign_later, remote=True), True),
        (AsyncCallbackSigner(LEAF, sign_later), False),
        (VAULT, False),
        (Plain(), False),
    ],
)
def test_a_signer_is_remote_only_if_it_says_so(signer: Signer | AsyncSigner, *, expected: bool) -> None:
    assert is_remote(signer) is expected
