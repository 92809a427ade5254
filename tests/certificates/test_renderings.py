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
from azure_certvar_credential.exceptions import AmbiguousPrivateKeyError, CertificateError
from tests.certificates import making
from tests.certificates.kit import PASSWORD
from tests.certificates.renderings import AROUND, LINES, WRITTEN
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


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_in_what_a_tool_writes_around_it(form: str, around: str) -> None:
    assert ClientCertificate.load(AROUND[around](FORMS[form]), PASSWORD).leaf == EC_LEAF


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize("form", [form for form in FORMS if form.startswith("PEM")])
def test_pem_is_read_whatever_marks_its_lines(form: str, lines: str) -> None:
    assert ClientCertificate.load(LINES[lines](FORMS[form]), PASSWORD).leaf == EC_LEAF


BAGS = """Bag Attributes
    localKeyID: 01 00 00 00
    friendlyName: te-4b2c
    Microsoft CSP Name: Microsoft Software Key Storage Provider
Key Attributes
    X509v3 Key Usage: 90
"""


def test_openssls_texts_before_the_blocks_do_no_harm() -> None:
    text = BAGS + KEY_PEM.decode() + BAGS + "subject=CN = leaf\n\nissuer=CN = leaf\n\n" + LEAF_PEM.decode()

    for rendered in (text, "\ufeff" + text.replace("\n", "\r\n"), text.encode("utf-16"), text.replace("\n", " ")):
        assert ClientCertificate.load(rendered).leaf == EC_LEAF


def test_a_certificate_and_its_key_may_be_two_members() -> None:
    pairs = [(b64(LEAF_DER), b64(KEY_DER)), (b64(LEAF_PEM), b64(KEY_PEM)), (LEAF_PEM.decode(), KEY_PEM.decode())]
    for certificate, key in pairs:
        members = {"tls.crt": certificate, "tls.key": key, "type": "kubernetes.io/tls"}
        chain = {"ca_chain": [certificate], "certificate": certificate, "private_key": key, "serial_number": "39:dd"}
        lines = "".join(f"  {name}: {value}\n" for name, value in members.items())
        for text in (json.dumps(members), json.dumps({"data": chain}), b64(json.dumps(members).encode())):
            assert ClientCertificate.load(text).leaf == EC_LEAF
        if "BEGIN" not in certificate:
            assert ClientCertificate.load("kind: Secret\ndata:\n" + lines).leaf == EC_LEAF


def test_two_keys_in_an_object_are_not_chosen_from() -> None:
    other = making.key_bytes(making.ec_key(4)).decode()

    with pytest.raises(AmbiguousPrivateKeyError):
        ClientCertificate.load(json.dumps({"old": other, "new": PEM.decode()}))


def test_an_object_without_a_whole_certificate_says_what_to_give() -> None:
    for value in (b64(BINARIES["PFX"])[:-40], "x" * 200, ""):
        with pytest.raises(CertificateError, match="looks like JSON") as caught:
            ClientCertificate.load(json.dumps({"value": value, "name": "app"}))
        assert_tells_nothing(caught.value, SECRETS)


def test_the_table_has_its_size() -> None:
    assert (len(FORMS), len(WRITTEN), len(renderings.TEXTS), len(renderings.BYTES)) == (9, 58, 19, 6)
    assert (len(AROUND), len(LINES)) == (28, 21)


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
    "base32": base64.b32encode(BINARIES["PFX"]).decode(),
    "base32 of PEM": base64.b32encode(PEM).decode(),
    "SQL": f"x'{BINARIES['PFX'].hex()}'",
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


QUARTER = 1 << 18
HOSTILE = {
    "base32": "GA" * (QUARTER // 2),
    "objects in one another": '{"a":' * (QUARTER // 5),
    "arrays of objects": "[" + '{"value":"' + "A" * 80 + '"},' * 9 + ("1," * (QUARTER // 3)) + "1]",
    "base64 twice": (base64.b64encode(b"A" * 80).decode() + " : ") * (QUARTER // 112),
    "marked lines": "1:-----BEGIN X-----$\n" * (QUARTER // 22),
    "marked blocks": "1:-----BEGIN X-----$\n1:-----END X-----$\n" * (QUARTER // 44),
    "values of lines": '"ReadCount": 1, "value": "' * (QUARTER // 26),
    "n for line breaks": "-----BEGIN X-----" + ("n" + "A" * 64) * (QUARTER // 66) + "n-----END X-----",
    "dashes": "\u2014" * QUARTER,
    "escapes": "\\n" * (QUARTER // 2),
    "escaped numbers": "\\u003d" * (QUARTER // 6),
    "percent signs, escaped again and again": "%25" * (QUARTER // 3),
    "entities": "&#43;" * (QUARTER // 5),
    "literals": ('"' + " " * 99) * (QUARTER // 100),
    "soft line breaks": ("A" * 70 + "=\n") * (QUARTER // 72),
    "lines of mail": "> -----BEGIN \n" * (QUARTER // 14),
    "ASCII read as UTF-16": "\u4141" * QUARTER,
    "numbers": "1 " * (QUARTER // 2),
    "octets of Python": "b'0\\x82" + "\\x00" * (QUARTER // 4 - 10) + "'",
    "items": "A," * (QUARTER // 2),
    "words of base64": "MIIB " * (QUARTER // 5),
    "comments": "# -----BEGIN CERTIFICATE-----\n# " * (QUARTER // 33),
    "cut off blocks": "-----BEGIN CERTIFICATE-----\n" * (QUARTER // 28),
    "sentences": "-----BEGIN CERTIFICATE----- x " * (QUARTER // 30),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_quarter_of_a_megabyte_that_looks_rendered_is_refused_soon(hostile: str) -> None:
    began = time.process_time()

    with pytest.raises(CertificateError):
        ClientCertificate.load(HOSTILE[hostile])

    # A fraction of a second; quadratic work would take minutes.
    assert time.process_time() - began < 2
