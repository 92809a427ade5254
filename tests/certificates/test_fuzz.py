"""Nothing but a CertificateError comes out of any input, soon, and any wrapping of a good one can be undone."""

from __future__ import annotations

import base64
import textwrap
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from hypothesis import example, given, settings
from hypothesis import strategies as st

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import CertificateError
from tests.certificates import making, raw
from tests.certificates.kit import PASSWORD
from tests.certificates.pfx_parts import (
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
)
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

LEAF = making.self_signed("leaf", making.rsa_key())
EC_LEAF = making.self_signed("leaf", making.ec_key(3))
SECRETS = secrets_of(PASSWORD)


def pfx(password: bytes | None) -> bytes:
    # Few iterations, so that thousands of examples take seconds.
    encryption: Any = NoEncryption()
    if password:
        builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1)
        encryption = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).build(password)
    return pkcs12.serialize_key_and_certificates(None, making.ec_key(3), EC_LEAF, None, encryption)


def der_pair(layout: PrivateFormat) -> bytes:
    return EC_LEAF.public_bytes(Encoding.DER) + making.key_bytes(making.ec_key(3), Encoding.DER, layout)


BINARIES = {
    "PFX": pfx(PASSWORD.encode()),
    "PFX without password": pfx(None),
    "PFX in BER": raw.indefinite(pfx(PASSWORD.encode()), 4),
    "PKCS #8": der_pair(PrivateFormat.PKCS8),
    "SEC 1": der_pair(PrivateFormat.TraditionalOpenSSL),
    "PKCS #1": LEAF.public_bytes(Encoding.DER)
    + making.key_bytes(making.rsa_key(), Encoding.DER, PrivateFormat.TraditionalOpenSSL),
    "encrypted PKCS #8": EC_LEAF.public_bytes(Encoding.DER)
    + making.key_bytes(making.ec_key(3), Encoding.DER, password=PASSWORD.encode()),
}
# A SafeContents with a certificate, a key that cannot be opened and one that is not encrypted.
HIDDEN = raw.tlv(0x30, certificate_bag(EC_LEAF) + shrouded(pbes2(1)) + key_bag(making.ec_key(3)))
PEM = making.key_bytes(making.ec_key(3)) + making.pem(EC_LEAF)


def load_or_refuse(data: Any, password: Any = PASSWORD) -> ClientCertificate | None:
    """Load, let nothing but a CertificateError pass, and look into it for secrets."""
    began = time.perf_counter()
    try:
        # A flipped bit may expire a certificate, or make its serial number negative, which cryptography warns of.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ClientCertificate.load(data, password)
    except CertificateError as error:
        assert_tells_nothing(error, SECRETS)
        return None
    finally:
        assert time.perf_counter() - began < 20


@given(st.binary(max_size=2000))
@example(b"0")
@example(b"0\x80")
@example(b"0\x84\xff\xff\xff\xff")
@example(b"\xff\xfe")
@example(b"\x00\x00\x00\x00")
def test_random_octets_are_refused(data: bytes) -> None:
    assert load_or_refuse(data) is None


@given(st.text(max_size=2000))
@example("\ud800")
@example("-----BEGIN ")
@example("-----BEGIN CERTIFICATE-----")
@example("-----BEGIN CERTIFICATE-----\ud800-----END CERTIFICATE-----")
@example("=")
@example("'")
def test_random_text_is_refused(data: str) -> None:
    assert load_or_refuse(data) is None


@given(st.text(alphabet="ABCDEFghijkl0123456789+/-_= \n\\n'\"", max_size=500))
def test_random_text_like_base64_is_refused(data: str) -> None:
    assert load_or_refuse(data) is None


@given(st.lists(st.sampled_from(["-----BEGIN ", "-----END ", "-----", "CERTIFICATE", "PRIVATE KEY", "MIIB", "\n"])))
def test_random_pieces_of_pem_are_refused(pieces: list[str]) -> None:
    assert load_or_refuse("".join(pieces)) is None


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.tuples(inner)))
def test_random_objects_are_refused(data: object) -> None:
    assert load_or_refuse(data) is None


@pytest.mark.parametrize("form", BINARIES)
@given(data=st.data())
@settings(max_examples=300)
def test_a_binary_form_with_octets_changed_loads_or_is_refused(form: str, data: DataObject) -> None:
    changed = bytearray(BINARIES[form])
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of the changes in the first octets, where lengths, versions and iteration counts are.
        place = data.draw(st.integers(0, 150) | st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.sampled_from([0, 1, 2, 4, 5, 6, 0x30, 0x7F, 0x80, 0x84, 0xA0, 0xFF]))

    certificate = load_or_refuse(bytes(changed))

    if certificate is not None:
        assert certificate.leaf.public_key() == certificate.signer.public_key


@pytest.mark.parametrize("scheme", [PBES2, PBE_3DES, PBE_RC4], ids=["PBES2", "3DES", "RC4"])
@given(data=st.data())
def test_whatever_stands_in_what_a_pfx_has_encrypted_it_loads_or_is_refused(scheme: str, data: DataObject) -> None:
    changed = bytearray(HIDDEN)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.sampled_from([0, 1, 4, 6, 0x30, 0x7F, 0x80, 0x84, 0xA0, 0xFF]))
    made = pfx_of(sealed(bytes(changed), PASSWORD, scheme), plain(key_bag(making.ec_key(3)), certificate_bag(EC_LEAF)))

    certificate = load_or_refuse(made)

    if certificate is not None:
        assert certificate.signer.public_key == making.ec_key(3).public_key()


