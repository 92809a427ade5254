"""PEM blocks are found in any text, and one that holds a key shows nothing of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.certificates import pem
from azure_certvar_credential.exceptions import CertificateFormatError

STRAY = st.text(alphabet=st.characters(exclude_characters="-", exclude_categories=["Cs"]), max_size=40)


@given(st.lists(st.tuples(STRAY, st.sampled_from(["CERTIFICATE", "EC PRIVATE KEY"]), st.binary(min_size=1))), STRAY)
def test_blocks_come_back_in_order_whatever_is_between_them(parts: list[tuple[str, str, bytes]], end: str) -> None:
    text = "".join(before + pem.Block(label, data).canonical().decode() for before, label, data in parts) + end

    assert [(block.label, block.data) for block in pem.blocks(text)] == [(label, data) for _, label, data in parts]


def test_the_headers_of_an_encrypted_key_are_kept() -> None:
    block = pem.Block("RSA PRIVATE KEY", b"secret" * 30, "AES-256-CBC", "00FF")

    assert pem.blocks(block.canonical().decode()) == [block]
    assert block.canonical().splitlines()[1:4] == [b"Proc-Type: 4,ENCRYPTED", b"DEK-Info: AES-256-CBC,00FF", b""]


def test_other_headers_are_not_taken_for_base64() -> None:
    with pytest.raises(CertificateFormatError, match="not valid base64"):
        pem.blocks("-----BEGIN CERTIFICATE-----\nComment: hello\n\nMIIB\n-----END CERTIFICATE-----\n")


def test_repr_shows_the_length_only() -> None:
    assert repr(pem.Block("PRIVATE KEY", b"secret")) == "<Block PRIVATE KEY, 6 bytes>"
