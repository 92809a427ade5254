"""How much memory a text may take that is no certificate, whatever it is made of: 64 octets a character."""

from __future__ import annotations

import tracemalloc

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import CertificateFormatError

# A part of what an input may have: all of it takes as much longer.
LENGTH = 1 << 17
# Each is repeated up to the bound of an input.
PIECES = (
    *" \n\x00'`{[(<%#;,~$\\",
    '\\"',
    '""',
    "b'",
    "`r`n",
    "\r\n> ",
    "%20",
    "%0A",
    "\\u004d",
    "&amp;",
    "GA",
    "GAAA ",
    "FUWS2",
    "30 82 ",
    "=3D",
    '["',
    "\u00a0",
    "\u2010",
    "\u4d00",
    "\uff2d",
)


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_a_text_takes_64_octets_a_character_at_most(piece: str) -> None:
    text = piece * (LENGTH // len(piece))
    with pytest.raises(CertificateFormatError):
        ClientCertificate.load(text)  # imports what it needs
    tracemalloc.start()
    try:
        with pytest.raises(CertificateFormatError):
            ClientCertificate.load(text)
        assert tracemalloc.get_traced_memory()[1] < 64 * LENGTH
    finally:
        tracemalloc.stop()
