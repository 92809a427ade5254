"""PEM blocks are found in any text, and one that holds a key shows nothing of it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.certificates import pem, pem_text

STRAY = st.text(alphabet=st.characters(exclude_characters="-", exclude_categories=["Cs"]), max_size=40)


IV_8, IV_16 = "00112233AABBCCDD", "00112233445566778899AABBCCDDEEFF"


def written(label: str, data: bytes, *headers: str) -> str:
    body = base64.encodebytes(data).decode()
    return "\n".join([f"-----BEGIN {label}-----", *headers, f"{body}-----END {label}-----", ""])


@given(st.lists(st.tuples(STRAY, st.sampled_from(["CERTIFICATE", "EC PRIVATE KEY"]), st.binary(min_size=1))), STRAY)
def test_blocks_come_back_in_order_whatever_is_between_them(parts: list[tuple[str, str, bytes]], end: str) -> None:
    text = "".join(before + written(label, data) for before, label, data in parts) + end

    assert [(block.label, block.data) for block in pem_text.blocks(text)] == [(label, data) for _, label, data in parts]


@pytest.mark.parametrize(
    ("cipher", "digits"),
    [
        *((name, IV_16) for name in ("AES-128-CBC", "AES-192-CBC", "CAMELLIA-256-CBC", "ARIA-128-CBC", "SEED-CBC")),
        *((name, IV_8) for name in ("DES-CBC", "DES-EDE3-CBC", "RC2-40-CBC", "IDEA-CBC", "BF-CBC", "CAST5-CBC")),
    ],
)
@pytest.mark.parametrize("space", ["\n", " ", "\r\n", ""], ids=["lines", "spaces", "CRLF", "nothing"])
def test_the_headers_of_an_encrypted_key_are_read_whatever_white_space_is_left(
    cipher: str, digits: str, space: str
) -> None:
    # The first octets are hex digits in base64 too.
    data = base64.b64decode("ABCDEF0123456789") + b"secret" * 30
    headers = ("Proc-Type: 4,ENCRYPTED", f"DEK-Info: {cipher},{digits}", "")
    text = written("RSA PRIVATE KEY", data, *headers).replace("\n", space)

    assert pem_text.blocks(text) == [pem.Block("RSA PRIVATE KEY", data, cipher, bytes.fromhex(digits))]


@pytest.mark.parametrize("digits", ["", "00FF", IV_8, "X" * 32])
def test_a_cipher_without_its_initial_value_is_damage(digits: str) -> None:
    text = written("RSA PRIVATE KEY", b"secret!", "Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-256-CBC,{digits}", "")

    (block,) = pem_text.blocks(text)

    assert "not valid base64" in block.problem
    assert block.data == b""


def test_other_headers_are_not_taken_for_base64() -> None:
    (block,) = pem_text.blocks("-----BEGIN CERTIFICATE-----\nComment: hello\n\nMIIB\n-----END CERTIFICATE-----\n")

    assert "not valid base64" in block.problem


def test_repr_shows_the_length_only() -> None:
    assert repr(pem.Block("PRIVATE KEY", b"secret")) == "<Block PRIVATE KEY, 6 bytes>"


STRICT = b"\x30\x82\x01\x00" + bytes(256)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_short_cut_reads_strict_pem_as_the_long_way_does(end: str) -> None:
    text = "".join(written(label, STRICT) for label in pem.STRICT_LABELS).replace("\n", end)

    assert len(pem_text.blocks(text)) == len(pem.STRICT_LABELS)
    assert pem.strict_blocks(text) == pem.strict_blocks(text.encode()) == pem_text.blocks(text)
    assert pem.strict_blocks(text.rstrip()) == pem_text.blocks(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " " + written("CERTIFICATE", STRICT),
        "# " + written("CERTIFICATE", STRICT),
        written("CERTIFICATE", STRICT) + "tail",
        written("CERTIFICATE", STRICT).replace("\n", " "),
        written("CERTIFICATE", STRICT).replace("A", "-", 1),
        written("CERTIFICATE", STRICT)[:-12],
        written("CERTIFICATE", STRICT) + written("EC PARAMETERS", STRICT),
        written("CERTIFICATE", STRICT) + "-----BEGIN ",
        written("CERTIFICATE", STRICT).replace("END CERTIFICATE", "END PRIVATE KEY"),
        written("PRIVATE KEY", STRICT[:-1]),
        written("PRIVATE KEY", STRICT + b"\x00"),
        written("RSA PRIVATE KEY", STRICT, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,00", ""),
    ],
)
def test_everything_else_takes_the_long_way(text: str) -> None:
    assert pem.strict_blocks(text) is None
    assert pem.strict_blocks(text.encode("utf-16")) is None