@pytest.mark.parametrize("form", BINARIES)
@given(data=st.data())
def test_a_binary_form_cut_off_is_refused(form: str, data: DataObject) -> None:
    whole = BINARIES[form]

    assert load_or_refuse(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(st.data())
@settings(max_examples=300)
def test_a_pem_with_characters_changed_loads_or_is_refused(data: DataObject) -> None:
    changed = bytearray(PEM)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))

    certificate = load_or_refuse(bytes(changed))

    if certificate is not None:
        assert certificate.leaf.public_key() == certificate.signer.public_key


@given(st.integers(0, len(PEM.rstrip()) - 1))
def test_a_pem_cut_off_is_refused(end: int) -> None:
    assert load_or_refuse(PEM[:end]) is None


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def break_lines(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 64)) if "-----" not in text else text


# Each of these is undone, in whatever order they were put on; base64 is counted, since it is undone three times.
WRAPPINGS: list[Callable[[str], str]] = [
    lambda text: f'"{text}"',
    lambda text: f"'{text}'",
    lambda text: f" \t{text}\r\n\n",
    lambda text: "\ufeff" + text,
    lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"),
    lambda text: text.replace("\r", "").replace("\n", "\\n"),
    lambda text: text.replace("\r", "").replace("\n", "\\r\\n"),
    break_lines,
]
ENCODINGS: list[Callable[[str], str]] = [
    b64,
    lambda text: b64(text).rstrip("="),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    lambda text: b64(text.encode("utf-16")),
    lambda text: b64(text.encode("utf-8-sig")),
]
FINAL: list[Callable[[str], str | bytes | bytearray]] = [
    str,
    str.encode,
    lambda text: text.encode("utf-8-sig"),
    lambda text: text.encode("utf-16"),
    lambda text: bytearray(text.encode()),
]


@given(
    st.sampled_from([PEM.decode(), b64(BINARIES["PFX"]), b64(BINARIES["PKCS #8"]), b64(BINARIES["PFX in BER"])]),
    st.lists(st.tuples(st.lists(st.sampled_from(WRAPPINGS), max_size=3), st.sampled_from(ENCODINGS)), max_size=2),
    st.lists(st.sampled_from(WRAPPINGS), max_size=3),
    st.sampled_from(FINAL),
)
@settings(max_examples=400)
def test_any_composition_of_wrappings_is_undone(
    text: str,
    layers: list[tuple[list[Callable[[str], str]], Callable[[str], str]]],
    outside: list[Callable[[str], str]],
    final: Callable[[str], str | bytes | bytearray],
) -> None:
    for wrappings, encode in layers:
        for wrap in wrappings:
            text = wrap(text)
        text = encode(text)
    for wrap in outside:
        text = wrap(text)

    assert ClientCertificate.load(final(text), PASSWORD).leaf == EC_LEAF


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("\\" * (1 << 20), id="backslashes"),
        pytest.param("\\\\\\n" * (1 << 18), id="escaped breaks"),
        pytest.param("-----BEGIN A-----" * 60_000, id="beginnings"),
        pytest.param("-----BEGIN " * 95_000, id="half beginnings"),
        pytest.param("-----BEGIN A-----AAAA-----END A-----" * 29_000, id="blocks"),
        pytest.param('"' * (1 << 20), id="quotes"),
        pytest.param("A" * (1 << 20), id="base64 of zeros"),
        pytest.param("A" * ((1 << 20) - 1) + "!", id="nearly base64"),
        pytest.param("-----BEGIN RSA PRIVATE KEY-----Proc-Type: 4," + " " * 1_000_000, id="header of spaces"),
        pytest.param(" " * (1 << 20), id="spaces"),
        pytest.param(b"\x00" * (1 << 20), id="zeros"),
        pytest.param(b"0\x80" * (1 << 19), id="openings"),
        pytest.param(b"0\x00" * (1 << 19), id="empty sequences"),
        pytest.param(making.pem(LEAF) * 800, id="the same certificate 800 times"),
    ],
)
def test_a_hostile_megabyte_is_refused_soon(hostile: str | bytes) -> None:
    assert load_or_refuse(hostile) is None


def test_many_certificates_of_one_name_do_not_take_long() -> None:
    # The name of the issuer fits all of them, and the signature none: each is verified once for each step.
    imposters = [
        making.issue("issuer", making.ec_key(1).public_key(), "issuer", making.ec_key(2)).public_bytes(Encoding.PEM)
        for _ in range(300)
    ]
    leaf = making.issue("leaf", making.rsa_key().public_key(), "issuer", making.ec_key(5))

    loaded = load_or_refuse(b"".join([making.key_bytes(making.rsa_key()), making.pem(leaf), *imposters]))

    assert loaded is not None
    assert loaded.chain == ()


def test_the_secrets_that_are_looked_for_would_be_found() -> None:
    body = b64(making.key_bytes(making.rsa_key(), Encoding.DER))
    for leak in (body, PASSWORD, making.key_bytes(making.rsa_key(), Encoding.DER).hex()):
        with pytest.raises(AssertionError):
            assert_tells_nothing(ValueError(f"cannot read {leak}"), SECRETS)


def test_encrypted_forms_of_the_fuzzing_need_their_password() -> None:
    assert load_or_refuse(BINARIES["PFX"], None) is None
    assert load_or_refuse(BINARIES["PFX"]) is not None
