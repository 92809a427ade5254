"""A whole certificate in the rendering that some tool made of it is read, and never called damaged or cut off."""

from __future__ import annotations

import base64
import json
import textwrap
import time
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from azure_certvar_credential.certificates import ClientCertificate, renderings
from azure_certvar_credential.exceptions import CertificateError
from tests.certificates import making
from tests.certificates.kit import PASSWORD
from tests.certificates.renderings import WRITTEN
from tests.certificates.secrecy import assert_tells_nothing
from tests.certificates.test_fuzz import BINARIES, EC_LEAF, PEM, SECRETS

KEY = making.ec_key(3)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def in_lines(data: bytes, width: int) -> str:
    return "\n".join(textwrap.wrap(b64(data), width))


KEY_PEM, LEAF_PEM = making.key_bytes(KEY), making.pem(EC_LEAF)
LEAF_DER = EC_LEAF.public_bytes(Encoding.DER)
KEY_DER = making.key_bytes(KEY, Encoding.DER)

FORMS: dict[str, str] = {
    "PEM": PEM.decode(),
    "PEM with an encrypted key": (making.key_bytes(KEY, password=PASSWORD.encode()) + LEAF_PEM).decode(),
    "PEM with a traditional key": (
        making.key_bytes(KEY, layout=PrivateFormat.TraditionalOpenSSL, password=PASSWORD.encode()) + LEAF_PEM
    ).decode(),
    "base64 of PFX": b64(BINARIES["PFX"]),
    "base64 of PFX in lines of 64": in_lines(BINARIES["PFX"], 64),
    "base64 of PFX in BER": b64(BINARIES["PFX in BER"]),
    "base64 of DER certificate and key": b64(BINARIES["PKCS #8"]),
    "base64 of certificate and of key, two lines": f"{b64(LEAF_DER)}\n{b64(KEY_DER)}\n",
    "base64 of PEM": b64(PEM),
}


@pytest.mark.parametrize("rendering", WRITTEN)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_in_every_rendering(form: str, rendering: str) -> None:
    assert ClientCertificate.load(WRITTEN[rendering](FORMS[form]), PASSWORD).leaf == EC_LEAF


def test_the_table_has_its_size() -> None:
    assert (len(FORMS), len(WRITTEN), len(renderings.TEXTS), len(renderings.BYTES)) == (9, 54, 14, 5)


# What no reader can tell: numbers of numbers in two bases; what a tool for ASCII makes of other characters; a literal's
# line inside another's; and a soft line break of quoted-printable, once it is escaped, from the padding of base64.
NUMBERS = {
    name for name in WRITTEN if name.startswith(("hexadecimal", "decimal")) or "numbers" in name or "Node" in name
}
DECIMAL = {name for name in NUMBERS if not name.startswith("hexadecimal")}
FOR_ASCII = {"ASCII read as UTF-16", "quoted-printable", "base64 of UTF-16"}
LITERALS = {"C string literals", "Java string literals"}
OF_LINES = LITERALS | {name for name in WRITTEN if "each line end" in name or "escaped" in name}


def is_unambiguous(inner: str, outer: str) -> bool:
    return not (
        (inner in NUMBERS and outer in DECIMAL)
        or (outer in FOR_ASCII and not WRITTEN[inner]("a").isascii())
        or (inner in LITERALS and outer in LITERALS)
        or (inner == "quoted-printable" and outer in OF_LINES)
    )


@given(st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(WRITTEN)), st.sampled_from(sorted(WRITTEN)))
@settings(max_examples=400)
def test_any_two_renderings_of_any_form_are_undone(form: str, inner: str, outer: str) -> None:
    assume(is_unambiguous(inner, outer))
    text = WRITTEN[outer](WRITTEN[inner](FORMS[form]))

    assert ClientCertificate.load(text, PASSWORD).leaf == EC_LEAF


# Each: base64 or PEM in which `+` has become a space, beside what else a space may be.
SPACES = {
    "in PEM": PEM.decode().replace("+", " "),
    "in PEM of one line": PEM.decode().replace("\n", " ").replace("+", " "),
    "in base64": b64(BINARIES["PFX"]).replace("+", " "),
    "in lines of base64": in_lines(BINARIES["PFX"], 76).replace("+", " "),
    "in lines of base64, whose breaks are spaces": in_lines(BINARIES["PFX"], 64).replace("\n", " ").replace("+", " "),
    "in a PEM whose key has a traditional cipher": FORMS["PEM with a traditional key"].replace("+", " "),
}


@pytest.mark.parametrize("spaces", SPACES)
def test_plus_signs_that_became_spaces_are_read_by_the_length_of_the_der(spaces: str) -> None:
    assert ClientCertificate.load(SPACES[spaces], PASSWORD).leaf == EC_LEAF


