"""The table of input forms that :meth:`ClientCertificate.load` takes: name, and how to make one of it."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.signers.memory import MemorySigner
from tests.certificates import making, raw
from tests.certificates.kit import PASSWORD

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

DER, PEM, TRADITIONAL = Encoding.DER, Encoding.PEM, PrivateFormat.TraditionalOpenSSL


@dataclass(frozen=True)
class Form:
    """What to load, its password, and whether it is the leaf with the EC key."""

    data: Any
    password: str | bytes | None = None
    is_ec: bool = False


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def secret(value: str, content_type: str) -> SimpleNamespace:
    return SimpleNamespace(value=value, properties=SimpleNamespace(content_type=content_type))


def enveloped(label: str, data: bytes) -> bytes:
    """PEM of any label around any data, as `certutil -encode` makes it of every file."""
    body = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()


def wrapped(data: bytes, width: int = 76, line_break: str = "\n") -> str:
    return line_break.join(textwrap.wrap(b64(data), width))


def body_of(pem: bytes) -> str:
    """PEM with its line breaks replaced by nothing except where the dashes need none."""
    return pem.decode().replace("\n", "")


def traditional(kit: Kit, cipher: str) -> Form:
    key = kit.openssl("rsa", "-in", "key.pem", "-traditional", f"-{cipher}", "-passout", f"pass:{PASSWORD}")
    return Form(key + kit.leaf_pem, PASSWORD)


def pkcs8(kit: Kit, *options: str) -> Form:
    key = kit.openssl("pkcs8", "-topk8", "-in", "key.pem", "-passout", f"pass:{PASSWORD}", *options)
    return Form(key + kit.leaf_pem, PASSWORD)


PEM_FORMS: dict[str, Callable[[Kit], Form]] = {
    "pem: str": lambda kit: Form(kit.pem.decode()),
    "pem: bytes": lambda kit: Form(kit.pem),
    "pem: bytearray": lambda kit: Form(bytearray(kit.pem)),
    "pem: memoryview": lambda kit: Form(memoryview(kit.pem)),
    "pem: certificate first": lambda kit: Form(kit.leaf_pem + kit.key_pem),
    "pem: root first, key last": lambda kit: Form(making.pem(kit.root, kit.intermediate, kit.leaf) + kit.key_pem),
    "pem: key in the middle": lambda kit: Form(kit.chain_pem + kit.key_pem + kit.leaf_pem),
    "pem: no line break between blocks": lambda kit: Form(kit.key_pem.strip() + kit.leaf_pem.strip()),
    "pem: CRLF": lambda kit: Form(kit.pem.replace(b"\n", b"\r\n")),
    "pem: CR": lambda kit: Form(kit.pem.replace(b"\n", b"\r")),
    "pem: UTF-8 BOM in bytes": lambda kit: Form(b"\xef\xbb\xbf" + kit.pem),
    "pem: BOM in str": lambda kit: Form("\ufeff" + kit.pem.decode()),
    "pem: UTF-16 LE with BOM": lambda kit: Form(b"\xff\xfe" + kit.pem.decode().encode("utf-16-le")),
    "pem: UTF-16 BE with BOM": lambda kit: Form(b"\xfe\xff" + kit.pem.decode().encode("utf-16-be")),
    "pem: UTF-16 LE without BOM": lambda kit: Form(kit.pem.decode().encode("utf-16-le")),
    "pem: UTF-16 BE without BOM": lambda kit: Form(kit.pem.decode().encode("utf-16-be")),
    "pem: stray text": lambda kit: Form(b"# -- my key --\n" + kit.key_pem + b"subject=CN=leaf\n\n" + kit.leaf_pem),
    "pem: stray text in Latin-1": lambda kit: Form("Schlüssel\n".encode("latin-1") + kit.pem),
    "pem: a sentence about -----BEGIN": lambda kit: Form("see -----BEGIN here: -----\n" + kit.pem.decode()),
    "pem: bag attributes": lambda kit: Form(
        kit.openssl("pkcs12", "-nodes", "-passin", "pass:", stdin=kit.openssl_pfx("-name", "app", password=""))
    ),
    "pem: spaces for line breaks": lambda kit: Form(kit.pem.decode().replace("\n", " ")),
    "pem: on one line": lambda kit: Form(body_of(kit.pem)),
    "pem: indented": lambda kit: Form(textwrap.indent(kit.pem.decode(), "    ")),
    "pem: escaped line breaks": lambda kit: Form(kit.pem.decode().replace("\n", "\\n")),
    "pem: escaped CRLF": lambda kit: Form(kit.pem.decode().replace("\n", "\\r\\n")),
    "pem: line breaks escaped twice": lambda kit: Form(kit.pem.decode().replace("\n", "\\\\n")),
    "pem: double quotes": lambda kit: Form(f'"{kit.pem.decode()}"'),
    "pem: single quotes and spaces": lambda kit: Form(f"  '{kit.pem.decode()}' \n"),
    "pem: quoted twice, escaped": lambda kit: Form("'\"" + kit.pem.decode().replace("\n", "\\n") + "\"'"),
    "pem: str() of bytes": lambda kit: Form(str(kit.pem)),
    "pem: X509 CERTIFICATE": lambda kit: Form(kit.key_pem + kit.leaf_pem.replace(b" CERT", b" X509 CERT")),
    "pem: TRUSTED CERTIFICATE": lambda kit: Form(
        kit.key_pem + kit.openssl("x509", "-in", "leaf.pem", "-trustout", "-addtrust", "clientAuth")
    ),
    "pem: signing request beside it": lambda kit: Form(
        kit.pem + kit.openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=leaf")
    ),
    "pem: the same key twice": lambda kit: Form(kit.pem + making.key_bytes(kit.key, layout=TRADITIONAL)),
    "pem: the same certificates twice": lambda kit: Form(kit.pem + kit.leaf_pem + kit.chain_pem),
    "pem: superfluous password": lambda kit: Form(kit.pem, PASSWORD),
    "pem: RSA PRIVATE KEY": lambda kit: Form(making.key_bytes(kit.key, layout=TRADITIONAL) + kit.leaf_pem),
    "pem: EC PRIVATE KEY": lambda kit: Form(
        making.key_bytes(kit.ec_key, layout=TRADITIONAL) + making.pem(kit.ec_leaf), is_ec=True
    ),
    "pem: EC PARAMETERS before the key": lambda kit: Form(
        kit.openssl("ecparam", "-name", "prime256v1") + kit.openssl("ec", "-in", "ec.pem") + making.pem(kit.ec_leaf),
        is_ec=True,
    ),
    "pem: EC in PKCS #8": lambda kit: Form(making.key_bytes(kit.ec_key) + making.pem(kit.ec_leaf), is_ec=True),
    "pem: ENCRYPTED PRIVATE KEY": lambda kit: Form(kit.encrypted_pem, PASSWORD),
    "pem: ENCRYPTED PRIVATE KEY, bytes password": lambda kit: Form(kit.encrypted_pem, PASSWORD.encode()),
    "pem: ENCRYPTED PRIVATE KEY, PBES2 3DES": lambda kit: pkcs8(kit, "-v2", "des3"),
    "pem: ENCRYPTED PRIVATE KEY, scrypt": lambda kit: pkcs8(kit, "-scrypt"),
    "pem: ENCRYPTED PRIVATE KEY, PBE-SHA1-3DES": lambda kit: pkcs8(kit, "-v1", "PBE-SHA1-3DES"),
    "pem: ENCRYPTED PRIVATE KEY, PBE-MD5-DES": lambda kit: pkcs8(
        kit, "-v1", "PBE-MD5-DES", "-provider", "legacy", "-provider", "default"
    ),
    "pem: traditional AES-256": lambda kit: traditional(kit, "aes256"),
    "pem: traditional AES-128": lambda kit: traditional(kit, "aes128"),
    "pem: traditional 3DES": lambda kit: traditional(kit, "des3"),
    "pem: traditional AES-256, escaped": lambda kit: Form(
        str(bytes(traditional(kit, "aes256").data), "ascii").replace("\n", "\\n"),
        PASSWORD,
    ),
    "pem: traditional AES-256, spaces for line breaks": lambda kit: Form(
        str(bytes(traditional(kit, "aes256").data), "ascii").replace("\n", " "),
        PASSWORD,
    ),
    "pem: traditional EC": lambda kit: Form(
        kit.openssl("ec", "-in", "ec.pem", "-aes256", "-passout", f"pass:{PASSWORD}") + making.pem(kit.ec_leaf),
        PASSWORD,
        is_ec=True,
    ),
}

ENVELOPE_FORMS: dict[str, Callable[[Kit], Form]] = {
    "envelope: PFX called CERTIFICATE": lambda kit: Form(enveloped("CERTIFICATE", kit.pfx(PASSWORD)), PASSWORD),
    "envelope: PFX without password called CERTIFICATE": lambda kit: Form(enveloped("CERTIFICATE", kit.pfx())),
    "envelope: PFX called PKCS12": lambda kit: Form(enveloped("PKCS12", kit.pfx(PASSWORD)), PASSWORD),
    "envelope: PFX called PFX": lambda kit: Form(enveloped("PFX", kit.pfx())),
    "envelope: base64 of a PFX called CERTIFICATE": lambda kit: Form(b64(enveloped("CERTIFICATE", kit.pfx()))),
    "envelope: key called CERTIFICATE": lambda kit: Form(
        enveloped("CERTIFICATE", making.key_bytes(kit.key, DER)) + kit.leaf_pem
    ),
    "envelope: key and certificate in one": lambda kit: Form(
        enveloped("CERTIFICATE", making.key_bytes(kit.key, DER) + kit.leaf.public_bytes(DER))
    ),
    "envelope: PKCS #1 called PRIVATE KEY": lambda kit: Form(
        enveloped("PRIVATE KEY", making.key_bytes(kit.key, DER, TRADITIONAL)) + kit.leaf_pem
    ),
    "envelope: PKCS #7 beside it": lambda kit: Form(
        kit.openssl("crl2pkcs7", "-nocrl", "-certfile", "leaf.pem") + kit.pem
    ),
}

PFX_FORMS: dict[str, Callable[[Kit], Form]] = {
    "pfx: cryptography, AES-256": lambda kit: Form(kit.pfx(PASSWORD), PASSWORD),
    "pfx: bytes password": lambda kit: Form(kit.pfx(PASSWORD), PASSWORD.encode()),
    "pfx: bytearray": lambda kit: Form(bytearray(kit.pfx(PASSWORD)), PASSWORD),
    "pfx: memoryview": lambda kit: Form(memoryview(kit.pfx(PASSWORD)), PASSWORD),
    "pfx: password outside ASCII": lambda kit: Form(kit.pfx("pässwörd ✓"), "pässwörd ✓"),
    "pfx: no password": lambda kit: Form(kit.pfx()),
    "pfx: no password, empty one given": lambda kit: Form(kit.pfx(), ""),
    "pfx: no password, empty bytes given": lambda kit: Form(kit.pfx(), b""),
    "pfx: superfluous password": lambda kit: Form(kit.pfx(), PASSWORD),
    "pfx: OpenSSL's default": lambda kit: Form(kit.openssl_pfx(), PASSWORD),
    "pfx: empty password": lambda kit: Form(kit.openssl_pfx(password=""), ""),
    "pfx: empty password, none given": lambda kit: Form(kit.openssl_pfx(password="")),
    "pfx: empty password, superfluous given": lambda kit: Form(kit.openssl_pfx(password=""), PASSWORD),
    "pfx: AES-128": lambda kit: Form(kit.openssl_pfx("-keypbe", "aes-128-cbc", "-certpbe", "aes-128-cbc"), PASSWORD),
    "pfx: MAC with SHA-512": lambda kit: Form(kit.openssl_pfx("-macalg", "sha512"), PASSWORD),
    "pfx: 3DES": lambda kit: Form(kit.openssl_pfx("-legacy", "-descert"), PASSWORD),
    "pfx: RC2-40": lambda kit: Form(kit.openssl_pfx("-legacy"), PASSWORD),
    "pfx: RC4-128": lambda kit: Form(
        kit.openssl_pfx("-legacy", "-keypbe", "PBE-SHA1-RC4-128", "-certpbe", "PBE-SHA1-RC4-128"), PASSWORD
    ),
    "pfx: one iteration": lambda kit: Form(kit.openssl_pfx("-iter", "1", "-nomaciter"), PASSWORD),
    "pfx: a million iterations": lambda kit: Form(kit.openssl_pfx("-iter", "1000000"), PASSWORD),
    "pfx: no MAC": lambda kit: Form(kit.openssl_pfx("-nomac"), PASSWORD),
    "pfx: only the MAC has a password": lambda kit: Form(
        kit.openssl_pfx("-keypbe", "NONE", "-certpbe", "NONE"), PASSWORD
    ),
    "pfx: neither MAC nor encryption": lambda kit: Form(
        kit.openssl_pfx("-keypbe", "NONE", "-certpbe", "NONE", "-nomac", password="")
    ),
    "pfx: BER outside": lambda kit: Form(raw.indefinite(kit.openssl_pfx(), 4), PASSWORD),
    "pfx: EC": lambda kit: Form(
        kit.openssl("pkcs12", "-export", "-inkey", "ec.pem", "-in", "ec-leaf.pem", "-passout", f"pass:{PASSWORD}"),
        PASSWORD,
        is_ec=True,
    ),
    "pfx: a line break after it": lambda kit: Form(kit.pfx(PASSWORD) + b"\r\n", PASSWORD),
    "pfx: PKCS12KeyAndCertificates": lambda kit: Form(pkcs12.load_pkcs12(kit.pfx(), None)),
}

BASE64_FORMS: dict[str, Callable[[Kit], Form]] = {
    "base64: PFX": lambda kit: Form(b64(kit.pfx(PASSWORD)), PASSWORD),
    "base64: PFX, bytes": lambda kit: Form(b64(kit.pfx(PASSWORD)).encode(), PASSWORD),
    "base64: PFX without password": lambda kit: Form(b64(kit.pfx())),
    "base64: PFX, lines": lambda kit: Form(wrapped(kit.pfx()) + "\n"),
    "base64: PFX, lines of 64 with CRLF": lambda kit: Form(wrapped(kit.pfx(), 64, "\r\n")),
    "base64: PFX, spaces": lambda kit: Form(wrapped(kit.pfx(), 76, " ")),
    "base64: PFX, escaped line breaks": lambda kit: Form(wrapped(kit.pfx(), 76, "\\n")),
    "base64: PFX, double quotes": lambda kit: Form(f'"{b64(kit.pfx())}"'),
    "base64: PFX, single quotes and spaces": lambda kit: Form(f" '{b64(kit.pfx())}'\n"),
    "base64: PFX, str() of bytes": lambda kit: Form(str(base64.b64encode(kit.pfx()))),
    "base64: PFX, BOM": lambda kit: Form(b"\xef\xbb\xbf" + base64.b64encode(kit.pfx())),
    "base64: PFX, UTF-16 with BOM": lambda kit: Form(b64(kit.pfx()).encode("utf-16")),
    "base64: PFX, no padding": lambda kit: Form(b64(kit.pfx()).rstrip("=")),
    "base64: PFX, BER": lambda kit: Form(b64(raw.indefinite(kit.openssl_pfx(), 4)), PASSWORD),
    "base64url: PFX": lambda kit: Form(base64.urlsafe_b64encode(kit.pfx()).decode()),
    "base64url: PFX, no padding": lambda kit: Form(base64.urlsafe_b64encode(kit.pfx()).decode().rstrip("=")),
    "base64: PEM": lambda kit: Form(b64(kit.pem)),
    "base64: PEM, lines": lambda kit: Form(wrapped(kit.pem)),
    "base64: PEM with CRLF": lambda kit: Form(b64(kit.pem.replace(b"\n", b"\r\n"))),
    "base64: PEM in UTF-16": lambda kit: Form(b64(kit.pem.decode().encode("utf-16"))),
    "base64: encrypted PEM": lambda kit: Form(b64(kit.encrypted_pem), PASSWORD),
    "base64url: PEM": lambda kit: Form(base64.urlsafe_b64encode(kit.pem)),
    "base64: twice": lambda kit: Form(b64(b64(kit.pfx()).encode())),
    "base64: three times": lambda kit: Form(b64(b64(b64(kit.pem).encode()).encode())),
    "base64: DER certificate and key, one after the other": lambda kit: Form(
        b64(kit.leaf.public_bytes(DER) + making.key_bytes(kit.key, DER))
    ),
}

PAIR_FORMS: dict[str, Callable[[Kit], Form]] = {
    "pair: PEM, PEM": lambda kit: Form((kit.leaf_pem, kit.key_pem)),
    "pair: key first": lambda kit: Form((kit.key_pem.decode(), kit.leaf_pem.decode())),
    "pair: list": lambda kit: Form([kit.leaf_pem, kit.key_pem]),
    "pair: encrypted PEM key": lambda kit: Form(
        (kit.leaf_pem, making.key_bytes(kit.key, password=PASSWORD.encode())), PASSWORD
    ),
    "pair: DER, PKCS #8": lambda kit: Form((kit.leaf.public_bytes(DER), making.key_bytes(kit.key, DER))),
    "pair: PKCS #8, DER": lambda kit: Form((making.key_bytes(kit.key, DER), kit.leaf.public_bytes(DER))),
    "pair: DER, PKCS #1": lambda kit: Form((kit.leaf.public_bytes(DER), making.key_bytes(kit.key, DER, TRADITIONAL))),
    "pair: DER, SEC 1": lambda kit: Form(
        (kit.ec_leaf.public_bytes(DER), making.key_bytes(kit.ec_key, DER, TRADITIONAL)), is_ec=True
    ),
    "pair: DER, encrypted PKCS #8": lambda kit: Form(
        (kit.leaf.public_bytes(DER), making.key_bytes(kit.key, DER, password=PASSWORD.encode())), PASSWORD
    ),
    "pair: base64 of DER each": lambda kit: Form(
        (b64(kit.leaf.public_bytes(DER)), b64(making.key_bytes(kit.key, DER)))
    ),
    "pair: base64 of DER each, SEC 1": lambda kit: Form(
        (b64(kit.ec_leaf.public_bytes(DER)), b64(making.key_bytes(kit.ec_key, DER, TRADITIONAL))), is_ec=True
    ),
    "pair: PEM certificate, DER key": lambda kit: Form((kit.leaf_pem, making.key_bytes(kit.key, DER))),
    "pair: DER one after the other": lambda kit: Form(kit.leaf.public_bytes(DER) + making.key_bytes(kit.key, DER)),
    "pair: objects": lambda kit: Form((kit.leaf, kit.key)),
    "pair: objects, key first": lambda kit: Form((kit.key, kit.leaf)),
    "pair: object and PEM": lambda kit: Form((kit.leaf, kit.key_pem)),
    "pair: objects and a superfluous password": lambda kit: Form((kit.leaf, kit.key), PASSWORD),
    "pair: EC objects": lambda kit: Form((kit.ec_leaf, kit.ec_key), is_ec=True),
    "pair: object and signer": lambda kit: Form((kit.leaf, MemorySigner(kit.key))),
    "triple: objects with a chain": lambda kit: Form((kit.leaf, kit.key, [kit.root, kit.intermediate])),
    "triple: PEM with a chain": lambda kit: Form((kit.leaf_pem, kit.key_pem, kit.chain_pem)),
    "triple: DER with a chain": lambda kit: Form(
        (kit.leaf.public_bytes(DER), making.key_bytes(kit.key, DER), (kit.intermediate.public_bytes(DER),))
    ),
    "triple: load_key_and_certificates()": lambda kit: Form(pkcs12.load_key_and_certificates(kit.pfx(), None)),
    "triple: None for the chain": lambda kit: Form((kit.leaf, kit.key, None)),
    "pair: PKCS12Certificate and key": lambda kit: Form((pkcs12.load_pkcs12(kit.pfx(), None).cert, kit.key)),
}

OBJECT_FORMS: dict[str, Callable[[Kit], Form]] = {
    "secret: PFX": lambda kit: Form(secret(b64(kit.pfx()), "application/x-pkcs12")),
    "secret: PEM": lambda kit: Form(secret(kit.pem.decode(), "application/x-pem-file")),
    "secret: PEM that says it is a PFX": lambda kit: Form(secret(kit.pem.decode(), "application/x-pkcs12")),
    "secret: PFX without a content type": lambda kit: Form(SimpleNamespace(value=b64(kit.pfx(PASSWORD))), PASSWORD),
    "ClientCertificate": lambda kit: Form(ClientCertificate(kit.leaf, kit.key)),
}

FORMS = PEM_FORMS | ENVELOPE_FORMS | PFX_FORMS | BASE64_FORMS | PAIR_FORMS | OBJECT_FORMS
