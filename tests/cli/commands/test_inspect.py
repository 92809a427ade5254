"""``certvar inspect`` shows any certificate, and names every finding; ``--needs-renewal`` says nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._cli import findings, inspecting
from tests.certificates import making
from tests.cli.commands.conftest import DAY, pfx
from tests.cli.commands.kit import certvar, documented


@dataclass(frozen=True, slots=True)
class Row:
    """A certificate, and what has to be found.

    :ivar claim: what is special about it.
    :ivar makes: returns its content.
    :ivar findings: the names of the findings, in their order.
    :ivar code: the exit code.
    """

    claim: str
    makes: Callable[[], bytes]
    findings: tuple[str, ...]
    code: int = 3


def _plain(begins: int, ends: int, *extensions: x509.ExtensionType) -> bytes:
    """Return a self-signed certificate, valid from so many days from now to so many, with its key."""
    key, subject = making.rsa_key(), making.name("leaf")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(making.NOW + begins * DAY)
        .not_valid_after(making.NOW + ends * DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    leaf = builder.sign(key, hashes.SHA256())
    return making.pem(leaf) + making.key_bytes(key)


def _chain(*order: str, leaf_key: rsa.RSAPrivateKey | None = None, ends: int = 90) -> bytes:
    """Return leaf, intermediate, root, and a stranger in some order, with the leaf's key."""
    root_key, middle_key, key = making.ec_key(1), making.ec_key(2), leaf_key or making.rsa_key()
    made = {
        "root": making.self_signed("root", root_key),
        "middle": making.issue("middle", middle_key.public_key(), "root", root_key, ends=making.NOW + ends * DAY),
        "leaf": making.issue("leaf", key.public_key(), "middle", middle_key, ends=making.NOW + 90 * DAY),
        "stranger": making.issue("stranger", making.ec_key(3).public_key(), "elsewhere", making.ec_key(4)),
    }
    return making.pem(*(made[name] for name in order)) + making.key_bytes(key)


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    others = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    return x509.KeyUsage(
        digital_signature=signs, key_encipherment=True, encipher_only=False, decipher_only=False, **others
    )


def _mismatch() -> bytes:
    return making.pem(making.self_signed("leaf", making.rsa_key(), ends=making.NOW + 90 * DAY)) + making.key_bytes(
        making.rsa_key(1)
    )


def _with_key(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    leaf = making.self_signed("leaf", key, begins=making.NOW - DAY, ends=making.NOW + 90 * DAY)
    return making.key_bytes(key) + making.pem(leaf)


def _sha1() -> bytes:
    """Nothing today signs with it any more."""
    with cryptography_vectors.open_vector_file("x509/ee-pss-sha1-cert.pem", "rb") as file:
        return bytes(file.read())


ROWS = (
    Row("nothing is wrong with it", lambda: _chain("leaf", "middle", "root"), (), 0),
    Row("it is self-signed", lambda: _plain(-1, 90), ("self-signed",), 0),
    Row("it is valid for a year", lambda: _plain(-1, 364), ("long-lived", "self-signed"), 0),
    Row("it has expired", lambda: _plain(-100, -1), ("expired", "self-signed")),
    Row("it begins tomorrow", lambda: _plain(1, 90), ("not-yet-valid", "self-signed")),
    Row("it expires in a week", lambda: _plain(-90, 7), ("expires-soon", "self-signed")),
    Row(
        "its key is short", lambda: _with_key(making.rsa_key(bits=1024)), ("unsupported-key", "weak-key", "self-signed")
    ),
    Row(
        "its authority signed with SHA-1",
        _sha1,
        ("weak-signature", "no-client-auth", "no-private-key", "chain-incomplete", "long-lived"),
    ),
    Row("its key is elliptic", lambda: _with_key(making.ec_key()), ("not-rsa", "self-signed")),
    Row(
        "it is for servers",
        lambda: _plain(-1, 90, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
        ("no-client-auth", "self-signed"),
    ),
    Row(
        "it is for anything",
        lambda: _plain(-1, 90, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])),
        ("self-signed",),
        0,
    ),
    Row("it may not sign", lambda: _plain(-1, 90, _key_usage(signs=False)), ("no-digital-signature", "self-signed")),
    Row("it may sign", lambda: _plain(-1, 90, _key_usage(signs=True)), ("self-signed",), 0),
    Row("the root comes first", lambda: _chain("root", "middle", "leaf"), ("root-first",), 0),
    Row("a stranger is among the chain", lambda: _chain("leaf", "stranger", "middle", "root"), ("strangers",)),
    Row("the chain lacks its middle", lambda: _chain("leaf", "root"), ("strangers", "chain-incomplete")),
    Row("the chain has expired", lambda: _chain("leaf", "middle", "root", ends=-0), ("chain-expired",)),
    Row("the key is another's", _mismatch, ("key-mismatch", "long-lived", "self-signed")),
    Row(
        "it is the public half",
        lambda: _plain(-1, 90).partition(b"-----BEGIN PRIVATE")[0],
        ("no-private-key", "self-signed"),
        0,
    ),
    Row(
        "there are two keys",
        lambda: _plain(-1, 90) + making.key_bytes(making.rsa_key(1)),
        ("several-keys", "self-signed"),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=[row.claim for row in ROWS])
def test_it_names_every_finding(row: Row) -> None:
    ran = certvar("inspect", "--certificate", "-", "--json", stdin=row.makes())

    assert tuple(finding["code"] for finding in ran.json["findings"]) == row.findings
    assert ran.code == row.code
    assert ran.json["subject"] in ("CN=leaf", "CN=PSS-SHA1")
    assert ran.err == ""


def test_every_finding_that_exists_is_among_the_rows() -> None:
    text = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (findings, inspecting))
    exist = set(re.findall(r"Finding\(\s*\"([a-z0-9-]+)\"", text))

    assert exist - {"unreadable-certificate"} == {name for row in ROWS for name in row.findings}