# Two encoded items in one value, and what is between them.
ITEMS = {
    "DER": (b64(LEAF_DER), b64(KEY_DER)),
    "PEM": (b64(LEAF_PEM), b64(KEY_PEM)),
    "hex": (LEAF_DER.hex(), KEY_DER.hex()),
}


@pytest.mark.parametrize("between", ["\n", "\r\n", ",", ";", "|", ", ", ";\n", '","', "\n\n"])
@pytest.mark.parametrize("items", ITEMS)
def test_several_encoded_items_in_one_value_are_read(items: str, between: str) -> None:
    for order in (ITEMS[items], ITEMS[items][::-1]):
        assert ClientCertificate.load(between.join(order)).leaf == EC_LEAF


def test_base64_items_are_read_even_with_nothing_between_them() -> None:
    for items in (ITEMS["DER"], ITEMS["PEM"]):
        assert ClientCertificate.load("".join(items)).leaf == EC_LEAF
        assert ClientCertificate.load("".join(items[::-1])).leaf == EC_LEAF


@pytest.mark.parametrize("first", ["ascii", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("second", ["ascii", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_an_encoding_may_change_within_a_text(first: str, second: str) -> None:
    assert ClientCertificate.load(KEY_PEM.decode().encode(first) + LEAF_PEM.decode().encode(second)).leaf == EC_LEAF


BINARY = {
    "Latin-1": BINARIES["PFX"].decode("latin-1"),
    "Python's repr": repr(BINARIES["PFX"]),
    "Python's repr of a bytearray": repr(bytearray(BINARIES["PFX"])),
    "JSON of Python's repr": json.dumps(repr(BINARIES["PFX"])),
    "Python's repr with the other quotes": 'b"' + repr(b'"' + BINARIES["PFX"])[3:-1].replace('"', '\\"') + '"',
    "JSON of that": json.dumps('b"' + repr(b'"' + BINARIES["PFX"])[3:-1].replace('"', '\\"') + '"'),
    "signed numbers of Java": str([octet - 256 if octet > 127 else octet for octet in BINARIES["PFX"]]),
    "hexadecimal in a pair": (LEAF_DER.hex().upper(), KEY_PEM),
    "percent-encoding": quote(BINARIES["PFX"]),
}


@pytest.mark.parametrize("binary", BINARY)
def test_binary_that_was_spelt_out_is_read(binary: str) -> None:
    data: Any = BINARY[binary]

    assert ClientCertificate.load(data, PASSWORD).leaf == EC_LEAF


@given(st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(WRITTEN)), st.data())
@settings(max_examples=200)
def test_what_is_cut_off_is_refused_in_every_rendering(form: str, rendering: str, data: st.DataObject) -> None:
    whole = FORMS[form].rstrip("=\n-")
    cut = whole[: data.draw(st.integers(1, len(whole) - 60))]

    with pytest.raises(CertificateError) as caught:
        ClientCertificate.load(WRITTEN[rendering](cut), PASSWORD)

    assert_tells_nothing(caught.value, SECRETS)


MEGABYTE = 1 << 20
HOSTILE = {
    "escapes": "\\n" * (MEGABYTE // 2),
    "escaped numbers": "\\u003d" * (MEGABYTE // 6),
    "percent signs, escaped again and again": "%25" * (MEGABYTE // 3),
    "entities": "&#43;" * (MEGABYTE // 5),
    "literals": ('"' + " " * 99) * (MEGABYTE // 100),
    "soft line breaks": ("A" * 70 + "=\n") * (MEGABYTE // 72),
    "lines of mail": "> -----BEGIN \n" * (MEGABYTE // 14),
    "ASCII read as UTF-16": "\u4141" * MEGABYTE,
    "numbers": "1 " * (MEGABYTE // 2),
    "octets of Python": "b'0\\x82" + "\\x00" * (MEGABYTE // 4 - 10) + "'",
    "items": "A," * (MEGABYTE // 2),
    "words of base64": "MIIB " * (MEGABYTE // 5),
    "comments": "# -----BEGIN CERTIFICATE-----\n# " * (MEGABYTE // 33),
    "cut off blocks": "-----BEGIN CERTIFICATE-----\n" * (MEGABYTE // 28),
    "sentences": "-----BEGIN CERTIFICATE----- x " * (MEGABYTE // 30),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_megabyte_that_looks_rendered_is_refused_soon(hostile: str) -> None:
    began = time.process_time()

    with pytest.raises(CertificateError):
        ClientCertificate.load(HOSTILE[hostile])

    # Below one second; quadratic work would take minutes.
    assert time.process_time() - began < 5
