"""Finds certificates and private keys in the given data.

Forms are recognised by their content, never by a flag, a name or a declared content type.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, PKCS12KeyAndCertificates

from azure_certvar_credential.certificates import ber, pem, structures
from azure_certvar_credential.certificates.material import Collected, Material
from azure_certvar_credential.certificates.naming import readable
from azure_certvar_credential.certificates.private_keys import load_plain_structure
from azure_certvar_credential.exceptions import CertificateFormatError, MissingPrivateKeyError
from azure_certvar_credential.signers.protocol import Signer

# A key with a chain of ten certificates takes 30 kB; with the CA bundle of an operating system beside it, 300 kB.
_MAX_LENGTH = 1 << 20

# Secret stores do encode base64 once more; four layers do not occur.
_MAX_LAYERS = 3

# One value may hold a leaf, its key and its chain; a key on P-256 in SEC 1 has 68 characters of base64.
_MOST_ITEMS = 50
_SHORTEST_ITEM = 60

# (certificate, key, [chain]) is a sequence within a sequence.
_MAX_NESTING = 2

# CERTIFICATE (RFC 7468 section 5.1) and OpenSSL's older labels.
_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
# certtool of GnuTLS writes PKCS12.
_PFX_LABELS = ("PKCS12", "PFX")


def read_material(data: object, password: bytes | None) -> Material:
    """Find the private key, its certificate and the other certificates.

    :param data: see :meth:`.ClientCertificate.load`.
    :param password: opens every encrypted part.
    :raises CertificateError: a subclass, as in :meth:`.ClientCertificate.load`.
    """
    if data is None:
        raise CertificateFormatError("the certificate is None; is the environment variable set?")
    collected = Collected()
    collect(collected, data, password)
    return collected.material()


def collect(collected: Collected, data: object, password: bytes | None) -> None:
    """Add the certificates and keys of the data to those found so far, whether they belong together or not.

    :param data: see :meth:`.ClientCertificate.load`.
    :param password: opens every encrypted part.
    :raises CertificateError: the data cannot be read.
    """
    _collect(collected, data, password, 0)


def _collect(collected: Collected, item: object, password: bytes | None, nesting: int) -> None:
    if isinstance(item, (str, bytes, bytearray, memoryview)):
        _collect_content(collected, item, password)
    elif isinstance(item, x509.Certificate):
        _collect_object(collected, item)
    elif isinstance(item, PKCS12Certificate):
        _collect_object(collected, item.certificate)
    elif isinstance(item, PKCS12KeyAndCertificates):
        _collect_pkcs12(collected, item)
    elif isinstance(item, Sequence) and nesting < _MAX_NESTING:
        for part in item:
            # pkcs12.load_key_and_certificates() returns None for a missing member.
            if part is not None:
                _collect(collected, part, password, nesting + 1)
    elif hasattr(item, "private_bytes") or isinstance(item, Signer):
        collected.add_key(item)
    elif isinstance(item, os.PathLike):
        raise CertificateFormatError(
            f"the certificate is a file path ({type(item).__name__}); give the file's content: Path(...).read_bytes()"
        )
    elif isinstance(getattr(item, "value", None), (str, bytes)):
        _collect_content(collected, item.value, password)  # type: ignore[attr-defined]
    elif isinstance(getattr(item, "cer", None), (bytes, bytearray)):
        raise MissingPrivateKeyError(
            f"a {type(item).__name__} holds only the public half; the private key is in the Key Vault secret of the "
            "same name: SecretClient.get_secret(name)"
        )
    else:
        from azure_certvar_credential.certificates import hints

        raise CertificateFormatError(f"the certificate is of type {type(item).__name__}; give {hints.FORMS}")


def _collect_pkcs12(collected: Collected, content: PKCS12KeyAndCertificates) -> None:
    if content.key is not None:
        collected.add_key(content.key)
    for entry in (content.cert, *content.additional_certs):
        if entry is not None:
            _collect_object(collected, entry.certificate)


def _collect_object(collected: Collected, certificate: x509.Certificate) -> None:
    try:
        collected.certificates.append(readable(certificate))
    except CertificateFormatError as error:
        collected.refused_certificates.append(error)


def _collect_certificate(collected: Collected, encoded: bytes, where: str) -> None:
    try:
        collected.certificates.append(structures.load_certificate(encoded, where))
    except CertificateFormatError as error:
        collected.refused_certificates.append(error)


def _collect_key(collected: Collected, encoded: bytes, password: bytes | None, where: str) -> None:
    try:
        element = ber.parse_first(encoded)
        kind = structures.identify(element)
        if kind != structures.ENCRYPTED_PRIVATE_KEY:
            collected.add_key(load_plain_structure(element, kind, where))
            return
        # Imported late, with the decryption: few keys need it.
        from azure_certvar_credential.certificates.pkcs12.encrypted_keys import load_encrypted

        collected.add_key(load_encrypted(element, password, collected.budget(), where))
        return
    except ber.MalformedError as error:
        problem = str(error)
    # Outside the handler, so that the foreign exception does not become __context__.
    raise CertificateFormatError(f"the private key in {where} is damaged: {problem}")


def _collect_content(collected: Collected, item: str | bytes | bytearray | memoryview, password: bytes | None) -> None:
    data: str | bytes = b""
    problem = None
    try:
        data = item if isinstance(item, str) else bytes(item)
    except ValueError as error:
        problem = str(error)
    # Outside the handler, so that the foreign exception does not become __context__.
    if problem is not None:
        raise CertificateFormatError(f"the memoryview cannot be read: {problem}")
    if len(data) > _MAX_LENGTH:
        raise CertificateFormatError(
            f"the certificate data has {len(data):,} characters or bytes; the limit is {_MAX_LENGTH:,} (a "
            "certificate with key and chain takes about 10,000)"
        )
    if not _recognise(collected, data, password, 0):
        from azure_certvar_credential.certificates import encoding, hints

        raise CertificateFormatError(hints.explain(data if isinstance(data, str) else encoding.as_text(data)))


def _recognise(collected: Collected, data: str | bytes, password: bytes | None, layers: int) -> bool:
    strict = pem.strict_blocks(data)
    if strict is not None:
        return _recognise_pem(collected, strict, password)
    # Imported late, here and below: most certificates are strict PEM, and most others binary.
    from azure_certvar_credential.certificates import encoding

    if isinstance(data, bytes) and encoding.looks_binary(data):
        return _recognise_der(collected, data, password)
    from azure_certvar_credential.certificates import objects, pem_text, renderings, standins

    named = standins.explain(data)
    if named is not None:
        raise CertificateFormatError(named)
    text = data if isinstance(data, str) else encoding.as_text(data)
    members = objects.complete_members(text, _MAX_LAYERS - layers)
    if members:
        # No layer: nothing is decoded.
        return all(_recognise(collected, member, password, layers) for member in members)
    undone = renderings.undo(text)
    if isinstance(undone, bytes):
        return _recognise_items(collected, [undone], password, layers)
    if pem.BEGIN in undone:
        blocks = pem_text.blocks(undone)
        whole = _recognise_pem(collected, blocks, password)
        if undone.count(pem.END) > len(blocks):
            collected.without_begin += pem_text.without_begin(undone, blocks)
        return whole
    items = encoding.from_base64(undone)
    if not (items and all(map(encoding.is_whole, items))):
        # Several items with something between them that base64 does not have; or others of which it is a part, as of
        # YAML with JSON in it.
        between = r"[,;|]" if "{" not in undone else r"\Z"
        parts = [part for part in re.split(between, undone, maxsplit=2 * _MOST_ITEMS) if part.strip()]
        if 1 < len(parts) <= _MOST_ITEMS and min(map(len, parts)) >= _SHORTEST_ITEM:
            return _recognise_items(collected, parts, password, layers)
        items = objects.embedded(undone)[:_MOST_ITEMS] or items
    return bool(items) and _recognise_items(collected, items or [], password, layers)


def _recognise_items(collected: Collected, items: list[str] | list[bytes], password: bytes | None, layers: int) -> bool:
    return layers < _MAX_LAYERS and all(_recognise(collected, item, password, layers + 1) for item in items)


def _recognise_pem(collected: Collected, blocks: list[pem.Block], password: bytes | None) -> bool:
    for number, block in enumerate(blocks, 1):
        where = f"PEM block {number} ({block.label})"
        if block.is_comment:
            collected.unused.setdefault(f"{block.label} in a comment", b"")
        elif block.label in _CERTIFICATE_LABELS:
            _recognise_certificate(collected, block, password, where)
        elif block.label not in pem.STRICT_LABELS and (remedy := _remedy(block.label)) is not None:
            collected.refused_keys.append(CertificateFormatError(f"{where} {remedy}"))
        elif block.problem and (block.label.endswith("PRIVATE KEY") or block.label in _PFX_LABELS):
            raise CertificateFormatError(block.problem)
        elif block.cipher is not None:
            # Imported late, with the ciphers: such keys are rare.
            from azure_certvar_credential.certificates.traditional import load_traditional

            collected.add_key(load_traditional(block, password, where))
        elif block.label.endswith("PRIVATE KEY"):
            _collect_key(collected, block.data, password, where)
        elif block.label in _PFX_LABELS:
            if not _recognise_der(collected, block.data, password, where):
                raise CertificateFormatError(f"the PFX in {where} is damaged: it is not ASN.1")
        elif block.label != "EC PARAMETERS":
            # OpenSSL writes EC PARAMETERS before a SEC 1 key, which names its curve too.
            collected.unused.setdefault(block.label, block.data)
    return bool(blocks)


def _remedy(label: str) -> str | None:
    """Return what to do about a PEM block that holds a key in a form that is not read; None for another block."""
    from azure_certvar_credential.certificates import standins

    return standins.PEM_LABELS.get(label)


def _recognise_certificate(collected: Collected, block: pem.Block, password: bytes | None, where: str) -> None:
    """Read a PEM block labelled CERTIFICATE; `certutil -encode` puts that label on every file."""
    failure: CertificateFormatError
    try:
        # OpenSSL's trust settings follow a TRUSTED CERTIFICATE.
        collected.certificates.append(structures.load_certificate(ber.parse_first(block.data).encoded, where))
        return
    except ber.MalformedError as error:
        what = structures.identify_beginning(block.data)
        is_pfx = what == structures.PFX
        failure = CertificateFormatError(f"the {what if is_pfx else 'certificate'} in {where} is damaged: {error}")
    except CertificateFormatError as error:
        failure = error
    if block.problem:
        failure = CertificateFormatError(block.problem)
    if structures.identified(block.data) in (structures.CERTIFICATE, structures.UNKNOWN):
        collected.refused_certificates.append(failure)
        return
    _recognise_der(collected, block.data, password, where)


def _recognise_der(collected: Collected, data: bytes, password: bytes | None, where: str = "the DER data") -> bool:
    rest = data
    # Concatenated structures are as unambiguous as in PEM; usually there is one.
    while rest.strip(b"\x00\t\n\r "):
        found = _first(rest, where)
        if found is None:
            if rest is data:
                return False
            raise CertificateFormatError(f"{len(rest):,} bytes that are not ASN.1 follow {where}")
        element, kind = found
        if kind == structures.PFX:
            # Imported late: PFX brings eight modules.
            from azure_certvar_credential.certificates.pkcs12.pfx import load_pfx

            content, keys, refused = load_pfx(element, password, collected.budget())
            _collect_pkcs12(collected, content)
            collected.refused_certificates += refused
            for key in keys:
                collected.add_key(key)
        elif kind == structures.CERTIFICATE:
            _collect_certificate(collected, element.encoded, where)
        elif kind in (structures.PRIVATE_KEY, structures.ENCRYPTED_PRIVATE_KEY, structures.DSA_PRIVATE_KEY):
            _collect_key(collected, element.encoded, password, where)
        else:
            raise structures.other_structure(kind, where)
        rest = rest[len(element.encoded) :]
    return True


def _first(data: bytes, where: str) -> tuple[ber.Element, str] | None:
    """Return the structure at the start of the data, with its kind; None if that is not ASN.1."""
    try:
        element = ber.parse_first(data)
        return element, structures.identify(element)
    except ber.TruncatedError as error:
        problem = str(error)
    except ber.MalformedError:
        return None
    raise CertificateFormatError(f"the {structures.identify_beginning(data)} is cut off: in {where}, {problem}")