def test_the_json_has_its_documented_shape(certificate: ClientCertificate) -> None:
    ran = certvar("inspect", "--json", AZURE_CLIENT_CERTIFICATE=pfx(certificate))

    assert list(ran.json) == [
        *("certificate", "subject", "issuer", "serial_number", "thumbprint", "sha256_thumbprint", "x5t", "x5t#S256"),
        *("not_before", "not_after", "days_left", "key", "private_key", "extended_key_usage", "chain", "findings"),
    ]
    assert set(ran.json) <= documented("inspect")
    assert ran.json["thumbprint"] == certificate.thumbprint
    assert ran.json["x5t#S256"] == certificate.x5t_s256
    assert ran.json["key"] == "RSA-2048"
    assert ran.json["private_key"] == "memory"


def test_the_screen_shows_thumbprints_as_the_portal_and_as_the_header_do(certificate: ClientCertificate) -> None:
    ran = certvar("inspect", AZURE_CLIENT_CERTIFICATE=pfx(certificate))

    for shown in (certificate.thumbprint, certificate.sha256_thumbprint, certificate.x5t, certificate.x5t_s256):
        assert shown in ran.out
    assert "89 days left" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_the_chain_is_a_tree() -> None:
    ran = certvar("inspect", "--certificate", "-", stdin=_chain("middle", "leaf", "root"))

    assert ran.out[ran.out.index("Chain") :].splitlines()[1:4] == ["CN=root", "└── CN=middle", "    └── CN=leaf"]


@pytest.mark.parametrize("form", ["PEM", "DER", "PFX", "base64"])
def test_it_takes_any_form_on_standard_input(certificate: ClientCertificate, form: str) -> None:
    content = {
        "PEM": certificate.to_pem().encode(),
        "DER": certificate.public_der(),
        "PFX": certificate.to_pfx("hunter2"),
        "base64": base64.b64encode(certificate.to_pfx("hunter2")),
    }[form]

    ran = certvar("inspect", "-c", "-", "--password", "env:PASSWORD", "--json", stdin=content, PASSWORD="hunter2")

    assert ran.json["thumbprint"] == certificate.thumbprint
    assert "hunter2" not in ran.out


@pytest.mark.parametrize(("time", "code"), [("30d", 3), ("4w", 3), ("7d", 3), ("6d", 0), ("6", 0), ("24h", 0)], ids=str)
def test_needs_renewal_says_nothing_and_answers_by_exit_code(time: str, code: int) -> None:
    # Six days and a half from now.
    key = making.rsa_key()
    leaf = making.self_signed("leaf", key, ends=making.NOW + 6 * DAY + timedelta(hours=12))

    ran = certvar("inspect", "-c", "-", "--needs-renewal", time, stdin=making.pem(leaf) + making.key_bytes(key))

    assert (ran.code, ran.out, ran.err) == (code, "", "")


def test_the_public_half_is_what_is_uploaded(certificate: ClientCertificate) -> None:
    environment = {"AZURE_CLIENT_CERTIFICATE": pfx(certificate)}

    pem = certvar("inspect", "--public", **environment)
    der = certvar("inspect", "--public", "--form", "base64", **environment)
    graph = certvar("inspect", "--public", "--form", "graph", **environment)

    assert pem.out == certificate.public_pem()
    assert base64.b64decode(der.out) == certificate.public_der()
    member = json.loads(graph.out)
    assert base64.b64decode(member["key"]) == certificate.public_der()
    assert base64.b64decode(member["customKeyIdentifier"]).hex().upper() == certificate.thumbprint
    assert (member["type"], member["usage"]) == ("AsymmetricX509Cert", "Verify")
    assert certvar("inspect", "--form", "graph", **environment).out == graph.out


def test_what_cannot_be_read_is_refused_with_1_as_json_too() -> None:
    ran = certvar("inspect", "--json", AZURE_CLIENT_CERTIFICATE="/etc/app/cert.pem")

    assert ran.code == 1
    assert list(ran.json["error"]) == ["kind", "message", "hint", "codes"]
    assert ran.json["error"]["kind"] == "CertificateFormatError"
    assert ran.err == ""
